"""A reply's form as a modal: the words in fields of their own, all else on one line.

Its id is the line that made it, so that it can be sent after a restart too: what its author left
as it was is found by running that line again. The name of a kept file may stand before the line.
"""

from __future__ import annotations

from typing import Any

import discord

from bot.commands import line as typed_line
from bot.commands.declaration import COMMANDS, Command
from bot.commands.kinds import Type, short
from bot.conversation import Field, Form, Refusal
from bot.locales import say

TITLE_CHARACTERS, LABEL_CHARACTERS, FIELD_CHARACTERS = 45, 45, 4000
PREFIX, OPTIONS, IMAGE = "f:", "options", "image"
WORDS = 200  # longer texts than this have a field of their own


def modal(form: Form, line: str, language: str) -> discord.ui.Modal:
    command = COMMANDS[form.command]
    shown = discord.ui.Modal(title=form.title[:TITLE_CHARACTERS], custom_id=PREFIX + line)
    for field in form.fields:
        if field.kind != "hidden" and _stands_alone(command, field.name):
            shown.add_item(_field(field.label, field.name, field.value))
    own = {field.name for field in form.fields if _is_apart(command, field)}
    if any(option.name not in own for option in command.options):
        label = say(language, "discord-form-options")
        shown.add_item(_field(label, OPTIONS, _on_one_line(command, form, language)))
    return shown


def takes_file(form: Form) -> bool:
    """Whether the file that it is about goes on with what is sent."""
    return any(field.name == IMAGE and not field.value for field in form.fields)


def changes(form: Form, sent: dict[str, str]) -> dict[str, str]:
    """The options that were changed in a modal, and those that say what it is about. What was
    taken out is empty.

    Raises Refusal for options that can't be read, and for words that belong to none.
    """
    command = COMMANDS[form.command]
    hidden = {field.name: field.value for field in form.fields if field.kind == "hidden"}
    before = {field.name: field.value for field in form.fields if field.kind != "hidden"}
    typed = typed_line.options(command, sent.get(OPTIONS, ""))
    if stray := " ".join(typed[name] for name in (*hidden, *sent) if name in typed):
        raise Refusal("too-many-words", words=short(stray), command=form.command)
    after = dict.fromkeys(before, "") | typed
    after |= {name: value.strip() for name, value in sent.items() if name != OPTIONS}
    return hidden | {n: v for n, v in after.items() if v != before.get(n, "")}


def _field(label: str, name: str, value: str) -> discord.ui.Label[Any]:
    text: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id=name,
        default=value[:FIELD_CHARACTERS] or None,
        required=False,
        max_length=FIELD_CHARACTERS,
        style=discord.TextStyle.paragraph,
    )
    return discord.ui.Label(text=label[:LABEL_CHARACTERS].capitalize(), component=text)


def _is_apart(command: Command, field: Field) -> bool:
    """Whether it doesn't stand among the options on one line."""
    return field.kind == "hidden" or _stands_alone(command, field.name)


def _stands_alone(command: Command, name: str) -> bool:
    """Whether it has a field of its own: long texts, and what has to be said."""
    option = command.option(name)
    if option is None:
        return False
    return option.required or (option.kind.type is Type.TEXT and (option.kind.high or 0) > WORDS)


def _on_one_line(command: Command, form: Form, language: str) -> str:
    words = []
    for field in form.fields:
        option = command.option(field.name)
        if option and field.value and not _is_apart(command, field):
            words.append(f"{option.typed(language)}:{typed_line.quote(field.value)}")
    return " ".join(words)


def values(data: dict[str, Any]) -> dict[str, str]:
    """What was typed into a sent modal, from its raw components."""
    found: dict[str, str] = {}
    for row in data.get("components", []):
        inside = row.get("components") or [row.get("component") or {}]
        found |= {each["custom_id"]: each.get("value", "") for each in inside if each}
    return found
