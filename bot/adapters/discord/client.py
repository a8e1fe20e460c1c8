"""Discord's events as calls: acknowledged at once, answered through the one door."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Coroutine
from dataclasses import replace
from typing import Any

import aiohttp
import discord
from discord import app_commands

from bot.adapters.discord import menus, modals, progress, rendering, tree
from bot.adapters.discord.places import (
    LANGUAGE_OF_LOCALE,
    NAME,
    call_of,
    guild_of,
    language_of,
)
from bot.adapters.discord.presses import More, Pick, Press
from bot.commands import door
from bot.commands import line as typed_line
from bot.commands.declaration import COMMANDS, Answers, Command
from bot.commands.semilla import Semilla
from bot.conversation import Call, Form, Guild, Member, Refusal, Reply, Tone
from bot.limits import language_of as language_ruled
from bot.locales import say
from bot.refusals import fault, refused, short_code
from db.history import Asker

log = logging.getLogger(__name__)

ALREADY_ACKNOWLEDGED = 40060
# discord.py waits so long before it tries what has failed once more.
TRIED_AGAIN_SECONDS = 1.0
# Apps show a command as it was before an update until they are loaded again.
OUTDATED = (app_commands.CommandNotFound, app_commands.CommandSignatureMismatch)
RETRY_SECONDS = 15.0
CALL, ACKNOWLEDGED = "call", "acknowledged"  # what an interaction keeps them under
Interaction = discord.Interaction[Any]
# No privileged ones: they would have to be applied for, and members' messages aren't our business.
INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)


class Tree(app_commands.CommandTree["Client"]):
    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        if interaction.type is discord.InteractionType.autocomplete:
            log.info("nothing is offered: %s", error)
        elif isinstance(error, OUTDATED):
            await self.client.refuse_outdated(interaction)
        else:
            await self.client.answer_fault(interaction, error)


class Client(discord.Client):
    def __init__(self, semilla: Semilla) -> None:
        super().__init__(intents=INTENTS, allowed_mentions=rendering.NOBODY)
        self.semilla = semilla
        self.tree = Tree(self)
        self.placeholders = progress.Placeholders()
        self.in_touch = asyncio.Event()  # logged in: messages can be sent
        self._showing: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def setup_hook(self) -> None:
        await asyncio.to_thread(door.read_ahead, self.semilla)
        self.add_dynamic_items(Press, More, Pick)
        await self.tree.set_translator(tree.Translations())
        tree.build(self.tree, self.semilla, self.use, self.use_on)
        self.in_touch.set()
        kept = self.semilla.config.data / "cache" / "discord-commands"
        self._start(self._sync(kept))

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
        for task in self._tasks:
            task.cancel()
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
            await self._guarded(interaction, self._submit(interaction))

    async def use(self, interaction: Interaction, command: Command, values: dict[str, Any]) -> None:
        """A slash command."""
        private = command.answers is Answers.PRIVATE or bool(values.get("private"))
        await self._guarded(interaction, self._use(interaction, command, values, private))

    async def use_on(
        self, interaction: Interaction, command: Command, message: discord.Message
    ) -> None:
        """An entry of a message's menu."""
        await self._guarded(interaction, self._use_on(interaction, command, message))

    async def refuse_outdated(self, interaction: Interaction) -> None:
        data: dict[str, Any] = dict(interaction.data or {})
        refusal = Refusal("outdated", name=data.get("name", ""))
        await self._guarded(interaction, self._refuse(interaction, refusal))

    async def press(self, interaction: Interaction, line: str) -> None:
        """A button: its line, as if it had been typed."""
        await self._guarded(interaction, self._press(interaction, line))

    async def unfold(self, interaction: Interaction, line: str) -> None:
        await self._guarded(interaction, self._unfold(interaction, line))

    async def _use(
        self, interaction: Interaction, command: Command, values: dict[str, Any], private: bool
    ) -> None:
        given = {name: value for name, value in values.items() if value is not None}
        options = {
            name.removesuffix(tree.BY_ID): tree.typed(value) for name, value in given.items()
        }
        upload = next((v for v in values.values() if isinstance(v, discord.Attachment)), None)
        options = {name: text for name, text in options.items() if text}
        unread = b"" if upload is not None else None
        call = self._call(interaction, command.name, options, image=unread)
        message = await self._acknowledge(interaction, private)
        if upload is not None and await door.lets_in(self.semilla, call):
            try:
                call = replace(call, image=await menus.read(upload))
            except Refusal as refusal:
                await self._refuse(interaction, refusal, private)
                return
        await self._answer(interaction, replace(call, message=message), private)

    async def _use_on(
        self, interaction: Interaction, command: Command, message: discord.Message
    ) -> None:
        """A modal can't follow an acknowledgement; all else is acknowledged first."""
        form, private = command.answers is Answers.FORM, command.answers is Answers.PRIVATE
        placeholder = "" if form else await self._acknowledge(interaction, private)
        call = self._call(interaction, command.name, {}, placeholder)
        code: str | None = None
        asker = Asker(call.guild.id, call.member.id, call.member.moderator)
        me = getattr(self.user, "id", 0)
        if await door.lets_in(self.semilla, call):
            try:
                code, image = await menus.picture_in(self.semilla, message, asker, me)
            except Refusal as refusal:
                await self._refuse(interaction, refusal, private)
                return
            options = {"picture": code} if code else {}
            call = self._call(interaction, command.name, options, placeholder, image)
        if form:
            await self._open_form(interaction, call, f"/{command.name} {code}" if code else "")
        else:
            await self._answer(interaction, call, private)

    async def _press(self, interaction: Interaction, line: str) -> None:
        name, options = typed_line.parse(line)
        call, command = self._call(interaction, name, options), COMMANDS[name]
        if command.answers is Answers.FORM:
            await self._open_form(interaction, call, line)
            return
        private = command.answers is Answers.PRIVATE
        message = await self._acknowledge(interaction, private)
        await self._answer(interaction, replace(call, message=message), private)

    async def _unfold(self, interaction: Interaction, line: str) -> None:
        call = self._call(interaction, *typed_line.parse(line))
        await self._acknowledge(interaction, private=True)
        reply = await door.run(self.semilla, call)
        view = rendering.folded(reply)
        if view is None:
            await self._editor(interaction)(await rendering.message(self.semilla, reply))
        else:
            await interaction.edit_original_response(view=view)

    async def _open_form(self, interaction: Interaction, call: Call, line: str) -> None:
        """A modal can't follow an acknowledgement: it is one. Without a line that makes the form
        again, all that is sent counts."""
        reply = await door.run(self.semilla, call)
        if reply.form is None:
            await self._say_privately(interaction, reply)
        else:
            about = next((each.value for each in reply.form.fields if each.kind == "hidden"), "")
            line = line or (f"/{call.command} {about}" if about else f"/{reply.form.command}")
            if call.image is not None and not about and modals.takes_file(reply.form):
                line = await self.semilla.database.storage.put(call.image) + line
            language = await self._ruled_language(interaction)
            await interaction.response.send_modal(modals.modal(reply.form, line, language))

    async def _submit(self, interaction: Interaction) -> None:
        data: dict[str, Any] = dict(interaction.data or {})
        if not str(data.get("custom_id", "")).startswith(modals.PREFIX):
            return
        file, slash, line = str(data["custom_id"]).removeprefix(modals.PREFIX).partition("/")
        opened = self._call(interaction, *typed_line.parse(slash + line))
        message = await self._acknowledge(interaction, private=False)
        form = Form(title="", command=opened.command, fields=())
        if COMMANDS[opened.command].answers is Answers.FORM:
            before = await door.run(self.semilla, opened)
            if before.form is None:
                await self._show(interaction, before, private=False)
                return
            form = before.form
        try:
            changed = modals.changes(form, modals.values(data))
            image = await self._kept(file) if file else None
        except Refusal as refusal:
            await self._refuse(interaction, refusal)
            return
        call = self._call(interaction, form.command, changed, message, image)
        await self._answer(interaction, call, private=False)

    async def _kept(self, file: str) -> bytes:
        """What a form was opened on: no row mentions it, so it is swept after a while."""
        try:
            return await self.semilla.database.storage.read(file)
        except FileNotFoundError as gone:
            raise Refusal("image-forgotten") from gone

    async def _acknowledge(self, interaction: Interaction, private: bool) -> str:
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

    async def _answer(self, interaction: Interaction, call: Call, private: bool) -> None:
        first = self._showing[call.message] = asyncio.Event()
        try:
            reply = await door.run(self.semilla, call)
            await self._show(interaction, reply, private)
        finally:
            self._showing.pop(call.message, None)
            first.set()

    async def shown(self, message: str) -> None:
        """Once the first reply stands in an acknowledged message, or beside it: pictures that are
        ready sooner wait for it."""
        if message and (first := self._showing.get(message)):
            await first.wait()

    async def _show(self, interaction: Interaction, reply: Reply, private: bool) -> None:
        """Puts a reply into the acknowledged message, or beside it when only one may see it."""
        message = await rendering.message(self.semilla, reply, self._limit(interaction))
        accepted = reply.answer is not None and reply.tone is Tone.ACCEPTED
        edit = self._editor(interaction)
        if reply.private and not private:
            edit = await self._hide(interaction, reply, message)
        elif accepted and reply.answer is not None:
            await self.placeholders.edit(reply.answer, edit, message)
        else:
            await edit(message)
        if accepted and reply.answer is not None:
            follow = progress.follow(self.semilla, self.placeholders, reply.answer, edit)
            self._start(follow)

    async def _hide(
        self, interaction: Interaction, reply: Reply, message: rendering.Message
    ) -> progress.Edit:
        """A private reply to a command that answers in public: the public message goes away."""
        answers = self.semilla.database.answers
        if reply.answer is not None:
            await answers.set_message(reply.answer, "")  # nothing private is put into it
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

    def _editor(self, interaction: Interaction) -> progress.Edit:
        there: list[discord.Attachment] = []

        async def edit(message: rendering.Message) -> None:
            nonlocal there
            options = message.options(there)
            there = (await interaction.edit_original_response(**options)).attachments

        return edit

    async def _refuse(
        self, interaction: Interaction, refusal: Refusal, private: bool = False
    ) -> None:
        """For its author only, in place of what was acknowledged."""
        reply = refused(await self._ruled_language(interaction), refusal)
        if _is_acknowledged(interaction):
            await self._show(interaction, reply, private)
        else:
            await self._say_privately(interaction, reply)

    async def _say_privately(self, interaction: Interaction, reply: Reply) -> None:
        """To its author only, whether the interaction was acknowledged or not."""
        message = await rendering.message(self.semilla, reply)
        options: dict[str, Any] = {
            "files": message.uploads(),
            "view": message.view or discord.utils.MISSING,
            "ephemeral": True,
        }
        if _is_acknowledged(interaction):
            await interaction.followup.send(message.content, **options)
        else:
            await interaction.response.send_message(message.content, **options)

    async def answer_fault(self, interaction: Interaction, error: BaseException) -> None:
        """Ours to mend: its author gets a code that the log has too."""
        if self.is_closed():  # whatever was accepted is delivered after the next start
            log.info("not answered, as Semilla stops: %r", error)
            return
        code = short_code()
        log.error("fault %s", code, exc_info=error)
        call = interaction.extras.get(CALL)
        line = await door.again(self.semilla, call) if call is not None else ""
        try:
            await self._say_privately(interaction, fault(self._language(interaction), code, line))
        except (discord.HTTPException, aiohttp.ClientError) as unsaid:
            log.warning("fault %s could not be told: %s", code, unsaid)

    async def _guarded(self, interaction: Interaction, answering: Awaitable[None]) -> None:
        """One bad message never takes the others down, and nobody is left without an answer."""
        try:
            await answering
        except Refusal as refusal:  # the line of a later version, or of one long gone
            await self._refuse(interaction, refusal)
        except discord.HTTPException as error:
            # Given up by Discord, or here for a second time: whatever was accepted is delivered.
            if error.status == 404 or error.code == ALREADY_ACKNOWLEDGED:
                log.warning("an interaction is gone: %s", error)
            else:
                await self.answer_fault(interaction, error)
        except Exception as error:  # noqa: BLE001 — whatever it is, its author is told, with a code
            await self.answer_fault(interaction, error)

    def _call(
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
        return language_of(interaction, self.semilla.config.language)

    async def _ruled_language(self, interaction: Interaction) -> str:
        """What the server is set to, else the member's own. It is looked up: not for what has to
        be acknowledged first."""
        rules = await self.semilla.database.settings.of_guild(guild_of(interaction).id)
        return language_ruled(rules) or self._language(interaction)

    def _limit(self, interaction: Interaction) -> int:
        return interaction.filesize_limit or rendering.FILE_BYTES

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_acknowledged(interaction: Interaction) -> bool:
    return interaction.response.is_done() or ACKNOWLEDGED in interaction.extras
