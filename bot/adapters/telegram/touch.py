"""Whether Telegram can be reached, what it says of us, and what time it is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from telegram.request import HTTPXRequest

# Long enough for a picture over a school's network: whatever is given up too early comes twice.
ANSWER_SECONDS, UPLOAD_SECONDS = 30.0, 120.0
AWAY_SECONDS = 300.0  # until then whoever asked is still looking
A_POLL = 100  # updates that come together at most

State = tuple[str, Mapping[str, Any]]


class Touch:
    """`state`: a sentence of the locales and its facts; `settled`: there is one."""

    def __init__(self) -> None:
        self.settled = asyncio.Event()
        self._there = asyncio.Event()
        self._ready: State = ("", {})
        self._trouble: State | None = None
        self.refused = asyncio.Event()  # the token, which was accepted before
        self._ended = False
        self._ahead = 0.0  # seconds by which Telegram's clock is
        self._polled_at = 0.0
        self._backlog: frozenset[int] = frozenset()  # updates that waited for us
        self._more = False  # of them are to come
        self.brings = False  # it calls us, and says of nothing how long it has waited

    @property
    def state(self) -> State:
        return self._trouble or self._ready

    def open(self, sentence: str, **facts: Any) -> None:
        """Logged in, and the sentence says so: it holds again after each trouble."""
        self._ready, self._trouble = (sentence, facts), None
        self._there.set()
        self.settled.set()

    def back(self) -> None:
        self._trouble = None
        self._there.set()

    async def wait(self) -> None:
        """Until Telegram can be reached. Raises ConnectionError once the connection has ended for
        good: another may have taken its place."""
        await self._there.wait()
        if self._ended:
            raise ConnectionError("no longer connected to Telegram")

    def end(self) -> None:
        """What waits is tried again, by the next one."""
        self._ended = True
        self._there.set()

    def lost(self) -> None:
        """Deliveries wait until it is back."""
        if not self._ended:
            self._there.clear()
        self.trouble("telegram-out-of-touch")

    def trouble(self, sentence: str, **facts: Any) -> None:
        self._trouble = (sentence, facts)
        self.settled.set()

    def seconds_since(self, date: datetime) -> float:
        """By Telegram's clock: a laptop's own is often wrong."""
        return time.time() + self._ahead - date.timestamp()

    def is_of_backlog(self, update: int) -> bool:
        """Whether it came with the first news after a while, and may be as old."""
        return self.brings or update in self._backlog

    def request(self) -> HTTPXRequest:
        return HTTPXRequest(
            read_timeout=ANSWER_SECONDS,
            media_write_timeout=UPLOAD_SECONDS,
            pool_timeout=ANSWER_SECONDS,  # many chats at once wait for a connection
            httpx_kwargs={"event_hooks": {"response": [self._look_at_clock, self._look_at_token]}},
        )

    def polling_request(self) -> HTTPXRequest:
        hooks = {"response": [self._look_at_clock, self._look_at_token, self._polled]}
        return HTTPXRequest(connection_pool_size=1, httpx_kwargs={"event_hooks": hooks})

    async def _look_at_clock(self, response: httpx.Response) -> None:
        with suppress(ValueError, KeyError):  # without one, ours is taken for right
            date = parsedate_to_datetime(response.headers["date"])
            self._ahead = date.timestamp() - time.time()

    async def _look_at_token(self, response: httpx.Response) -> None:
        """The library's polling ends at a token that was taken back, and tells nobody."""
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self.refused.set()

    async def _polled(self, response: httpx.Response) -> None:
        """News came: no other copy takes them away."""
        if response.is_success:
            await self._look_for_backlog(response)
            if self._ready[0]:
                self.back()

    async def _look_for_backlog(self, response: httpx.Response) -> None:
        """The first news after a while have waited for us; of a full poll there are more to come."""
        news: list[int] = []
        if time.time() - self._polled_at >= AWAY_SECONDS:
            await response.aread()
            with suppress(ValueError, LookupError):  # what isn't Telegram's, the library tells
                news = [each["update_id"] for each in response.json()["result"]]
            before: frozenset[int] = self._backlog if self._more else frozenset()
            self._backlog = before.union(news)
        self._more = len(news) >= A_POLL
        if not self._more:
            self._polled_at = time.time()
