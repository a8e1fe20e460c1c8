"""What a message says to Semilla: its line, the picture that it means, the one that it brings."""

from __future__ import annotations

import re

from telegram import Document, Message, PhotoSize
from telegram.constants import ChatType

from bot.adapters.telegram import keyboards
from bot.adapters.telegram.places import speaker_of
from bot.commands import line
from bot.commands.declaration import COMMANDS
from bot.commands.kinds import Type
from bot.conversation import Refusal
from db.codes import readings

FILE_BYTES = 20 * 1024 * 1024  # that a bot may fetch
FILES_AT_ONCE = 4

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
        return f"/show {code}" if code and in_private else "/hello"
    if command or (in_private and (text or message.photo or message.document)):
        return text
    return None


def names(message: Message, bot: str) -> bool:
    return f"@{bot}".casefold() in (message.text or message.caption or "").casefold()


def with_replied_picture(text: str, message: Message) -> tuple[str, dict[str, str]]:
    """The command and its options; a reply to one of our pictures means that picture, and a first
    word that is no picture's id belongs to the rest. Raises Refusal."""
    command, options = line.parse(text)
    code = keyboards.picture_in(message.reply_to_message)
    takers = [o for o in COMMANDS[command].options if o.kind.type is Type.PICTURE]
    if not code or not takers:
        return command, options
    typed = options.get(takers[0].name, "")
    if not typed:
        return command, {**options, takers[0].name: code}
    is_code = readings(typed) and any(map(str.isdigit, typed))  # "strong" could be one, too
    if is_code or "/" in typed:
        return command, options
    name, rest = text.split(maxsplit=1)
    return line.parse(f"{name} {code} {rest}")


def image_with(message: Message, command: str) -> File | None:
    """The picture that was sent with the command, or one's own that it replies to."""
    takers = [option for option in COMMANDS[command].options if option.kind.upload]
    if not takers:
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


async def fetched(file: File) -> bytes:
    """Raises Refusal."""
    if file.file_size is not None and file.file_size > FILE_BYTES:
        raise Refusal("file-too-large", limit=FILE_BYTES // 1024**2)
    return bytes(await (await file.get_file()).download_as_bytearray())
