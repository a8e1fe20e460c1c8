"""Microseconds of each change of a line of 10,000 jobs in 500 guilds: python -m bench.queue"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import chain, islice
from time import perf_counter
from typing import TypeVar

from bot.queue import FairQueue, Waiting

JOBS, GUILDS, MEMBERS = 10_000, 500, 8
MODELS = ("small", "middle", "large")
COSTS = (128 * 128 * 20, 512 * 512 * 20, 1024 * 1024 * 50)
GOLDEN_RATIO = 0.618034  # its multiples spread evenly

Value = TypeVar("Value")


def jobs() -> list[Waiting]:
    """Every guild asks, and some ask far more than others."""
    spread = (int(GUILDS * (job * GOLDEN_RATIO % 1) ** 4) for job in range(JOBS - GUILDS))
    return [
        Waiting(
            job,
            f"guild {guild}",
            f"member {job // 9 % MEMBERS}",
            MODELS[job % 3],
            COSTS[job // 3 % 3],
        )
        for job, guild in enumerate(chain(range(GUILDS), spread))
    ]


def report(name: str, change: Callable[[Value], object], values: Iterable[Value]) -> None:
    times = []
    for value in values:
        start = perf_counter()
        change(value)
        times.append(perf_counter() - start)
    times.sort()
    median, late = (times[int(len(times) * part)] * 1e6 for part in (0.5, 0.99))
    mean = sum(times) / len(times) * 1e6
    line = f"{name:28} mean {mean:7.1f}  median {median:7.1f}  99 % {late:7.1f} µs\n"
    sys.stdout.write(line)


def main() -> None:
    waiting = jobs()
    queue: FairQueue[Waiting] = FairQueue()
    report("put", queue.put, waiting)
    report("order of all", lambda _: sum(1 for _ in queue.order()), range(20))
    report("remove", queue.remove, range(0, JOBS, 2))
    for entry in islice(waiting, 0, JOBS, 2):
        queue.put(entry)
    report("take, no model loaded", lambda _: queue.take(), range(JOBS // 2))
    for entry in waiting:
        queue.put(entry)
    report("take, one of three models", lambda _: queue.take(("large",)), range(JOBS // 2))
    report("take, loaded model not asked", lambda _: queue.take(("none",)), range(JOBS // 2))


if __name__ == "__main__":
    main()
