"""The command tree, derived from the declarations: names, types, ranges, who may see what."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Optional

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot.adapters.discord.completion import completion
from bot.commands.declaration import COMMANDS, Command, Option
from bot.commands.kinds import Type
from bot.commands.semilla import Semilla
from bot.conversation import Role
from bot.locales import choice, say

DESCRIPTION_CHARACTERS = 100
# Said by others already, or not for typing.
LEFT_OUT = frozenset({"width", "height", "draft", "variations"})
BY_ID = "_id"  # ends the option that takes a picture's id where its namesake takes a file
SUBJECT = "picture"  # elsewhere it can be replied to or attached; here it has to be named
LANGUAGES = {
    discord.Locale.spain_spanish: "es",
    discord.Locale.latin_american_spanish: "es",
    discord.Locale.american_english: "en",
    discord.Locale.british_english: "en",
}
MODERATORS = discord.Permissions(manage_messages=True)
SERVERS = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
INSTALLS = app_commands.AppInstallationType(guild=True, user=False)

Interaction = discord.Interaction[Any]
Use = Callable[[Interaction, Command, dict[str, Any]], Awaitable[None]]
UseOn = Callable[[Interaction, Command, discord.Message], Awaitable[None]]


class Translations(app_commands.Translator):
    """Names and descriptions from the locales: the key of a text travels with it."""

    async def translate(
        self,
        string: locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        language = LANGUAGES.get(locale)
        if language is None or "of" not in string.extras:
            return None
        return str(string.extras["of"](language))


def build(tree: app_commands.CommandTree[Any], semilla: Semilla, use: Use, use_on: UseOn) -> None:
    """Fills the tree: what members see, what moderators see besides, menus on messages."""
    for command in COMMANDS.values():
        if command.listed or command.role is not Role.MEMBER:
            tree.add_command(_slash(semilla, command, use))
        if command.menu:
            tree.add_command(_menu(command, use_on))


async def sync_when_changed(tree: app_commands.CommandTree[Any], kept: Path) -> bool:
    """Sends the tree to Discord unless it has exactly this one; tells whether it was sent."""
    translator = Translations()
    payload = [await each.get_translated_payload(tree, translator) for each in _all(tree)]
    application = tree.client.application_id
    text = json.dumps([application, payload], sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if await asyncio.to_thread(_read, kept) == digest:
        return False
    await tree.sync()
    with suppress(OSError):  # then they are sent once more at the next start
        await asyncio.to_thread(_write, kept, digest)
    return True


def _read(kept: Path) -> str:
    return kept.read_text(encoding="ascii") if kept.exists() else ""


def _write(kept: Path, digest: str) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(digest, encoding="ascii")


def _all(tree: app_commands.CommandTree[Any]) -> Iterable[Any]:
    kinds = discord.AppCommandType
    return [*tree.get_commands(type=kinds.chat_input), *tree.get_commands(type=kinds.message)]


def _slash(semilla: Semilla, command: Command, use: Use) -> app_commands.Command[Any, Any, Any]:
    options = [*_options(command)]

    async def callback(interaction: Interaction, /, **values: Any) -> None:
        await use(interaction, command, values)

    callback.__signature__ = _signature(options)  # type: ignore[attr-defined]
    described: dict[str, locale_str] = {
        option.name: _localised(_described(option)) for option in options
    }
    callback.__discord_app_commands_param_description__ = described  # type: ignore[attr-defined]
    callback.__discord_app_commands_param_rename__ = {  # type: ignore[attr-defined]
        option.name: _localised(_named(option)) for option in options
    }
    callback.__discord_app_commands_param_choices__ = {  # type: ignore[attr-defined]
        option.name: [
            app_commands.Choice(name=_localised(partial(choice, value=each)), value=each)
            for each in option.kind.choices
        ]
        for option in options
        if option.kind.choices
    }
    callback.__discord_app_commands_param_autocomplete__ = {  # type: ignore[attr-defined]
        option.name: complete
        for option in options
        if not option.kind.upload and (complete := completion(semilla, option)) is not None
    }
    made: app_commands.Command[Any, Any, Any] = app_commands.Command(
        name=_localised(lambda language: _name(command.label(language))),
        description=_localised(
            lambda language: command.description(language)[:DESCRIPTION_CHARACTERS]
        ),
        callback=callback,
        allowed_contexts=SERVERS,
        allowed_installs=INSTALLS,
    )
    if command.role is not Role.MEMBER:
        made.default_permissions = MODERATORS
    return made


def _options(command: Command) -> Iterator[Option]:
    """What is file or id elsewhere is two options here: one has but one type."""
    for option in command.options:
        if option.name not in LEFT_OUT:
            yield replace(option, required=option.required or option.name == SUBJECT)
        if option.kind.upload:
            kind = replace(option.kind, upload=False)
            yield replace(option, name=option.name + BY_ID, kind=kind)


def _menu(command: Command, use_on: UseOn) -> app_commands.ContextMenu:
    async def callback(interaction: Interaction, message: discord.Message) -> None:
        await use_on(interaction, command, message)

    return app_commands.ContextMenu(
        name=_localised(lambda language: say(language, f"button-{command.name}")),
        callback=callback,
        allowed_contexts=SERVERS,
        allowed_installs=INSTALLS,
    )


def _signature(options: list[Option]) -> inspect.Signature:
    """As discord.py reads it: an annotation for each option."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    first = inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    rest = [
        inspect.Parameter(
            option.name,
            keyword,
            annotation=_annotation(option),
            default=inspect.Parameter.empty if option.required else None,
        )
        for option in options
    ]
    return inspect.Signature([first, *rest])


def _annotation(option: Option) -> Any:
    kind = option.kind
    low, high = kind.low, kind.high
    found: Any = str
    if kind.upload:
        found = discord.Attachment
    elif kind.type is Type.SWITCH:
        found = bool
    elif kind.type is Type.WHOLE and not kind.words and high is not None:
        found = app_commands.Range[int, int(low or 0), int(high)]
    elif kind.type is Type.NUMBER and not kind.words and high is not None:
        found = app_commands.Range[float, float(low or 0), float(high)]
    elif kind.type is Type.TEXT and high is not None and not kind.choices:
        found = app_commands.Range[str, 0, int(high)]
    return found if option.required else Optional[found]  # noqa: UP045 — Range knows no |


def _localised(of: Callable[[str], str]) -> locale_str:
    return locale_str(of("en"), of=of)


def _named(option: Option) -> Callable[[str], str]:
    return lambda language: _name(option.label(language))


def _described(option: Option) -> Callable[[str], str]:
    return lambda language: option.description(language)[:DESCRIPTION_CHARACTERS]


def _name(label: str) -> str:
    return label.lower().replace(" ", "-")


def typed(value: Any) -> str:
    """An option's value as it would be typed; files travel beside the options."""
    if isinstance(value, discord.Attachment):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
