"""The chats that need a token: each is imported when it has one, at the start or while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from bot.app import App
from bot.config import PLATFORMS
from bot.conversation import Adapter

PATIENCE_SECONDS = 5.0


class Chat(Adapter, Protocol):
    """`settled` is set once there is something to say of it; `state` says it in words: a sentence
    of the locales and its facts."""

    settled: asyncio.Event

    @property
    def state(self) -> tuple[str, Mapping[str, Any]]: ...


class Chats:
    def __init__(self, app: App) -> None:
        self._app = app
        self.running: dict[str, Chat] = {}

    def telegram(self) -> Any:
        """Whom Telegram calls, if it is connected."""
        return self.running.get("telegram")

    def begin(self) -> None:
        """Those that have a token in the settings."""
        for platform in PLATFORMS:
            if token := getattr(self._app.semilla.config, platform):
                self.connect(platform, token.get_secret_value())

    def connect(self, platform: str, token: str) -> None:
        """Takes the place of the one that is connected already."""
        self.running[platform] = self._chat(platform, token)
        self._app.add(self.running[platform])

    def mistaken(self, platform: str, token: str) -> str:
        """The sentence for what was pasted in a token's place; "" where it can't be told."""
        if platform != "discord":
            return ""
        from bot.adapters.discord.token import taken_for

        return taken_for(token)

    async def state(self, platform: str) -> tuple[str, Mapping[str, Any]]:
        """In words, as soon as it is known; nothing for one that isn't connected."""
        chat = self.running.get(platform)
        if chat is None:
            return "", {}
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await chat.settled.wait()
        sentence, facts = chat.state
        unsent = await self._app.semilla.database.answers.unsent(platform)
        return sentence, {"pictures": unsent, **facts}

    async def troubles(self) -> list[tuple[str, Mapping[str, Any]]]:
        """What keeps connected chats from answering, in words."""
        states = [await self.state(each) for each, c in self.running.items() if c.settled.is_set()]
        return [state for state in states if state[0] and not state[0].endswith("-ready")]

    def _chat(self, platform: str, token: str) -> Chat:
        if platform == "discord":
            from bot.adapters.discord.adapter import DiscordAdapter

            return DiscordAdapter(self._app.semilla, token)
        from bot.adapters.telegram.adapter import TelegramAdapter

        return TelegramAdapter(self._app.semilla, token)
