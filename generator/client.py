"""The generator as chat processes know it: a process of its own behind a small protocol."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Protocol

from generator import frames, messages
from generator.messages import Cancel, Died, Order, Rest, Resting, Submit

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.5, 30.0
PATIENCE_SECONDS = 5.0  # for the worker to end by itself
LAST_WORDS_SECONDS = 1.0  # for what it said to arrive
LINE_LETTERS = 4096
ROOT = Path(__file__).parent.parent


class Generator(Protocol):
    """Takes orders at any time after `start`; tells what comes of them."""

    @property
    def pid(self) -> int | None:
        """The worker process, if it is one on this machine."""

    async def start(self) -> None: ...

    def submit(self, order: Submit) -> None: ...

    def cancel(self, job: int) -> None: ...

    def rest(self) -> None:
        """Lets go of all memory until the next order."""

    def events(self) -> AsyncIterator[messages.Event]:
        """For one consumer, until `close`."""

    async def close(self) -> None: ...


class LocalGenerator:
    """A worker process on this machine. When it dies, `Died` tells its jobs and a new one starts;
    with nothing to do for some minutes it rests: there is none until the next order."""

    def __init__(
        self,
        models_folders: Sequence[Path],
        cache: Path,
        threads: int = 0,
        device: str = "auto",
        preview_every: int = 4,
        compiled: bool = False,
        rest_minutes: float = 0,
    ) -> None:
        self._arguments = [f"--models={folder}" for folder in models_folders]
        self._arguments += [f"--cache={cache}", f"--threads={threads}", f"--device={device}"]
        self._arguments += [f"--preview-every={preview_every}", *(["--compiled"] * compiled)]
        self._arguments += [f"--rest={rest_minutes * 60}"] if rest_minutes else []
        self._events: asyncio.Queue[messages.Event] = asyncio.Queue()
        self._process: asyncio.subprocess.Process | None = None
        self._jobs: dict[int, list[Order]] = {}  # what the worker was told of each
        self._supervisor: asyncio.Task[None] | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._ready = self._resting = False
        self._wanted = asyncio.Event()
        self._listener: threading.Thread | None = None
        self._said = ""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        await self._launch()
        self._supervisor = asyncio.create_task(self._supervise(), name="worker")

    def submit(self, order: Submit) -> None:
        self._jobs[order.job] = [order]
        self._wanted.set()
        self._send(order)

    def cancel(self, job: int) -> None:
        if job in self._jobs:
            self._jobs[job].append(Cancel(job))
            self._send(Cancel(job))

    def rest(self) -> None:
        self._send(Rest())

    async def events(self) -> AsyncIterator[messages.Event]:
        while True:
            yield await self._events.get()

    async def close(self) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor])
        if self._process is not None:
            await self._stop(self._process)

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
        # While it imports its libraries it hears of nothing, and has nothing to lose.
        try:
            async with asyncio.timeout(PATIENCE_SECONDS if self._ready else 0):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _launch(self) -> None:
        # Not the chat's working folder: the module is found wherever Semilla was started.
        self._ready = self._resting = False
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        hearing, speaking = os.pipe()
        self._said = ""
        self._listener = threading.Thread(target=self._listen, args=(hearing,), daemon=True)
        self._listener.start()
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "generator.worker",
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=speaking,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
        finally:
            os.close(speaking)

    def _listen(self, hearing: int) -> None:
        """What the worker and its libraries say beside events, line by line. In a thread: asyncio's
        pipe would keep the worker from being over while a process that it began has it, too."""
        with open(hearing, encoding="utf-8", errors="replace") as lines:
            for line in iter(partial(lines.readline, LINE_LETTERS), ""):
                log.info("the worker says: %s", line.rstrip())
                self._said = line.strip() or self._said
                if sys.stderr is not None:
                    with suppress(OSError, ValueError):  # a terminal that has gone
                        sys.stderr.write(line)

    async def _supervise(self) -> None:
        while (process := self._process) and (output := process.stdout):
            await self._follow(process, output)
            code, ready, resting = await process.wait(), self._ready, self._resting
            if self._listener is not None:
                await asyncio.to_thread(self._listener.join, LAST_WORDS_SECONDS)
            detail = f"exit code {code}, its last words: {self._said or 'none'}"
            if resting:
                await self._rest()
            else:
                log.error("the worker ended with %s", detail)
            await self._launch_again()
            # Only now: whoever hears of it may send the jobs to the new worker at once, and those
            # that came while there was none are among them.
            lost: tuple[int, ...] = ()
            if ready and not resting:
                lost, self._jobs = tuple(self._jobs), {}
            for order in chain.from_iterable(self._jobs.values()):
                self._send(order)
            if not resting:
                self._events.put_nowait(Died(lost, detail, ready))

    async def _follow(
        self, process: asyncio.subprocess.Process, output: asyncio.StreamReader
    ) -> None:
        """Until the worker's output ends."""
        try:
            await self._read(output)
        except frames.Unreadable:  # what comes behind it can't be told apart any more
            log.exception("the worker isn't understood")
            with suppress(ProcessLookupError):
                process.kill()
            await output.read()  # its end is seen only behind what it had still sent

    async def _rest(self) -> None:
        """Until there is an order; one may have come behind the worker's last look."""
        log.info("the worker rests")
        self._process = None
        if not self._jobs:
            self._wanted.clear()
            await self._wanted.wait()
        self._pause = 0.0

    async def _launch_again(self) -> None:
        """Until it succeeds: the system may be out of memory or of files, and have some later."""
        while True:
            await asyncio.sleep(self._pause)
            longer = max(self._pause * 2, FIRST_PAUSE_SECONDS)
            self._pause = min(longer, LAST_PAUSE_SECONDS)
            try:
                return await self._launch()
            except OSError as error:
                log.exception("the worker can't be started")
                self._events.put_nowait(Died((), str(error), ready=False))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        """Passes events on until the worker's output ends. Raises frames.Unreadable."""
        while True:
            try:
                prefix = await stream.readexactly(frames.PREFIX.size)
                header, body = frames.PREFIX.unpack(prefix)
                event = frames.decode(
                    await stream.readexactly(header), await stream.readexactly(body)
                )
            except asyncio.IncompleteReadError:
                return
            self._ready, self._resting = True, isinstance(event, Resting)
            if isinstance(event, messages.Drawn | messages.Failed | messages.Cancelled):
                self._jobs.pop(event.job, None)
                self._pause = FIRST_PAUSE_SECONDS
            self._events.put_nowait(event)

    def _send(self, order: Order) -> None:
        # Between an end and the next launch nothing can be sent: the next worker gets these.
        process = self._process
        if process is not None and process.stdin is not None and process.returncode is None:
            process.stdin.write(frames.encode(order))
