"""The one door between chats and commands: whatever comes in, a reply goes out."""

from __future__ import annotations

import logging

from bot.commands.declaration import COMMANDS
from bot.commands.semilla import Semilla
from bot.conversation import Call, Refusal, Reply
from bot.replies import fault, refused, short_code

log = logging.getLogger(__name__)


async def run(semilla: Semilla, call: Call) -> Reply:
    """Answers a call. Never raises: what a member can mend and what we must mend become replies."""
    try:
        if call.command not in COMMANDS:
            raise Refusal("unknown-command", ("/help",), command=call.command)
        return await COMMANDS[call.command].run(semilla, call)
    except Refusal as refusal:
        return refused(call.language, refusal)
    except Exception:  # Ours to mend: nobody is left without an answer, and the log has the code.
        code = short_code()
        log.exception("fault %s in /%s", code, call.command)
        return fault(call.language, code)
