"""Which picture a message shows: one of Semilla's, or one that whoever asks brought themselves."""

from __future__ import annotations

import aiohttp
import discord

from bot.adapters.discord.places import NAME
from bot.adapters.discord.presses import line_in
from bot.commands import line as typed_line
from bot.commands.semilla import Semilla
from bot.conversation import Refusal
from db.history import Asker

FILE_BYTES = 16 * 1024 * 1024  # of an uploaded picture that is looked at


async def picture_in(
    semilla: Semilla, message: discord.Message, asker: Asker, me: int
) -> tuple[str | None, bytes | None]:
    """The picture's id, or the file that shows it. Raises Refusal.

    Other members' pictures are theirs, unless the server allows more.
    """
    own = message.author.id == me
    if not own and f"{NAME}:{message.author.id}" != asker.member:
        rules = await semilla.database.settings.of_guild(asker.guild)
        if rules.get("others") != "yes":
            raise Refusal("others-picture")
    code = await _code_of(semilla, message, asker) if own else None
    if code is not None:
        return code, None
    for attached in message.attachments:
        if (attached.content_type or "").startswith("image/"):
            return None, await read(attached)
    raise Refusal("nothing-here")


async def read(attached: discord.Attachment) -> bytes:
    """Raises Refusal for what is too large, doesn't come through, or isn't there any more: addresses
    of files expire."""
    if attached.size > FILE_BYTES:
        raise Refusal("file-too-large", limit=FILE_BYTES // 2**20)
    try:
        return await attached.read()
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as lost:
        raise Refusal("picture-lost") from lost


async def _code_of(semilla: Semilla, message: discord.Message, asker: Asker) -> str | None:
    if (code := _code_in(message)) is not None:
        return code
    found = await semilla.database.history.by_message(asker, NAME, str(message.id))
    return found.code if found else None


def _code_in(message: discord.Message) -> str | None:
    """The picture that a message of ours shows, known by its buttons."""
    for row in message.components:
        for item in getattr(row, "children", ()):
            lines = [line_in(item.custom_id or "")]
            lines += [option.value for option in getattr(item, "options", ())]
            for line in filter(None, lines):
                if code := typed_line.picture_in(line):
                    return code
    return None
