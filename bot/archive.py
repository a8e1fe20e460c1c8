"""`semilla backup FILE` and `semilla restore FILE`, beside a running Semilla or without one."""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bot import processes
from bot.adapters.terminal.screen import FAILED, OK, REFUSED, Screen
from bot.adapters.terminal.words import CommandLine
from bot.config import Config

STOP_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.2
NAMES_TOLD = 10


class NotFree(Exception):
    """Who owns the data folder doesn't stop."""


class InContainer(Exception):
    """Who owns the data folder is what a container runs: whatever runs beside it would end, too.
    Or it is in another container."""


def back_up(config: Config, line: CommandLine, screen: Screen) -> int:
    """The whole history in one file. A Semilla that runs goes on."""
    from db import backup

    target = _named(line)
    if target is None or target.is_dir():
        screen.say("backup-which-file", command="backup")
        return REFUSED
    try:
        written = backup.back_up(config.data, target)
    except (OSError, sqlite3.OperationalError) as error:
        screen.say("backup-failed", file=str(target), reason=str(error))
        return FAILED
    except (backup.BadBackup, sqlite3.Error) as error:
        screen.say("doctor-database-broken", reason=str(error))
        return FAILED
    screen.say("backup-done", file=str(target), count=written.files)
    if written.damaged:
        screen.say("backup-damaged", count=written.damaged)
    return OK


def restore(config: Config, line: CommandLine, screen: Screen) -> int:
    """Everything from one file. A Semilla that runs is stopped for it, once the file is known to
    be whole; what was there stays in a folder of its own."""
    from db import backup
    from db.migrations import DatabaseNewer

    source = _named(line)
    if source is None or source.is_dir():
        screen.say("backup-which-file", command="restore")
        return REFUSED
    try:
        with tempfile.TemporaryDirectory(dir=config.data, prefix=".restore-") as folder:
            files = backup.unpack(source, Path(folder))
            owners = backup.new_owners(Path(folder), config.data)
            places = backup.new_places(Path(folder), config.data)
            with _owned(config.data, screen):
                before = backup.put_in_place(Path(folder), config.data)
    except backup.BadBackup as error:
        screen.say("restore-bad", file=str(source), reason=str(error))
        return FAILED
    except DatabaseNewer:
        screen.say("restore-newer", file=str(source))
        return REFUSED
    except InContainer:
        screen.say("restore-container", file=str(source))
        return REFUSED
    except (OSError, NotFree) as error:
        screen.say("restore-failed", file=str(source), reason=str(error))
        return FAILED
    screen.say("restore-done", count=files, folder=str(before))
    if owners:
        screen.say("restore-owners", **_listed(owners))
    if places:
        screen.say("restore-places", **_listed(places))
    return OK


def _named(line: CommandLine) -> Path | None:
    return Path(os.path.expanduser(line.words[1])).absolute() if len(line.words) == 2 else None


def _listed(names: Sequence[str]) -> dict[str, Any]:
    """Without what would write elsewhere on the screen: they are of a file of anybody's."""
    shown = ("".join(filter(str.isprintable, str(name))) for name in names[:NAMES_TOLD])
    left = max(0, len(names) - NAMES_TOLD)
    return {"count": len(names), "names": ", ".join(shown), "left": left}


@contextmanager
def _owned(data: Path, screen: Screen) -> Iterator[None]:
    """The data folder's lock; whoever has it is asked to stop. Raises NotFree, InContainer."""
    deadline, asked = time.monotonic() + STOP_SECONDS, 0
    while time.monotonic() < deadline:
        with suppress(processes.Owned), processes.own(data):
            yield
            return
        owner = processes.find_owner(data)
        if owner is not None and not processes.ends_alone(owner):
            raise InContainer
        if owner is not None and owner.pid != asked:
            screen.say("restore-stopping")
            os.kill(owner.pid, signal.SIGTERM)
            asked = owner.pid
        time.sleep(LOOK_EVERY_SECONDS)
    raise NotFree(str(data))
