"""Telegram's updates as calls: each answered once, through the one door."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace

from telegram import Bot, CallbackQuery, Chat, ChatMemberUpdated, Message, Update, User
from telegram.constants import ChatType
from telegram.error import TelegramError

from bot.adapters.telegram import away, keyboards, reading, rendering
from bot.adapters.telegram.away import Away
from bot.adapters.telegram.chats import LAST_SECONDS, Chats
from bot.adapters.telegram.delivering import Delivering
from bot.adapters.telegram.homes import INSIDE, Homes
from bot.adapters.telegram.pace import Closed
from bot.adapters.telegram.places import (
    NAME,
    Moderators,
    guild_of,
    language_of,
    link_to,
    speaker_of,
    topic_of,
)
from bot.adapters.telegram.replying import Replying
from bot.adapters.telegram.tasks import Tasks
from bot.adapters.telegram.touch import AWAY_SECONDS, Touch
from bot.commands import door
from bot.commands import line as typed_line
from bot.commands.declaration import COMMANDS, Answers
from bot.commands.semilla import Semilla
from bot.conversation import Call, Member, Refusal
from bot.limits import language_of as language_ruled
from bot.locales import plain, say
from bot.refusals import fault, refused, short_code

log = logging.getLogger(__name__)

SEEN = 2000  # updates and albums that are known when they come again


class Client:
    """What members say and press. `chats` sends what comes of it."""

    def __init__(
        self, semilla: Semilla, bot: Bot, chats: Chats, delivering: Delivering, touch: Touch
    ) -> None:
        self._semilla = semilla
        self._bot = bot
        self._chats = chats
        self._touch = touch
        self._away = Away(semilla, bot, chats, touch)
        self._replying = Replying(semilla, bot, chats, delivering)
        self._moderators = Moderators(bot)
        self._homes = Homes(semilla, bot, self._moderators)
        self._fetching = asyncio.Semaphore(reading.FILES_AT_ONCE)
        self._seen: OrderedDict[int | str, None] = OrderedDict()
        self._under_way = Tasks()
        self._left = False

    async def take(self, update: Update, _context: object = None) -> None:
        """One bad update never takes the others down, and nobody is left without an answer."""
        if self._is_known(update.update_id):
            return
        if self._left:
            await self._cut_off(update)
            return
        try:
            await self._under_way.start(self._take(update))
        except (Closed, asyncio.CancelledError):
            await self._cut_off(update)

    async def _take(self, update: Update) -> None:
        try:
            await self._understand(update)
        except Closed:
            raise
        except Exception as error:  # noqa: BLE001 — whatever it is, its author is told, with a code
            await self._answer_fault(update, error)

    def _is_known(self, key: int | str) -> bool:
        """Whether an update, an album or what is done late has come before."""
        known = key in self._seen
        self._seen[key] = None
        if len(self._seen) > SEEN:
            self._seen.popitem(last=False)
        return known

    async def leave(self) -> None:
        """At the end: what is under way has a moment, and what comes now none."""
        await self._under_way.end(LAST_SECONDS)
        self._left = True

    async def _cut_off(self, update: Update) -> None:
        """A request that a stop has cut off is asked about at the next start."""
        press, message = update.callback_query, update.effective_message
        if message is None or (press and press.data in (away.DO, away.FORGET)):
            return
        text = _line_of(press) if press else reading.line_of(message, self._bot.username)
        if text is None:
            return
        language = await self._language(message.chat, update.effective_user)
        member = Member(f"{NAME}:{press.from_user.id if press else speaker_of(message)}", "")
        with suppress(Refusal):
            read = typed_line.parse(text) if press else reading.with_reply(text, message)
            call = _call(message, member, language, *read, press)
            await self._keep(press or message, call)

    async def ask_again(self) -> None:
        """At the start: about what came while Semilla was away, and nobody was asked about."""
        await self._away.ask_again()

    async def _understand(self, update: Update) -> None:
        if update.callback_query is not None:
            doubtful = self._touch.is_of_backlog(update.update_id)
            await self._press(update.callback_query, doubtful)
        elif update.my_chat_member is not None:
            await self._join(update.my_chat_member)
        elif update.message is not None and update.message.migrate_to_chat_id:
            await self._chats.move(update.message.chat.id, update.message.migrate_to_chat_id)
        elif update.message is not None:
            await self._hear(update.message)

    async def _hear(self, message: Message, late: bool = False) -> None:
        """A command, in a caption too; in a private chat every text. The rest isn't for us.
        `late`: it was asked about, and is to be done now."""
        text = reading.line_of(message, self._bot.username)
        if text is None or not (late or await self._speaks_for_album(message, text)):
            return
        language = await self._language(message.chat, message.from_user)
        try:
            command, options = reading.with_reply(text, message)
        except Refusal as refusal:
            if message.chat.type == ChatType.PRIVATE or reading.is_for(message, self._bot):
                member = await self._moderators.speaker(message)
                call = _call(message, member, language, "", {})
                reply = await door.refuse(self._semilla, call, refusal)
                await self._replying.show(message, reply, language)
            return
        member = await self._moderators.speaker(message)
        call = _call(message, member, language, command, options)
        if not late and await self._is_missed(message, call):
            return
        try:
            call = await self._at_home(call, message.chat, message.from_user)
            call = replace(call, image=await self._image(message, call))
        except Refusal as refusal:
            reply = await door.refuse(self._semilla, call, refusal)
        else:
            reply = await door.run(self._semilla, call)
        await self._replying.show(message, reply, language, call)

    async def _speaks_for_album(self, message: Message, text: str) -> bool:
        """An album is answered once: its words stand under any one of its photos, or there are none.
        A message that is of no album speaks for itself."""
        if (album := message.media_group_id) is None:
            return True
        known, words = self._is_known(album), f"words of {album}"
        if text:
            self._is_known(words)
        elif not known:
            await asyncio.sleep(reading.ALBUM_SECONDS)
        return bool(text) or not (known or words in self._seen)

    async def _image(self, message: Message, call: Call) -> bytes | None:
        """What came along, for whoever may ask. Raises Refusal."""
        file = reading.image_with(message, call.command, call.options)
        if file is None or not await door.lets_in(self._semilla, call):
            return None
        async with self._fetching:
            return await reading.fetched(file)

    async def _is_missed(self, message: Message, call: Call) -> bool:
        """Whether it is a request that came while Semilla was away, and is asked about."""
        seconds = self._touch.seconds_since(message.date)
        return seconds >= AWAY_SECONDS and await self._keep(message, call)

    async def _keep(self, said: Message | CallbackQuery, call: Call) -> bool:
        """False for what isn't asked about: it makes no picture, or was accepted before."""
        accepted = await self._semilla.database.answers.accepted(call.origin)
        if accepted or not _draws(call) or not await self._semilla.access.admits(call):
            return False
        await self._away.keep(said, call)
        return True

    async def _at_home(self, call: Call, chat: Chat, user: User | None) -> Call:
        """In a private chat a picture or a request may be meant that belongs to one of the member's
        groups. Raises Refusal."""
        if chat.type != ChatType.PRIVATE or user is None:
            return call
        home = await self._homes.of(call, user)
        return call if home is None else replace(call, guild=home[0], member=home[1], aside=True)

    async def _language(self, chat: Chat, user: User | None) -> str:
        """What the group is set to, else the language of the member's own app."""
        rules = await self._semilla.database.settings.of_guild(guild_of(chat).id)
        return language_ruled(rules) or language_of(user, self._semilla.config.language)

    async def _press(
        self, query: CallbackQuery, doubtful: bool = False, late: bool = False
    ) -> None:
        """A button: its line, as if it had been typed by whoever pressed it.

        Args:
            doubtful: it may have been pressed while Semilla was away; Telegram tells no time.
            late: it was asked about, and is to be done now.
        """
        message = query.message
        if not isinstance(message, Message) or not query.data:
            language = language_of(query.from_user, self._semilla.config.language)
            await self._replying.toast(query, say(language, "telegram-too-old"))
            return
        language = await self._language(message.chat, query.from_user)
        member = await self._moderators.member(message.chat, query.from_user)
        if query.data in (away.DO, away.FORGET):
            await self._decide(query, message, member, language)
            return
        try:
            command, options = typed_line.parse(_line_of(query))
        except Refusal as refusal:  # a button of a later version, or of one long gone
            await self._replying.toast(query, plain(refused(language, refusal).text))
            return
        call = _call(message, member, language, command, options, query)
        felt = late or (doubtful and _draws(call))
        if felt and not (late or await self._replying.toast(query)):
            await self._keep(query, call)
            return
        try:
            call = await self._at_home(call, message.chat, query.from_user)
        except Refusal as refusal:
            reply = await door.refuse(self._semilla, call, refusal)
        else:
            reply = await door.run(self._semilla, call)
        if query.data.startswith(keyboards.MORE) and reply.pictures:
            await self._replying.unfold(query, message, reply)
        else:
            await self._replying.answer_press(query, message, reply, call, felt)

    async def _decide(
        self, query: CallbackQuery, message: Message, member: Member, language: str
    ) -> None:
        """What becomes of the requests that came while Semilla was away."""
        missed, left = await self._away.meant(guild_of(message.chat).id, member)
        doing = query.data == away.DO
        if not doing:  # before the answer: the next press is to find them gone
            await self._away.forget(missed)
        key = "telegram-doing" if doing else "telegram-forgotten"
        key = key if missed else "telegram-not-yours-to-decide"
        await self._replying.toast(query, say(language, key, count=len(missed)))
        for each in missed if doing else ():
            said = self._away.said(each)
            if not self._is_known(f"late {each.guild} {said.id}"):  # the button is pressed twice
                await self._do_late(said)
                await self._away.forget([each])  # not sooner: a stop may come between
        if not left:
            await self._chats.remove(message.chat.id, message.id)

    async def _do_late(self, said: Message | CallbackQuery) -> None:
        """One that fails takes none of the others with it."""
        try:
            if isinstance(said, Message):
                await self._hear(said, late=True)
            else:
                await self._press(said, late=True)
        except Exception as error:  # noqa: BLE001 — as if it had come by itself
            message, press = (said, None) if isinstance(said, Message) else (None, said)
            await self._answer_fault(Update(0, message=message, callback_query=press), error)

    async def _join(self, change: ChatMemberUpdated) -> None:
        """Hello, when it was brought into a group; silently, and once."""
        chat, user = change.chat, change.from_user
        self._chats.rights_changed(chat.id)
        came = change.new_chat_member.status in INSIDE
        group = chat.type in (ChatType.GROUP, ChatType.SUPERGROUP)
        if not came or change.old_chat_member.status in INSIDE or not group:
            return
        language = await self._language(chat, user)
        call = Call(
            origin=f"{NAME}:joined:{chat.id}",
            adapter=NAME,
            guild=guild_of(chat),
            member=Member(f"{NAME}:{user.id}", user.full_name, moderator=True),
            language=language,
            command="hello",
            channel=str(chat.id),
        )
        reply = await door.joined(self._semilla, call)
        if not reply.repeated:
            shown = await rendering.message(self._semilla, reply, language)
            await self._chats.send(chat.id, shown)

    async def _answer_fault(self, update: Update, error: Exception) -> None:
        """Ours to mend: its author gets a code that the log has too."""
        code = short_code()
        log.error("fault %s", code, exc_info=error)
        language = language_of(update.effective_user, self._semilla.config.language)
        reply = fault(language, code)
        try:
            if update.callback_query is not None:
                await self._replying.toast(update.callback_query, plain(reply.text), alert=True)
            elif update.message is not None:
                await self._replying.show(update.message, reply, language)
        except TelegramError as unsaid:
            log.warning("fault %s could not be told: %s", code, unsaid)


def _line_of(press: CallbackQuery) -> str:
    return (press.data or "").removeprefix(keyboards.MORE)


def _draws(call: Call) -> bool:
    return COMMANDS[call.command].answers is Answers.NEW


def _call(
    message: Message,
    member: Member,
    language: str,
    command: str,
    options: dict[str, str],
    press: CallbackQuery | None = None,
) -> Call:
    """What was typed in a message, or pressed under it."""
    event = f"press:{press.id}" if press else f"{message.chat.id}:{message.id}"
    return Call(
        origin=f"{NAME}:{event}",
        adapter=NAME,
        guild=guild_of(message.chat),
        member=member,
        language=language,
        command=command,
        options=options,
        channel=str(message.chat.id),
        thread=topic_of(message),
        here=link_to(message),
    )
