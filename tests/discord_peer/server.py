"""A server of Discord's gateway and REST: what it is sent it keeps, what goes wrong is scripted.

It knows no rules of Semilla. Interaction tokens, missing permissions, gone messages and rate
limits are answered as Discord does (status, code and headers).
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

APPLICATION, BOT, OWNER = 1000, 1000, 999
GUILD, CHANNEL, ANA = 2000, 3000, 4000
Json = dict[str, Any]
EVERYTHING = str((1 << 50) - 1)


@dataclass
class Message:
    """One message as it stands now; `edits` counts how often it was changed."""

    id: int
    channel: int
    author: int = BOT
    content: str = ""
    components: list[Json] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    alts: dict[str, str] = field(default_factory=dict)
    ephemeral: bool = False
    loading: bool = False
    mentions: Json = field(default_factory=dict)
    reference: int | None = None
    nonce: str | None = None
    edits: int = 0

    def buttons(self) -> dict[str, str]:
        """Label → custom id."""
        inside = [item for row in self.components for item in row.get("components", [])]
        return {item["label"]: item["custom_id"] for item in inside if item["type"] == 2}


@dataclass
class Fault:
    """The next `times` requests whose "METHOD path" begins with `of` are answered like this."""

    of: str
    status: int
    code: int = 0
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False  # only the answer is lost: what was asked has been done
    body: Json = field(default_factory=dict)


class Discord:
    def __init__(self) -> None:
        self.messages: dict[int, Message] = {}
        self.of_token: dict[str, int] = {}
        self.expired: set[str] = set()
        self.requests: list[tuple[str, str]] = []
        self.acknowledged: dict[int, float] = {}
        self.responses: dict[int, Json] = {}
        self.commands: list[Json] = []
        self.syncs = 0
        self.faults: list[Fault] = []
        self.direct: dict[int, int] = {}  # channel → receiver of private messages
        self.closed_to: set[int] = set()  # people who take no private messages
        self.token = "good"
        self.rights = str(1 << 11)  # of whoever speaks: to write
        self.sessions = 0
        self.resumed = 0
        self._ids = itertools.count(10_000)
        self._socket: web.WebSocketResponse | None = None
        self._sequence = 0
        self.connected = asyncio.Event()
        self.changed = asyncio.Condition()
        self.address = ""

    # --- serving

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/gateway", self._gateway)
        app.router.add_route("*", "/api/v10/{path:.*}", self._rest)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"{host}:{port}"

    async def stop(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        await self._runner.cleanup()

    def forget(self) -> None:
        """As if nothing had happened; the connection and the commands stay."""
        for kept in (self.messages, self.of_token, self.responses, self.expired, self.faults):
            kept.clear()
        self.resumed = 0

    async def drop(self, code: int = 4000) -> None:
        """Closes the gateway's connection; the client is to come back by itself."""
        self.connected.clear()
        if self._socket is not None:
            await self._socket.close(code=code)

    async def order(self, op: int, data: Any = None) -> None:
        """op 7 (reconnect) or op 9 (invalid session)."""
        self.connected.clear()
        assert self._socket is not None
        await self._socket.send_json({"op": op, "d": data, "s": None, "t": None})

    # --- what people do

    async def slash(self, name: str, language: str = "en-US", **options: Any) -> int:
        """A slash command; the id of its interaction."""
        declared = next(each for each in self.commands if each["name"] == name)
        kinds = {each["name"]: each["type"] for each in declared.get("options", [])}
        given = [{"name": n, "type": kinds[n], "value": v} for n, v in options.items()]
        data = {"id": "1", "name": name, "type": 1, "options": given}
        return await self._interact(2, data, language)

    async def press(self, message: Message, custom_id: str, language: str = "en-US") -> int:
        data = {"custom_id": custom_id, "component_type": 2}
        return await self._interact(3, data, language, message)

    async def pick(self, message: Message, custom_id: str, value: str) -> int:
        data = {"custom_id": custom_id, "component_type": 3, "values": [value]}
        return await self._interact(3, data, "en-US", message)

    async def menu(self, name: str, message: Message) -> int:
        resolved = {"messages": {str(message.id): self.payload(message)}}
        data = {
            "id": "2", "name": name, "type": 3, "target_id": str(message.id), "resolved": resolved
        }  # fmt: skip
        return await self._interact(2, data, "en-US")

    async def send_modal(self, custom_id: str, values: dict[str, str]) -> int:
        rows = [
            {"type": 18, "component": {"type": 4, "custom_id": name, "value": value}}
            for name, value in values.items()
        ]
        return await self._interact(5, {"custom_id": custom_id, "components": rows}, "en-US")

    async def complete(self, name: str, option: str, typed: str) -> list[Json]:
        focused = {"name": option, "type": 3, "value": typed, "focused": True}
        data = {"id": "1", "name": name, "type": 1, "options": [focused]}
        number = await self._interact(4, data, "en-US")
        response = await self.response(number)
        return list(response["data"]["choices"])

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
        self, kind: int, data: Json, language: str, message: Message | None = None
    ) -> int:
        number = next(self._ids)
        user = {"id": str(ANA), "username": "ana", "discriminator": "0", "avatar": None}
        event: Json = {
            "id": str(number),
            "application_id": str(APPLICATION),
            "type": kind,
            "token": f"token-{number}",
            "version": 1,
            "data": data,
            "guild_id": str(GUILD),
            "guild": {"id": str(GUILD), "locale": "en-US", "features": []},
            "channel_id": str(CHANNEL),
            "channel": {**_channel(), "permissions": EVERYTHING},
            "member": {
                "user": user, "roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "deaf": False,
                "mute": False, "permissions": self.rights, "nick": "Ana", "flags": 0,
            },
            "locale": language,
            "guild_locale": "en-US",
            "entitlements": [],
            "app_permissions": EVERYTHING,
            "attachment_size_limit": 10 * 1024 * 1024,
            "authorizing_integration_owners": {"0": str(GUILD)},
            "context": 0,
        }  # fmt: skip
        if message is not None:
            event["message"] = self.payload(message)
        await self._dispatch("INTERACTION_CREATE", event)
        return number

    # --- the gateway

    async def _dispatch(self, name: str, data: Any) -> None:
        await self.connected.wait()
        assert self._socket is not None
        self._sequence += 1
        await self._socket.send_json({"op": 0, "t": name, "s": self._sequence, "d": data})

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._socket = socket
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41250}, "s": None, "t": None})
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            await self._received(socket, json.loads(message.data))
        return socket

    async def _received(self, socket: web.WebSocketResponse, frame: Json) -> None:
        if frame["op"] == 1:
            await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
        elif frame["op"] == 2:
            self.sessions += 1
            self.connected.set()
            await self._dispatch("READY", self._ready())
            await self._dispatch("GUILD_CREATE", _guild())
            await self._tell()
        elif frame["op"] == 6:
            self.resumed += 1
            self.connected.set()
            await self._dispatch("RESUMED", {})
            await self._tell()

    def _ready(self) -> Json:
        return {
            "v": 10,
            "user": _bot(),
            "guilds": [{"id": str(GUILD), "unavailable": True}],
            "session_id": "session",
            "resume_gateway_url": f"ws://{self.address}/gateway",
            "application": {"id": str(APPLICATION), "flags": 0},
            "shard": [0, 1],
        }

    # --- REST

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        self.requests.append((request.method, path))
        body, files = await _body(request)
        fault = self._fault(f"{request.method} {path}")
        if fault is not None and not fault.after:
            return _error(fault)
        if request.headers.get("Authorization") not in (f"Bot {self.token}", None):
            return _error(Fault("", 401))
        answer = await self._route(request, path, body, files)
        await self._tell()
        return _error(fault) if fault is not None else answer

    def _fault(self, what: str) -> Fault | None:
        for fault in self.faults:
            if what.startswith(fault.of):
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    async def _route(
        self, request: web.Request, path: str, body: Any, files: dict[str, bytes]
    ) -> web.StreamResponse:
        parts = path.strip("/").split("/")
        match request.method, parts:
            case "GET", ["users", "@me"]:
                return _json(_bot())
            case "GET", ["oauth2", "applications", "@me"] | ["applications", "@me"]:
                return _json(_application())
            case "GET", ["gateway", *_]:
                return _json({"url": f"ws://{self.address}/gateway", "shards": 1})
            case "PUT", ["applications", _, "commands"]:
                self.syncs += 1
                self.commands = body
                return _json([_registered(n, each) for n, each in enumerate(body, 50)])
            case "POST", ["interactions", number, token, "callback"]:
                return self._callback(int(number), token, body)
            case "GET", ["users", number]:
                return _json({**_bot(), "id": number, "bot": False})
            case "POST", ["users", "@me", "channels"]:
                return self._open_direct(int(body["recipient_id"]))
            case _, ["webhooks", _, token, *rest]:
                return self._webhook(request.method, token, rest, body, files)
            case _, ["channels", channel, "messages", *rest]:
                return self._channel_messages(request.method, int(channel), rest, body, files)
        return _json({"message": f"no route {request.method} {path}"}, status=404)

    def _callback(self, number: int, token: str, body: Json) -> web.Response:
        self.acknowledged[number] = asyncio.get_running_loop().time()
        self.responses[number] = body
        kind, data = body["type"], body.get("data") or {}
        resource: Json = {}
        interaction: Json = {"id": str(number), "type": 2}
        if kind in (4, 5):
            message = self._add(CHANNEL, data, {})
            message.ephemeral = bool(data.get("flags", 0) & 64)
            message.loading = kind == 5
            self.of_token[token] = message.id
            resource = {"type": kind, "message": self.payload(message)}
            interaction |= {
                "response_message_id": str(message.id), "response_message_loading": message.loading,
                "response_message_ephemeral": message.ephemeral,
            }  # fmt: skip
        return _json({"interaction": interaction, "resource": resource or None})

    def _webhook(
        self, method: str, token: str, rest: list[str], body: Json, files: dict[str, bytes]
    ) -> web.Response:
        if token in self.expired:
            return _error(Fault("", 401, 50027, body={"message": "Invalid Webhook Token"}))
        if not rest:
            message = self._add(CHANNEL, body, files)
            message.ephemeral = bool(body.get("flags", 0) & 64)
            return _json(self.payload(message))
        number = self.of_token.get(token, 0) if rest[1] == "@original" else int(rest[1])
        return self._one(method, number, body, files)

    def _channel_messages(
        self, method: str, channel: int, rest: list[str], body: Json, files: dict[str, bytes]
    ) -> web.Response:
        if rest:
            return self._one(method, int(rest[0]), body, files)
        if method == "GET":
            here = [m for m in self.messages.values() if m.channel == channel]
            return _json([self.payload(each) for each in reversed(here)])
        if channel in self.direct and self.direct[channel] in self.closed_to:
            return _error(Fault("", 403, 50007))
        nonce = str(body.get("nonce") or "") or None
        same = [m for m in self.messages.values() if nonce and m.nonce == nonce]
        message = same[0] if same else self._add(channel, body, files)
        message.nonce = nonce
        return _json(self.payload(message))

    def _one(self, method: str, number: int, body: Json, files: dict[str, bytes]) -> web.Response:
        message = self.messages.get(number)
        if message is None:
            return _error(Fault("", 404, 10008, body={"message": "Unknown Message"}))
        if method == "DELETE":
            del self.messages[number]
            return web.Response(status=204)
        if method == "PATCH":
            _change(message, body, files)
            message.edits += 1
        return _json(self.payload(message))

    def _open_direct(self, receiver: int) -> web.Response:
        channel = 700_000 + receiver
        self.direct[channel] = receiver
        user = {**_bot(), "id": str(receiver), "bot": False}
        return _json({"id": str(channel), "type": 1, "recipients": [user]})

    def _add(self, channel: int, body: Json, files: dict[str, bytes]) -> Message:
        message = Message(next(self._ids), channel)
        _change(message, body, files)
        reference = body.get("message_reference") or {}
        message.reference = int(reference["message_id"]) if reference.get("message_id") else None
        self.messages[message.id] = message
        return message

    def payload(self, message: Message) -> Json:
        attachments = [
            {"id": str(n), "filename": name, "size": len(data), "url": f"http://{name}",
             "proxy_url": f"http://{name}", "content_type": "image/png"}
            for n, (name, data) in enumerate(message.files.items(), 1)
        ]  # fmt: skip
        return {
            "id": str(message.id), "channel_id": str(message.channel), "author": _bot(),
            "content": message.content, "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None, "tts": False, "mention_everyone": False, "mentions": [],
            "mention_roles": [], "attachments": attachments, "embeds": [], "pinned": False,
            "type": 0, "components": message.components, "flags": 64 if message.ephemeral else 0,
        }  # fmt: skip

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


def _change(message: Message, body: Json, files: dict[str, bytes]) -> None:
    message.loading = False
    message.content = body.get("content") or (message.content if "content" not in body else "")
    if "components" in body:
        message.components = body["components"] or []
    if "attachments" in body or files:
        message.files = files
        declared = body.get("attachments", [])
        message.alts = {each["filename"]: each.get("description", "") for each in declared}
    message.mentions = body.get("allowed_mentions", message.mentions)


async def _body(request: web.Request) -> tuple[Any, dict[str, bytes]]:
    if not request.can_read_body:
        return {}, {}
    if request.content_type != "multipart/form-data":
        return await request.json(), {}
    body: Any = {}
    files: dict[str, bytes] = {}
    async for part in await request.multipart():
        assert isinstance(part, aiohttp.BodyPartReader)
        if part.name == "payload_json":
            body = json.loads(await part.text())
        else:
            files[str(part.filename)] = bytes(await part.read())
    return body, files


def _json(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Exactly "application/json": discord.py reads nothing else as JSON."""
    kind = {"Content-Type": "application/json"}
    return web.Response(
        body=json.dumps(data).encode(), status=status, headers={**(headers or {}), **kind}
    )


def _error(fault: Fault) -> web.Response:
    body = {"message": f"scripted {fault.status}", "code": fault.code, **fault.body}
    return _json(body, status=fault.status, headers=fault.headers)


def _bot() -> Json:
    return {
        "id": str(BOT), "username": "Semilla", "discriminator": "0", "avatar": None, "bot": True,
        "global_name": None, "flags": 0, "verified": True, "mfa_enabled": False, "locale": "en-US",
    }  # fmt: skip


def _application() -> Json:
    owner = {**_bot(), "id": str(OWNER), "bot": False}
    return {
        "id": str(APPLICATION), "name": "Semilla", "icon": None, "description": "",
        "bot_public": True, "bot_require_code_grant": False, "verify_key": "", "owner": owner,
        "team": None, "summary": "", "flags": 0,
    }  # fmt: skip


def _channel() -> Json:
    return {
        "id": str(CHANNEL), "type": 0, "guild_id": str(GUILD), "name": "art", "position": 0,
        "permission_overwrites": [], "nsfw": False, "parent_id": None, "last_message_id": None,
        "topic": None, "rate_limit_per_user": 0, "flags": 0,
    }  # fmt: skip


def _guild() -> Json:
    everyone = {
        "id": str(GUILD), "name": "@everyone", "permissions": EVERYTHING, "position": 0, "color": 0,
        "hoist": False, "managed": False, "mentionable": False, "flags": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
    }  # fmt: skip
    me = {
        "user": _bot(), "roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "deaf": False,
        "mute": False, "flags": 0,
    }  # fmt: skip
    return {
        "id": str(GUILD), "name": "Seeds", "owner_id": str(OWNER), "roles": [everyone],
        "channels": [_channel()], "members": [me], "threads": [], "emojis": [], "stickers": [],
        "features": [], "member_count": 2, "large": False, "premium_tier": 0, "voice_states": [],
        "presences": [], "stage_instances": [], "guild_scheduled_events": [], "unavailable": False,
        "preferred_locale": "en-US", "nsfw_level": 0, "verification_level": 0, "mfa_level": 0,
        "default_message_notifications": 0, "explicit_content_filter": 0, "system_channel_flags": 0,
        "afk_timeout": 300, "nsfw": False, "premium_progress_bar_enabled": False,
    }  # fmt: skip


def _registered(number: int, command: Json) -> Json:
    return {
        "id": str(number), "application_id": str(APPLICATION), "version": "1",
        "default_member_permissions": None, "description": "", **command,
    }  # fmt: skip
