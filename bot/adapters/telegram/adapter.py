"""Telegram as an adapter: stays in touch, and delivers whatever happens on the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from telegram import Update
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
)
from telegram.ext import Application, ApplicationBuilder, TypeHandler

from bot.adapters.telegram import menu, rendering
from bot.adapters.telegram.chats import Chats
from bot.adapters.telegram.client import Client
from bot.adapters.telegram.places import NAME
from bot.commands.semilla import Semilla
from bot.conversation import Reply, Unreachable
from db.models import Answer

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
AT_ONCE = 64  # updates that are answered side by side
WANTED = [Update.MESSAGE, Update.CALLBACK_QUERY, Update.MY_CHAT_MEMBER]


class TelegramAdapter:
    """`settled` is set once it is known whether the token is good; `state` tells it in words:
    a sentence of the locales and its facts."""

    name = NAME

    def __init__(self, semilla: Semilla, token: str, minute_seconds: float = 60.0) -> None:
        self._semilla = semilla
        api = semilla.config.telegram_api
        builder = ApplicationBuilder().token(token).concurrent_updates(AT_ONCE)
        builder = builder.base_url(f"{api.base_url}/bot")
        builder = builder.base_file_url(f"{api.base_url}/file/bot")
        self._application: Application[Any, Any, Any, Any, Any, Any] = builder.build()
        self._bot = self._application.bot
        self._chats = Chats(semilla, self._bot, minute_seconds)
        client = Client(semilla, self._bot, self._chats)
        self._application.add_handler(TypeHandler(Update, client.take))
        self._in_touch = asyncio.Event()
        self.settled = asyncio.Event()
        self.state: tuple[str, Mapping[str, Any]] = ("", {})

    async def run(self) -> None:
        """Stays in touch until it is cancelled. A refused token ends it: the others go on."""
        try:
            if await self._log_in():
                await self._serve()
        finally:
            self.settled.set()
            await self._stop()

    async def _log_in(self) -> bool:
        while True:
            try:
                await self._application.initialize()
                break
            except InvalidToken:
                log.error("Telegram does not accept the token")
                self.state = ("telegram-bad-token", {})
                return False
            except NetworkError as error:
                log.warning("Telegram can't be reached: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
        self.state = ("telegram-ready", {"name": f"@{self._bot.username}", "link": self.link})
        self._in_touch.set()
        self.settled.set()
        return True

    @property
    def link(self) -> str:
        """Adds the bot to a group."""
        return f"https://t.me/{self._bot.username}?startgroup=hello"

    async def _serve(self) -> None:
        kept = self._semilla.config.data / "cache" / "telegram-commands"
        self._chats.start(self._send_menu(kept))
        await self._application.start()
        if (updater := self._application.updater) is not None:
            await updater.start_polling(
                allowed_updates=WANTED, bootstrap_retries=-1, error_callback=self._polling_failed
            )
        await asyncio.Event().wait()

    async def _send_menu(self, kept: Any) -> None:
        try:
            await menu.send_when_changed(self._bot, kept)
        except TelegramError as error:
            log.warning("the menu was not sent to Telegram: %s", error)

    async def _stop(self) -> None:
        await self._chats.close()
        updater = self._application.updater
        if updater is not None and updater.running:
            await updater.stop()
        if self._application.running:
            await self._application.stop()
        await self._application.shutdown()

    def _polling_failed(self, error: TelegramError) -> None:
        if isinstance(error, Conflict):
            log.error("another copy of Semilla uses this token: %s", error)
            self.state = ("telegram-two-copies", {})
        elif isinstance(error, InvalidToken):
            log.error("Telegram no longer accepts the token")
            self.state = ("telegram-bad-token", {})
        else:
            log.warning("Telegram can't be reached: %s", error)
            self._lose_touch()

    def _lose_touch(self) -> None:
        if self._in_touch.is_set():
            self._in_touch.clear()
            self._chats.start(self._find_back())

    async def _find_back(self) -> None:
        while True:
            try:
                await self._bot.get_me()
                break
            except TelegramError:
                await asyncio.sleep(RETRY_SECONDS)
        log.info("in touch with Telegram again")
        self._in_touch.set()

    async def deliver(self, answer: Answer, reply: Reply) -> None:
        await self._in_touch.wait()
        try:
            await self._chats.deliver(answer, reply)
        except BadRequest:
            raise
        except NetworkError:
            self._lose_touch()
            raise

    async def tell(self, member: str, reply: Reply) -> None:
        """A private message. Raises Unreachable for whoever has never written to the bot."""
        await self._in_touch.wait()
        message = await rendering.message(self._semilla, reply, self._semilla.config.language)
        try:
            await self._chats.send(int(member.removeprefix(f"{NAME}:")), message)
        except (Forbidden, BadRequest) as error:
            raise Unreachable(member) from error

    async def post(self, channel: str, reply: Reply) -> None:
        """Silently, into a chat that moderators read. Raises Unreachable."""
        await self._in_touch.wait()
        message = await rendering.message(self._semilla, reply, self._semilla.config.language)
        try:
            await self._chats.send(int(channel), message)
        except (ValueError, Forbidden, BadRequest) as error:
            raise Unreachable(channel) from error
