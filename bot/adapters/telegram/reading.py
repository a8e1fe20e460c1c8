"""What a message says to Semilla: its line, the picture that it means, the one that it brings."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from telegram import Bot, Document, Message, PhotoSize
from telegram.constants import ChatType
from telegram.error import NetworkError

from bot.adapters.telegram import keyboards
from bot.adapters.telegram.places import NAME, speaker_of
from bot.commands import line
from bot.commands.declaration import COMMANDS, Answers, Command
from bot.commands.kinds import Type
from bot.commands.moderation import time_first
from bot.conversation import MENTION, OWN_ID, Refusal
from bot.locales import shortened
from db.codes import readings

log = logging.getLogger(__name__)

FILE_BYTES = 20 * 1024 * 1024  # that a bot may fetch
FILES_AT_ONCE = 4
ALBUM_SECONDS = 1.0  # in which all photos of one come
NAME_CHARACTERS = 40  # of whoever is to be named

File = Document | PhotoSize
COMMAND = re.compile(r"/(\S+?)(?:@(\w+))?(?=\s|$)")


def line_of(message: Message, bot: str) -> str | None:
    """The line that was typed; None when it is none or another bot's."""
    text = (message.text or message.caption or "").strip()
    in_private = message.chat.type == ChatType.PRIVATE
    command = COMMAND.match(text)
    if command and command[2] and command[2].casefold() != bot.casefold():
        return None
    if command and command[1].casefold() == "start":  # how every private chat begins
        code = text[command.end() :].strip()
        if code and not in_private:  # it has been brought in by a link, and said hello
            return None
        return f"/show {code}" if code else "/hello"
    if command or (in_private and (text or message.photo or message.document)):
        return text
    return text if text and _is_asked_for(message, bot) else None


def _is_asked_for(message: Message, bot: str) -> bool:
    """Whether it answers what Semilla has asked: what to draw."""
    question = message.reply_to_message
    ours = question and question.from_user and question.from_user.username == bot
    return bool(question and ours and keyboards.offers_prompts(question))


def is_for(message: Message, bot: Bot) -> bool:
    """Whether it names the bot or answers it: in a group another one may know a command."""
    replied = message.reply_to_message
    answers = replied is not None and replied.from_user == bot.bot
    name = f"@{bot.username}".casefold()
    return answers or name in (message.text or message.caption or "").casefold()


def with_reply(text: str, message: Message) -> tuple[str, dict[str, str]]:
    """The command and its options; a reply to one of our pictures means that picture, and where a
    member is to be named, its author or whoever wrote the message. Raises Refusal."""
    command, options = line.parse(text)
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created is not None:  # with which a topic begins
        return command, options
    code = keyboards.picture_in(replied)
    member = next((o.name for o in COMMANDS[command].options if o.kind.member), None)
    if member is not None:
        return command, _with_member(command, member, options, code or _author_of(replied))
    return _with_picture(text, command, options, code) if code else (command, options)


def _with_member(
    command: str, member: str, options: dict[str, str], meant: str | None
) -> dict[str, str]:
    """A time, "2h", says how long, and what follows why, unless it names somebody else. Other words
    are whom the command is about, never the one who is replied to. Raises Refusal where nobody is
    meant, as by a sheet of several pictures: without a member the commands mean something else."""
    words = options.get(member, "")
    until = time_first(words)
    if words and not until:
        return options
    reason = words.removeprefix(until).strip()
    if _names_somebody(reason):
        meant, reason = reason, ""
    if meant is None:
        raise Refusal("pause-whom")
    said = {name: text for name, text in (("until", until), ("reason", reason)) if text}
    if any(name in options or not COMMANDS[command].option(name) for name in said):
        return options
    return {**options, member: meant, **said}


def _names_somebody(words: str) -> bool:
    """By an @name, an id, or that of a picture of theirs."""
    code = " " not in words and readings(words) and any(map(str.isdigit, words))
    return bool(words.startswith("@") or OWN_ID.match(words) or MENTION.fullmatch(words) or code)


def _author_of(message: Message) -> str | None:
    """Id and name; None for a bot's message."""
    user, chat = message.from_user, message.sender_chat
    if chat is None and (user is None or user.is_bot):
        return None
    name = chat.effective_name if chat else user.full_name if user else ""
    return f"{NAME}:{speaker_of(message)} {shortened(name or '', NAME_CHARACTERS)}".strip()


def _with_picture(
    text: str, command: str, options: dict[str, str], code: str
) -> tuple[str, dict[str, str]]:
    """A first word that is no picture's id belongs to the rest."""
    declared = COMMANDS[command].options
    taker = next((each for each in declared if each.kind.type is Type.PICTURE), None)
    if taker is None:
        return command, options
    typed = options.get(taker.name, "")
    if not typed:
        return command, {**options, taker.name: code}
    is_code = readings(typed) and any(map(str.isdigit, typed))  # "strong" could be one, too
    if is_code or "/" in typed or taker is not declared[0]:
        return command, options
    word = re.compile(rf"(?<=\s){re.escape(typed)}(?!\S)")
    return line.parse(word.sub(lambda found: f"{code} {found[0]}", text, count=1))


def image_with(message: Message, command: str, options: Mapping[str, str]) -> File | None:
    """The picture that was sent with the command, or one's own that it replies to."""
    if not _takes_image(COMMANDS[command], options):
        return None
    sources = [message]
    replied = message.reply_to_message
    if replied is not None and speaker_of(replied) == speaker_of(message):
        sources.append(replied)
    for source in sources:
        document = source.document
        if document is not None and (document.mime_type or "").startswith("image/"):
            return document
        if source.photo:
            return source.photo[-1]
    return None


def _takes_image(command: Command, options: Mapping[str, str]) -> bool:
    """Also those that are about a picture, in the place of its id; not for a form, which is a line
    to send, to which no file is attached."""
    if any(option.kind.upload for option in command.options):
        return True
    return command.menu and command.answers is not Answers.FORM and not command.picture(options)


async def fetched(file: File) -> bytes:
    """Raises Refusal."""
    if file.file_size is not None and file.file_size > FILE_BYTES:
        raise Refusal("file-too-large", limit=FILE_BYTES // 1024**2)
    try:
        return bytes(await (await file.get_file()).download_as_bytearray())
    except NetworkError as error:
        log.warning("a picture that was sent can't be fetched: %s", error)
        raise Refusal("picture-lost") from error
