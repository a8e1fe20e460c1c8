"""Replies as Telegram's messages: a text, a photo or a file, and buttons."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from telegram import InlineKeyboardMarkup, InputMediaPhoto

from bot import sheets
from bot.adapters.telegram import keyboards
from bot.adapters.telegram.markup import CAPTION_UNITS, TEXT_UNITS, Formatted, formatted, length
from bot.adapters.telegram.places import Receiver
from bot.commands import line as typed_line
from bot.commands.semilla import Semilla
from bot.conversation import Button, Form, Reply, Shown
from bot.locales import escape, say, shortened
from bot.replies import captions
from bot.sheets import SHEET_PICTURES
from bot.showing import enlarged

# What Telegram takes as a photo: the long side to the short one, both together, and bytes. What is
# beyond that goes out as a file.
PHOTO_RATIO, PHOTO_SIDES, PHOTO_BYTES = 20, 10_000, 10 * 1024 * 1024
SHEET_WORDS = 40


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent or edited. `file`: name and bytes of what is handed out as it is."""

    words: Formatted
    photo: bytes | None = None
    file: tuple[str, bytes] | None = None
    keyboard: InlineKeyboardMarkup | None = None

    @property
    def is_text(self) -> bool:
        return self.photo is None and self.file is None

    def text(self) -> dict[str, Any]:
        return {
            "text": self.words.text,
            "entities": self.words.entities,
            "reply_markup": self.keyboard,
        }

    def caption(self) -> dict[str, Any]:
        return {
            "caption": self.words.text,
            "caption_entities": self.words.entities,
            "reply_markup": self.keyboard,
        }

    def media(self) -> dict[str, Any]:
        """What turns a placeholder into the picture."""
        media = InputMediaPhoto(
            self.photo or b"", caption=self.words.text, caption_entities=self.words.entities
        )
        return {"media": media, "reply_markup": self.keyboard}


async def message(semilla: Semilla, reply: Reply, language: str) -> Message:
    """A reply as one message: several pictures are one sheet, whose buttons take them up."""
    if reply.form is not None:
        return _form(reply.form, language)
    keyboard = keyboards.keyboard(reply)
    if reply.file is not None:
        data = await semilla.database.storage.read(reply.file)
        return Message(
            formatted([reply.text], CAPTION_UNITS), None, (reply.file_name, data), keyboard
        )
    if not reply.pictures:
        return Message(formatted([reply.text], TEXT_UNITS), keyboard=keyboard)
    if len(reply.pictures) == 1:
        (shown,) = reply.pictures
        words = formatted([shown.caption, reply.text], CAPTION_UNITS)
        photo = await _photo(semilla, shown)
        if photo is not None:
            return Message(words, photo, None, keyboard)
        data = await semilla.database.storage.read(shown.file)
        return Message(words, None, (f"semilla-{shown.code}.png", data), keyboard)
    labels = [f"{n} · {shown.code}" for n, shown in enumerate(reply.pictures, 1)]
    photo = await _sheet(semilla, reply.pictures, labels)
    words = formatted([reply.text, *captions(reply.pictures)], CAPTION_UNITS)
    return Message(words, photo, None, keyboard)


def parted(reply: Reply) -> tuple[Reply, ...]:
    """A reply, or where its words don't fit under its picture, the picture and then the words: at
    their end is a line to copy."""
    if len(reply.pictures) != 1 or not reply.text:
        return (reply,)
    words = formatted([reply.pictures[0].caption, reply.text])
    if length(words.text) <= CAPTION_UNITS:
        return (reply,)
    return replace(reply, text=""), Reply(text=reply.text, private=reply.private)


async def sheet(
    semilla: Semilla,
    shown: Sequence[tuple[Shown, str]],
    told: Sequence[str],
    beside: tuple[tuple[Button, ...], ...],
    language: str,
) -> Message:
    """Up to nine pictures of several members, each with its number, id and author.

    Args:
        shown: pictures and who asked for them.
        told: what there is to say to those whose request gave none.
        beside: rows of buttons for that.
    """
    pictures = [picture for picture, _ in shown]
    labels = [f"{n} · {each.code} · {who}" for n, (each, who) in enumerate(shown, 1)]
    lines = [
        say(language, "telegram-sheet-line", number=str(n), prompt=_few(each.alt), code=each.code,
            author=who)
        for n, (each, who) in enumerate(shown, 1)
    ]  # fmt: skip
    notes: dict[str, list[str]] = {}
    for n, (each, _) in enumerate(shown, 1):
        for note in each.notes:
            notes.setdefault(note, []).append(str(n))
    noted = [f"{', '.join(numbers)} · {note}" for note, numbers in notes.items()]
    words = formatted([*lines, *told, *noted], CAPTION_UNITS)
    rows = keyboards.keyboard(Reply(pictures=tuple(pictures), buttons=beside))
    return Message(words, await _sheet(semilla, pictures, labels), None, rows)


def plain(text: str, keyboard: InlineKeyboardMarkup | None = None) -> Message:
    return Message(formatted([text], TEXT_UNITS), keyboard=keyboard)


def of_private(receiver: Receiver, reached: bool, bot: str) -> Message:
    """What a group reads of what was sent to somebody's own chat, or couldn't be."""
    if reached:
        return plain(say(receiver.language, "telegram-sent-in-private"))
    facts = _in_private(receiver.codes, bot)
    return plain(say(receiver.language, "telegram-open-private-chat", **facts))


def no_pictures(codes: Sequence[str], bot: str, language: str) -> Message:
    """What a group reads that lets nobody send the pictures that were asked for in it."""
    return plain(say(language, "telegram-no-pictures", **_in_private(codes, bot)))


def _in_private(codes: Sequence[str], bot: str) -> dict[str, Any]:
    """How pictures are seen in the private chat, which opens with the one if it is one."""
    start = f"?start={codes[0]}" if len(codes) == 1 else ""
    link = f"https://t.me/{bot}{start}"
    return {"count": len(codes), "codes": ", ".join(codes), "link": link}


async def _photo(semilla: Semilla, shown: Shown) -> bytes | None:
    """A JPEG: Telegram makes one of everything, and classes have slow networks. None for what it
    doesn't take as a photo."""
    sides = shown.width, shown.height
    if max(sides) > PHOTO_RATIO * min(sides) or shown.scale * sum(sides) > PHOTO_SIDES:
        return None
    path = semilla.database.storage.path(shown.file)
    cache = semilla.config.data / "cache" / "shown"
    large = await asyncio.to_thread(enlarged, path, cache, shown.scale, ".jpg")
    photo = await asyncio.to_thread(large.read_bytes)
    return photo if len(photo) <= PHOTO_BYTES else None


async def _sheet(semilla: Semilla, pictures: Sequence[Shown], labels: Sequence[str]) -> bytes:
    path = semilla.database.storage.path
    cells = [
        sheets.Cell(path(shown.file), label) for shown, label in zip(pictures, labels, strict=True)
    ]
    return await asyncio.to_thread(sheets.sheet, cells[:SHEET_PICTURES])


def _form(form: Form, language: str) -> Message:
    """Telegram has no forms: the line that the form stands for, to copy, change and send."""
    values = {field.name: field.value for field in form.fields if field.value}
    line = typed_line.typed(form.command, values, language)
    words = formatted([say(language, "telegram-edit", title=form.title), f"`{escape(line)}`"])
    return Message(words, keyboard=keyboards.copying(say(language, "telegram-copy"), line))


def _few(words: str) -> str:
    return shortened(" ".join(words.split()), SHEET_WORDS)
