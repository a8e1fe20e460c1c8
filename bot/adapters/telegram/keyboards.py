"""Buttons under messages: each carries a command line of at most 64 bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, Message

from bot.commands import line as typed_line
from bot.conversation import Button, Reply, Shown

MORE = "+"  # before a line: unfold what can be done with its picture
COPIED_CHARACTERS = 256
A_ROW, ROW_CHARACTERS = 5, 34  # on a phone

FILE_NAME = re.compile(r"semilla-([0-9A-Z]+)\.png")

Rows = list[list[InlineKeyboardButton]]


def keyboard(reply: Reply) -> InlineKeyboardMarkup | None:
    """The reply's own buttons, and those of its picture; several pictures are taken up by number."""
    rows = [each for row in reply.buttons for each in _rows(row)]
    if len(reply.pictures) == 1:
        rows = [*_folded(reply.pictures[0]), *rows]
    elif reply.pictures:
        rows = [*numbers(reply.pictures), *rows]
    return _markup(rows)


def unfolded(shown: Shown) -> InlineKeyboardMarkup | None:
    """Everything that can be done with a picture, two buttons a row: phones are narrow."""
    all_ = [button for row in shown.buttons for button in row]
    return _markup([_row(all_[i : i + 2]) for i in range(0, len(all_), 2)])


def numbers(pictures: Sequence[Shown]) -> Rows:
    return _rows([Button(str(n), each.line) for n, each in enumerate(pictures, 1)])


def elsewhere(markup: InlineKeyboardMarkup | None) -> InlineKeyboardMarkup | None:
    """The buttons that mean the same in another chat: those that name a picture."""
    rows = markup.inline_keyboard if markup else ()
    return _markup(
        [
            [b for b in row if typed_line.picture_in(str(b.callback_data).removeprefix(MORE))]
            for row in rows
        ]
    )


def copying(label: str, line: str) -> InlineKeyboardMarkup | None:
    """A button that puts a line into the clipboard, when it is short enough for one."""
    if not 0 < len(line) <= COPIED_CHARACTERS:
        return None
    return _markup([[InlineKeyboardButton(label, copy_text=CopyTextButton(line))]])


def picture_in(message: Message) -> str | None:
    """The id of the picture that a message of ours shows, known by its buttons, or whose file it
    brings, known by its name."""
    if message.from_user is None or not message.from_user.is_bot:
        return None
    if message.document and (named := FILE_NAME.fullmatch(message.document.file_name or "")):
        return named[1]
    lines = [line.removeprefix(MORE) for line in _lines(message)]
    # Several ids are those of a sheet, and which one is meant nobody knows.
    codes = {code for line in lines if (code := typed_line.picture_in(line))}
    return codes.pop() if len(codes) == 1 else None


def offers_prompts(message: Message) -> bool:
    """Whether there are words to tap under it, which would be drawn."""
    return any(line[:1].isalnum() for line in _lines(message))


def _lines(message: Message) -> list[str]:
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    return [str(button.callback_data) for row in rows for button in row if button.callback_data]


def _folded(shown: Shown) -> Rows:
    first, *others = shown.buttons or ((),)
    return _rows([*first, Button("⋯", MORE + shown.line)] if others else first)


def _rows(buttons: Sequence[Button]) -> Rows:
    """As few rows as their labels can be read in, filled evenly."""
    longest = max((len(each.label) for each in buttons), default=1)
    fitting = min(A_ROW, max(1, ROW_CHARACTERS // longest))
    many = -(-len(buttons) // fitting)
    a_row = -(-len(buttons) // max(1, many))
    return [_row(buttons[i : i + a_row]) for i in range(0, len(buttons), max(1, a_row))]


def _row(buttons: Sequence[Button]) -> list[InlineKeyboardButton]:
    return [
        InlineKeyboardButton(each.label, callback_data=each.line) for each in buttons if each.fits
    ]


def _markup(rows: Rows) -> InlineKeyboardMarkup | None:
    rows = [row for row in rows if row]
    return InlineKeyboardMarkup(rows) if rows else None
