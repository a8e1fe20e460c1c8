"""What is said to messages and presses, each in its place."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from telegram import Bot, CallbackQuery, Message
from telegram.constants import ChatType
from telegram.error import BadRequest, TelegramError

from bot.adapters.telegram import keyboards, rendering
from bot.adapters.telegram.chats import Chats
from bot.adapters.telegram.delivering import Delivering
from bot.adapters.telegram.errors import NO_PICTURES, TOO_OLD, UNCHANGED, says
from bot.adapters.telegram.pace import Urgency
from bot.adapters.telegram.places import Receiver, answering, speaker_of, topic_of
from bot.commands.semilla import Semilla
from bot.conversation import Call, Reply, Tone
from bot.locales import plain, say

TOAST_CHARACTERS = 200


class Replying:
    def __init__(self, semilla: Semilla, bot: Bot, chats: Chats, delivering: Delivering) -> None:
        self._semilla = semilla
        self._bot = bot
        self._chats = chats
        self._delivering = delivering

    async def show(
        self,
        message: Message,
        reply: Reply,
        language: str,
        call: Call | None = None,
        press: CallbackQuery | None = None,
    ) -> None:
        """Answers a message in its place; what is for its author only goes away by itself."""
        if reply.answer is not None and call is not None:
            if reply.tone is Tone.ACCEPTED:
                await self._delivering.wait_for(reply, call, message.id)
            return  # otherwise it came a second time, and is answered already
        if reply.repeated:
            return
        if press and await self._replaced(message, reply, language):
            return
        codes = tuple(each.code for each in reply.pictures)
        receiver = None
        if reply.private and message.chat.type != ChatType.PRIVATE:
            author = press.from_user.id if press else speaker_of(message)
            receiver = Receiver(author, language, codes, press.id if press else None)
            if author < 0 and (reply.pictures or reply.file):  # a chat, which has no private one
                reply = Reply(text=say(language, "refusal-as-a-chat"))
        parts = [
            await rendering.message(self._semilla, part, language)
            for part in rendering.parted(reply)
        ]
        try:
            await self._send(message, parts, receiver)
        except BadRequest as error:
            if not says(error, NO_PICTURES):
                raise
            named = codes or (reply.called,)
            told = rendering.no_pictures(named, self._bot.username, language)
            await self._send(message, [told])

    async def _send(
        self,
        message: Message,
        parts: Sequence[rendering.Message],
        receiver: Receiver | None = None,
    ) -> None:
        for part in parts:
            await self._chats.send(
                message.chat.id,
                part,
                topic=topic_of(message),
                to=answering(message.id),
                receiver=receiver,
            )

    async def _replaced(self, message: Message, reply: Reply, language: str) -> bool:
        """In a private chat one question after the other, in one message."""
        asked = message.chat.type == ChatType.PRIVATE and message.text and message.reply_markup
        if not asked or reply.pictures or reply.file:
            return False
        shown = await rendering.message(self._semilla, reply, language)
        try:
            await self._chats.edit_text(message.chat.id, message.id, shown, Urgency.ANSWER)
        except BadRequest as error:  # pressed twice, or too old to be changed
            return says(error, UNCHANGED)
        return True

    async def toast(self, query: CallbackQuery, text: str = "", alert: bool = False) -> bool:
        """Every press is answered: the button shows that it was felt. False for one of long ago."""
        try:
            await query.answer(text[:TOAST_CHARACTERS] or None, show_alert=alert)
        except TelegramError as error:  # or it was answered by a copy of ourselves
            return not says(error, TOO_OLD)
        return True

    async def answer_press(
        self, query: CallbackQuery, message: Message, reply: Reply, call: Call, felt: bool = False
    ) -> None:
        """Short words as a toast, which costs a group nothing; the rest as a message, and all of it
        for a press that was `felt` before."""
        text = plain(reply.text)
        in_group = message.chat.type != ChatType.PRIVATE
        accepted = reply.tone is Tone.ACCEPTED
        bare = not (reply.pictures or reply.form or reply.file or reply.buttons)
        if len(text) <= TOAST_CHARACTERS and ((accepted and in_group) or (bare and not felt)):
            if not felt:
                await self.toast(query, text, alert=reply.tone in (Tone.REFUSED, Tone.FAULT))
            if accepted and reply.answer is not None:
                self._delivering.expect(reply.answer, call)
            return
        if not felt:
            await self.toast(query)
        await self.show(message, reply, call.language, call, query)

    async def unfold(self, query: CallbackQuery, message: Message, reply: Reply) -> None:
        await self.toast(query)
        markup = keyboards.unfolded(reply.pictures[0])
        pace = self._chats.pace(message.chat.id)
        alone = {
            "chat_id": message.chat.id,
            "receiver_user_id": query.from_user.id,
            "ephemeral_message_id": message.api_kwargs.get("ephemeral_message_id"),
            "reply_markup": markup,
        }

        async def edit() -> None:
            if message.id:
                await self._bot.edit_message_reply_markup(
                    message.chat.id, message.id, reply_markup=markup
                )
            else:
                await self._bot.do_api_request("editEphemeralMessageReplyMarkup", alone)

        with suppress(BadRequest):  # it is unfolded already
            await pace.call(Urgency.ANSWER, edit)
