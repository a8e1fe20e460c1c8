"""A chat in memory: it speaks to the real commands, queue, generator process and database."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bot.app import App
from bot.commands import door, line
from bot.config import Config, load
from bot.conversation import Call, Guild, Member, Refusal, Reply, Tone, Unreachable
from bot.refusals import refused
from db.models import Answer

_events = itertools.count(1)

CLASS = Guild("chat:class")
ANA = Member("chat:ana", "Ana")


class Chat:
    """Keeps what was delivered. Each line typed is a new event, unless its origin is given."""

    name = "chat"

    def __init__(self, app: App) -> None:
        self.semilla = app.semilla
        self.delivered: dict[int, list[Reply]] = {}
        self.told: list[tuple[str, Reply]] = []
        self.gone: dict[str, int] = {}  # channels out of reach, and how often they were tried
        self._arrived = asyncio.Condition()

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def deliver(self, answer: Answer, reply: Reply) -> None:
        async with self._arrived:
            self.delivered.setdefault(answer.id, []).append(reply)
            self._arrived.notify_all()

    async def tell(self, member: str, reply: Reply) -> None:
        async with self._arrived:
            self.told.append((member, reply))
            self._arrived.notify_all()

    async def post(self, guild: str, channel: str, reply: Reply) -> None:
        if channel in self.gone:
            self.gone[channel] += 1
            raise Unreachable(channel)
        await self.tell(channel, reply)

    async def hear(self, notices: int) -> list[tuple[str, Reply]]:
        """What members have been told in private, once there are so many."""
        async with self._arrived, asyncio.timeout(10):
            await self._arrived.wait_for(lambda: len(self.told) >= notices)
        return self.told

    async def type(
        self,
        text: str,
        *,
        member: Member = ANA,
        guild: Guild = CLASS,
        language: str = "en",
        origin: str = "",
        image: bytes | None = None,
        age_restricted: bool = False,
    ) -> Reply:
        """The reply at once: to a request, that it was accepted."""
        try:
            command, options = line.parse(text)
        except Refusal as refusal:
            return refused(language, refusal)
        call = Call(
            origin=origin or f"event:{next(_events)}",
            adapter=self.name,
            guild=guild,
            member=member,
            language=language,
            command=command,
            options=options,
            image=image,
            age_restricted=age_restricted,
        )
        return await door.run(self.semilla, call)

    async def ask(self, text: str, **where: object) -> Reply:
        """The finished answer to a request, or the reply where it isn't one."""
        reply = await self.type(text, **where)
        if reply.tone is not Tone.ACCEPTED or reply.answer is None:
            return reply
        return await self.wait_for(reply.answer)

    async def wait_for(self, answer: int, times: int = 1) -> Reply:
        async with self._arrived, asyncio.timeout(120):
            await self._arrived.wait_for(lambda: len(self.delivered.get(answer, ())) >= times)
        return self.delivered[answer][-1]


def settings(data: Path, **more: str) -> Config:
    environment = {
        "SEMILLA_DATA": str(data),
        "SEMILLA_GENERATOR__THREADS": "1",
        "SEMILLA_ACCESS__OPEN": "yes",
        "LANG": "en_US",
    }
    return load(environ={**environment, **more})


@asynccontextmanager
async def open_chat(data: Path, kind: type[Chat] = Chat, **more: str) -> AsyncIterator[Chat]:
    """Semilla on a data folder, with this chat as its only one."""
    async with App.open(settings(data, **more)) as app:
        chat = kind(app)
        serving = asyncio.create_task(app.serve([chat]))
        try:
            yield chat
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
