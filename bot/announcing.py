"""Places in line, and when pictures will be done: by the estimate, by what the worker tells of
those that are in it, and by how much later than computed the last ones came.

What is computed knows nothing of who comes later and overtakes, nor of who shares a call.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bot.estimate import Estimate, Running
from bot.events import Waiting
from bot.task import Task
from generator.request import GenerationRequest

RECENT = 16  # pictures by which lateness is judged: few, so that a change of load is soon felt


@dataclass(slots=True)
class _Inside:
    """A picture in the worker. `came`: as in bot.estimate; `done`: the part that is drawn."""

    request: GenerationRequest
    came: int
    done: float = 0.0


class Announcing:
    """Knows which models are `loaded`, what is in the worker, and what was told to whom.

    Args:
        slots: how many pictures the worker takes at once.
    """

    def __init__(
        self, estimate: Estimate, slots: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.loaded: Collection[str] = ()
        self._estimate = estimate
        self._slots = slots
        self._clock = clock
        self._inside: dict[int, _Inside] = {}
        self._given = 0  # pixels × network calls that the worker has drawn
        self._told: dict[int, tuple[float, float]] = {}  # when, and the seconds that were computed
        self._late: deque[float] = deque(maxlen=RECENT)  # took / computed

    def enters(self, job: int, request: GenerationRequest, behind: int = 0) -> None:
        """A picture goes to the worker; `behind` as in generator.messages.Submit."""
        self._inside[job] = _Inside(request, self._given + behind)

    def called(self, job: int, call: int, calls: int) -> None:
        """Network call `call` of `calls` was answered."""
        inside = self._inside[job]
        inside.done = call / calls if calls else 0.0
        self._given += round(inside.request.cost / max(1, calls)) if call else 0

    def drawn(self, job: int, seconds: float) -> None:
        """A picture that took so many of the worker's seconds can be shown."""
        self._estimate.learn(*self._inside[job].request.timed_by, seconds)
        if job in self._told:
            when, computed = self._told[job]
            self._late.append((self._clock() - when) / computed)

    def leaves(self, job: int) -> None:
        """Whatever became of it; it may never have been in the worker."""
        self._inside.pop(job, None)
        self._told.pop(job, None)

    def died(self) -> None:
        """The worker, and with it what it had in memory."""
        self.loaded, self._given = (), 0
        self.untold()

    def told(self, job: int, seconds: float | None) -> None:
        """A member is told; the first time counts. Not before a model is in memory: how long the
        start and the first load take says nothing about later."""
        if seconds and self.loaded:
            self._told.setdefault(job, (self._clock(), seconds / self._lateness))

    def untold(self) -> None:
        """What was told can't be kept, for a reason that says nothing about later."""
        self._told.clear()

    def times(
        self, waiting: Iterable[tuple[int, GenerationRequest]] = ()
    ) -> dict[int, float | None]:
        """Seconds until those in the worker and then those in line are done, by job."""
        line = list(waiting)
        computed = self._estimate.announce(
            (request for _, request in line),
            self.loaded,
            [self._left(each) for each in self._inside.values()],
            slots=self._slots,
            given=self._given,
        )
        jobs = [*self._inside, *(job for job, _ in line)]
        late = self._lateness
        return {
            job: None if seconds is None else seconds * late
            for job, seconds in zip(jobs, computed, strict=True)
        }

    def waiting(
        self, line: Sequence[Task], inside: Collection[Task], paused: bool
    ) -> Iterator[Waiting]:
        """What is told of place and time, behind those that are `inside`: an answer of which
        something is drawn already waits no more."""
        places, times = places_of(line, inside), self.times((t.job, t.request) for t in line)
        for job, seconds in times.items() if not paused else ():
            self.told(job, seconds)
        begun = {task.answer for task in inside}
        answers: dict[int, list[Task]] = defaultdict(list)
        for task in line:
            if task.answer not in begun:
                answers[task.answer].append(task)
        for answer, own in answers.items():
            yield Waiting(
                guild=own[0].guild,
                answer=answer,
                job=own[0].job,
                place=places[own[0].job],
                seconds=latest(times, own),
                paused=paused,
            )

    @property
    def _lateness(self) -> float:
        return median(self._late) if self._late else 1.0

    def _left(self, inside: _Inside) -> Running:
        """0 seconds while nothing is known of its model's speed."""
        request, left = inside.request, 1 - inside.done
        seconds = (self._estimate.whole(request) or 0.0) * left
        return Running(request.model, seconds, round(request.cost * left), inside.came)


def places_of(line: Iterable[Task], inside: Iterable[Task]) -> dict[int, int]:
    """Of the head of the line, by job, in their own guild: how many wait in others is seen by
    nobody. Those at hand in the worker stand before it, but for the one being drawn."""
    guilds = Counter(task.guild for task in inside)
    guilds.subtract(guilds.keys())
    places = {}
    for task in line:
        guilds[task.guild] += 1
        places[task.job] = guilds[task.guild]
    return places


def latest(times: Mapping[int, float | None], tasks: Sequence[Task]) -> float | None:
    """When all of these are done; None where that isn't known."""
    known = [seconds for task in tasks if (seconds := times[task.job]) is not None]
    return max(known) or None if len(known) == len(tasks) else None
