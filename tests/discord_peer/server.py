"""A server of Discord's gateway and REST: what it is sent it keeps, what goes wrong is scripted.

It knows no rules of Semilla. Interaction tokens, missing permissions, gone messages and rate
limits are answered as Discord does (status, code and headers).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from typing import Any

import aiohttp
from aiohttp import web

from tests.discord_peer import description
from tests.discord_peer.kept import Bucket, Fault, Message
from tests.discord_peer.payloads import (
    APPLICATION,
    BOT,
    GUILD,
    Json,
    Place,
    application,
    bot,
    person,
    registered,
    seeds,
)
from tests.discord_peer.people import People


class Discord(People):
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
        self.buckets: dict[str, Bucket] | None = None  # kept to once it is {}
        self.sent_back = 0
        self.broken: list[str] = []  # what Discord's own description forbids
        self.rights = str(1 << 11)  # of whoever speaks, in their channel: to write
        self.sessions = 0
        self.resumed = 0
        self.file_bytes = 10 * 1024 * 1024  # that the server's files may have
        self.presence: Json = {}
        self.fetched = 0  # files
        self.uploaded: list[str] = []  # their names
        self._places: dict[str, Place] = {}
        self._events: dict[int, Json] = {}
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
        app.router.add_get("/files/{message}/{name}", self._file)
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
        of = (
            self.messages,
            self.of_token,
            self.responses,
            self.expired,
            self.faults,
            self.uploaded,
        )
        for kept in of:
            kept.clear()
        self.resumed = 0
        self.file_bytes = 10 * 1024 * 1024
        self.buckets = None

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

    # --- the gateway

    async def _dispatch(self, name: str, data: Any) -> None:
        await self.connected.wait()
        assert self._socket is not None
        self._sequence += 1
        await self._socket.send_json({"op": 0, "t": name, "s": self._sequence, "d": data})

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        if (fault := self._fault("GET /gateway")) is not None:
            return _error(fault)
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
            await self._dispatch("GUILD_CREATE", seeds())
            await self._tell()
        elif frame["op"] == 3:
            self.presence = frame["d"]
            await self._tell()
        elif frame["op"] == 6:
            self.resumed += 1
            self.connected.set()
            await self._dispatch("RESUMED", {})
            await self._tell()

    def _ready(self) -> Json:
        return {
            "v": 10,
            "user": bot(),
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
        self.uploaded += files
        self.broken += _loud(body)
        self.broken += description.faults_of(request.method, path, body)
        if (late := self._late(request.method, path)) is not None:
            return late
        fault = self._fault(f"{request.method} {path}")
        if fault is not None and not fault.after:
            return _error(fault)
        if request.headers.get("Authorization") not in (f"Bot {self.token}", None):
            return _error(Fault("", 401))
        answer = await self._route(request, path, body, files)
        await self._tell()
        return _error(fault) if fault is not None else answer

    def _late(self, method: str, path: str) -> web.Response | None:
        """Kept to Discord's rate limits: of a channel, and of an interaction's messages."""
        parts = path.strip("/").split("/")
        if self.buckets is None or parts[0] not in ("channels", "webhooks") or method == "GET":
            return None
        key = " ".join([method, *parts[:3]])
        free, headers = self.buckets.setdefault(key, Bucket()).take(time.monotonic())
        if free:
            return None
        self.sent_back += 1
        body = {"retry_after": float(headers["Retry-After"]), "global": False}
        return _error(Fault("", 429, headers=headers, body=body))

    async def _file(self, request: web.Request) -> web.Response:
        self.fetched += 1
        message = self.messages.get(int(request.match_info["message"]))
        if message is None:
            raise web.HTTPNotFound
        return web.Response(body=message.files[request.match_info["name"]])

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
                return _json(bot())
            case "GET", ["oauth2", "applications", "@me"] | ["applications", "@me"]:
                return _json(application())
            case "GET", ["gateway", *_]:
                return _json({"url": f"ws://{self.address}/gateway", "shards": 1})
            case "PUT", ["applications", _, "commands"]:
                self.syncs += 1
                self.commands = body
                return _json([registered(n, each) for n, each in enumerate(body, 50)])
            case "POST", ["interactions", number, token, "callback"]:
                return self._callback(int(number), token, body)
            case "GET", ["users", number]:
                return _json({**bot(), "id": number, "bot": False})
            case "POST", ["users", "@me", "channels"]:
                return self._open_direct(int(body["recipient_id"]))
            case _, ["webhooks", _, token, *rest]:
                return self._webhook(request.method, token, rest, body, files)
            case _, ["channels", channel, "messages", *rest]:
                return self._channel_messages(request.method, int(channel), rest, body, files)
        return _json({"message": f"no route {request.method} {path}"}, status=404)

    def _callback(self, number: int, token: str, body: Json) -> web.Response:
        if number in self.responses:
            return _error(Fault("", 400, 40060))
        self.acknowledged[number] = asyncio.get_running_loop().time()
        self.responses[number] = body
        kind, data = body["type"], body.get("data") or {}
        resource: Json = {}
        interaction: Json = {"id": str(number), "type": 2}
        if kind in (4, 5):
            message = self._add(self._places[token].channel, data, {})
            message.token = token
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
            message = self._add(self._places[token].channel, body, files)
            message.token = token
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
        user = {**bot(), "id": str(receiver), "bot": False}
        return _json({"id": str(channel), "type": 1, "recipients": [user]})

    def _add(self, channel: int, body: Json, files: dict[str, bytes]) -> Message:
        message = Message(next(self._ids), channel)
        message.silent = bool(body.get("flags", 0) & 4096)
        _change(message, body, files)
        reference = body.get("message_reference") or {}
        message.reference = int(reference["message_id"]) if reference.get("message_id") else None
        self.messages[message.id] = message
        return message

    def payload(self, message: Message) -> Json:
        base = f"http://{self.address}/files/{message.id}"
        attachments = [
            {"id": str(_file_id(message, n)), "filename": name, "size": len(data), "url": f"{base}/{name}",
             "proxy_url": f"{base}/{name}", "content_type": "image/png"}
            for n, (name, data) in enumerate(message.files.items(), 1)
        ]  # fmt: skip
        author = bot() if message.author == BOT else person(message.author)
        return {
            "id": str(message.id), "channel_id": str(message.channel), "author": author,
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
        declared = body.get("attachments", [])
        kept = {int(each["id"]) for each in declared}
        there = enumerate(message.files.items(), 1)
        message.files = {k: v for n, (k, v) in there if _file_id(message, n) in kept} | files
        message.alts = {each["filename"]: each.get("description", "") for each in declared}
    message.mentions = body.get("allowed_mentions", message.mentions)


def _file_id(message: Message, number: int) -> int:
    return message.id * 100 + number


def _loud(body: Any) -> list[str]:
    """Words without a list of whom they may call: Discord calls everybody whom they name."""
    said = body if isinstance(body, dict) else {}
    said = said.get("data") or said
    return (
        ["words that may call anybody"]
        if said.get("content") and "allowed_mentions" not in said
        else []
    )


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
