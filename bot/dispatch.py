"""Keeps the generator supplied from the queue, and writes down what comes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, islice, takewhile

from bot.announcing import Announcing, latest, places_of
from bot.estimate import Estimate
from bot.events import Ended, Events, Loading, Running
from bot.holding import Holding, Verdict, picture_of
from bot.logs import about
from bot.queue import FairQueue
from bot.refusals import short_code
from bot.replies import Progress
from bot.suspects import Suspects
from bot.task import Task
from db.models import EVERYWHERE, Answer, Ban, Job, JobState
from db.session import Database
from db.storage import DiskFull
from generator import messages
from generator.batching import SLOTS
from generator.client import Generator
from generator.messages import Failure, Submit

log = logging.getLogger(__name__)

IN_WORKER = SLOTS + 2  # a few at hand, so that the worker never waits for us
ANNOUNCED = 50  # places further back than this learn theirs when they ask
NEAR = 1000  # and those behind this, when they have come nearer


class Dispatch:
    """Owns the queue and the generator's events. Runs in the event loop, never blocks it."""

    def __init__(
        self,
        database: Database,
        generator: Generator,
        estimate: Estimate,
        events: Events,
        holding: Holding,
    ) -> None:
        self._database = database
        self._generator = generator
        self._estimate = estimate
        self._announcing = Announcing(estimate, IN_WORKER)
        self._events = events
        self._queue: FairQueue[Task] = FairQueue()
        self._in_worker: dict[int, Task] = {}
        self._suspects = Suspects()
        self._stopped: set[int] = set()  # jobs that the worker was told to give up
        self._progress: dict[int, Progress] = {}
        self._feeding = asyncio.Lock()
        self._wanted = asyncio.Event()
        self._holding = holding
        self._unseen: set[int] = set()  # jobs that nobody sees before they are judged
        self._started = False  # the line is restored and the worker takes orders
        self.paused = False  # by the owner: requests are taken and kept, none is drawn
        self.ready = asyncio.Event()
        self.deaths = 0  # of the worker when it had begun to draw, since the start
        self.pictures, self.seconds = 0, 0.0  # that were drawn since the start, and what they took
        self.starts = True  # the worker does, as far as is known
        self.checks = False  # whether the worker looks at pictures
        self.no_card = ""  # why it draws with none, as far as it told

    def __len__(self) -> int:
        """Jobs waiting or being drawn."""
        return len(self._queue) + len(self._in_worker) + len(self._suspects.line)

    @property
    def worker(self) -> int | None:
        """The process that draws."""
        return self._generator.pid

    async def accept(self, answer: Answer, jobs: Sequence[Job]) -> Answer:
        """Commits an answer with its jobs; from here on nothing is lost.

        A second arrival of the same origin gives the answer that already stands.
        """
        accepted = await self._database.answers.accept(answer, jobs)
        with about(request=accepted.id):
            log.info("accepted, with %d jobs", len(accepted.jobs))
        for job in accepted.jobs:
            if job.state is JobState.QUEUED and job.id not in self._in_worker:
                self._put(job)
        self._wanted.set()
        await self._feed()
        return accepted

    async def retry(self, job: Job) -> bool:
        """Puts a failed job back in line, with its recipe as it can be drawn now. False where it
        is there already."""
        if not await self._database.jobs.retry(job.id, job.recipe, job.notes):
            return False
        self._put(await self._database.jobs.get(job.id))
        await self._feed()
        return True

    async def pause(self, paused: bool) -> None:
        """Until the owner wants to go on, after a restart too; what is being drawn ends."""
        await self._database.settings.pause_drawing(paused)
        self.paused = paused
        self._announcing.untold()
        await self._feed()

    async def cancel(self, job: int) -> bool:
        """Takes a job out of the line, or stops it at its next network call."""
        if job in self._in_worker:
            self._stopped.add(job)
            self._generator.cancel(job)
            return True
        waiting = next((task for task in self._order() if task.job == job), None)
        if waiting is not None:
            self._leave(waiting)
            await self._cancelled(waiting)
        return waiting is not None

    async def stop(self, ban: Ban, place: str = "") -> None:
        """Cancels what somebody who is banned or paused has in line or in the worker, in their
        private chat too, and tells them. `place`: what the guild is called."""
        theirs = [task for task in self.tasks() if task.member == ban.member]
        own = [t for t in theirs if ban.guild in (EVERYWHERE, t.guild) or t.guild == t.member]
        stopped = [task.answer for task in own if await self.cancel(task.job)]
        if stopped:
            await self._holding.tell_stopped(ban, place, stopped)

    async def forget(self, member: str, guild: str | None = None) -> None:
        """Lets go of whatever a member has in line or in the worker: the rows are about to go.
        None is every guild."""
        for task in list(self.tasks()):
            if task.member != member or guild not in (None, task.guild):
                continue
            if task.job in self._in_worker:
                self._generator.cancel(task.job)
            else:
                self._leave(task)
            self._finish(task)
        await self._feed()

    def move(self, old: str, new: str) -> None:
        """A guild goes on under another name, with all that it has in line and in the worker."""
        moved = {task.job: replace(task, guild=new) for task in self.tasks() if task.guild == old}
        for job, task in moved.items():
            if job in self._in_worker:
                self._in_worker[job] = task
            elif self._queue.remove(job):
                self._queue.put(task)
        self._suspects.line = [moved.get(each.job, each) for each in self._suspects.line]

    def _order(self) -> Iterator[Task]:
        """The line as it will be served."""
        return chain(self._suspects.line, self._queue.order())

    def _leave(self, task: Task) -> None:
        if not self._queue.remove(task.job):
            self._suspects.line.remove(task)

    def line(self, limit: int = ANNOUNCED) -> list[tuple[Task, float | None]]:
        """The next in line with the seconds until each is done."""
        waiting = list(islice(self._order(), limit))
        times = self._times(waiting)
        return [(task, times[task.job]) for task in waiting]

    def running(self) -> list[Task]:
        return list(self._in_worker.values())

    def tasks(self) -> Iterator[Task]:
        """All, those being drawn first."""
        return chain(self.running(), self._order())

    def progress(self, answer: int) -> Progress:
        """How far an answer is: its job in the worker, or else its first in line."""
        line = [] if self.paused else self._line_to(answer)
        own = [task for task in (*self._in_worker.values(), *line) if task.answer == answer]
        if not own:
            return Progress(paused=self.paused)
        seconds = latest(self._times(line), own)
        if own[0].job in self._in_worker:
            return replace(self._progress.get(own[0].job, Progress(place=1)), seconds=seconds)
        place = places_of(line, self.running())[own[0].job]
        return Progress(place=place, seconds=seconds)

    def _line_to(self, answer: int) -> list[Task]:
        """The line as far as it decides when an answer is done: up to its last job, and those
        that may come into the worker beside it. Nothing more than that of one that isn't near."""
        line = list(islice(self._order(), NEAR))
        own = [place for place, task in enumerate(line, 1) if task.answer == answer]
        return line[: max(own, default=0) + IN_WORKER]

    async def run(self) -> None:
        """Restores the line, then follows the generator until it is cancelled."""
        for speed in reversed(await self._database.history.speeds()):
            self._estimate.learn(*speed)
        await self._database.jobs.requeue_running()
        for job in await self._database.jobs.waiting():
            self._put(job)
        await self._wait_for_work()
        await self._generator.start()
        self._started = True
        await self._feed()
        async for event in self._generator.events():
            await self._handle(event)

    async def _wait_for_work(self) -> None:
        """The page answers first: the worker's start takes both cores for seconds."""
        if not len(self._queue):
            with suppress(TimeoutError):  # wait_for would lose a stop that comes with a request
                async with asyncio.timeout(1):
                    await self._wanted.wait()

    def _put(self, job: Job) -> None:
        self._queue.put(Task.of(job))

    async def _feed(self) -> None:
        async with self._feeding:
            while self._started and (task := self._next()) is not None:
                self._in_worker[task.job] = task
                await self._submit(task)
        self._announce()
        if self.paused and self._started and not self._in_worker:
            self._generator.rest()

    def _next(self) -> Task | None:
        """Suspects go one at a time, alone; else whoever is next, while there is room."""
        if self.paused or self._suspects.include(self._in_worker):
            return None
        if self._suspects.line:
            return None if self._in_worker else self._suspects.line.pop(0)
        room = len(self._in_worker) < IN_WORKER
        return self._queue.take(self._announcing.loaded) if room else None

    async def _submit(self, task: Task) -> None:
        behind = self._behind(task)
        self._announcing.enters(task.job, task.request, behind)
        image = None
        if task.request.initial_image:
            try:
                image = await self._database.storage.read(task.request.initial_image)
            except OSError as error:
                await self._failed(task, Failure.IMAGE_BROKEN, str(error))
                return
        await self._database.jobs.start([task.job])
        await self._keep_unseen(task)
        if task.job in self._stopped:  # meanwhile
            await self._cancelled(task)
        elif task.job in self._in_worker:
            self._generator.submit(Submit(task.job, task.request, image, task.trace, behind))

    async def _keep_unseen(self, task: Task) -> None:
        with suppress(LookupError):  # its member has had all their rows erased meanwhile
            if await self._holding.hides(await self._database.jobs.get(task.job), self.checks):
                self._unseen.add(task.job)

    def _behind(self, task: Task) -> int:
        """Cost of its member's own pictures that came into the worker before it."""
        before = takewhile(lambda each: each is not task, self._in_worker.values())
        whose = task.guild, task.member
        return sum(each.cost for each in before if (each.guild, each.member) == whose)

    async def _handle(self, event: messages.Event) -> None:
        match event:
            case messages.Ready(checks=checks, no_card=no_card):
                self.checks, self.no_card, self.starts = checks, no_card, True
                for task in self.running():  # they were sent before this was known
                    await self._keep_unseen(task)
                self.ready.set()
            case messages.Loading(model):
                self._loading(model)
            case messages.Loaded(model, seconds):
                self._estimate.learn_loading(model, seconds)
            case messages.Kept(models):
                self._announcing.loaded = models
            case messages.Died():
                await self._died(event)
            case messages.Started() | messages.Called():
                self._called(event)
            case messages.Drawn() | messages.Failed() | messages.Cancelled():
                await self._ended(event)

    def _loading(self, model: str) -> None:
        for task in self._in_worker.values():
            if task.model == model:
                self._progress[task.job] = Progress(loading=model)
                self._publish(Loading, task, model=model)

    def _called(self, event: messages.Started | messages.Called) -> None:
        task = self._in_worker.get(event.job)
        if task is None:
            return
        call = event.call if isinstance(event, messages.Called) else 0
        self._announcing.called(task.job, call, event.calls)
        preview = event.preview if isinstance(event, messages.Called) else None
        preview = None if event.job in self._unseen else preview
        known = self._progress.get(task.job)
        shown = preview or (known.preview if known else None)
        self._progress[task.job] = Progress(call=call, calls=event.calls, preview=shown)
        self._publish(Running, task, call=call, calls=event.calls, preview=preview)

    async def _ended(self, event: messages.Drawn | messages.Failed | messages.Cancelled) -> None:
        task = self._in_worker.get(event.job)
        if task is None:
            return
        with about(request=task.answer, job=task.job):
            try:
                await self._end(task, event)
            except LookupError:  # its member has had all their rows erased meanwhile
                log.info("its rows are gone")
                self._finish(task)
        await self._feed()

    async def _end(
        self, task: Task, event: messages.Drawn | messages.Failed | messages.Cancelled
    ) -> None:
        if isinstance(event, messages.Drawn):
            await self._drawn(task, event)
        elif isinstance(event, messages.Failed):
            await self._failed(task, event.failure, event.detail)
        else:
            await self._cancelled(task)
        log.info("%s", type(event).__name__.lower())

    async def _drawn(self, task: Task, drawn: messages.Drawn) -> None:
        job = await self._database.jobs.get(task.job)
        verdict = await self._holding.judge(job, drawn.exposed)
        if verdict is Verdict.REFUSED:
            await self._failed(task, Failure.REFUSED, "nakedness where children may be meant")
            if ban := await self._database.moderation.banned((), task.member):
                await self.stop(ban)
            return
        try:
            file = await self._database.storage.put(drawn.png)
            picture = picture_of(job, task.request, drawn, file)
            await self._holding.hold(picture, verdict, drawn.png)
        except OSError as error:  # one that can't be kept stops nobody else
            full = isinstance(error, DiskFull)
            await self._failed(task, Failure.DISK_FULL if full else Failure.FAULT, str(error))
            return
        made = await self._database.jobs.done(task.job, picture)
        self.pictures, self.seconds = self.pictures + 1, self.seconds + drawn.seconds
        self._announcing.drawn(task.job, drawn.seconds)
        self._finish(task)
        await self._holding.tell(made, job.answer)

    async def _failed(self, task: Task, failure: Failure, detail: str) -> None:
        code = short_code()
        log.warning("job %d failed (%s): %s %s", task.job, code, failure.value, detail)
        await self._database.jobs.fail(task.job, failure.value, code)
        self._finish(task)

    async def _cancelled(self, task: Task) -> None:
        await self._database.jobs.cancel(task.job)
        self._finish(task)

    def _finish(self, task: Task) -> None:
        self._in_worker.pop(task.job, None)
        self._announcing.leaves(task.job)
        self._unseen.discard(task.job)
        self._stopped.discard(task.job)
        self._progress.pop(task.job, None)
        self._suspects.forget(task.job)
        self._publish(Ended, task)

    async def _died(self, died: messages.Died) -> None:
        """All that were in the worker are suspects; only a death while alone counts."""
        log.error("the worker died with jobs %s: %s", died.jobs, died.detail)
        self.starts = died.ready
        if not died.ready:  # the next one gets its orders
            self._announcing.untold()
            return
        self._announcing.died()
        self.deaths += 1
        tasks = [self._in_worker.pop(job) for job in died.jobs if job in self._in_worker]
        for task in tasks:
            self._announcing.leaves(task.job)
        stopped = [task for task in tasks if task.job in self._stopped]  # before it heard of that
        others = [task for task in tasks if task not in stopped]
        fatal = self._suspects.add(others, alone=len(tasks) == 1)
        for task in stopped:
            await self._cancelled(task)
        for task in fatal:
            await self._failed(task, Failure.WORKER_DIED, died.detail)
        await self._feed()

    def _announce(self) -> None:
        """Tells everyone near the front their place and time."""
        nearest = list(islice(self._order(), ANNOUNCED))
        for event in self._announcing.waiting(nearest, self.running(), self.paused):
            self._events.publish(event)

    def _times(self, line: Sequence[Task]) -> dict[int, float | None]:
        """Until those in the worker and then these are done."""
        return self._announcing.times((task.job, task.request) for task in line)

    def _publish(self, kind: type, task: Task, **facts: object) -> None:
        self._events.publish(kind(guild=task.guild, answer=task.answer, job=task.job, **facts))
