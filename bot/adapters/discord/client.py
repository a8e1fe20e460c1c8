"""The connection to Discord: its events, and the commands that it is sent."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiohttp
import discord
from discord import app_commands

from bot.adapters.discord import rendering, tree
from bot.adapters.discord.answering import Answering, Interaction
from bot.adapters.discord.interactions import Interactions
from bot.adapters.discord.places import LANGUAGE_OF_LOCALE, NAME
from bot.adapters.discord.presses import More, Pick, Press
from bot.commands import door
from bot.commands.semilla import Semilla
from bot.conversation import Call, Guild, Member
from bot.locales import say

log = logging.getLogger(__name__)

# Apps show a command as it was before an update until they are loaded again.
OUTDATED = (app_commands.CommandNotFound, app_commands.CommandSignatureMismatch)
RETRY_SECONDS = 15.0
# No privileged ones: they would have to be applied for, and members' messages aren't our business.
INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)


class Tree(app_commands.CommandTree["Client"]):
    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        if interaction.type is discord.InteractionType.autocomplete:
            log.info("nothing is offered: %s", error)
        elif isinstance(error, OUTDATED):
            await self.client.interactions.refuse_outdated(interaction)
        else:
            await self.client.answering.fault(interaction, error)


class Client(discord.Client):
    def __init__(self, semilla: Semilla) -> None:
        super().__init__(intents=INTENTS, allowed_mentions=rendering.NOBODY)
        self.semilla = semilla
        self.tree = Tree(self)
        self.answering = Answering(semilla)
        self.interactions = Interactions(semilla, self.answering)
        self.in_touch = asyncio.Event()  # logged in: messages can be sent
        self._syncing: asyncio.Task[None] | None = None

    async def setup_hook(self) -> None:
        await asyncio.to_thread(door.read_ahead, self.semilla)
        self.add_dynamic_items(Press, More, Pick)
        await self.tree.set_translator(tree.Translations())
        tree.build(self.tree, self.semilla, self.interactions.use, self.interactions.use_on)
        self.in_touch.set()
        kept = self.semilla.config.data / "cache" / "discord-commands"
        self._syncing = asyncio.create_task(self._sync(kept))

    async def _sync(self, kept: Any) -> None:
        while True:
            try:
                await tree.sync_when_changed(self.tree, kept)
                return
            except (aiohttp.ClientError, discord.DiscordServerError, OSError) as error:
                log.warning("the commands are sent to Discord later: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
            except discord.HTTPException as error:
                log.error("Discord doesn't take the commands: %s", error)
                return

    async def close(self) -> None:
        self.answering.close()
        if self._syncing is not None:
            self._syncing.cancel()
        await super().close()

    async def on_ready(self) -> None:
        model = self.semilla.catalogue.default().name
        status = say(self.semilla.config.language, "discord-status", model=model)
        await self.change_presence(activity=discord.CustomActivity(status))

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """One short message: hello, or that the owner has to switch it on first."""
        call = Call(
            origin=f"{NAME}:joined:{guild.id}",
            adapter=NAME,
            guild=Guild(f"{NAME}:{guild.id}", guild.name),
            member=Member(f"{NAME}:{guild.owner_id}", ""),  # who brought it in isn't told
            language=LANGUAGE_OF_LOCALE.get(str(guild.preferred_locale)[:2], "en"),
            command="hello",
        )
        reply = await door.joined(self.semilla, call)
        if reply.repeated:
            return
        message = await rendering.message(self.semilla, reply)
        rooms = [guild.system_channel, *guild.text_channels]
        for room in filter(None, rooms):
            if room.permissions_for(guild.me).send_messages:
                await room.send(message.content, silent=True)
                return

    def written_since(self, channel: int, message: int) -> int:
        """How many messages of others came after it, as far as the gateway has told."""
        me = getattr(self.user, "id", 0)
        later = (each for each in self.cached_messages if each.id > message)
        return sum(each.channel.id == channel and each.author.id != me for each in later)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Modals: discord.py knows only those of this process, Semilla's have none."""
        if interaction.type is discord.InteractionType.modal_submit:
            await self.interactions.submit(interaction)
