"""docs/commands.md, printed from the declarations: python -m bot.commands.reference > docs/commands.md"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import bot.commands  # noqa: F401
from bot.commands.declaration import COMMANDS, Command, Option
from bot.locales import LANGUAGES

HEAD = """# Commands

Printed from the declarations by `python -m bot.commands.reference`. Names of both languages are
understood everywhere; so are `name:value` and `--name value`, with quotes where a value has spaces.

On Discord members' slash commands are {listed}. The others are buttons there: models, samplers, style and
privacy under `/help`, a new style under 📋 Recipe, the rest under ⋯ or beside what they are about.
"""


def markdown() -> str:
    listed = ", ".join(f"`/{each.name}`" for each in COMMANDS.values() if each.listed)
    return "\n".join(
        [
            HEAD.format(listed=listed),
            *(line for command in COMMANDS.values() for line in _command(command)),
        ]
    )


def _command(command: Command) -> Iterator[str]:
    english, spanish = (command.label(language) for language in LANGUAGES)
    yield f"## /{english}" + (f" · /{spanish}" if spanish != english else "")
    yield ""
    for language in LANGUAGES:
        text = command.description(language)
        yield f"{text[:1].upper()}{text[1:]}.  "
    yield ""
    if command.options:
        yield "| option | opción | what it takes | |"
        yield "|---|---|---|---|"
        yield from (_option(option) for option in command.options)
        yield ""


def _option(option: Option) -> str:
    aliases = f" ({', '.join(option.kind.aliases)})" if option.kind.aliases else ""
    names = f"| `{option.typed('en')}`{aliases} | `{option.typed('es')}` "
    return f"{names}| {option.description('en')} | {'required' if option.required else ''} |"


if __name__ == "__main__":
    sys.stdout.write(markdown())
