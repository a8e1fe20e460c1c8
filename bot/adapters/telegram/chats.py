"""Sending, editing and delivering: each chat at its own pace, each answer in one message."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from telegram import Bot, LinkPreviewOptions, Message, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.adapters.telegram import keyboards, rendering
from bot.adapters.telegram.board import Board
from bot.adapters.telegram.errors import NO_PICTURES, NO_RIGHT, NO_TOPIC, SHUT, UNCHANGED, says
from bot.adapters.telegram.pace import GROUP_CALLS, PRIVATE_CALLS, Closed, Pace, Urgency
from bot.adapters.telegram.placeholders import follow
from bot.adapters.telegram.places import NAME, Receiver, answering, asked_in
from bot.adapters.telegram.tasks import Tasks
from bot.commands.semilla import Semilla
from bot.conversation import Call, Reply
from db.models import Answer, now

log = logging.getLogger(__name__)

CALM_CALLS = 8  # in the last minute: until then each request has a message of its own
CALM_REQUESTS = 3
# In minutes, so that a test can run them in seconds.
LATE, PASSING = 1.0, 1.0
LAST_SECONDS = 2.0  # for each thing that is still to be done at the end
ARRIVING_SECONDS = 5.0  # for pictures that are on their way then: one that is given up comes twice
KEPT = 2000


class Chats:
    """All chats of one bot. `minute_seconds`: how long Telegram's minute is."""

    def __init__(self, semilla: Semilla, bot: Bot, minute_seconds: float = 60.0) -> None:
        self.semilla = semilla
        self.bot = bot
        self.minute = minute_seconds
        self._paces: dict[int, Pace] = {}
        self._boards: dict[tuple[int, str], Board] = {}
        self._ended: OrderedDict[int, asyncio.Lock] = OrderedDict()
        self._shown: dict[int, frozenset[str]] = {}  # ended answer → its pictures that are out
        self._for_all: set[int] = set()  # chats in which nothing can be sent to one alone
        self._older: set[int] = set()  # chats whose Bot API knows no such messages
        self._placeholders: dict[int, int] = {}  # open answer → chat
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

    async def close(self) -> None:
        """What is on its way has a moment to arrive; what waits is sent by the next connection."""
        self._closed = True
        for pace in self._paces.values():
            pace.close()
        for board in self._boards.values():
            self._finishing.start(board.close())
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
                    self.start(self._remove_later(chat, sent.message_id))
                    return sent
                await self.remove(chat, sent.message_id)
        if not message.is_text:
            message = replace(message, keyboard=keyboards.elsewhere(message.keyboard))
            reached = await self._send_in_private(receiver, message)
            message = rendering.of_private(receiver, reached, self.bot.username)
        sent = await self.pace(chat).call(urgency, lambda: self._send(message, where))
        self.start(self._remove_later(chat, sent.message_id))
        return sent

    async def _send_in_private(self, receiver: Receiver, message: rendering.Message) -> bool:
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

    async def wait_for(self, reply: Reply, call: Call, to: int) -> None:
        """Shows that a request was accepted: by a placeholder, or on the busy group's board."""
        if reply.answer is None:
            return
        chat = int(call.channel)
        open_here = sum(each == chat for each in self._placeholders.values())
        if not self.calm(chat) or (chat < 0 and open_here >= CALM_REQUESTS):
            self.expect(reply.answer, call)
            return
        self._placeholders[reply.answer] = chat  # at once: a class asks in the same second
        async with self.under_way(reply.answer) as still:
            if not (still and await self._place(reply, call, to)):
                self._placeholders.pop(reply.answer, None)

    async def _place(self, reply: Reply, call: Call, to: int) -> bool:
        number = reply.answer or 0
        answer = await self.semilla.database.answers.get(number)
        if answer is None or answer.message:  # it came a second time
            return False
        message = await rendering.message(self.semilla, reply, call.language)
        try:
            sent = await self.send(
                int(call.channel),
                message,
                topic=call.thread,
                to=answering(to),
                urgency=Urgency.PLACE,
            )
        except TelegramError as error:  # the picture will come without it
            log.warning("request %d has no placeholder: %s", number, error)
            return False
        await self.semilla.database.answers.set_message(number, str(sent.message_id))
        self.start(follow(self, number, sent, call.language))
        return True

    def expect(self, answer: int, call: Call) -> None:
        """An accepted request without a message of its own."""
        self._board(int(call.channel), call.thread).expect(answer, call)

    async def deliver(self, answer: Answer, reply: Reply) -> None:
        """An exception means: not delivered, try again."""
        sending = self._finishing.start(self._deliver(answer, reply))
        try:
            await asyncio.wait([sending])
        except asyncio.CancelledError:
            await asyncio.wait([sending])  # until it arrives, or `close` gives it up
            if not sending.cancelled() and sending.exception() is None:
                await self.semilla.database.answers.delivered(answer.id)  # else it would come twice
            raise
        if sending.cancelled():
            raise Closed
        sending.result()

    async def _deliver(self, answer: Answer, reply: Reply) -> None:
        chat = int(answer.channel)
        async with self.under_way(answer.id, ends=True):
            try:
                if reply.private and chat < 0:
                    await self._deliver_in_private(answer, reply)
                elif not await self._replace(answer, reply):
                    await self._send_anew(answer, reply)
                self._shown[answer.id] = frozenset(each.code for each in reply.pictures)
            except (Forbidden, BadRequest) as error:
                if isinstance(error, BadRequest) and not says(error, SHUT):
                    raise
                # Blocked, thrown out, or silenced there: the picture stays in the history.
                log.warning("answer %d can't be delivered: %s", answer.id, error)
                if not reply.private and says(error, NO_PICTURES):
                    await self._tell_of_pictures(answer, reply)
            except ChatMigrated as moved:
                await self.move(chat, moved.new_chat_id)
                raise
            finally:
                self._placeholders.pop(answer.id, None)
                if board := self._boards.get((chat, answer.thread)):
                    board.done(answer.id)

    async def _tell_of_pictures(self, answer: Answer, reply: Reply) -> None:
        """Where they can't be sent: in the group that may take words at least, else to their
        author alone."""
        chat, codes = int(answer.channel), tuple(each.code for each in reply.pictures)
        if chat > 0 or not codes:
            return
        told = rendering.no_pictures(codes, self.bot.username, answer.language)
        try:
            if not (answer.message and await self._fill(answer, told)):
                await self.send(chat, told, topic=answer.thread, to=asked_in(answer))
        except (Forbidden, BadRequest):
            author = int(answer.member.removeprefix(f"{NAME}:"))
            await self._send_in_private(Receiver(author, answer.language), told)

    async def _replace(self, answer: Answer, reply: Reply) -> bool:
        """The placeholder becomes the picture; not when it is gone, or its author has gone on."""
        if not answer.message or (int(answer.channel) < 0 and self.late(answer)):
            return False
        message = await rendering.message(self.semilla, reply, answer.language)
        return message.file is None and await self._fill(answer, message)

    async def _fill(self, answer: Answer, message: rendering.Message) -> bool:
        """Puts it into the placeholder; False when that is gone."""
        chat, number = int(answer.channel), int(answer.message)
        try:
            if message.photo is not None:
                await self.pace(chat).call(
                    Urgency.PICTURE,
                    lambda: self.bot.edit_message_media(
                        chat_id=chat, message_id=number, **message.media()
                    ),
                )
            else:
                await self.edit_text(chat, number, message, Urgency.PICTURE)
        except BadRequest as error:
            return says(error, UNCHANGED)
        return True

    async def _send_anew(self, answer: Answer, reply: Reply) -> None:
        """Without what was shown before: a moderator may let an answer's pictures out one by one."""
        before, chat = self._shown.get(answer.id, frozenset()), int(answer.channel)
        new = tuple(each for each in reply.pictures if each.code not in before)
        reply = replace(reply, pictures=new)
        if not (new or reply.text):  # two were let out at once, and both are there
            return
        if chat < 0:
            await self._board(chat, answer.thread).put(answer, reply)
        else:
            message = await rendering.message(self.semilla, reply, answer.language)
            await self.send(chat, message, to=asked_in(answer), urgency=Urgency.PICTURE)
        if answer.message and not before:
            self._finishing.start(self.remove(chat, int(answer.message)))

    async def _deliver_in_private(self, answer: Answer, reply: Reply) -> None:
        """What only its author may see goes to their own chat, if they have opened one."""
        member = int(answer.member.removeprefix(f"{NAME}:"))
        message = await rendering.message(self.semilla, reply, answer.language)
        codes = tuple(each.code for each in reply.pictures)
        receiver = Receiver(member, answer.language, codes)
        reached = await self._send_in_private(receiver, message)
        told = rendering.of_private(receiver, reached, self.bot.username)
        try:
            await self._tell_in_group(answer, receiver, told)
        except TelegramError as error:
            if not reached:
                raise
            # A second try would send the picture again.
            log.warning("answer %d: its group was not told: %s", answer.id, error)

    async def _tell_in_group(
        self, answer: Answer, receiver: Receiver, told: rendering.Message
    ) -> None:
        chat = int(answer.channel)
        if answer.message and await self._fill(answer, told):
            self.start(self._remove_later(chat, int(answer.message)))
        else:
            await self.send(chat, told, topic=answer.thread, to=asked_in(answer), receiver=receiver)

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
            self._boards.pop(place).move_to(self._board(new, place[1]))
        log.info("group %d is now %d", old, new)

    async def _remove_later(self, chat: int, number: int) -> None:
        await asyncio.sleep(PASSING * self.minute)
        await self.remove(chat, number)

    @asynccontextmanager
    async def under_way(self, answer: int, ends: bool = False) -> AsyncIterator[bool]:
        """One at a time for each answer; False once it was delivered: nothing comes after that."""
        lock = self._ended.setdefault(answer, asyncio.Lock())
        self._ended.move_to_end(answer)
        while len(self._ended) > KEPT:
            self._shown.pop(self._ended.popitem(last=False)[0], None)
        async with lock:
            if ends:
                self._shown.setdefault(answer, frozenset())
            yield answer not in self._shown or ends

    def _board(self, chat: int, topic: str) -> Board:
        return self._boards.setdefault((chat, topic), Board(self, chat, topic))


def _where(chat: int, topic: str, to: ReplyParameters | None, loud: bool) -> dict[str, Any]:
    return {
        "chat_id": chat,
        "message_thread_id": int(topic) if topic else None,
        "reply_parameters": to,
        "disable_notification": chat < 0 and not loud,
    }
