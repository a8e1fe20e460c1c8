"""How it goes, for the owner."""

from __future__ import annotations

import asyncio
import shutil
import time
from datetime import timedelta

import psutil

from bot.commands.declaration import command
from bot.commands.semilla import Semilla
from bot.conversation import Call, Reply, Role
from bot.locales import duration, gigabytes, say
from bot.replies import list_lines
from db.models import JobState, now

MEGABYTE = 10**6


@command(role=Role.OWNER)
async def stats(semilla: Semilla, call: Call) -> Reply:
    """Counts over all guilds, and nobody's words."""
    language = call.language
    today = await semilla.database.statistics.counts(now() - timedelta(days=1))
    ever = await semilla.database.statistics.counts()
    lines = [
        say(
            language,
            "stats-today",
            pictures=today.pictures,
            members=today.members,
            guilds=today.guilds,
            failed=today.jobs.get(JobState.FAILED, 0),
        ),
        say(
            language,
            "stats-ever",
            pictures=ever.pictures,
            members=ever.members,
            guilds=ever.guilds,
        ),
        say(
            language,
            "stats-line",
            running=len(semilla.dispatch.running()),
            waiting=len(semilla.dispatch) - len(semilla.dispatch.running()),
            undelivered=ever.undelivered,
        ),
        await asyncio.to_thread(_machine, semilla, language),
    ]
    return Reply(text=f"{say(language, 'stats-title')}\n{list_lines(lines)}", private=True)


def _machine(semilla: Semilla, language: str) -> str:
    own = psutil.Process()
    free = shutil.disk_usage(semilla.config.data).free
    return say(
        language,
        "stats-machine",
        free=gigabytes(free, language),
        memory=own.memory_info().rss // MEGABYTE,
        generator=memory_bytes(semilla.dispatch.worker) // MEGABYTE,
        time=duration(time.time() - own.create_time(), language),
    )


def memory_bytes(process: int | None) -> int:
    """0 for one that isn't there."""
    try:
        return int(psutil.Process(process).memory_info().rss) if process else 0
    except psutil.Error:
        return 0
