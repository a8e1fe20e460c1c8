"""What `semilla --help` shows, and `semilla COMMAND --help`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bot.adapters.terminal.screen import OK, REFUSED, Screen, marked
from bot.locales import say

FLAGS = ("-o", "--lang")
LISTED = ("run", "doctor", "backup", "restore", "models add")


def everything(screen: Screen) -> int:
    """Every command of the terminal's own, and every declared one, those for everybody first."""
    import bot.commands  # noqa: F401 — declares them
    from bot.commands.declaration import COMMANDS

    language = screen.language
    rows = [
        (f"semilla {name}", say(language, f"terminal-{name.replace(' ', '-')}")) for name in LISTED
    ]
    rows.append(
        (f"semilla {say(language, 'terminal-class-name')}", say(language, "terminal-class"))
    )
    for listed in (True, False):
        rows.append(("", ""))
        rows += [
            (f"semilla {command.label(language)}", command.description(language))
            for command in COMMANDS.values()
            if command.listed is listed
        ]
    rows.append(("", ""))
    screen.output.print(marked(say(language, "terminal-usage")))
    screen.output.print(_grid(rows))
    screen.output.print(marked(say(language, "terminal-usage-more")))
    return OK


def of_command(typed: tuple[str, ...], screen: Screen) -> int:
    """A command's options, with the names of the screen's language."""
    if typed[:2] == ("models", "add"):
        from bot import models

        return models.usage(screen)
    from bot.adapters.terminal.service import find_command
    from bot.conversation import Refusal
    from bot.refusals import refused

    language = screen.language
    try:
        command, _ = find_command(typed)
    except Refusal as refusal:
        screen.errors.print(marked(refused(language, refusal).text))
        return REFUSED
    first = [o for o in command.options if o.required or o.kind.free]
    names = " ".join(option.label(language).upper() for option in first)
    rows = [(o.label(language).upper(), o.description(language)) for o in first]
    rows += [
        (f"--{option.label(language).replace(' ', '-')}", option.description(language))
        for option in command.options
        if option not in first
    ]
    rows += [(flag, say(language, f"terminal-flag-{flag.strip('-')}")) for flag in FLAGS]
    screen.output.print(marked(say(language, "terminal-command", name=command.label(language))))
    screen.output.print(Text(f"\nsemilla {command.label(language)} {names}\n", style="bold"))
    screen.output.print(_grid(rows))
    return OK


def _grid(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column()
    for name, text in rows:
        table.add_row(f"  {name}", Text(text))
    return table
