"""Jobs that were in the worker when it died: each is tried again alone, as one has killed it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from bot.task import Task

DEATHS = 2  # of the worker, alone with a job, after which the job fails


class Suspects:
    """`line`: those that wait to be tried."""

    def __init__(self) -> None:
        self.line: list[Task] = []
        self._deaths: Counter[int] = Counter()

    def add(self, tasks: Sequence[Task], alone: bool) -> list[Task]:
        """Gives those of them that fail, as the worker died too often while `alone` with them."""
        self._deaths.update({task.job: int(alone) for task in tasks})
        fatal = [task for task in tasks if self._deaths[task.job] >= DEATHS]
        self.line += [task for task in tasks if task not in fatal]
        return fatal

    def include(self, jobs: Collection[int]) -> bool:
        """Whether one that the worker has died with is among them."""
        return any(job in self._deaths for job in jobs)

    def forget(self, job: int) -> None:
        self._deaths.pop(job, None)
