"""What a chat may be sent: Telegram counts a group's messages and edits together, 20 a minute.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this; that edits share
the limit was said by Telegram's developer (tdlib/td#2592).
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import TypeVar

from telegram.error import RetryAfter, TelegramError

T = TypeVar("T")
GROUP_CALLS, PRIVATE_CALLS = 19, 55  # a minute; one less than would be refused


class Closed(TelegramError):
    """What waits for its turn isn't sent any more: by the next connection, if it is kept."""

    def __init__(self) -> None:
        super().__init__("no longer connected to Telegram")


class Urgency(IntEnum):
    """Who goes first when a chat has to wait."""

    PICTURE = 0
    ANSWER = 1
    PLACE = 2


class Pace:
    """The calls to one chat: one at a time, the urgent ones first, so many a minute."""

    def __init__(self, calls: int, minute_seconds: float) -> None:
        self._calls = calls
        self._minute = minute_seconds
        self._made: deque[float] = deque()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._busy = False
        self._closed_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def used(self) -> int:
        """Calls of the last minute, and those that wait already."""
        self._forget()
        return len(self._made) + len(self._waiting) + self._busy

    @property
    def spare(self) -> int:
        return self._calls - self.used

    async def call(self, urgency: Urgency, make: Callable[[], Awaitable[T]]) -> T:
        """Makes a call in its turn. Told to wait by Telegram, this chat waits and no other."""
        while True:
            try:
                async with self.turn(urgency):
                    return await make()
            except RetryAfter as error:
                self._closed_until = _now() + float(_seconds(error))

    def close(self) -> None:
        """Whoever waits, for a minute perhaps, waits no longer."""
        self._closed = True
        for _, _, ready in self._waiting:
            if not ready.done():
                ready.set_exception(Closed())

    @asynccontextmanager
    async def turn(self, urgency: Urgency) -> AsyncIterator[None]:
        """Raises Closed."""
        if self._closed:
            raise Closed
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._numbers), ready))
        self._go_on()
        try:
            await ready
        except asyncio.CancelledError:
            if ready.done() and not ready.cancelled():  # its turn came while it was given up
                self._busy = False
                self._go_on()
            raise
        try:
            yield
        finally:
            self._made.append(_now())  # when it was over: Telegram has counted it before
            self._busy = False
            self._go_on()

    def _go_on(self) -> None:
        """Gives the next one its turn, now or when the chat may be sent something again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
        if self._busy or not self._waiting:
            return
        if (delay := self._delay()) > 0:
            self._timer = asyncio.get_running_loop().call_later(delay, self._go_on)
            return
        self._busy = True
        heapq.heappop(self._waiting)[2].set_result(None)

    def _delay(self) -> float:
        self._forget()
        full = len(self._made) >= self._calls
        free = self._made[-self._calls] + self._minute if full else 0.0
        return max(free, self._closed_until) - _now()

    def _forget(self) -> None:
        while self._made and self._made[0] <= _now() - self._minute:
            self._made.popleft()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return after if isinstance(after, int | float) else after.total_seconds()
