"""Requests that came while Semilla was away: each chat is asked once what is to become of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telegram import Message

from bot.adapters.telegram import keyboards, rendering
from bot.adapters.telegram.places import NAME, topic_of
from bot.commands.semilla import Semilla
from bot.conversation import Button, Member, Reply
from bot.locales import say
from db.models import Draft

if TYPE_CHECKING:
    from bot.adapters.telegram.chats import Chats

AWAY_SECONDS = 300.0  # until then whoever asked is still looking
GATHERED = 1 / 30  # in minutes: news come in heaps after a pause
DO, FORGET = "~do", "~forget"  # a button's line, for this adapter only


class Away:
    def __init__(self, semilla: Semilla, chats: Chats) -> None:
        self._drafts = semilla.database.drafts
        self._semilla = semilla
        self._chats = chats
        self._gathering: set[int] = set()

    async def keep(self, message: Message, member: Member, language: str, seconds: float) -> None:
        """Keeps a message as it came, to be heard later."""
        guild, chat = f"{NAME}:{message.chat.id}", message.chat.id
        await self._drafts.miss(guild, member.id, str(message.id), message.to_json())
        if chat not in self._gathering:
            self._gathering.add(chat)
            self._chats.start(self._ask(guild, message, language, seconds))

    async def _ask(self, guild: str, message: Message, language: str, seconds: float) -> None:
        await asyncio.sleep(GATHERED * self._chats.minute)
        self._gathering.discard(message.chat.id)
        if missed := await self._drafts.missed(guild):
            shown = question(language, len(missed), seconds)
            await self._chats.send(message.chat.id, shown, topic=topic_of(message))

    async def taken(self, guild: str, member: Member) -> tuple[list[Draft], int]:
        """What a press is about, which is kept no longer, and how many others are left: a
        moderator decides for all, others for themselves."""
        missed = await self._drafts.missed(guild)
        own = [each for each in missed if member.moderator or each.member == member.id]
        await self._drafts.remove(own)
        return own, len(missed) - len(own)


def question(language: str, count: int, seconds: float) -> rendering.Message:
    hours = seconds / 3600
    time = f"{hours:.0f} h" if hours > 2 else f"{seconds / 60:.0f} min"
    text = say(language, "telegram-away", time=time, count=count)
    buttons = (
        Button(say(language, "telegram-do-them", count=count), DO),
        Button(say(language, "telegram-forget-them", count=count), FORGET),
    )
    return rendering.plain(text, keyboards.keyboard(Reply(buttons=(buttons,))))
