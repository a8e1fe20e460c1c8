"""A placeholder while its answer is under way: edited now and then, never after the end."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
import discord

from bot.adapters.discord import rendering
from bot.commands.semilla import Semilla
from bot.events import Delivered, Event
from bot.replies import Progress, answer_reply

log = logging.getLogger(__name__)

EDIT_EVERY_SECONDS = 2.5
FAR, FAR_EVERY_SECONDS = 5, 10.0  # in line: whoever is further back is told less often
KEPT = 2000  # ended answers whose late edits are still held back

Edit = Callable[[rendering.Message], Awaitable[None]]


@dataclass(slots=True)
class Placeholder:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    closed: bool = False


class Placeholders:
    """Keeps the order of edits: whatever comes after the delivery is dropped."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, Placeholder] = OrderedDict()

    @asynccontextmanager
    async def closing(self, answer: int) -> AsyncIterator[None]:
        """For the delivery: waits for an edit under way, allows none afterwards."""
        placeholder = self._get(answer)
        async with placeholder.lock:
            placeholder.closed = True
            yield

    async def edit(self, answer: int, edit: Edit, message: rendering.Message) -> bool:
        """Whether there may be more. A failed edit is no loss: the next one tells more."""
        placeholder = self._get(answer)
        async with placeholder.lock:
            if placeholder.closed:
                return False
            try:
                await edit(message)
            except discord.HTTPException as error:
                log.info("progress of answer %d is not shown: %s", answer, error)
                return error.status == 429 or error.status >= 500
            except aiohttp.ClientError as error:
                log.info("progress of answer %d is not shown: %s", answer, error)
        return True

    def _get(self, answer: int) -> Placeholder:
        found = self._known.setdefault(answer, Placeholder())
        self._known.move_to_end(answer)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return found


async def follow(semilla: Semilla, placeholders: Placeholders, answer: int, edit: Edit) -> None:
    """Edits a placeholder as its answer goes on; what comes too fast is dropped."""
    with semilla.events.follow(answer=answer) as follower:
        events, progress = aiter(follower), Progress()
        while True:
            far = progress.place is not None and progress.place > FAR
            await asyncio.sleep(FAR_EVERY_SECONDS if far else EDIT_EVERY_SECONDS)
            latest = await _latest(events, follower.queue)
            if latest is None:
                return
            progress = latest
            message = await _rendered(semilla, answer, progress)
            if message is None or not await placeholders.edit(answer, edit, message):
                return


async def _latest(events: AsyncIterator[Event], queue: asyncio.Queue[Event]) -> Progress | None:
    """The last that happened, waited for if nothing has; None at the end."""
    progress: Progress | None = None
    preview: bytes | None = None
    while progress is None or not queue.empty():
        event = await anext(events)
        if isinstance(event, Delivered):
            return None
        progress = Progress.of(event) or progress
        if progress is not None:
            preview = progress.preview or preview
    return replace(progress, preview=preview)


async def _rendered(semilla: Semilla, number: int, progress: Progress) -> rendering.Message | None:
    answer = await semilla.database.answers.get(number)
    if answer is None or answer.delivered is not None:
        return None
    message = await rendering.message(semilla, answer_reply(answer, answer.language, progress))
    if progress.preview is None or message.files:
        return message
    files = (await rendering.preview(progress.preview),)
    return rendering.Message(message.content, files, message.view)
