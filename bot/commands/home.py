"""Where that belongs which a member means in a private chat: to a guild, if it is their own of there."""

from __future__ import annotations

from dataclasses import replace

from bot.commands.declaration import Command
from bot.commands.recipe import asker
from bot.commands.semilla import Semilla
from bot.conversation import Call, Guild
from db.history import Asker

REQUESTS = ("request", "item")  # options that take the number of an answer


async def at_home(semilla: Semilla, call: Call, command: Command) -> Call:
    """In private is shown what a guild isn't to see, with buttons that mean that guild's pictures
    and requests."""
    if not call.guild.private:
        return call
    guild = await _of_picture(semilla, call, command) or await of_own(semilla, call)
    if guild is None or guild == call.guild.id:
        return call
    name = await semilla.access.name(guild) or ""
    return replace(call, guild=Guild(guild, name), aside=True)


async def _of_picture(semilla: Semilla, call: Call, command: Command) -> str | None:
    code, history = command.picture(call.options), semilla.database.history
    if not code or await history.get(asker(call), code):
        return None
    for guild in await history.guilds_with(code, f"{call.adapter}:"):
        found = await history.get(Asker(guild, call.member.id), code)
        if found is not None and found.member == call.member.id:
            return guild
    return None


async def of_own(semilla: Semilla, call: Call) -> str | None:
    """The guild of a request of one's own, or of what one was asked about one."""
    whose, near = call.member.id, call.guild.id
    if draft := call.options.get("draft"):
        return await semilla.database.drafts.guild_of(whose, draft, near)
    if guild := await _of_request(semilla, call):
        return guild
    item = call.options.get("item")
    return item and await semilla.database.moderation.guild_of(whose, item, near)


async def _of_request(semilla: Semilla, call: Call) -> str | None:
    number = next((call.options[name] for name in REQUESTS if name in call.options), "")
    if not (number.isdecimal() and len(number) < 16):
        return None
    answer = await semilla.database.answers.get(int(number))
    return answer.guild if answer is not None and answer.member == call.member.id else None
