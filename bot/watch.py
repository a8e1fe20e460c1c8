"""Looks after the machine: tells the owner what needs them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence, Set
from textwrap import shorten
from typing import Any

from bot import card
from bot.commands.semilla import Semilla
from bot.conversation import Adapter, Reply
from bot.locales import gigabytes, has, say
from bot.metrics import NEARLY_FULL_BYTES, free_bytes

log = logging.getLogger(__name__)

Adapters = Mapping[str, Adapter]
Facts = Mapping[str, Any]
Trouble = tuple[str, Facts]  # the name of its sentence, and its facts

LOOK_EVERY_SECONDS = 60.0
TOO_OFTEN, MINUTES = 3, 10  # deaths of the generator, within these
REASON = 200  # characters of what a library said
WELL = ("-ready", "-unreachable", "-out-of-touch")  # or well again by itself


async def run(semilla: Semilla, adapters: Adapters) -> None:
    """Runs until it is cancelled. Each trouble is told once, and once more when it is over; before
    Semilla has an owner, the log alone is told."""
    told: set[str] = set()
    deaths: deque[int] = deque(maxlen=MINUTES)
    there = await asyncio.to_thread(card.is_there)
    build = await asyncio.to_thread(card.torch_build)
    while True:
        deaths.append(semilla.dispatch.deaths)
        try:
            free = await asyncio.to_thread(free_bytes, semilla)
            facts = {"free": gigabytes(free, semilla.config.language)}
            chats = (_of_chat(semilla, each) for each in adapters.values())
            unused = _of_card(build, semilla.dispatch.no_card) if there else None
            own = _troubles(free, semilla.dispatch.starts, deaths, facts)
            troubles = dict([*own, *filter(None, (unused, *chats))])
            await _tell_changes(semilla, told, troubles, facts)
            told = set(troubles)
        except Exception:  # A disk that is away, a locked database: the chats go on.
            log.exception("looking after the machine is left for the next time")
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _tell_changes(
    semilla: Semilla, told: Set[str], troubles: Mapping[str, Facts], facts: Facts
) -> None:
    for trouble in troubles.keys() - told:
        await _tell(semilla, trouble, troubles[trouble])
    for trouble in told - troubles.keys():
        await _tell(semilla, f"{trouble}-well", facts)


def _troubles(free: int, starts: bool, deaths: Sequence[int], facts: Facts) -> Iterator[Trouble]:
    """
    Args:
        starts: whether the generator does.
    """
    if free < NEARLY_FULL_BYTES:
        yield "notice-disk", facts
    if not starts:
        yield "notice-no-generator", facts
    elif (times := deaths[-1] - deaths[0]) >= TOO_OFTEN:
        yield "notice-generator", {"times": times, "minutes": MINUTES}


def _of_card(build: card.TorchBuild | None, refusal: str) -> Trouble | None:
    """
    Args:
        refusal: what the card that is there said when the generator tried it.
    """
    if build is not None and build.cuda is None:
        return "doctor-card-unused", {"version": build.version}
    if build is not None and refusal:
        reason = shorten(refusal, REASON)
        return "notice-card", {"version": build.version, "reason": reason}
    return None


def _of_chat(semilla: Semilla, adapter: Adapter) -> Trouble | None:
    """What only its owner can mend: chats that have a token tell of it."""
    key, facts = getattr(adapter, "state", ("", {}))
    if not key or key.endswith(WELL):
        return None
    return key, {"address": semilla.config.web.address, **facts}


async def _tell(semilla: Semilla, key: str, facts: Facts) -> None:
    """In private, in every chat that an owner uses; one that has lost its token stays silent."""
    language = semilla.config.language
    if not has(language, key):
        return
    text = say(language, key, **facts)
    log.warning("%s", text)
    for owner in await semilla.database.access.owners():
        reply = Reply(text=text, private=True)
        semilla.events.tell(owner.adapter, owner.member, reply)
