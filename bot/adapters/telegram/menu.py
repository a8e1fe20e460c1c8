"""The menu of commands, derived from the declarations and sent when it is another than before."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeDefault,
)

from bot.commands.declaration import COMMANDS, Command
from bot.commands.kinds import without_accents
from bot.conversation import Role
from bot.locales import LANGUAGES

USUAL = "en"  # for apps in other languages


def menus() -> list[tuple[BotCommandScope, str, list[BotCommand]]]:
    """What members see, and what the admins of a group see besides, in each language."""
    listed = [each for each in COMMANDS.values() if each.listed and each.role is Role.MEMBER]
    moderators = [each for each in COMMANDS.values() if each.role is Role.MODERATOR]
    return [
        (scope, language, [_entry(each, language or USUAL) for each in commands])
        for language in ("", *LANGUAGES)
        for scope, commands in (
            (BotCommandScopeDefault(), listed),
            (BotCommandScopeAllChatAdministrators(), [*listed, *moderators]),
        )
    ]


async def send_when_changed(bot: Bot, kept: Path) -> None:
    """`kept`: the file that remembers what this bot was last told."""
    wanted = menus()
    told = [
        [scope.to_dict(), language, [each.to_dict() for each in commands]]
        for scope, language, commands in wanted
    ]
    digest = hashlib.sha256(json.dumps([bot.id, told]).encode()).hexdigest()
    if await asyncio.to_thread(_told, kept) == digest:
        return
    for scope, language, commands in wanted:
        await bot.set_my_commands(commands, scope=scope, language_code=language or None)
    await asyncio.to_thread(kept.write_text, digest, encoding="ascii")


def _told(kept: Path) -> str:
    kept.parent.mkdir(parents=True, exist_ok=True)
    return kept.read_text(encoding="ascii") if kept.exists() else ""


def _entry(command: Command, language: str) -> BotCommand:
    name = without_accents(command.label(language)).replace(" ", "_").replace("-", "_")
    return BotCommand(name, command.description(language)[:256])
