"""How an interaction is answered: acknowledged at once, shown in its message or in private, and
never left without a word."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

import aiohttp
import discord

from bot.adapters.discord import progress, rendering
from bot.adapters.discord.places import call_of, guild_of, language_of
from bot.commands import door
from bot.commands.semilla import Semilla
from bot.conversation import Call, Refusal, Reply, Tone
from bot.limits import language_of as language_ruled
from bot.refusals import fault, refused, short_code

log = logging.getLogger(__name__)

ALREADY_ACKNOWLEDGED = 40060
# discord.py waits so long before it tries what has failed once more.
TRIED_AGAIN_SECONDS = 1.0
CALL, ACKNOWLEDGED = "call", "acknowledged"  # what an interaction keeps them under
Interaction = discord.Interaction[Any]


class Answering:
    """`placeholders`: the messages whose answers are under way."""

    def __init__(self, semilla: Semilla) -> None:
        self._semilla = semilla
        self.placeholders = progress.Placeholders()
        self._showing: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def acknowledge(self, interaction: Interaction, private: bool) -> str:
        """Within Discord's three seconds; gives the id of the message that will be the answer."""
        began = time.monotonic()
        try:
            response = await interaction.response.defer(thinking=True, ephemeral=private)
        except discord.HTTPException as error:
            # What has come for a second time is refused at once; later, the first try has arrived
            # and only Discord's word of it was lost.
            tried_again = time.monotonic() - began >= TRIED_AGAIN_SECONDS
            if error.code != ALREADY_ACKNOWLEDGED or not tried_again:
                raise
            interaction.extras[ACKNOWLEDGED] = True
            return str((await interaction.original_response()).id)
        return str(response.message_id or "") if response is not None else ""

    async def answer(self, interaction: Interaction, call: Call, private: bool) -> None:
        first = self._showing[call.message] = asyncio.Event()
        try:
            reply = await door.run(self._semilla, call)
            await self.show(interaction, reply, private)
        finally:
            self._showing.pop(call.message, None)
            first.set()

    async def shown(self, message: str) -> None:
        """Once the first reply stands in an acknowledged message, or beside it: pictures that are
        ready sooner wait for it."""
        if message and (first := self._showing.get(message)):
            await first.wait()

    async def show(self, interaction: Interaction, reply: Reply, private: bool) -> None:
        """Puts a reply into the acknowledged message, or beside it when only one may see it."""
        message = await rendering.message(self._semilla, reply, self._limit(interaction))
        accepted = reply.answer is not None and reply.tone is Tone.ACCEPTED
        edit = self.editor(interaction)
        if reply.private and not private:
            edit = await self._hide(interaction, reply, message)
        elif accepted and reply.answer is not None:
            await self.placeholders.edit(reply.answer, edit, message)
        else:
            await edit(message)
        if accepted and reply.answer is not None:
            follow = progress.follow(self._semilla, self.placeholders, reply.answer, edit)
            self._start(follow)

    async def _hide(
        self, interaction: Interaction, reply: Reply, message: rendering.Message
    ) -> progress.Edit:
        """A private reply to a command that answers in public: the public message goes away."""
        answers = self._semilla.database.answers
        if reply.answer is not None:
            await answers.set_message(reply.answer, "")  # nothing private is put into it
        with suppress(discord.NotFound):  # somebody may have deleted it by now
            await interaction.delete_original_response()
        sent = await interaction.followup.send(
            message.content,
            files=message.uploads(),
            view=message.view or discord.utils.MISSING,
            ephemeral=True,
            wait=True,
        )
        if reply.answer is not None:
            await answers.set_message(reply.answer, str(sent.id))

        there = sent.attachments

        async def edit(changed: rendering.Message) -> None:
            nonlocal there
            options = changed.options(there)
            there = (await interaction.followup.edit_message(sent.id, **options)).attachments

        return edit

    def editor(self, interaction: Interaction) -> progress.Edit:
        there: list[discord.Attachment] = []

        async def edit(message: rendering.Message) -> None:
            nonlocal there
            options = message.options(there)
            there = (await interaction.edit_original_response(**options)).attachments

        return edit

    async def refuse(
        self, interaction: Interaction, refusal: Refusal, private: bool = False
    ) -> None:
        """For its author only, in place of what was acknowledged."""
        reply = refused(await self.ruled_language(interaction), refusal)
        if _is_acknowledged(interaction):
            await self.show(interaction, reply, private)
        else:
            await self.say_privately(interaction, reply)

    async def say_privately(self, interaction: Interaction, reply: Reply) -> None:
        """To its author only, whether the interaction was acknowledged or not."""
        message = await rendering.message(self._semilla, reply)
        options: dict[str, Any] = {
            "files": message.uploads(),
            "view": message.view or discord.utils.MISSING,
            "ephemeral": True,
        }
        if _is_acknowledged(interaction):
            await interaction.followup.send(message.content, **options)
        else:
            await interaction.response.send_message(message.content, **options)

    async def fault(self, interaction: Interaction, error: BaseException) -> None:
        """Ours to mend: its author gets a code that the log has too."""
        if (
            interaction.client.is_closed()
        ):  # whatever was accepted is delivered after the next start
            log.info("not answered, as Semilla stops: %r", error)
            return
        code = short_code()
        log.error("fault %s", code, exc_info=error)
        call = interaction.extras.get(CALL)
        line = await door.again(self._semilla, call) if call is not None else ""
        try:
            await self.say_privately(interaction, fault(self._language(interaction), code, line))
        except (discord.HTTPException, aiohttp.ClientError) as unsaid:
            log.warning("fault %s could not be told: %s", code, unsaid)

    async def guarded(self, interaction: Interaction, answering: Awaitable[None]) -> None:
        """One bad message never takes the others down, and nobody is left without an answer."""
        try:
            await answering
        except Refusal as refusal:  # the line of a later version, or of one long gone
            await self.refuse(interaction, refusal)
        except discord.HTTPException as error:
            # Given up by Discord, or here for a second time: whatever was accepted is delivered.
            if error.status == 404 or error.code == ALREADY_ACKNOWLEDGED:
                log.warning("an interaction is gone: %s", error)
            else:
                await self.fault(interaction, error)
        except Exception as error:  # noqa: BLE001 — whatever it is, its author is told, with a code
            await self.fault(interaction, error)

    def call(
        self,
        interaction: Interaction,
        command: str,
        options: dict[str, str],
        message: str = "",
        image: bytes | None = None,
    ) -> Call:
        """Kept with the interaction, to be tried again after a fault."""
        call = call_of(interaction, command, options, self._language(interaction))
        interaction.extras[CALL] = call = replace(call, message=message, image=image)
        return call

    def _language(self, interaction: Interaction) -> str:
        return language_of(interaction, self._semilla.config.language)

    async def ruled_language(self, interaction: Interaction) -> str:
        """What the server is set to, else the member's own. It is looked up: not for what has to
        be acknowledged first."""
        rules = await self._semilla.database.settings.of_guild(guild_of(interaction).id)
        return language_ruled(rules) or self._language(interaction)

    def _limit(self, interaction: Interaction) -> int:
        return interaction.filesize_limit or rendering.FILE_BYTES

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_acknowledged(interaction: Interaction) -> bool:
    return interaction.response.is_done() or ACKNOWLEDGED in interaction.extras
