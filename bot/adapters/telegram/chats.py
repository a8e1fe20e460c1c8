"""Sending and editing: each chat at its own pace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from telegram import Bot, LinkPreviewOptions, Message, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.adapters.telegram import keyboards, rendering
from bot.adapters.telegram.board import Board
from bot.adapters.telegram.errors import NO_PICTURES, NO_RIGHT, NO_TOPIC, says
from bot.adapters.telegram.pace import GROUP_CALLS, PRIVATE_CALLS, Pace, Urgency
from bot.adapters.telegram.places import NAME, Receiver
from bot.adapters.telegram.tasks import Tasks
from bot.commands.semilla import Semilla
from db.models import Answer, now

log = logging.getLogger(__name__)

CALM_CALLS = 8  # in the last minute: until then each request has a message of its own
# In minutes, so that a test can run them in seconds.
LATE, PASSING = 1.0, 1.0
LAST_SECONDS = 2.0  # for each thing that is still to be done at the end
ARRIVING_SECONDS = 5.0  # for pictures that are on their way then: one that is given up comes twice


class Chats:
    """All chats of one bot. `minute_seconds`: how long Telegram's minute is."""

    def __init__(self, semilla: Semilla, bot: Bot, minute_seconds: float = 60.0) -> None:
        self.semilla = semilla
        self.bot = bot
        self.minute = minute_seconds
        self._paces: dict[int, Pace] = {}
        self._boards: dict[tuple[int, str], Board] = {}
        self._for_all: set[int] = set()  # chats in which nothing can be sent to one alone
        self._older: set[int] = set()  # chats whose Bot API knows no such messages
        self._tasks, self._finishing = Tasks(), Tasks()  # what a stop ends, and lets end
        self._closed = False

    def pace(self, chat: int) -> Pace:
        if chat not in self._paces:
            self._paces[chat] = Pace(GROUP_CALLS if chat < 0 else PRIVATE_CALLS, self.minute)
        return self._paces[chat]

    def calm(self, chat: int) -> bool:
        return chat > 0 or self.pace(chat).used < CALM_CALLS

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        if self._closed:
            work.close()
        else:
            self._tasks.start(work)

    def finish(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """What may come to its end at a stop."""
        return self._finishing.start(work)

    async def close(self) -> None:
        """What is on its way has a moment to arrive; what waits is sent by the next connection."""
        self._closed = True
        for pace in self._paces.values():
            pace.close()
        for board in self._boards.values():
            self.finish(board.close())
        await self._finishing.end(ARRIVING_SECONDS)
        await self._tasks.end(0)

    async def send(
        self,
        chat: int,
        message: rendering.Message,
        *,
        topic: str = "",
        to: ReplyParameters | None = None,
        receiver: Receiver | None = None,
        loud: bool = False,
        urgency: Urgency = Urgency.ANSWER,
    ) -> Message:
        """A new message; groups hear it only when it is `loud`.

        Args:
            to: the message that it answers.
            receiver: the only one who is to see it. Where Telegram can't do that, the message
                removes itself.
        """
        where = _where(chat, topic, to, loud)
        try:
            if receiver is not None:
                return await self._send_to_one(chat, message, where, receiver, urgency)
            return await self.pace(chat).call(urgency, lambda: self._send(message, where))
        except ChatMigrated as moved:
            await self.move(chat, moved.new_chat_id)
            return await self.send(
                moved.new_chat_id, message, topic=topic, receiver=receiver, urgency=urgency
            )

    async def _send_to_one(
        self,
        chat: int,
        message: rendering.Message,
        where: dict[str, Any],
        receiver: Receiver,
        urgency: Urgency,
    ) -> Message:
        """Seen by one alone: Bot API 10.3 lets the admins of a group do that, others only after a
        press. Else all see a text, which removes itself; pictures and files go to their own chat."""
        may = receiver.press or chat not in self._for_all
        if may and receiver.user > 0 and chat not in self._older:
            alone = where | {"api_kwargs": {"ephemeral_message_parameters": receiver.parameters()}}
            try:
                sent = await self.pace(chat).call(urgency, lambda: self._send(message, alone))
            except BadRequest as error:
                if says(error, (NO_RIGHT,)) and not says(error, NO_PICTURES):
                    self._for_all.add(chat)
            else:
                if "ephemeral_message_id" in sent.api_kwargs:
                    return sent
                self._older.add(chat)
                if message.is_text:
                    self.start(self.remove_later(chat, sent.message_id))
                    return sent
                await self.remove(chat, sent.message_id)
        if not message.is_text:
            message = replace(message, keyboard=keyboards.elsewhere(message.keyboard))
            reached = await self.send_in_private(receiver, message)
            message = rendering.of_private(receiver, reached, self.bot.username)
        sent = await self.pace(chat).call(urgency, lambda: self._send(message, where))
        self.start(self.remove_later(chat, sent.message_id))
        return sent

    async def send_in_private(self, receiver: Receiver, message: rendering.Message) -> bool:
        """To their own chat, if they have opened one; who speaks as a group has none."""
        if receiver.user < 0:
            return False
        try:
            await self.send(receiver.user, message, urgency=Urgency.PICTURE)
        except (Forbidden, BadRequest):
            return False
        return True

    def rights_changed(self, chat: int) -> None:
        self._for_all.discard(chat)

    async def send_in_turn(
        self,
        chat: int,
        message: rendering.Message,
        topic: str,
        to: ReplyParameters | None,
        loud: bool,
    ) -> None:
        """For those who have the chat's turn already."""
        await self._send(message, _where(chat, topic, to, loud))

    async def post(self, chat: int, topic: str, message: rendering.Message) -> None:
        """There and nowhere else: where the topic is gone, the whole group isn't to see it."""
        where = _where(chat, topic, None, loud=False)
        try:
            await self.pace(chat).call(Urgency.ANSWER, lambda: self._send_there(message, where))
        except ChatMigrated as moved:
            await self.move(chat, moved.new_chat_id)
            await self.post(moved.new_chat_id, topic, message)

    async def _send(self, message: rendering.Message, where: dict[str, Any]) -> Message:
        try:
            return await self._send_there(message, where)
        except BadRequest as error:
            if where["message_thread_id"] is None or not says(error, NO_TOPIC):
                raise
            return await self._send_there(message, where | {"message_thread_id": None})

    async def _send_there(self, message: rendering.Message, where: dict[str, Any]) -> Message:
        if message.file is not None:
            name, data = message.file
            return await self.bot.send_document(
                document=data, filename=name, **message.caption(), **where
            )
        if message.photo is not None:
            return await self.bot.send_photo(photo=message.photo, **message.caption(), **where)
        preview = LinkPreviewOptions(is_disabled=True)
        return await self.bot.send_message(link_preview_options=preview, **message.text(), **where)

    async def edit_text(
        self, chat: int, number: int, message: rendering.Message, urgency: Urgency
    ) -> None:
        await self.pace(chat).call(
            urgency,
            lambda: self.bot.edit_message_text(chat_id=chat, message_id=number, **message.text()),
        )

    def late(self, answer: Answer) -> bool:
        """Edits notify nobody: who waited longer than this is called."""
        return now() - answer.created > timedelta(seconds=LATE * self.minute)

    async def remove(self, chat: int, number: int) -> None:
        with suppress(TelegramError):  # whatever is left of it harms nobody
            await self.bot.delete_message(chat, number)

    async def move(self, old: int, new: int) -> None:
        """A group became a supergroup: everything of it moves along."""
        guilds = f"{NAME}:{old}", f"{NAME}:{new}"
        await self.semilla.database.moving.move(*guilds, str(old), str(new))
        self.semilla.dispatch.move(*guilds)
        for place in [each for each in self._boards if each[0] == old]:
            self._boards.pop(place).move_to(self.board(new, place[1]))
        log.info("group %d is now %d", old, new)

    async def remove_later(self, chat: int, number: int) -> None:
        await asyncio.sleep(PASSING * self.minute)
        await self.remove(chat, number)

    def done(self, answer: Answer) -> None:
        """Nobody waits for it any more."""
        if board := self._boards.get((int(answer.channel), answer.thread)):
            board.done(answer.id)

    def board(self, chat: int, topic: str) -> Board:
        return self._boards.setdefault((chat, topic), Board(self, chat, topic))


def _where(chat: int, topic: str, to: ReplyParameters | None, loud: bool) -> dict[str, Any]:
    return {
        "chat_id": chat,
        "message_thread_id": int(topic) if topic else None,
        "reply_parameters": to,
        "disable_notification": chat < 0 and not loud,
    }
