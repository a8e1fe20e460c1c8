"""Requests from 100 guilds, speeded up: python -m bench.load [requests]

All of Semilla is real but the network calls: in their place a stand-in answers each job at once with
a small picture. Tells how many requests a second are accepted by the database alone and through
the whole door, whether everything comes out, and how the memory grows. With 0, the first alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import psutil

from bot import app as composition
from bot.app import App
from bot.conversation import Guild, Member
from db.models import Answer
from db.session import Database
from generator import messages
from tests.chat import Chat, settings
from tests.rows import answer, job, request

GUILDS, MEMBERS, AT_ONCE = 100, 4, 64
LINE = 500  # in line at most: a longer one takes more memory, and means no leak
RATE_REQUESTS = 2000
MEGABYTE = 10**6


class Instant:
    """A generator that has drawn as soon as it is asked."""

    pid = None

    def __init__(self) -> None:
        self._events: asyncio.Queue[messages.Event] = asyncio.Queue()

    async def start(self) -> None:
        self._events.put_nowait(messages.Ready({"device": "none"}))

    def submit(self, order: messages.Submit) -> None:
        self._events.put_nowait(messages.Started(order.job, 1))
        self._events.put_nowait(messages.Called(order.job, 1, 1))
        png = _png(order.job)
        drawn = hashlib.sha256(png).hexdigest()
        self._events.put_nowait(messages.Drawn(order.job, png, drawn, {}, "1e1", 0.01))

    def cancel(self, job: int) -> None:
        self._events.put_nowait(messages.Cancelled(job))

    def rest(self) -> None: ...

    async def events(self) -> AsyncIterator[messages.Event]:
        while True:
            yield await self._events.get()

    async def close(self) -> None: ...


class Counting(Chat):
    """Counts what is delivered, and forgets it."""

    count = 0

    async def deliver(self, answer: Answer, reply: object) -> None:
        self.count += 1


def _png(number: int) -> bytes:
    """8 × 8 pixels of a colour of its own."""
    row = b"\0" + number.to_bytes(3, "big") * 8
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * 8)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


async def main(requests: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await _rate(Path(folder) / "rate")
        if requests:
            await _load(Path(folder) / "load", requests)


async def _rate(data: Path) -> None:
    database = await Database.open(data / "semilla.db", data / "pictures")

    async def accept(number: int) -> None:
        guild = f"guild {number % GUILDS}"
        await database.answers.accept(answer(guild=guild), [job(request(seed=number), guild=guild)])

    seconds = await _at_once(accept, RATE_REQUESTS)
    print(f"accepted by the database: {RATE_REQUESTS / seconds:.0f} a second, {AT_ONCE} at once")
    await database.close()


async def _load(data: Path, requests: int) -> None:
    composition._generator = lambda config: Instant()  # type: ignore[assignment]
    async with App.open(settings(data, SEMILLA_LIMITS__WAITING="10000")) as app:
        chat = Counting(app)
        serving = asyncio.create_task(app.serve([chat]))
        memory: list[float] = []

        async def ask(number: int) -> None:
            guild, member = number % GUILDS, number // GUILDS % MEMBERS
            while number - chat.count > LINE:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            reply = await chat.type(
                f"a cat seed:{number} steps:1",
                guild=Guild(f"chat:{guild}"),
                member=Member(f"chat:{guild}.{member}", f"Member {member}"),
            )
            if reply.answer is None:
                raise SystemExit(f"not accepted: {reply.text}")
            if number % (requests // 20) == 0:
                memory.append(psutil.Process().memory_info().rss / MEGABYTE)

        seconds = await _at_once(ask, requests)
        print(
            f"through the whole door, with drawing and delivery: {requests / seconds:.0f} a second"
        )
        while len(app.semilla.dispatch) or chat.count < requests:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        waiting = await app.semilla.database.jobs.waiting()
        undelivered = await app.semilla.database.answers.outbox()
        print(f"{chat.count} delivered, {len(waiting)} waiting, {len(undelivered)} in the outbox")
        after = memory[len(memory) // 4 :]
        growth = (after[-1] / after[0] - 1) * 100
        print(f"memory after a quarter and at the end: {after[0]:.1f} and {after[-1]:.1f} MB")
        print(f"grown by {growth:+.1f} %")
        serving.cancel()
        await asyncio.wait([serving])


async def _at_once(ask: Callable[[int], Awaitable[None]], requests: int) -> float:
    """Seconds for all of them, AT_ONCE at a time."""
    numbers: Iterator[int] = iter(range(requests))

    async def one_after_the_other() -> None:
        for number in numbers:
            await ask(number)

    before = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    return time.perf_counter() - before


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
