"""What Prometheus and a health check read: taken from the database and the queue when they ask.

What is counted up is counted since the start, as rates want it: members erase what is in the
database.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from bot.commands.semilla import Semilla
from bot.commands.stats import memory_bytes
from db.session import DatabaseAway, DatabaseBroken
from db.statistics import Counts

NEARLY_FULL_BYTES = 10**9
PATIENCE_SECONDS = 5.0  # for the database, which answers in milliseconds when it is well


@dataclass(frozen=True, slots=True)
class Health:
    """Whether work can be done. `generator`: false only after it has ended by itself."""

    database: bool
    disk: bool
    generator: bool

    @property
    def good(self) -> bool:
        return self.database and self.disk and self.generator


async def health(semilla: Semilla) -> Health:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await semilla.database.look()
        database = True
    except (TimeoutError, DatabaseBroken, DatabaseAway):
        database = False
    try:
        free = await asyncio.to_thread(free_bytes, semilla)
    except OSError:  # the disk has gone
        free = 0
    worker = semilla.dispatch.worker
    generator = worker is None or memory_bytes(worker) > 0
    return Health(database, free > NEARLY_FULL_BYTES, generator)


def free_bytes(semilla: Semilla) -> int:
    """On the disk of the data folder."""
    return shutil.disk_usage(semilla.config.data).free


async def exposition(semilla: Semilla) -> bytes:
    """Prometheus' text format."""
    counts = await semilla.database.statistics.counts()
    registry = CollectorRegistry()
    registry.register(_Taken(_families(semilla, counts)))
    ProcessCollector(registry=registry)
    return await asyncio.to_thread(generate_latest, registry)


class _Taken(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _families(semilla: Semilla, counts: Counts) -> Iterator[Metric]:
    dispatch = semilla.dispatch
    jobs = GaugeMetricFamily("semilla_jobs", "Jobs in the database, by state.", labels=["state"])
    for state, number in counts.jobs.items():
        jobs.add_metric([state.value], number)
    yield jobs
    counters = {
        "semilla_pictures": ("Pictures drawn.", dispatch.pictures),
        "semilla_drawing_seconds": ("Spent on drawing them.", dispatch.seconds),
        "semilla_generator_deaths": (
            "Ends of the generator by itself, after it had started.",
            dispatch.deaths,
        ),
    }
    for name, (text, value) in counters.items():
        yield CounterMetricFamily(name, text, value)
    running = len(dispatch.running())
    gauges = {
        "semilla_running": ("Jobs in the generator.", running),
        "semilla_waiting": ("Jobs in line.", len(dispatch) - running),
        "semilla_undelivered": ("Answers not shown yet.", counts.undelivered),
        "semilla_guilds": ("Guilds with jobs in the database.", counts.guilds),
        "semilla_disk_free_bytes": ("For the data folder.", free_bytes(semilla)),
        "semilla_generator_memory_bytes": (
            "Resident, of the generator.",
            memory_bytes(dispatch.worker),
        ),
    }
    for name, (text, value) in gauges.items():
        yield GaugeMetricFamily(name, text, value)
