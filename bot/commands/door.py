"""The one door between chats and commands: whatever comes in, a reply goes out."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from bot.commands.declaration import COMMANDS, Answers, Command
from bot.commands.home import at_home
from bot.commands.line import typed
from bot.commands.screening import ALLOWED, check_standing
from bot.commands.semilla import Semilla
from bot.conversation import BUTTON_BYTES, Call, Refusal, Reply, Role
from bot.limits import check_place, language_of
from bot.locales import LANGUAGES, say
from bot.logs import about
from bot.moderation import below_floor
from bot.refusals import fault, refused, short_code

log = logging.getLogger(__name__)


async def run(semilla: Semilla, call: Call) -> Reply:
    """Answers a call. Never raises: what a member can mend and what we must mend become replies.

    It is carried out though whoever brought it goes away meanwhile: what is accepted in the
    database has to be in line as well.
    """
    task = asyncio.create_task(_answer(semilla, call))
    semilla.calls.add(task)
    task.add_done_callback(semilla.calls.discard)
    return await asyncio.shield(task)


async def _answer(semilla: Semilla, call: Call) -> Reply:
    try:
        if call.command not in COMMANDS:
            raise Refusal("unknown-command", ("/help",), command=call.command)
        command = COMMANDS[call.command]
        with about(call=call.origin, guild=call.guild.id, command=call.command):
            if not command.anywhere:
                call = await at_home(semilla, call, command)
                await semilla.access.admit(call)
                rules = await semilla.database.settings.of_guild(call.guild.id)
                call = replace(call, language=language_of(rules) or call.language)
                await check_standing(semilla, call)
                # Its author was let in when they asked, and what a moderator allows is no call of theirs.
                if command.answers is Answers.NEW and not call.origin.startswith(ALLOWED):
                    check_place(call, rules)
            await _check_role(semilla, call, command)
            return await command.run(semilla, call)
    except Refusal as refusal:
        return refused(call.language, refusal)
    except Exception:  # Ours to mend: nobody is left without an answer, and the log has the code.
        code = short_code()
        log.exception("fault %s in /%s", code, call.command)
        return fault(call.language, code, await again(semilla, call))


async def lets_in(semilla: Semilla, call: Call) -> bool:
    """Whether a file that came along is worth fetching. Why not is said by `run`."""
    with suppress(Refusal):
        await check_standing(semilla, call)
        return await semilla.access.admits(call)
    return False


async def again(semilla: Semilla, call: Call) -> str:
    """The line that tries the call once more, if a button can hold it; "" for what was accepted,
    as that is delivered."""
    with suppress(Exception):  # it is offered where it can be, after a fault
        if await semilla.database.answers.accepted(call.origin):
            return ""
        line = typed(call.command, dict(call.options))
        if call.image is None and len(line.encode()) <= BUTTON_BYTES:
            return line
        if call.image is None and COMMANDS[call.command].option("draft"):
            drafts = semilla.database.drafts
            code = await drafts.save(call.guild.id, call.member.id, call.options)
            return typed(call.command, {"draft": code})
    return ""


def read_ahead(semilla: Semilla) -> None:
    """What the first request needs, and would keep everybody waiting for. It blocks: for a thread,
    before a chat is open."""
    below_floor("")  # the lists of words
    for language in LANGUAGES:
        say(language, "accepted")
    for model in semilla.catalogue.models():
        model.examples("en")  # from its vocabulary


async def refuse(semilla: Semilla, call: Call, refusal: Refusal) -> Reply:
    """What is said to a line that is no call; where Semilla isn't switched on, no more than that."""
    try:
        await semilla.access.admit(call)
    except Refusal as shut:
        refusal = shut
    return refused(call.language, refusal)


async def joined(semilla: Semilla, call: Call) -> Reply:
    """What is said in a place that Semilla has been brought into: hello, or why it stays silent."""
    return await run(semilla, replace(call, command="hello", options={}))


async def _check_role(semilla: Semilla, call: Call, command: Command) -> None:
    if command.role > Role.MEMBER and await semilla.access.role(call) < command.role:
        await semilla.access.admit(call)  # where it isn't switched on, no more is said than that
        raise Refusal("owner-only" if command.role is Role.OWNER else "for-moderators")
