"""A server of Telegram's Bot API: what it is sent it keeps, what goes wrong is scripted.

It knows no rules of Semilla. It refuses what Telegram refuses, in its words: too many calls to a
group, texts and buttons that are too long, entities beyond the text, photos that are none.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from PIL import Image

from tests.telegram_peer.description import faults_of

Json = dict[str, Any]
BOT, ANA, LUIS, TEACHER = 7000001, 4001, 4002, 4999
PRIVATE = ANA
ANONYMOUS = 1087968824  # Telegram's own account, from which admins speak as their group
CHANNELS = 136817688  # and the one from which people speak as a channel of theirs
NEWS, MUSIC = -1005001, -1005002
TOKEN = "7000001:" + "A" * 35
COUNTED = {
    "sendMessage", "sendPhoto", "sendDocument", "editMessageText", "editMessageMedia",
    "editMessageReplyMarkup", "editMessageCaption", "editEphemeralMessageReplyMarkup",
}  # fmt: skip
GROUP_CALLS = 20
PICTURES = {"sendPhoto": "photos", "editMessageMedia": "photos", "sendDocument": "documents"}


@dataclass
class Sent:
    """One message of the bot as it stands now; `edits` counts how often it was changed."""

    id: int
    chat: int
    text: str = ""
    entities: list[Json] = field(default_factory=list)
    keyboard: list[list[Json]] = field(default_factory=list)
    photo: bytes | None = None
    document: tuple[str, bytes] | None = None
    reply_to: int | None = None
    topic: int | None = None
    silent: bool = False
    edits: int = 0
    deleted: bool = False
    receiver: int | None = None  # the only one who sees it
    at: float = 0.0
    shown_at: float = 0.0  # when its photo came

    def buttons(self) -> dict[str, str]:
        """Label → command line."""
        return {b["text"]: b.get("callback_data", "") for row in self.keyboard for b in row}

    def lines(self) -> list[str]:
        return self.text.splitlines()


@dataclass
class Fault:
    """The next `times` calls of `method` are answered like this; `after`: only the answer is lost,
    or `late_seconds` it comes so late."""

    method: str
    status: int = 400
    description: str = ""
    times: int = 1
    parameters: Json = field(default_factory=dict)
    cut: bool = False  # the connection, before an answer
    hangs: bool = False  # no answer comes
    after: bool = False
    late_seconds: float = 0.0


class Telegram:
    """`minute`: seconds that Telegram's minute takes here."""

    def __init__(self, minute: float = 60.0) -> None:
        self.minute = minute
        self.group = -1002003000
        self.messages: dict[tuple[int, int], Sent] = {}
        self.said: dict[int, tuple[int, str, str]] = {}  # message → chat, who, what
        self.heard: dict[int, Json] = {}
        self.calls: list[tuple[str, Json]] = []
        self.refused: list[str] = []
        self.unknown: list[str] = []  # what the Bot API's description doesn't know
        self.toasts: dict[str, Json] = {}
        self.too_old: set[str] = set()  # presses
        self.commands: dict[str, list[Json]] = {}
        self.faults: list[Fault] = []
        self.admins = {TEACHER}
        self.closed_to: set[int] = set()  # people who never wrote to the bot, or have blocked it
        self.ephemeral = False  # whether this is a Bot API that has such messages
        self.down = False  # every connection is cut
        self.silent = False  # every connection is taken, and no answer comes
        self.members: set[int] | None = None  # of all groups; None: everybody
        self.shut: dict[int, str] = {}  # chat → why nothing can be sent there
        self.no_topics: set[int] = set()
        self.no_pictures: set[int] = set()  # chats that take words alone
        self.moved: dict[int, int] = {}  # groups that are supergroups now
        self.webhook: Json = {}
        self.files: dict[str, bytes] = {}
        self.fetching, self.most_fetching = 0, 0  # files at the same time
        self.topics = False
        self.names = {ANA: ("Ana", "en"), LUIS: ("Luis", "es"), TEACHER: ("Marta", "es")}
        self.names |= {ANONYMOUS: ("Group", "en"), CHANNELS: ("Channel", "en")}
        self.changed = asyncio.Condition()
        self.polls = 0
        self._counted: dict[int, deque[float]] = defaultdict(deque)
        self.waiting: list[Json] = []
        self._ids = itertools.count(100)
        self._update_ids = itertools.count(1)
        self._presses = itertools.count(1)

    # --- serving

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", f"/bot{TOKEN}/{{method}}", self._call)
        app.router.add_route("*", "/bot{token}/{method}", self._unknown)
        app.router.add_get(f"/file/bot{TOKEN}/{{file}}", self._file)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)  # some wait for news
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    def forget(self) -> None:
        """In another group, as if nothing had happened."""
        for kept in (
            self.messages,
            self.said,
            self.heard,
            self.calls,
            self.refused,
            self.toasts,
            self.faults,
        ):
            kept.clear()
        self.group -= 1  # what it was sent before doesn't count
        for kept in (self.closed_to, self.shut, self.no_topics, self.no_pictures):
            kept.clear()
        self.members, self.ephemeral, self.down, self.silent = None, False, False, False
        self.admins = {TEACHER}

    # --- what people do

    async def say(
        self,
        text: str = "",
        *,
        chat: int | None = None,
        user: int = ANA,
        reply_to: Sent | int | None = None,
        photo: bytes | None = None,
        document: bytes | None = None,
        topic: int | None = None,
        language: str | None = None,
        ago: float = 0,
        anonymous: bool = False,
        channel: int | None = None,
        album: str | None = None,
    ) -> int:
        """A message; its id. `anonymous`: of an admin who speaks as the group; `channel`: of
        somebody who speaks as that one."""
        number = next(self._ids)
        self.said[number] = (chat or self.group, self.names[user][0], text)
        message: Json = {
            "message_id": number,
            "date": int(time.time() - ago),
            "chat": self._chat(chat or self.group),
            "from": self._person(user, language),
        }
        if document is not None:
            name = f"file{number}"
            self.files[name] = document
            file = {"file_id": name, "file_unique_id": name, "mime_type": "image/png"}
            message |= {"document": file | {"file_size": len(document)}, "caption": text}
        elif photo is None:
            message["text"] = text
            if text.startswith("/"):
                length = len(text.split()[0])
                message["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        else:
            name = f"photo{number}"
            self.files[name] = photo
            size = {"file_id": name, "file_unique_id": name, "width": 9, "height": 9}
            message |= {"photo": [size | {"file_size": len(photo)}], "caption": text}
        if anonymous:
            message["from"] = self._person(ANONYMOUS, None)
            message["sender_chat"] = self._chat(chat or self.group)
        if channel is not None:
            message["from"] = self._person(CHANNELS, None)
            title = {NEWS: "News", MUSIC: "Music"}[channel]
            message["sender_chat"] = {"id": channel, "type": "channel", "title": title}
        if album is not None:
            message["media_group_id"] = album
        if topic is not None:
            message |= {"message_thread_id": topic, "is_topic_message": True}
            message["reply_to_message"] = self._opening(topic)
        if isinstance(reply_to, Sent):
            message["reply_to_message"] = self.payload(reply_to)
        elif reply_to is not None:
            message["reply_to_message"] = self.heard[reply_to]
        self.heard[number] = message
        await self.update({"message": message})
        return number

    async def press(
        self,
        message: Sent,
        label: str,
        user: int = ANA,
        language: str | None = None,
        gone: bool = False,
        old: bool = False,
    ) -> str:
        """A button; the id of its callback query. `gone`: its message is too old to come along;
        `old`: it was pressed so long ago that it can't be answered any more."""
        number = str(next(self._presses))
        if old:
            self.too_old.add(number)
        query = {
            "id": number,
            "from": self._person(user, language),
            "message": self.payload(message) | ({"date": 0} if gone else {}),
            "chat_instance": "1",
            "data": message.buttons()[label],
        }
        await self.update({"callback_query": query})
        return number

    async def invite(
        self, user: int = TEACHER, chat: int | None = None, language: str | None = None
    ) -> None:
        """Into a group; a bot becomes a channel's admin just so."""
        bot = {"id": BOT, "is_bot": True, "first_name": "Semilla", "username": "semilla_bot"}
        change = {
            "chat": self._chat(chat or self.group),
            "from": self._person(user, language),
            "date": int(time.time()),
            "old_chat_member": {"user": bot, "status": "left"},
            "new_chat_member": {"user": bot, "status": "member"},
        }
        await self.update({"my_chat_member": change})

    async def migrate(self, old: int, new: int) -> None:
        """What is sent to the old group is refused from now on."""
        self.moved[old] = new
        message = {
            "message_id": next(self._ids),
            "date": int(time.time()),
            "chat": self._chat(old),
            "migrate_to_chat_id": new,
        }
        await self.update({"message": message})

    async def update(self, update: Json) -> Json:
        async with self.changed:
            self.waiting.append({"update_id": next(self._update_ids)} | update)
            self.changed.notify_all()
        return self.waiting[-1]

    # --- what came of it

    async def until(self, there: Callable[[], Any], seconds: float = 90) -> Any:
        async with self.changed, asyncio.timeout(seconds):
            await self.changed.wait_for(lambda: bool(there()))
        return there()

    async def shown(self, to: int | None = None, chat: int | None = None, count: int = 1) -> Sent:
        """The newest message with a photo, in answer to a message where one is named."""

        def found() -> list[Sent]:
            return [
                each
                for each in self.messages.values()
                if each.chat == (chat or self.group) and each.photo is not None and not each.deleted
                and (to is None or each.reply_to == to)
            ]  # fmt: skip

        await self.until(lambda: len(found()) >= count)
        return found()[-1]

    async def answered(self, to: int) -> Sent:
        """The message that answers another one."""
        there = await self.until(lambda: [m for m in self.messages.values() if m.reply_to == to])
        return there[-1]

    async def toast(self, press: str) -> Json:
        await self.until(lambda: press in self.toasts)
        return self.toasts[press]

    def payload(self, message: Sent) -> Json:
        found: Json = {
            "message_id": 0 if message.receiver else message.id,
            "date": int(time.time()),
            "chat": self._chat(message.chat),
            "from": self._person(BOT, None),
        }
        if message.receiver:
            found["ephemeral_message_id"] = message.id
        if message.keyboard:
            found["reply_markup"] = {"inline_keyboard": message.keyboard}
        if message.topic:
            found |= {"message_thread_id": message.topic, "is_topic_message": True}
        if message.photo is not None:
            name = f"sent{message.id}"
            size = {"file_id": name, "file_unique_id": name, "width": 9, "height": 9}
            return found | {"photo": [size], "caption": message.text}
        if message.document is not None:
            document = {"file_id": "d", "file_unique_id": "d", "file_name": message.document[0]}
            return found | {"document": document, "caption": message.text}
        return found | {"text": message.text or " "}

    # --- the calls

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if self.down:
            return self._faulty(request, Fault(method, cut=True))
        if self.silent:
            await asyncio.Event().wait()
        asked, files = await _read(request)
        self.unknown += faults_of(method, asked)
        fault = next((f for f in self.faults if f.method == method and f.times > 0), None)
        if fault is not None:
            fault.times -= 1
            if fault.hangs:
                await asyncio.Event().wait()
            if not (fault.after or fault.late_seconds):
                return self._faulty(request, fault)
        if method != "getUpdates":
            self.calls.append((method, asked))
        try:
            result = await self._run(method, asked, files)
        except Refused as refused:
            self.refused.append(f"{method}: {refused.description}")
            return _error(refused.status, refused.description, refused.parameters)
        async with self.changed:
            self.changed.notify_all()
        if fault is not None and fault.late_seconds:
            await asyncio.sleep(fault.late_seconds)
        elif fault is not None:
            return self._faulty(request, fault)
        return web.json_response({"ok": True, "result": result})

    def _faulty(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.cut:
            assert request.transport is not None
            request.transport.abort()
        return _error(fault.status, fault.description, fault.parameters)

    async def _run(self, method: str, asked: Json, files: dict[str, bytes]) -> Any:
        chat = int(asked.get("chat_id", 0) or 0)
        if chat in self.closed_to:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat in self.shut and method in COUNTED:
            raise Refused(400, f"Bad Request: {self.shut[chat]}")
        if chat in self.no_pictures and (kind := PICTURES.get(method)):
            raise Refused(400, f"Bad Request: not enough rights to send {kind} to the chat")
        if chat in self.moved and method in COUNTED:
            sentence = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refused(400, sentence, {"migrate_to_chat_id": self.moved[chat]})
        if method in COUNTED and chat < 0:
            self._count(chat)
        answers = {
            "getMe": self._me,
            "setMyCommands": self._set_commands,
            "getChatAdministrators": self._administrators,
            "getChatMember": self._member,
            "deleteMessage": self._delete,
            "answerCallbackQuery": self._answer_press,
            "getFile": self._get_file,
        }
        if method == "getUpdates":
            return await self._poll(asked)
        if method in ("deleteWebhook", "setWebhook"):
            self.webhook = asked
            return True
        if method.startswith("send"):
            return self._send(method, asked, files)
        if method.startswith("edit"):
            return self._edit(method, asked, files)
        return answers[method](asked)

    def _me(self, _asked: Json) -> Json:
        return self._person(BOT, None) | {"can_join_groups": True}

    def _set_commands(self, asked: Json) -> bool:
        scope = asked.get("scope", {}).get("type", "default")
        self.commands[f"{scope}/{asked.get('language_code', '')}"] = asked["commands"]
        return True

    def _administrators(self, _asked: Json) -> list[Json]:
        return [_admin(self._person(each, None)) for each in self.admins]

    def _member(self, asked: Json) -> Json:
        user = int(asked["user_id"])
        inside = self.members is None or user in self.members
        return {"user": self._person(user, None), "status": "member" if inside else "left"}

    def _delete(self, asked: Json) -> bool:
        self._find(asked).deleted = True
        return True

    def _answer_press(self, asked: Json) -> bool:
        _check(len(asked.get("text", "")) <= 200, "MESSAGE_TOO_LONG")
        _check(str(asked["callback_query_id"]) not in self.too_old, TOO_OLD)
        self.toasts[str(asked["callback_query_id"])] = asked
        return True

    def _get_file(self, asked: Json) -> Json:
        name = asked["file_id"]
        return {"file_id": name, "file_unique_id": name, "file_path": name}

    async def _poll(self, asked: Json) -> list[Json]:
        self.polls += 1
        offset = int(asked.get("offset", 0) or 0)
        self.waiting = [each for each in self.waiting if each["update_id"] >= offset]
        try:
            async with self.changed, asyncio.timeout(min(float(asked.get("timeout", 0)), 2)):
                await self.changed.wait_for(lambda: bool(self.waiting))
        except TimeoutError:
            return []
        return self.waiting[: int(asked.get("limit", 100) or 100)]

    def _count(self, chat: int) -> None:
        made, now = self._counted[chat], time.monotonic()
        while made and made[0] <= now - self.minute:
            made.popleft()
        if len(made) >= GROUP_CALLS:
            wait = max(1, round(made[0] + self.minute - now))
            raise Refused(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})
        made.append(now)

    def _send(self, method: str, asked: Json, files: dict[str, bytes]) -> Json:
        chat = int(asked["chat_id"])
        message = Sent(
            id=next(self._ids),
            chat=chat,
            reply_to=(asked.get("reply_parameters") or {}).get("message_id"),
            topic=asked.get("message_thread_id"),
            silent=bool(asked.get("disable_notification")),
            at=time.monotonic(),
        )
        _check(message.topic not in self.no_topics, "message thread not found")
        if message.reply_to is not None and not message.reply_to:
            raise Refused(400, "Bad Request: message to be replied not found")
        to = asked.get("ephemeral_message_parameters")
        if self.ephemeral and to:
            may = BOT in self.admins or to.get("callback_query_id")
            _check(bool(may), "not enough rights to send ephemeral messages")
            message.receiver = to["receiver_user_id"]
        self._fill(message, method.removeprefix("send"), asked, files)
        self.messages[chat, message.id] = message
        return self.payload(message)

    def _edit(self, method: str, asked: Json, files: dict[str, bytes]) -> Json:
        if "Ephemeral" in method:
            asked["message_id"] = asked["ephemeral_message_id"]
        message = self._find(asked)
        _check(bool(message.receiver) == ("Ephemeral" in method), "message can't be edited")
        before = (message.text, message.keyboard, message.photo)
        if method.endswith("ReplyMarkup"):
            message.keyboard = _keyboard(asked)
        elif method == "editMessageText":
            _check(message.photo is None, "there is no text in the message to edit")
            self._fill(message, "Message", asked, files)
        else:
            media = asked["media"]
            _check(media["type"] == "photo", "unexpected media")
            self._fill(message, "Photo", asked | media | {"photo": media["media"]}, files)
        _check((message.text, message.keyboard, message.photo) != before, NOT_MODIFIED)
        message.edits += 1
        return self.payload(message)

    def _fill(self, message: Sent, kind: str, asked: Json, files: dict[str, bytes]) -> None:
        text = asked.get("text" if kind == "Message" else "caption", "") or ""
        entities = asked.get("entities" if kind == "Message" else "caption_entities") or []
        units = len(text.encode("utf-16-le")) // 2
        if kind == "Message":
            _check(bool(text.strip()), "message text is empty")
            _check(units <= 4096, "message is too long")
        else:
            _check(units <= 1024, "message caption is too long")
        for each in entities:
            inside = each["offset"] >= 0 and each["offset"] + each["length"] <= units
            _check(inside and each["length"] > 0, "ENTITY_BOUNDS_INVALID")
        message.text, message.entities, message.keyboard = text, entities, _keyboard(asked)
        if kind == "Photo":
            message.photo = files[asked["photo"].removeprefix("attach://")]
            message.shown_at = time.monotonic()
            width, height = Image.open(io.BytesIO(message.photo)).size
            _check(width + height <= 10_000, "PHOTO_INVALID_DIMENSIONS")
            _check(max(width, height) <= 20 * min(width, height), "PHOTO_INVALID_DIMENSIONS")
            _check(len(message.photo) <= 10 * 1024 * 1024, "PHOTO_SAVE_FILE_INVALID")
        if kind == "Document":
            name = asked["document"].removeprefix("attach://")
            message.document = (asked.get(name, name), files[name])

    def _find(self, asked: Json) -> Sent:
        found = self.messages.get((int(asked["chat_id"]), int(asked["message_id"])))
        if found is None or found.deleted:
            raise Refused(400, "Bad Request: message to edit not found")
        return found

    async def _file(self, request: web.Request) -> web.Response:
        self.fetching += 1
        self.most_fetching = max(self.most_fetching, self.fetching)
        await asyncio.sleep(0.2)
        self.fetching -= 1
        return web.Response(body=self.files[request.match_info["file"]])

    async def _unknown(self, request: web.Request) -> web.Response:
        return _error(401, "Unauthorized", {})

    def _chat(self, chat: int) -> Json:
        if chat > 0:
            return {"id": chat, "type": "private", "first_name": self.names[chat][0]}
        kind = "supergroup" if str(chat).startswith("-100") else "group"
        if chat in (NEWS, MUSIC):
            kind = "channel"
        return {"id": chat, "type": kind, "title": "Clase 5B", "is_forum": self.topics}

    def _opening(self, topic: int) -> Json:
        """Telegram's own message, to which all of a topic are replies that are none to another."""
        return {
            "message_id": topic,
            "date": 1,
            "chat": self._chat(self.group),
            "from": self._person(TEACHER, None),
            "forum_topic_created": {"name": "Art", "icon_color": 0},
            "message_thread_id": topic,
            "is_topic_message": True,
        }

    def _person(self, user: int, language: str | None) -> Json:
        if user == BOT:
            return {
                "id": BOT, "is_bot": True, "first_name": "Semilla", "username": "semilla_bot"
            }  # fmt: skip
        name, usual = self.names[user]
        return {
            "id": user, "is_bot": False, "first_name": name, "language_code": language or usual
        }  # fmt: skip


TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
)


class Refused(Exception):
    def __init__(self, status: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters or {}


def _check(good: bool, description: str) -> None:
    if not good:
        raise Refused(400, f"Bad Request: {description}")


def _error(status: int, description: str, parameters: Json) -> web.Response:
    body = {"ok": False, "error_code": status, "description": description}
    return web.json_response(body | {"parameters": parameters}, status=status)


def _keyboard(asked: Json) -> list[list[Json]]:
    rows: list[list[Json]] = (asked.get("reply_markup") or {}).get("inline_keyboard", [])
    for row in rows:
        _check(0 < len(row) <= 8, "BUTTON_ROW_INVALID")
        for button in row:
            data = button.get("callback_data")
            _check(data is None or 1 <= len(data.encode()) <= 64, "BUTTON_DATA_INVALID")
            _check(len(button.get("copy_text", {"text": ""})["text"]) <= 256, "BUTTON_COPY_TEXT")
    return rows


def _admin(person: Json) -> Json:
    rights = (
        "can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats "
        "can_restrict_members can_promote_members can_change_info can_invite_users "
        "can_post_stories can_edit_stories can_delete_stories"
    )
    return {"user": person, "status": "administrator"} | dict.fromkeys(rights.split(), False)


async def _read(request: web.Request) -> tuple[Json, dict[str, bytes]]:
    """What was asked (nested values are JSON), and the files that came along."""
    asked: Json = {}
    files: dict[str, bytes] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[name] = value.file.read()
            files[value.filename] = files[name]
            asked.setdefault(name, value.filename)
        else:
            try:
                asked[name] = json.loads(value)
            except ValueError:
                asked[name] = value
            if name in ("text", "caption"):
                asked[name] = value
    return asked, files
