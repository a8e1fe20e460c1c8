"""Telegram as an adapter: stays in touch, and delivers whatever happens on the way."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
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
from bot.adapters.telegram.chats import LAST_SECONDS, Chats
from bot.adapters.telegram.client import Client
from bot.adapters.telegram.delivering import Delivering
from bot.adapters.telegram.errors import WEBHOOK, says
from bot.adapters.telegram.places import NAME
from bot.adapters.telegram.touch import State, Touch
from bot.adapters.telegram.webhook import PATH
from bot.commands import door
from bot.commands.semilla import Semilla
from bot.conversation import Reply, Unreachable
from db.models import Answer

log = logging.getLogger(__name__)

RETRY = 1 / 12  # in minutes
AT_ONCE = 1024  # updates that are answered side by side: most wait for the turn of their chat
WANTED = [Update.MESSAGE, Update.CALLBACK_QUERY, Update.MY_CHAT_MEMBER]


class TelegramAdapter:
    """`settled` is set once there is something to say of it; `state` says it in words: a sentence
    of the locales and its facts. `minute_seconds`: how long Telegram's minute is."""

    name = NAME

    def __init__(self, semilla: Semilla, token: str, minute_seconds: float = 60.0) -> None:
        self._semilla = semilla
        self._touch = Touch()
        self._secret = secrets.token_urlsafe(32)
        self._stopping = False
        self._retry_seconds = RETRY * minute_seconds
        api = semilla.config.telegram_api
        builder = ApplicationBuilder().token(token).concurrent_updates(AT_ONCE)
        builder = builder.base_url(f"{api.base_url}/bot")
        builder = builder.base_file_url(f"{api.base_url}/file/bot").request(self._touch.request())
        builder = builder.get_updates_request(self._touch.polling_request())
        self._application: Application[Any, Any, Any, Any, Any, Any] = builder.build()
        self._bot = self._application.bot
        self._chats = Chats(semilla, self._bot, minute_seconds)
        self._delivering = Delivering(self._chats)
        self._client = Client(semilla, self._bot, self._chats, self._delivering, self._touch)
        self._application.add_handler(TypeHandler(Update, self._client.take))
        self._seeking = False
        self.settled = self._touch.settled

    @property
    def state(self) -> State:
        return self._touch.state

    async def run(self) -> None:
        """Stays in touch until it is cancelled. A refused token ends it: the others go on."""
        try:
            await asyncio.to_thread(door.read_ahead, self._semilla)
            await self._log_in()
            await self._serve()
        except InvalidToken:
            log.error("Telegram does not accept the token")
            self._touch.trouble("telegram-bad-token")
        finally:
            self.settled.set()
            self._touch.end()
            await self._stop()

    async def _log_in(self) -> None:
        while True:
            try:
                await self._application.initialize()
                break
            except InvalidToken:
                raise
            except TelegramError as error:
                log.warning("Telegram can't be reached: %s", error)
                self._touch.lost()
                await asyncio.sleep(self._retry_seconds)
        self._touch.open("telegram-ready", name=f"@{self._bot.username}", link=self.link)

    @property
    def link(self) -> str:
        """Adds the bot to a group."""
        return f"https://t.me/{self._bot.username}?startgroup=hello"

    async def _serve(self) -> None:
        kept = self._semilla.config.data / "cache" / "telegram-commands"
        self._chats.start(self._send_menu(kept))
        self._chats.start(self._client.ask_again())
        await self._application.start()
        updater = self._application.updater
        if self._semilla.config.telegram_api.webhook:
            await self._ask_to_be_called()
        elif updater is not None:
            await updater.start_polling(
                allowed_updates=WANTED, bootstrap_retries=-1, error_callback=self._polling_failed
            )
        await self._touch.refused.wait()
        raise InvalidToken

    async def _ask_to_be_called(self) -> None:
        address = self._semilla.config.telegram_api.webhook.rstrip("/") + PATH
        self._touch.brings = True
        while True:
            try:
                await self._bot.set_webhook(
                    address, allowed_updates=WANTED, secret_token=self._secret
                )
                return
            except InvalidToken:
                raise
            except BadRequest as error:
                log.error("Telegram can't call %s: %s", address, error)
                self._touch.open("telegram-bad-webhook", webhook=address, reason=error.message)
                return
            except TelegramError as error:
                log.warning("Telegram can't be reached: %s", error)
                await asyncio.sleep(self._retry_seconds)

    async def called(self, secret: str, update: Any) -> bool:
        """Telegram brings an update. False: whoever called isn't Telegram, or is to bring it again
        after a stop."""
        known = secrets.compare_digest(secret.encode(), self._secret.encode())
        if not known or self._stopping:
            return False
        if (read := Update.de_json(update, self._bot)) is not None:
            await self._application.update_queue.put(read)
        return True

    async def _send_menu(self, kept: Any) -> None:
        try:
            await menu.send_when_changed(self._bot, kept)
        except TelegramError as error:
            log.warning("the menu was not sent to Telegram: %s", error)

    async def _stop(self) -> None:
        """Within ten seconds, also where Telegram answers nothing any more."""
        self._stopping = True
        await asyncio.gather(self._chats.close(), self._end_polling())
        await self._client.leave()
        if self._application.running:
            await self._application.stop()
        await self._application.shutdown()

    async def _end_polling(self) -> None:
        updater = self._application.updater
        if updater is not None and updater.running:
            with suppress(TelegramError, TimeoutError):  # with which the polling has ended
                async with asyncio.timeout(LAST_SECONDS):
                    await updater.stop()

    def _polling_failed(self, error: TelegramError) -> None:
        if isinstance(error, Conflict) and says(error, WEBHOOK):
            log.error("another program takes the updates away: %s", error)
            self._touch.trouble("telegram-webhook-elsewhere")
        elif isinstance(error, Conflict):
            log.error("another copy of Semilla uses this token: %s", error)
            self._touch.trouble("telegram-two-copies")
        else:
            log.warning("Telegram can't be reached: %s", error)
            self._lose_touch()

    def _lose_touch(self) -> None:
        self._touch.lost()
        if not self._seeking:
            self._seeking = True
            self._chats.start(self._find_back())

    async def _find_back(self) -> None:
        while True:
            try:
                await self._bot.get_me()
                break
            except TelegramError:
                await asyncio.sleep(self._retry_seconds)
        log.info("in touch with Telegram again")
        self._seeking = False
        self._touch.back()

    async def deliver(self, answer: Answer, reply: Reply) -> None:
        await self._touch.wait()
        try:
            await self._delivering.deliver(answer, reply)
        except BadRequest:
            raise
        except NetworkError:
            self._lose_touch()
            raise

    async def tell(self, member: str, reply: Reply) -> None:
        """A private message. Raises Unreachable for whoever has never written to the bot, and for
        admins of whom only their group is known."""
        chat = int(member.removeprefix(f"{NAME}:"))
        if chat < 0:
            raise Unreachable(member)
        await self._touch.wait()
        message = await rendering.message(self._semilla, reply, self._semilla.config.language)
        try:
            await self._chats.send(chat, message)
        except (Forbidden, BadRequest) as error:
            raise Unreachable(member) from error

    async def post(self, guild: str, channel: str, reply: Reply) -> None:
        """Silently, into the group or the topic of it that moderators read. Raises Unreachable."""
        await self._touch.wait()
        group = guild.removeprefix(f"{NAME}:")
        topic = "" if channel == group else channel
        if topic and not topic.isdecimal():
            raise Unreachable(channel)  # another chat
        message = await rendering.message(self._semilla, reply, self._semilla.config.language)
        try:
            await self._chats.post(int(group), topic, message)
        except (Forbidden, BadRequest) as error:
            raise Unreachable(channel) from error
