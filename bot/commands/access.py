"""Switching Semilla on and off in a place."""

from __future__ import annotations

from bot.commands.declaration import COMMANDS, command
from bot.commands.kinds import AccessCode, PlaceName
from bot.commands.semilla import Semilla
from bot.conversation import Call, Refusal, Reply, Role
from bot.locales import say


@command(role=Role.MODERATOR, anywhere=True)
async def activate(
    semilla: Semilla, call: Call, code: AccessCode = "", place: PlaceName = ""
) -> Reply:
    access = semilla.access
    if call.member.is_chat:
        raise Refusal("as-a-chat")
    if code:
        await access.try_code(call, code)
    elif await access.role(call) is not Role.OWNER:
        raise Refusal("owner-only")
    alone = call.guild.private and not place
    text = say(call.language, "owner-now") if alone else await _switch_on(semilla, call, place)
    waiting = await access.tell_waiting(call) if code or alone else ""
    return Reply(text="\n".join(filter(None, (text, waiting))), private=True)


@command(role=Role.OWNER, anywhere=True)
async def ignore(semilla: Semilla, call: Call, place: PlaceName = "") -> Reply:
    guild = place or call.guild.id
    name = await _known(semilla, guild)
    await semilla.access.ignore(guild)
    return Reply(text=say(call.language, "ignored", place=name), private=True)


@command()
async def hello(semilla: Semilla, call: Call) -> Reply:
    """What Semilla says when it has been brought into a place where it is switched on."""
    examples = semilla.catalogue.default().examples(call.language)[:3]
    command = COMMANDS["imagine"].label(call.language)
    lines = "\n".join(f"`/{command} {each}`" for each in examples)
    return Reply(text=f"{say(call.language, 'hello')}\n{lines}")


async def _switch_on(semilla: Semilla, call: Call, place: str) -> str:
    guild = place or call.guild.id
    name = call.guild.name if guild == call.guild.id else await _known(semilla, guild)
    await semilla.access.activate(guild, name)
    return say(call.language, "activated", place=name or guild)


async def _known(semilla: Semilla, guild: str) -> str:
    name = await semilla.access.name(guild)
    if name is None:
        raise Refusal("unknown-place")
    return name
