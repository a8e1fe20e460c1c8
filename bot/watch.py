"""Looks after the machine: tells the owner what needs them, and removes what has grown old."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta

from bot.commands.semilla import Semilla
from bot.conversation import Reply
from bot.events import Notice
from bot.locales import decimal, say
from bot.metrics import NEARLY_FULL_BYTES, free_bytes
from db.models import now

log = logging.getLogger(__name__)

Owners = Callable[[], Awaitable[Sequence[str]]]

LOOK_EVERY_SECONDS = 60.0
RETIRE_EVERY_SECONDS = 3600.0
TOO_OFTEN, MINUTES = 3, 10  # deaths of the generator, within these
GIGABYTE = 10**9


async def nobody() -> Sequence[str]:
    """Before Semilla has an owner, the log alone is told."""
    return ()


async def run(semilla: Semilla, owners: Owners = nobody) -> None:
    """Runs until it is cancelled. `owners` gives the ids of the members who are told."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_watch(semilla, owners))
        tasks.create_task(_retire(semilla))


async def _retire(semilla: Semilla) -> None:
    """Files of pictures that are older than the owner wants to keep them."""
    days = semilla.config.history.keep_days
    while days:
        while await semilla.database.history.retire(now() - timedelta(days=days)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # others write meanwhile
        await asyncio.sleep(RETIRE_EVERY_SECONDS)


async def _watch(semilla: Semilla, owners: Owners) -> None:
    """Each trouble is told once, and once more when it is over."""
    told: set[str] = set()
    deaths: deque[int] = deque(maxlen=MINUTES)
    while True:
        deaths.append(semilla.dispatch.deaths)
        free = await asyncio.to_thread(free_bytes, semilla)
        troubles = dict(_troubles(free, deaths))
        for trouble in sorted({*troubles, *told}):
            if (trouble in troubles) != (trouble in told):
                key = trouble if trouble in troubles else f"{trouble}-well"
                await _tell(
                    semilla, owners, key, **troubles.get(trouble, {"free": free / GIGABYTE})
                )
        told = set(troubles)
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def _troubles(free: int, deaths: Sequence[int]) -> Iterator[tuple[str, dict[str, object]]]:
    if free < NEARLY_FULL_BYTES:
        yield "notice-disk", {"free": free / GIGABYTE}
    if (times := deaths[-1] - deaths[0]) >= TOO_OFTEN:
        yield "notice-generator", {"times": times, "minutes": MINUTES}


async def _tell(semilla: Semilla, owners: Owners, key: str, **facts: object) -> None:
    language = semilla.config.language
    shown = {n: decimal(v, language) if isinstance(v, float) else v for n, v in facts.items()}
    text = say(language, key, **shown)
    log.warning("%s", text)
    for member in await owners():
        adapter = member.partition(":")[0]
        reply = Reply(text=text, private=True)
        semilla.events.publish(Notice(guild="", adapter=adapter, member=member, reply=reply))
