"""What members do on Discord, as calls: slash commands, entries of menus, buttons, sent forms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord

from bot.adapters.discord import menus, modals, rendering, tree
from bot.adapters.discord.answering import Answering, Interaction
from bot.commands import door
from bot.commands import line as typed_line
from bot.commands.declaration import COMMANDS, Answers, Command
from bot.commands.semilla import Semilla
from bot.conversation import Call, Form, Refusal
from db.history import Asker


class Interactions:
    """Each is acknowledged first, unless a form follows, and goes through the one door."""

    def __init__(self, semilla: Semilla, answering: Answering) -> None:
        self._semilla = semilla
        self._answering = answering

    async def use(self, interaction: Interaction, command: Command, values: dict[str, Any]) -> None:
        """A slash command."""
        private = command.answers is Answers.PRIVATE or bool(values.get("private"))
        await self._answering.guarded(interaction, self._use(interaction, command, values, private))

    async def use_on(
        self, interaction: Interaction, command: Command, message: discord.Message
    ) -> None:
        """An entry of a message's menu."""
        await self._answering.guarded(interaction, self._use_on(interaction, command, message))

    async def refuse_outdated(self, interaction: Interaction) -> None:
        data: dict[str, Any] = dict(interaction.data or {})
        refusal = Refusal("outdated", name=data.get("name", ""))
        await self._answering.guarded(interaction, self._answering.refuse(interaction, refusal))

    async def press(self, interaction: Interaction, line: str) -> None:
        """A button: its line, as if it had been typed."""
        await self._answering.guarded(interaction, self._press(interaction, line))

    async def unfold(self, interaction: Interaction, line: str) -> None:
        await self._answering.guarded(interaction, self._unfold(interaction, line))

    async def submit(self, interaction: Interaction) -> None:
        """A form."""
        await self._answering.guarded(interaction, self._submit(interaction))

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
        call = self._answering.call(interaction, command.name, options, image=unread)
        message = await self._answering.acknowledge(interaction, private)
        if upload is not None and await door.lets_in(self._semilla, call):
            try:
                call = replace(call, image=await menus.read(upload))
            except Refusal as refusal:
                await self._answering.refuse(interaction, refusal, private)
                return
        await self._answering.answer(interaction, replace(call, message=message), private)

    async def _use_on(
        self, interaction: Interaction, command: Command, message: discord.Message
    ) -> None:
        """A modal can't follow an acknowledgement; all else is acknowledged first."""
        form, private = command.answers is Answers.FORM, command.answers is Answers.PRIVATE
        placeholder = "" if form else await self._answering.acknowledge(interaction, private)
        call = self._answering.call(interaction, command.name, {}, placeholder)
        code: str | None = None
        asker = Asker(call.guild.id, call.member.id, call.member.moderator)
        me = getattr(interaction.client.user, "id", 0)
        if await door.lets_in(self._semilla, call):
            try:
                code, image = await menus.picture_in(self._semilla, message, asker, me)
            except Refusal as refusal:
                await self._answering.refuse(interaction, refusal, private)
                return
            options = {"picture": code} if code else {}
            call = self._answering.call(interaction, command.name, options, placeholder, image)
        if form:
            await self._open_form(interaction, call, f"/{command.name} {code}" if code else "")
        else:
            await self._answering.answer(interaction, call, private)

    async def _press(self, interaction: Interaction, line: str) -> None:
        name, options = typed_line.parse(line)
        call, command = self._answering.call(interaction, name, options), COMMANDS[name]
        if command.answers is Answers.FORM:
            await self._open_form(interaction, call, line)
            return
        private = command.answers is Answers.PRIVATE
        message = await self._answering.acknowledge(interaction, private)
        await self._answering.answer(interaction, replace(call, message=message), private)

    async def _unfold(self, interaction: Interaction, line: str) -> None:
        call = self._answering.call(interaction, *typed_line.parse(line))
        await self._answering.acknowledge(interaction, private=True)
        reply = await door.run(self._semilla, call)
        view = rendering.folded(reply)
        if view is None:
            await self._answering.editor(interaction)(await rendering.message(self._semilla, reply))
        else:
            await interaction.edit_original_response(view=view)

    async def _open_form(self, interaction: Interaction, call: Call, line: str) -> None:
        """A modal can't follow an acknowledgement: it is one. Without a line that makes the form
        again, all that is sent counts."""
        reply = await door.run(self._semilla, call)
        if reply.form is None:
            await self._answering.say_privately(interaction, reply)
        else:
            about = next((each.value for each in reply.form.fields if each.kind == "hidden"), "")
            line = line or (f"/{call.command} {about}" if about else f"/{reply.form.command}")
            if call.image is not None and not about and modals.takes_file(reply.form):
                line = await self._semilla.database.storage.put(call.image) + line
            language = await self._answering.ruled_language(interaction)
            await interaction.response.send_modal(modals.modal(reply.form, line, language))

    async def _submit(self, interaction: Interaction) -> None:
        data: dict[str, Any] = dict(interaction.data or {})
        if not str(data.get("custom_id", "")).startswith(modals.PREFIX):
            return
        file, slash, line = str(data["custom_id"]).removeprefix(modals.PREFIX).partition("/")
        opened = self._answering.call(interaction, *typed_line.parse(slash + line))
        message = await self._answering.acknowledge(interaction, private=False)
        form = Form(title="", command=opened.command, fields=())
        if COMMANDS[opened.command].answers is Answers.FORM:
            before = await door.run(self._semilla, opened)
            if before.form is None:
                await self._answering.show(interaction, before, private=False)
                return
            form = before.form
        try:
            changed = modals.changes(form, modals.values(data))
            image = await self._kept(file) if file else None
        except Refusal as refusal:
            await self._answering.refuse(interaction, refusal)
            return
        call = self._answering.call(interaction, form.command, changed, message, image)
        await self._answering.answer(interaction, call, private=False)

    async def _kept(self, file: str) -> bytes:
        """What a form was opened on: no row mentions it, so it is swept after a while."""
        try:
            return await self._semilla.database.storage.read(file)
        except FileNotFoundError as gone:
            raise Refusal("image-forgotten") from gone
