"""An accepted request in its chat: first a placeholder, then the answer, in one message and once."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.adapters.telegram import rendering
from bot.adapters.telegram.chats import Chats
from bot.adapters.telegram.errors import NO_PICTURES, SHUT, UNCHANGED, says
from bot.adapters.telegram.pace import Closed, Urgency
from bot.adapters.telegram.placeholders import follow
from bot.adapters.telegram.places import NAME, Receiver, answering, asked_in
from bot.conversation import Call, Reply
from db.models import Answer

log = logging.getLogger(__name__)

CALM_REQUESTS = 3  # of a group, that have placeholders at the same time
KEPT = 2000


class Delivering:
    def __init__(self, chats: Chats) -> None:
        self.chats = chats
        self._bot = chats.bot
        self._semilla = chats.semilla
        self._answers = chats.semilla.database.answers
        self._ended: OrderedDict[int, asyncio.Lock] = OrderedDict()
        self._shown: dict[int, frozenset[str]] = {}  # ended answer → its pictures that are out
        self._placeholders: dict[int, int] = {}  # open answer → chat

    async def wait_for(self, reply: Reply, call: Call, to: int) -> None:
        """Shows that a request was accepted: by a placeholder, or on the busy group's board."""
        if reply.answer is None or reply.answer in self._placeholders:  # it came a second time
            return
        chat = int(call.channel)
        open_here = sum(each == chat for each in self._placeholders.values())
        if not self.chats.calm(chat) or (chat < 0 and open_here >= CALM_REQUESTS):
            self.expect(reply.answer, call)
            return
        self._placeholders[reply.answer] = chat  # at once: a class asks in the same second
        async with self.under_way(reply.answer) as still:
            if not (still and await self._place(reply, call, to)):
                self._placeholders.pop(reply.answer, None)

    async def _place(self, reply: Reply, call: Call, to: int) -> bool:
        number = reply.answer or 0
        answer = await self._answers.get(number)
        if answer is None or answer.message:  # it came a second time
            return False
        message = await rendering.message(self._semilla, reply, call.language)
        try:
            sent = await self.chats.send(
                int(call.channel),
                message,
                topic=call.thread,
                to=answering(to),
                urgency=Urgency.PLACE,
            )
        except TelegramError as error:  # the picture will come without it
            log.warning("request %d has no placeholder: %s", number, error)
            return False
        await self._answers.set_message(number, str(sent.message_id))
        self.chats.start(follow(self, number, sent, call.language))
        return True

    def expect(self, answer: int, call: Call) -> None:
        """An accepted request without a message of its own."""
        self.chats.board(int(call.channel), call.thread).expect(answer, call)

    async def deliver(self, answer: Answer, reply: Reply) -> None:
        """An exception means: not delivered, try again."""
        sending = self.chats.finish(self._deliver(answer, reply))
        try:
            await asyncio.wait([sending])
        except asyncio.CancelledError:
            await asyncio.wait([sending])  # until it arrives, or `close` gives it up
            if not sending.cancelled() and sending.exception() is None:
                await self._answers.delivered(answer.id)  # else it would come twice
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
                await self.chats.move(chat, moved.new_chat_id)
                raise
            finally:
                self._placeholders.pop(answer.id, None)
                self.chats.done(answer)

    async def _tell_of_pictures(self, answer: Answer, reply: Reply) -> None:
        """Where they can't be sent: in the group that may take words at least, else to their
        author alone."""
        chat, codes = int(answer.channel), tuple(each.code for each in reply.pictures)
        if chat > 0 or not codes:
            return
        told = rendering.no_pictures(codes, self._bot.username, answer.language)
        try:
            if not (answer.message and await self._fill(answer, told)):
                await self.chats.send(chat, told, topic=answer.thread, to=asked_in(answer))
        except (Forbidden, BadRequest):
            author = int(answer.member.removeprefix(f"{NAME}:"))
            await self.chats.send_in_private(Receiver(author, answer.language), told)

    async def _replace(self, answer: Answer, reply: Reply) -> bool:
        """The placeholder becomes the picture; not when it is gone, or its author has gone on."""
        if not answer.message or (int(answer.channel) < 0 and self.chats.late(answer)):
            return False
        message = await rendering.message(self._semilla, reply, answer.language)
        return message.file is None and await self._fill(answer, message)

    async def _fill(self, answer: Answer, message: rendering.Message) -> bool:
        """Puts it into the placeholder; False when that is gone."""
        chat, number = int(answer.channel), int(answer.message)
        try:
            if message.photo is not None:
                await self.chats.pace(chat).call(
                    Urgency.PICTURE,
                    lambda: self._bot.edit_message_media(
                        chat_id=chat, message_id=number, **message.media()
                    ),
                )
            else:
                await self.chats.edit_text(chat, number, message, Urgency.PICTURE)
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
            await self.chats.board(chat, answer.thread).put(answer, reply)
        else:
            message = await rendering.message(self._semilla, reply, answer.language)
            await self.chats.send(chat, message, to=asked_in(answer), urgency=Urgency.PICTURE)
        if answer.message and not before:
            self.chats.finish(self.chats.remove(chat, int(answer.message)))

    async def _deliver_in_private(self, answer: Answer, reply: Reply) -> None:
        """What only its author may see goes to their own chat, if they have opened one."""
        member = int(answer.member.removeprefix(f"{NAME}:"))
        message = await rendering.message(self._semilla, reply, answer.language)
        codes = tuple(each.code for each in reply.pictures)
        receiver = Receiver(member, answer.language, codes)
        reached = await self.chats.send_in_private(receiver, message)
        told = rendering.of_private(receiver, reached, self._bot.username)
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
            self.chats.start(self.chats.remove_later(chat, int(answer.message)))
        else:
            await self.chats.send(
                chat, told, topic=answer.thread, to=asked_in(answer), receiver=receiver
            )

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
