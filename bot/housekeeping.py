"""What has to be done from time to time."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from bot.commands.door import run as answer
from bot.commands.semilla import Semilla
from bot.conversation import Call, Guild, Member
from bot.moderation import RECORDS_KEPT
from db.history import Asker
from db.models import now
from db.storage import UNCLAIMED
from generator.adding import PARTS

log = logging.getLogger(__name__)

Work = Callable[[Semilla], Awaitable[None]]

ERASE_EVERY_SECONDS = 60
SWEEP_EVERY_SECONDS = 6 * 3600
RETIRE_EVERY_SECONDS = 3600
MODELS_EVERY_SECONDS = 5
TOKEN_LIFE = timedelta(minutes=15)
HOME = Guild("web:home")
SEMILLA = Member("semilla", "Semilla")
FIRST_SEED = 7
MISSED_LIFE = timedelta(days=7)  # requests that came while Semilla was away
ATTACHED_LIFE = timedelta(days=1)  # pictures that came with orders which nobody has confirmed
DAY = 24 * 3600
D, UNIQUE = "[0-9]", "[a-z0-9_]" * 8  # as tempfile names what is to be unique
LEFTOVERS = (  # below the data folder, and for how many seconds somebody may want them; just the
    # names that are given here, as others keep things of their own beside them
    ("cache/shown/*", DAY),  # it is made again when a picture is shown
    (f".restore-{UNIQUE}", DAY),  # of a command that was killed
    (f".backup-{UNIQUE}", DAY),
    *((f"models/{part}", 30 * DAY) for part in PARTS),  # added only half
    (f"semilla.db.before-{D * 4}", 30 * DAY),
    (f"before-restore-{D * 8}-{D * 6}-{D * 6}", 30 * DAY),
    (f"{UNCLAIMED}{D * 4}-{D * 2}-{D * 2}", 30 * DAY),
)


async def run(semilla: Semilla, with_page: bool) -> None:
    """Runs until it is cancelled. `with_page`: there is a gallery that should not be empty."""
    async with asyncio.TaskGroup() as tasks:
        for work, seconds in (
            (_erase, ERASE_EVERY_SECONDS),
            (_sweep, SWEEP_EVERY_SECONDS),
            (_tidy, SWEEP_EVERY_SECONDS),
            (_retire, RETIRE_EVERY_SECONDS),
            (_look_for_models, MODELS_EVERY_SECONDS),
        ):
            tasks.create_task(_repeat(work, semilla, seconds))
        if with_page:
            tasks.create_task(_welcome(semilla))


async def _repeat(work: Work, semilla: Semilla, seconds: float) -> None:
    while True:
        try:
            await work(semilla)
        except Exception:  # A locked database, a full disk: it can wait, and the chats go on.
            log.exception("%s is left for the next time", work.__name__)
        await asyncio.sleep(seconds)


async def _erase(semilla: Semilla) -> None:
    """Tokens that are good for nothing more, and from the files what members have erased."""
    await semilla.database.answers.erase_tokens(now() - TOKEN_LIFE)
    await semilla.database.transactions.write_over()


async def _sweep(semilla: Semilla) -> None:
    """Files that a stop left without a row, and what is kept for a time only."""
    await semilla.database.storage.sweep()
    await semilla.database.moderation.forget_old(now() - RECORDS_KEPT)
    await semilla.database.drafts.forget_missed(now() - MISSED_LIFE)
    await semilla.database.drafts.forget_attached(now() - ATTACHED_LIFE)
    await semilla.database.drafts.forget_old(now() - RECORDS_KEPT)
    await semilla.database.jobs.forget_spent()
    await semilla.database.analyze()


async def _tidy(semilla: Semilla) -> None:
    """What nobody else removes; members' words and pictures are in most of it."""
    await asyncio.to_thread(remove_leftovers, semilla.config.data)


def remove_leftovers(data: Path) -> None:
    for pattern, seconds in LEFTOVERS:
        for path in data.glob(pattern):
            try:
                _remove_if_old(path, seconds)
            except OSError:  # somebody else's, or in use: the others go all the same
                log.warning("%s can't be removed", path, exc_info=True)


def _remove_if_old(path: Path, seconds: float) -> None:
    if path.lstat().st_mtime > time.time() - seconds:
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


async def _retire(semilla: Semilla) -> None:
    """Files of pictures that are older than the owner wants to keep them."""
    days = semilla.config.history.keep_days
    while days and await semilla.database.history.retire(now() - timedelta(days=days)):  # noqa: ASYNC110
        await asyncio.sleep(0.1)  # others write meanwhile


async def _look_for_models(semilla: Semilla) -> None:
    """What was put into the owner's folders, or taken out; of large ones one after the other, so
    that each can be drawn with as soon as it has been read."""
    if await asyncio.to_thread(semilla.catalogue.refresh, large=1):
        log.info("models: %s", [each.name for each in semilla.catalogue.models()])


async def _welcome(semilla: Semilla) -> None:
    """On the first start the shipped model draws a few pictures, so that the gallery has some."""
    if await semilla.database.history.latest(Asker(HOME.id, SEMILLA.id, True)):
        return
    await semilla.dispatch.ready.wait()
    language = semilla.config.language
    for number, prompt in enumerate(semilla.catalogue.default().examples(language, 6)):
        call = Call(
            origin=f"welcome:{number}",
            adapter="web",
            guild=HOME,
            member=SEMILLA,
            language=language,
            command="imagine",
            options={"prompt": prompt, "seed": str(FIRST_SEED + number)},
        )
        await answer(semilla, call)
