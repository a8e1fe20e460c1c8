"""What people do on a loopback Discord, and what they wait for."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from tests.discord_peer.kept import Message
from tests.discord_peer.payloads import (
    ANA,
    APPLICATION,
    CHANNEL,
    EVERYTHING,
    GUILD,
    HERE,
    MODERATORS,
    Json,
    Place,
    channel_json,
    guild_json,
    person,
)


class People:
    """The server's part that they see."""

    messages: dict[int, Message]
    of_token: dict[str, int]
    responses: dict[int, Json]
    commands: list[Json]
    changed: asyncio.Condition
    file_bytes: int
    rights: str
    _ids: itertools.count[int]
    _places: dict[str, Place]
    _events: dict[int, Json]

    async def _dispatch(self, name: str, data: Any) -> None:
        raise NotImplementedError

    def payload(self, message: Message) -> Json:
        raise NotImplementedError

    async def slash(
        self,
        name: str,
        language: str = "en-US",
        at: Place = HERE,
        by: int = ANA,
        file: Json | None = None,
        **options: Any,
    ) -> int:
        """A slash command; the id of its interaction. `file`: what is attached as its image."""
        declared = next(each for each in self.commands if each["name"] == name)
        kinds = {each["name"]: each["type"] for each in declared.get("options", [])}
        attached = {file["id"]: file} if file else {}
        if file:
            options["image"] = file["id"]
        given = [{"name": n, "type": kinds[n], "value": v} for n, v in options.items()]
        data = {"name": name, "type": 1, "options": given, "resolved": {"attachments": attached}}
        return await self.command(data, language, at, by)

    async def command(
        self, data: Json, language: str = "en-US", at: Place = HERE, by: int = ANA
    ) -> int:
        """One as the member's app has it, which may have kept it since before an update."""
        return await self._interact(2, {"id": "1", **data}, language, at=at, by=by)

    async def press(
        self,
        message: Message,
        custom_id: str,
        language: str = "en-US",
        at: Place = HERE,
        by: int = ANA,
    ) -> int:
        data = {"custom_id": custom_id, "component_type": 2}
        return await self._interact(3, data, language, message, at, by)

    async def pick(self, message: Message, custom_id: str, value: str) -> int:
        data = {"custom_id": custom_id, "component_type": 3, "values": [value]}
        return await self._interact(3, data, "en-US", message)

    def bring(self, author: int, files: dict[str, bytes]) -> Message:
        """Somebody's own message with files."""
        message = Message(next(self._ids), CHANNEL, author, files=files)
        self.messages[message.id] = message
        return message

    async def write(self, author: int) -> None:
        """Somebody's message, told to whoever listens: without its words, as without the intent."""
        message = self.bring(author, {})
        event = {**self.payload(message), "guild_id": str(GUILD)}
        await self._dispatch("MESSAGE_CREATE", event)

    async def menu(self, name: str, message: Message, at: Place = HERE) -> int:
        resolved = {"messages": {str(message.id): self.payload(message)}}
        data = {
            "id": "2", "name": name, "type": 3, "target_id": str(message.id), "resolved": resolved
        }  # fmt: skip
        return await self._interact(2, data, "en-US", at=at)

    async def send_modal(self, custom_id: str, values: dict[str, str]) -> int:
        rows = [
            {"type": 18, "component": {"type": 4, "custom_id": name, "value": value}}
            for name, value in values.items()
        ]
        return await self._interact(5, {"custom_id": custom_id, "components": rows}, "en-US")

    async def complete(
        self, name: str, option: str, typed: str, at: Place = HERE, **others: str
    ) -> list[Json]:
        """What is offered for an option; `others` have been filled in before."""
        focused = {"name": option, "type": 3, "value": typed, "focused": True}
        before = [{"name": n, "type": 3, "value": v} for n, v in others.items()]
        data = {"id": "1", "name": name, "type": 1, "options": [*before, focused]}
        number = await self._interact(4, data, "en-US", at=at)
        response = await self.response(number)
        return list(response["data"]["choices"])

    async def invite(self, guild: int, name: str, *channels: Json) -> None:
        """The bot is added to a server, for the first time or after it was thrown out."""
        server = guild_json(guild, name, channels)
        del server["unavailable"]  # which those have that it was in before it connected
        await self._dispatch("GUILD_CREATE", server)

    async def forbid(self, rights: int, channel: int = CHANNEL) -> None:
        """What nobody may do in a channel from now on, Semilla neither."""
        deny = {"id": str(GUILD), "type": 0, "allow": "0", "deny": str(rights)}
        changed = channel_json(GUILD, channel) | {"permission_overwrites": [deny]}
        await self._dispatch("CHANNEL_UPDATE", changed)

    async def throw_out(self, guild: int) -> None:
        await self._dispatch("GUILD_DELETE", {"id": str(guild)})

    async def again(self, interaction: int) -> None:
        """The same event once more, as after a connection that was lost and resumed."""
        await self._dispatch("INTERACTION_CREATE", self._events[interaction])

    async def response(self, interaction: int) -> Json:
        """What the interaction was first answered with."""
        await self.until(lambda: interaction in self.responses)
        return self.responses[interaction]

    async def answer(self, interaction: int) -> Message:
        """The message that an interaction made, once it stands."""
        await self.until(lambda: f"token-{interaction}" in self.of_token)
        return self.messages[self.of_token[f"token-{interaction}"]]

    async def picture(self, interaction: int) -> Message:
        """The finished answer, with its picture and without Cancel."""
        message = await self.answer(interaction)
        await self.until(lambda: bool(message.files) and len(message.buttons()) > 3)
        return message

    async def until(self, holds: Callable[[], bool], seconds: float = 90) -> None:
        async with self.changed, asyncio.timeout(seconds):
            await self.changed.wait_for(holds)

    async def _interact(
        self,
        kind: int,
        data: Json,
        language: str,
        message: Message | None = None,
        at: Place = HERE,
        by: int = ANA,
    ) -> int:
        number = next(self._ids)
        self._places[f"token-{number}"] = at
        user = person(by)
        roles = [str(MODERATORS)] if self.rights == EVERYTHING else []
        event: Json = {
            "id": str(number), "application_id": str(APPLICATION), "type": kind,
            "token": f"token-{number}", "version": 1, "data": data,
            "channel_id": str(at.channel),
            "channel": {**at.as_json(), "permissions": EVERYTHING},
            "locale": language, "entitlements": [], "app_permissions": EVERYTHING,
            "attachment_size_limit": self.file_bytes,
        }  # fmt: skip
        if at.guild is None:
            event |= {"user": user, "context": 1, "authorizing_integration_owners": {"0": "0"}}
        else:
            event |= {
                "guild_id": str(at.guild), "guild_locale": "en-US", "context": 0,
                "guild": {"id": str(at.guild), "locale": "en-US", "features": []},
                "authorizing_integration_owners": {"0": str(at.guild)},
                "member": {
                    "user": user, "roles": roles, "joined_at": "2026-01-01T00:00:00+00:00",
                    "deaf": False, "mute": False, "permissions": self.rights, "nick": None,
                    "flags": 0,
                },
            }  # fmt: skip
        if message is not None:
            event["message"] = self.payload(message)
        self._events[number] = event
        await self._dispatch("INTERACTION_CREATE", event)
        return number
