"""Buttons and lists whose ids are command lines: good after every restart, in every year.

Each goes through the same door as a typed command (`Interactions.press`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol, Self

import discord

LABEL_CHARACTERS = 80


class Presses(Protocol):
    """What is done on a press."""

    async def press(self, interaction: discord.Interaction[Any], line: str) -> None: ...

    async def unfold(self, interaction: discord.Interaction[Any], line: str) -> None: ...


class Press(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"s:(?P<line>.+)"):
    """Runs its line."""

    def __init__(self, label: str, line: str, row: int | None = None) -> None:
        button: discord.ui.Button[Any] = discord.ui.Button(
            label=label[:LABEL_CHARACTERS],
            custom_id=f"s:{line}",
            row=row,
            style=discord.ButtonStyle.secondary,
        )
        super().__init__(button)
        self.line = line

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        return cls(getattr(item, "label", "") or "·", match["line"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        does: Presses = interaction.client.interactions
        await does.press(interaction, self.line)


class More(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"m:(?P<line>.+)"):
    """⋯: shows the buttons that a message has no room for, to whoever pressed it."""

    def __init__(self, line: str, row: int | None = None) -> None:
        button: discord.ui.Button[Any] = discord.ui.Button(
            label="⋯", custom_id=f"m:{line}", row=row, style=discord.ButtonStyle.secondary
        )
        super().__init__(button)
        self.line = line

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        return cls(match["line"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        does: Presses = interaction.client.interactions
        await does.unfold(interaction, self.line)


class Pick(discord.ui.DynamicItem[discord.ui.Select[Any]], template=r"p:"):
    """Takes up one of several pictures: each choice is a line."""

    def __init__(
        self,
        choices: Sequence[tuple[str, str]] = (),
        placeholder: str = "",
        row: int | None = None,
    ) -> None:
        options = [discord.SelectOption(label=label, value=line) for label, line in choices]
        select: discord.ui.Select[Any] = discord.ui.Select(
            custom_id="p:", options=options, placeholder=placeholder or None, row=row
        )
        super().__init__(select)

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        options = getattr(item, "options", [])
        return cls([(option.label, option.value) for option in options])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        does: Presses = interaction.client.interactions
        await does.press(interaction, self.item.values[0])


def line_in(custom_id: str) -> str | None:
    """The command line that a button of ours carries."""
    return custom_id[2:] if custom_id.startswith(("s:", "m:")) else None
