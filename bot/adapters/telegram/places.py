"""Where an update comes from: Telegram's chats, topics and people in Semilla's words."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from typing import Any

from telegram import Bot, Chat, Message, ReplyParameters, User
from telegram.constants import ChatType
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.conversation import Guild, Member
from bot.locales import LANGUAGES
from db.models import Answer

log = logging.getLogger(__name__)

NAME = "telegram"
MODERATORS_SECONDS = 300.0


def guild_of(chat: Chat) -> Guild:
    """The group, or for a private chat a guild of one."""
    private = chat.type == ChatType.PRIVATE
    return Guild(f"{NAME}:{chat.id}", "" if private else chat.title or "", private)


def topic_of(message: Message) -> str:
    """The topic of a group that has topics; replies have a thread id too, and are none."""
    if message.is_topic_message and message.message_thread_id:
        return str(message.message_thread_id)
    return ""


def link_to(message: Message) -> str:
    """To a topic; a group without topics is one place, that has its name."""
    topic = topic_of(message)
    number = str(message.chat.id).removeprefix("-100")
    return f"https://t.me/c/{number}/{topic}" if topic else message.chat.effective_name or ""


def speaker_of(message: Message) -> int:
    """The id of whoever wrote it: a person, or the group or channel in whose name they did. For
    all who do that Telegram names one and the same user."""
    said_by = message.sender_chat or message.from_user or message.chat
    return said_by.id


def language_of(user: User | None, usual: str) -> str:
    """The language of the member's own app, else what Semilla is set to."""
    language = ((user.language_code if user else None) or "")[:2]
    return language if language in LANGUAGES else usual


def answering(message: int) -> ReplyParameters | None:
    """As an answer to a message; those that one member alone can see have no number."""
    return ReplyParameters(message, allow_sending_without_reply=True) if message else None


def asked_in(answer: Answer) -> ReplyParameters | None:
    """The message that asked for it, known by the id of the event; a press has none."""
    platform, chat, message = (*answer.origin.split(":"), "", "")[:3]
    if platform != NAME or chat != answer.channel or not message.isdecimal():
        return None
    return answering(int(message))


@dataclass(frozen=True, slots=True)
class Receiver:
    """The only one who is to see a message in a group. `codes`: the pictures that it shows;
    `press`: the callback query that asks."""

    user: int
    language: str
    codes: tuple[str, ...] = ()
    press: str | None = None

    def parameters(self) -> dict[str, Any]:
        pressed = {"callback_query_id": self.press} if self.press else {}
        return {"receiver_user_id": self.user} | pressed


class Moderators:
    """Who administers a group: asked for at most every five minutes."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._known: dict[int, tuple[float, frozenset[int]]] = {}

    async def speaker(self, message: Message) -> Member:
        """Admins may speak as the group itself, and people as a channel of theirs; then that is
        all that is known of them."""
        chat, user = message.chat, message.from_user
        if message.sender_chat is None and user is not None:
            return await self.member(chat, user)
        name = (message.sender_chat or chat).effective_name or ""
        speaker = speaker_of(message)
        return Member(f"{NAME}:{speaker}", name, moderator=speaker == chat.id, is_chat=True)

    async def member(self, chat: Chat, user: User) -> Member:
        moderator = chat.type != ChatType.PRIVATE and await self.among(chat.id, user.id)
        return Member(f"{NAME}:{user.id}", user.full_name, moderator)

    async def among(self, group: int, user: int) -> bool:
        return user in await self._of(group)

    async def _of(self, group: int) -> frozenset[int]:
        asked, found = self._known.get(group, (-math.inf, frozenset()))
        if time.monotonic() - asked < MODERATORS_SECONDS:
            return found
        try:
            admins = await self._bot.get_chat_administrators(group)
            found = frozenset(admin.user.id for admin in admins)
        except (BadRequest, Forbidden) as error:  # it isn't in the group any more
            log.warning("there are no admins of %d: %s", group, error)
            found = frozenset()
        except TelegramError as error:  # as it was known before: it is asked again in five minutes
            log.warning("the admins of %d are not known: %s", group, error)
            if group not in self._known:  # or at once, as else none would count for so long
                return found
        self._known[group] = (time.monotonic(), found)
        return found
