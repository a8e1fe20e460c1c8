"""Requests that came while Semilla was away: each chat is asked once what is to become of them."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

from telegram import Bot, Message
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.adapters.telegram import keyboards, rendering
from bot.adapters.telegram.places import NAME, topic_of
from bot.adapters.telegram.touch import Touch
from bot.commands.semilla import Semilla
from bot.conversation import Button, Member, Reply
from bot.locales import duration, say
from db.models import Draft

if TYPE_CHECKING:
    from bot.adapters.telegram.chats import Chats

log = logging.getLogger(__name__)

AWAY_SECONDS = 300.0  # until then whoever asked is still looking
# In minutes: news come in heaps after a pause; and when a question that failed is sent again.
GATHERED, AGAIN = 1 / 30, 1 / 12
DO, FORGET = "~do", "~forget"  # a button's line, for this adapter only


class Away:
    def __init__(self, semilla: Semilla, bot: Bot, chats: Chats, touch: Touch) -> None:
        self._drafts = semilla.database.drafts
        self._language = semilla.config.language
        self._bot = bot
        self._chats = chats
        self._touch = touch
        self._gathering: set[str] = set()

    async def keep(self, message: Message, member: Member, language: str) -> None:
        """Keeps a message as it came, to be heard later."""
        guild = f"{NAME}:{message.chat.id}"
        options = {"request": message.to_json(), "language": language}
        await self._drafts.miss(guild, member.id, message.id, options)
        self._gather(guild)

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
            while missed := await self._drafts.missed(guild):
                try:
                    await self._send(guild, missed)
                    await self._drafts.note_asked(missed)
                    return
                except (BadRequest, Forbidden) as error:
                    log.warning("%s can't be asked: %s", guild, error)
                    return
                except TelegramError as error:
                    log.warning("%s is asked later: %s", guild, error)
                    await asyncio.sleep(AGAIN * self._chats.minute)
        finally:
            self._gathering.discard(guild)

    async def _send(self, guild: str, missed: list[Draft]) -> None:
        first = self.message(missed[0])
        language = missed[0].options.get("language", self._language)
        shown = question(language, len(missed), self._touch.seconds_since(first.date))
        await self._chats.send(int(guild.removeprefix(f"{NAME}:")), shown, topic=topic_of(first))

    def message(self, missed: Draft) -> Message:
        return Message.de_json(json.loads(missed.options["request"]), self._bot)

    async def meant(self, guild: str, member: Member) -> tuple[list[Draft], int]:
        """What a press is about, and how many others are left: a moderator decides for all,
        others for themselves."""
        missed = await self._drafts.missed(guild)
        own = [each for each in missed if member.moderator or each.member == member.id]
        return own, len(missed) - len(own)

    async def forget(self, missed: list[Draft]) -> None:
        await self._drafts.remove(missed)


def question(language: str, count: int, seconds: float) -> rendering.Message:
    text = say(language, "telegram-away", time=duration(seconds, language), count=count)
    buttons = (
        Button(say(language, "telegram-do-them", count=count), DO),
        Button(say(language, "telegram-forget-them", count=count), FORGET),
    )
    return rendering.plain(text, keyboards.keyboard(Reply(buttons=(buttons,))))
