"""Requests that came while Semilla was away: each chat is asked once what is to become of them."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

from telegram import Bot, CallbackQuery, Message
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.adapters.telegram import keyboards, rendering
from bot.adapters.telegram.places import NAME, topic_of
from bot.adapters.telegram.touch import Touch
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Member, Reply
from bot.locales import duration, say
from db.models import Draft

if TYPE_CHECKING:
    from bot.adapters.telegram.chats import Chats

log = logging.getLogger(__name__)

# In minutes: news come in heaps after a pause; and when a question that failed is sent again.
GATHERED, AGAIN = 1 / 30, 1 / 12
DO, FORGET = "~do", "~forget"  # a button's line, for this adapter only
REQUEST, PRESS = "request", "press"  # what is kept of a message, and of a button


class Away:
    def __init__(self, semilla: Semilla, bot: Bot, chats: Chats, touch: Touch) -> None:
        self._drafts = semilla.database.drafts
        self._language = semilla.config.language
        self._bot = bot
        self._chats = chats
        self._touch = touch
        self._gathering: set[str] = set()

    async def keep(self, said: Message | CallbackQuery, call: Call) -> None:
        """Keeps a message or a press as it came, to be heard later."""
        kind = REQUEST if isinstance(said, Message) else PRESS
        options = {kind: said.to_json(), "language": call.language}
        await self._drafts.miss(call.guild.id, call.member.id, int(said.id), options)
        self._gather(call.guild.id)

    async def ask_again(self) -> None:
        """A stop, or a lost network, may have come between the keeping and the question."""
        for guild in await self._drafts.unasked(f"{NAME}:"):
            self._gather(guild)

    def _gather(self, guild: str) -> None:
        if guild not in self._gathering:
            self._gathering.add(guild)
            self._chats.start(self._ask(guild))

    async def _ask(self, guild: str) -> None:
        await asyncio.sleep(GATHERED * self._chats.minute)
        try:
            while _has_unasked(missed := await self._drafts.missed(guild)):
                try:
                    await self._send(guild, missed)
                    await self._drafts.note_asked(missed)
                except (BadRequest, Forbidden) as error:
                    log.warning("%s can't be asked: %s", guild, error)
                    return
                except TelegramError as error:
                    log.warning("%s is asked later: %s", guild, error)
                    await asyncio.sleep(AGAIN * self._chats.minute)
        finally:
            self._gathering.discard(guild)

    async def _send(self, guild: str, missed: list[Draft]) -> None:
        said = [self.said(each) for each in missed]
        language = missed[0].options.get("language", self._language)
        typed = next((each for each in said if isinstance(each, Message)), None)
        seconds = self._touch.seconds_since(typed.date) if typed else None
        under = said[0] if isinstance(said[0], Message) else said[0].message
        topic = topic_of(under) if isinstance(under, Message) else ""
        shown = question(language, len(missed), seconds)
        await self._chats.send(int(guild.removeprefix(f"{NAME}:")), shown, topic=topic)

    def said(self, missed: Draft) -> Message | CallbackQuery:
        if press := missed.options.get(PRESS):
            return CallbackQuery.de_json(json.loads(press), self._bot)
        return Message.de_json(json.loads(missed.options[REQUEST]), self._bot)

    async def meant(self, guild: str, member: Member) -> tuple[list[Draft], int]:
        """What a press is about, and how many others are left: a moderator decides for all,
        others for themselves."""
        missed = await self._drafts.missed(guild)
        own = [each for each in missed if member.moderator or each.member == member.id]
        return own, len(missed) - len(own)

    async def forget(self, missed: list[Draft]) -> None:
        await self._drafts.remove(missed)


def _has_unasked(missed: list[Draft]) -> bool:
    """Some may have come while the question about the others was sent."""
    return not all(each.options.get("asked") for each in missed)


def question(language: str, count: int, seconds: float | None) -> rendering.Message:
    """`seconds`: since the first of them; None for buttons, of which Telegram tells no time."""
    if seconds is None:
        text = say(language, "telegram-away-pressed", count=count)
    else:
        text = say(language, "telegram-away", time=duration(seconds, language), count=count)
    buttons = (
        Button(say(language, "telegram-do-them", count=count), DO),
        Button(say(language, "telegram-forget-them", count=count), FORGET),
    )
    return rendering.plain(text, keyboards.keyboard(Reply(buttons=(buttons,))))
