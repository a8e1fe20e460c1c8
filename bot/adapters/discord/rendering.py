"""Replies as Discord's messages: text, files, buttons."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord
from PIL import Image

from bot.adapters.discord.markup import clipped, discord_markup
from bot.adapters.discord.places import NAME
from bot.adapters.discord.presses import More, Pick, Press
from bot.commands.semilla import Semilla
from bot.conversation import Button, Reply, Shown
from bot.locales import plain
from bot.replies import captions
from bot.showing import enlarged

NOBODY = discord.AllowedMentions.none()
ALT_CHARACTERS = 1024
MESSAGE_FILES = 10
FILE_BYTES = 10 * 1024 * 1024  # of a server without boosts
PREVIEW, PREVIEW_PIXELS = "semilla-preview.webp", 256
ROWS, ROW_BUTTONS = 5, 5
QUALITIES = (90, 75, 50)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent or edited: content, pictures (name, bytes, alternative text), buttons."""

    content: str
    files: tuple[tuple[str, bytes, str], ...] = ()
    view: discord.ui.View | None = None

    def uploads(self) -> list[discord.File]:
        """New ones for each attempt: a sent file has been read to its end."""
        return [
            discord.File(io.BytesIO(data), name, description=alt) for name, data, alt in self.files
        ]

    def options(self, there: Sequence[discord.Attachment] = ()) -> dict[str, Any]:
        """For an edit, that replaces all; a picture that is `there` already isn't sent again."""
        kept = {each.filename: each for each in there if each.filename != PREVIEW}
        return {
            "content": self.content,
            "attachments": [kept.get(each.filename, each) for each in self.uploads()],
            "view": self.view,
            "allowed_mentions": NOBODY,
        }


async def message(semilla: Semilla, reply: Reply, limit_bytes: int = FILE_BYTES) -> Message:
    """A reply as one message; pictures that are too large for the place become smaller files."""
    shown = reply.pictures[:MESSAGE_FILES]
    told = zip(shown, captions(shown), strict=True)
    lines = [discord_markup(reply.text), *[await _linked(semilla, *each) for each in told]]
    content = clipped("\n".join(filter(None, lines)))
    files = [await _picture(semilla, each, limit_bytes // max(1, len(shown))) for each in shown]
    if reply.file is not None:
        data = await semilla.database.storage.read(reply.file)
        files.append((reply.file_name, data, ""))
    return Message(content, tuple(files), view_of(reply))


def view_of(reply: Reply) -> discord.ui.View | None:
    """The reply's own buttons, and those of its picture; several are taken up by a list."""
    view = discord.ui.View(timeout=None)
    rows = list(reply.buttons)
    if len(reply.pictures) == 1:
        rows = [*reply.pictures[0].buttons[:1], *rows]
    for number, row in enumerate(rows[: ROWS - 1]):
        for button in row[: ROW_BUTTONS - 1]:
            view.add_item(Press(button.label, button.line, number))
    if len(reply.pictures) == 1 and len(reply.pictures[0].buttons) > 1:
        view.add_item(More(reply.pictures[0].line, 0))
    elif len(reply.pictures) > 1:
        view.add_item(Pick(_choices(reply.pictures), reply.pick, min(len(rows), ROWS - 1)))
    return view if view.children else None


def folded(reply: Reply) -> discord.ui.View | None:
    """What stands behind ⋯: a picture's other buttons."""
    view = discord.ui.View(timeout=None)
    buttons: list[Button] = [
        button for each in reply.pictures[:1] for row in each.buttons[1:] for button in row
    ]
    for place, button in enumerate(buttons[: ROWS * ROW_BUTTONS]):
        view.add_item(Press(button.label, button.line, place // 3))
    return view if buttons else None


async def preview(data: bytes) -> tuple[str, bytes, str]:
    """A small preview, large enough to be looked at."""
    return (PREVIEW, await asyncio.to_thread(_grown, data), "")


async def _linked(semilla: Semilla, shown: Shown, caption: str) -> str:
    """A caption, with a link to what the picture was made from."""
    text = discord_markup(caption)
    if shown.parent is None:
        return text
    number, code = shown.parent
    answer = await semilla.database.answers.of_picture(number)
    if answer is None or answer.adapter != NAME or answer.private or not answer.message:
        return text
    server = "@me" if answer.guild == answer.member else answer.guild.removeprefix(f"{NAME}:")
    place = f"{server}/{answer.thread or answer.channel}/{answer.message}"
    return text.replace(f"`{code}`", f"[`{code}`](<https://discord.com/channels/{place}>)", 1)


def _choices(pictures: Sequence[Shown]) -> list[tuple[str, str]]:
    return [(f"{n} · {each.code}", each.line) for n, each in enumerate(pictures, 1)]


async def _picture(semilla: Semilla, shown: Shown, limit_bytes: int) -> tuple[str, bytes, str]:
    """Name, bytes and alternative text; small ones enlarged, with the recipe inside."""
    path = semilla.database.storage.path(shown.file)
    if shown.scale > 1:
        cache = semilla.config.data / "cache" / "shown"
        path = await asyncio.to_thread(enlarged, path, cache, shown.scale, ".png")
    data = await asyncio.to_thread(path.read_bytes)
    suffix = path.suffix
    if len(data) > limit_bytes:
        data, suffix = await asyncio.to_thread(_squeezed, data, limit_bytes), ".webp"
    return f"semilla-{shown.code}{suffix}", data, plain(shown.alt)[:ALT_CHARACTERS]


def _squeezed(data: bytes, limit_bytes: int) -> bytes:
    """As WebP, as well as fits; the PNG is there on request."""
    with Image.open(io.BytesIO(data)) as opened:
        image = opened.convert("RGB")
    while True:
        for quality in QUALITIES:
            buffer = io.BytesIO()
            image.save(buffer, "WEBP", quality=quality)
            if buffer.tell() <= limit_bytes or max(image.size) <= PREVIEW_PIXELS:
                return buffer.getvalue()
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)


def _grown(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as opened:
        image = opened.convert("RGB")
    scale = PREVIEW_PIXELS / max(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    buffer = io.BytesIO()
    image.resize(size, Image.Resampling.BICUBIC).save(buffer, "WEBP", quality=80)
    return buffer.getvalue()
