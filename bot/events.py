"""What happens to jobs, for whoever follows: adapters, the page, the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.conversation import Reply

BACKLOG = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    guild: str
    answer: int
    job: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Event):
    """In line: `place` 1 is next; `seconds` until it is done, None while nothing is known.
    `paused`: nothing is drawn for now."""

    place: int
    seconds: float | None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading(Event):
    """Its model is being loaded."""

    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Running(Event):
    """Network call `call` of `calls` has been answered; `preview` is a small WebP now and then."""

    call: int
    calls: int
    preview: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Event):
    """One job of the answer is done, failed or cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(Event):
    """All jobs of the answer have ended and its chat shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed(Event):
    """A picture of the answer was deleted or published: who shows it, shows it anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """Something that a member must hear of in private, on their own chat; or, in a channel
    (the platform's id), its readers."""

    adapter: str
    reply: Reply
    member: str = ""
    channel: str = ""
    answer: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged(Event):
    """What waits for the guild's moderators has become more or less."""

    answer: int = 0


@dataclass(eq=False)
class Follower:
    """A subscription. One that lags loses progress (Running, Waiting), never an end."""

    guild: str | None
    answer: int | None
    queue: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)

    def wants(self, event: Event) -> bool:
        return self.guild in (None, event.guild) and self.answer in (None, event.answer)

    def offer(self, event: Event) -> None:
        if self.queue.qsize() < BACKLOG or not isinstance(event, Waiting | Running):
            self.queue.put_nowait(event)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            yield await self.queue.get()


class Events:
    """Passes each event to every follower that wants it; never waits for one."""

    def __init__(self) -> None:
        self._followers: set[Follower] = set()

    def publish(self, event: Event) -> None:
        for follower in self._followers:
            if follower.wants(event):
                follower.offer(event)

    def tell(self, adapter: str, member: str, reply: Reply) -> None:
        """One member, in private."""
        self.publish(Notice(guild="", adapter=adapter, member=member, reply=reply))

    @contextmanager
    def follow(self, *, guild: str | None = None, answer: int | None = None) -> Iterator[Follower]:
        """Follows a guild, an answer, or (with neither) everything, from now on."""
        follower = Follower(guild, answer)
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)
