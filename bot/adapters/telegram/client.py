"""Telegram's updates as calls: each answered once, through the one door."""

from __future__ import annotations

import logging
import re
from contextlib import suppress

from telegram import (
    Bot,
    CallbackQuery,
    ChatMember,
    ChatMemberUpdated,
    Message,
    ReplyParameters,
    Update,
)
from telegram.constants import ChatType
from telegram.error import BadRequest, TelegramError

from bot.adapters.telegram import keyboards, rendering
from bot.adapters.telegram.chats import Chats
from bot.adapters.telegram.pace import Urgency
from bot.adapters.telegram.places import NAME, Moderators, guild_of, language_of, link_to, topic_of
from bot.commands import door
from bot.commands import line as typed_line
from bot.commands.declaration import COMMANDS
from bot.commands.kinds import Type
from bot.commands.semilla import Semilla
from bot.conversation import Call, Member, Refusal, Reply, Tone
from bot.locales import plain, say
from bot.replies import fault, refused, short_code

log = logging.getLogger(__name__)

TOAST_CHARACTERS = 200
FILE_BYTES = 20 * 1024 * 1024  # that a bot may fetch
INSIDE = (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.OWNER)
COMMAND = re.compile(r"/(\S+?)(?:@(\w+))?(?=\s|$)")


class Client:
    """What members say and press. `chats` sends what is answered."""

    def __init__(self, semilla: Semilla, bot: Bot, chats: Chats) -> None:
        self._semilla = semilla
        self._bot = bot
        self._chats = chats
        self._moderators = Moderators(bot)

    async def take(self, update: Update, _context: object = None) -> None:
        """One bad update never takes the others down, and nobody is left without an answer."""
        try:
            await self._take(update)
        except Exception as error:  # noqa: BLE001 — whatever it is, its author is told, with a code
            await self._answer_fault(update, error)

    async def _take(self, update: Update) -> None:
        if update.callback_query is not None:
            await self._press(update.callback_query)
        elif update.my_chat_member is not None:
            await self._join(update.my_chat_member)
        elif update.message is not None and update.message.migrate_to_chat_id:
            await self._chats.move(update.message.chat.id, update.message.migrate_to_chat_id)
        elif update.message is not None:
            await self._hear(update.message)

    async def _hear(self, message: Message) -> None:
        """A command, in a caption too; in a private chat every text. The rest isn't for us."""
        text = self._for_us(message)
        if text is None:
            return
        language = language_of(message.from_user, self._semilla.config.language)
        try:
            command, options = typed_line.parse(text)
        except Refusal as refusal:
            # In a group another bot may know the command.
            if message.chat.type == ChatType.PRIVATE or self._named(message):
                await self._show(message, refused(language, refusal), language)
            return
        self._mean_replied_picture(command, options, message)
        member = await self._moderators.speaker(message)
        call = Call(
            origin=f"{NAME}:{message.chat.id}:{message.id}",
            adapter=NAME,
            guild=guild_of(message.chat),
            member=member,
            language=language,
            command=command,
            options=options,
            image=await self._image(command, message),
            channel=str(message.chat.id),
            thread=topic_of(message),
            here=link_to(message),
        )
        await self._show(message, await door.run(self._semilla, call), language, call)

    async def _press(self, query: CallbackQuery) -> None:
        """A button: its line, as if it had been typed by whoever pressed it."""
        language = language_of(query.from_user, self._semilla.config.language)
        line, message = query.data or "", query.message
        if not isinstance(message, Message) or not line:
            await self._toast(query, say(language, "telegram-too-old"))
            return
        unfolds = line.startswith(keyboards.MORE)
        try:
            command, options = typed_line.parse(line.removeprefix(keyboards.MORE))
        except Refusal as refusal:  # a button of a later version, or of one long gone
            await self._toast(query, plain(refused(language, refusal).text))
            return
        call = Call(
            origin=f"{NAME}:press:{query.id}",
            adapter=NAME,
            guild=guild_of(message.chat),
            member=await self._moderators.member(message.chat, query.from_user),
            language=language,
            command=command,
            options=options,
            channel=str(message.chat.id),
            thread=topic_of(message),
            here=link_to(message),
        )
        reply = await door.run(self._semilla, call)
        if unfolds and reply.pictures:
            await self._unfold(query, message, reply)
        else:
            await self._answer_press(query, message, reply, call)

    async def _answer_press(
        self, query: CallbackQuery, message: Message, reply: Reply, call: Call
    ) -> None:
        """Short words as a toast, which costs a group nothing; the rest as a message."""
        text = plain(reply.text)
        in_group = message.chat.type != ChatType.PRIVATE
        accepted = reply.tone is Tone.ACCEPTED
        bare = not (reply.pictures or reply.form or reply.file or reply.buttons)
        if len(text) <= TOAST_CHARACTERS and ((accepted and in_group) or bare):
            await self._toast(query, text, alert=reply.tone in (Tone.REFUSED, Tone.FAULT))
            if accepted and reply.answer is not None:
                self._chats.expect(reply.answer, call)
            return
        await self._toast(query)
        await self._show(message, reply, call.language, call)

    async def _unfold(self, query: CallbackQuery, message: Message, reply: Reply) -> None:
        await self._toast(query)
        markup = keyboards.unfolded(reply.pictures[0])
        pace = self._chats.pace(message.chat.id)
        with suppress(BadRequest):  # it is unfolded already
            await pace.call(
                Urgency.ANSWER,
                lambda: self._bot.edit_message_reply_markup(
                    message.chat.id, message.id, reply_markup=markup
                ),
            )

    async def _join(self, change: ChatMemberUpdated) -> None:
        """Hello, when it was brought into a group; silently, and once."""
        chat, user = change.chat, change.from_user
        came = change.new_chat_member.status in INSIDE
        if not came or change.old_chat_member.status in INSIDE or chat.type == ChatType.PRIVATE:
            return
        language = language_of(user, self._semilla.config.language)
        call = Call(
            origin=f"{NAME}:joined:{chat.id}",
            adapter=NAME,
            guild=guild_of(chat),
            member=Member(f"{NAME}:{user.id}", user.full_name, moderator=True),
            language=language,
            command="hello",
            channel=str(chat.id),
        )
        message = await rendering.message(
            self._semilla, await door.joined(self._semilla, call), language
        )
        await self._chats.send(chat.id, message)

    async def _show(
        self, message: Message, reply: Reply, language: str, call: Call | None = None
    ) -> None:
        """Answers a message in its place; what is for its author only goes away by itself."""
        if reply.answer is not None and call is not None:
            if reply.tone is Tone.ACCEPTED:
                await self._chats.wait_for(reply, call, message.id)
            return  # otherwise it came a second time, and is answered already
        shown = await rendering.message(self._semilla, reply, language)
        to = ReplyParameters(message.id, allow_sending_without_reply=True)
        passing = reply.private and message.chat.type != ChatType.PRIVATE
        receiver = message.from_user.id if passing and message.from_user else None
        await self._chats.send(
            message.chat.id, shown, topic=topic_of(message), to=to, receiver=receiver
        )

    def _for_us(self, message: Message) -> str | None:
        """The line that was typed; None when it is none or somebody else's."""
        text = (message.text or message.caption or "").strip()
        in_private = message.chat.type == ChatType.PRIVATE
        command = COMMAND.match(text)
        if command and command[2] and command[2].casefold() != self._bot.username.casefold():
            return None
        if command and command[1].casefold() == "start":  # how every private chat begins
            code = text[command.end() :].strip()
            return f"/show {code}" if code else "/hello"
        if command or (in_private and (text or message.photo or message.document)):
            return text
        return None

    def _named(self, message: Message) -> bool:
        return f"@{self._bot.username}".casefold() in (message.text or "").casefold()

    def _mean_replied_picture(
        self, command: str, options: dict[str, str], message: Message
    ) -> None:
        """A reply to one of our pictures means that picture."""
        code = keyboards.picture_in(message.reply_to_message)
        takers = [o for o in COMMANDS[command].options if o.kind.type is Type.PICTURE]
        if code and takers and takers[0].name not in options:
            options[takers[0].name] = code

    async def _image(self, command: str, message: Message) -> bytes | None:
        """The picture that was sent with the command, or one's own that it replies to."""
        takers = [option for option in COMMANDS[command].options if option.kind.upload]
        if not takers:
            return None
        sources = [message]
        replied = message.reply_to_message
        if replied is not None and replied.from_user == message.from_user:
            sources.append(replied)
        for source in sources:
            document = source.document
            if document is not None and (document.mime_type or "").startswith("image/"):
                return await self._fetch(document.file_id, document.file_size)
            if source.photo:
                return await self._fetch(source.photo[-1].file_id, source.photo[-1].file_size)
        return None

    async def _fetch(self, file_id: str, size: int | None) -> bytes:
        if size is not None and size > FILE_BYTES:
            return b""  # refused as a broken picture
        file = await self._bot.get_file(file_id)
        return bytes(await file.download_as_bytearray())

    async def _toast(self, query: CallbackQuery, text: str = "", alert: bool = False) -> None:
        """Every press is answered: the button shows that it was felt."""
        with suppress(BadRequest):  # too old, or answered by a copy of ourselves
            await query.answer(text[:TOAST_CHARACTERS] or None, show_alert=alert)

    async def _answer_fault(self, update: Update, error: Exception) -> None:
        """Ours to mend: its author gets a code that the log has too."""
        code = short_code()
        log.error("fault %s", code, exc_info=error)
        language = language_of(update.effective_user, self._semilla.config.language)
        reply = fault(language, code)
        try:
            if update.callback_query is not None:
                await self._toast(update.callback_query, plain(reply.text), alert=True)
            elif update.message is not None:
                await self._show(update.message, reply, language)
        except TelegramError as unsaid:
            log.warning("fault %s could not be told: %s", code, unsaid)
