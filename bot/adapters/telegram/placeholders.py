"""A placeholder goes on as its answer does: the first thing to stop in a busy group."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from telegram import Message
from telegram.error import TelegramError

from bot.adapters.telegram import keyboards, rendering
from bot.adapters.telegram.pace import Urgency
from bot.conversation import Tone
from bot.events import Delivered
from bot.replies import Progress, answer_reply

if TYPE_CHECKING:
    from bot.adapters.telegram.delivering import Delivering

PROGRESS_RESERVE = 10  # calls that progress leaves to the others
GROUP_EDITS, PRIVATE_EDITS = 1 / 12, 1 / 30  # in minutes


async def follow(delivering: Delivering, answer: int, placeholder: Message, language: str) -> None:
    """Until the answer is delivered."""
    chats = delivering.chats
    chat = placeholder.chat.id
    every = (GROUP_EDITS if chat < 0 else PRIVATE_EDITS) * chats.minute
    with chats.semilla.events.follow(answer=answer) as follower:
        events = aiter(follower)
        while True:
            await asyncio.sleep(every)
            progress: Progress | None = None
            while progress is None or not follower.queue.empty():
                event = await anext(events)
                if isinstance(event, Delivered):
                    return
                progress = Progress.of(event) or progress
            if chats.pace(chat).spare > PROGRESS_RESERVE:
                await _show(delivering, answer, placeholder, language, progress)


async def _show(
    delivering: Delivering, number: int, placeholder: Message, language: str, progress: Progress
) -> None:
    chats = delivering.chats
    async with delivering.under_way(number) as still:
        answer = await chats.semilla.database.answers.get(number) if still else None
        if answer is None:
            return
        reply = answer_reply(answer, language, progress)
        if reply.tone is not Tone.ACCEPTED:  # it has ended meanwhile, and is about to be shown
            return
        shown = rendering.plain(reply.text, keyboards.keyboard(reply))
        with suppress(TelegramError):  # a failed edit is no loss: the next one tells more
            chat, message = placeholder.chat.id, placeholder.message_id
            await chats.edit_text(chat, message, shown, Urgency.PLACE)
