"""Shows finished answers in their chats: each once, however often it has to be tried."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from weakref import WeakValueDictionary

from bot.conversation import Adapter, Reply, Unreachable
from bot.events import Delivered, Ended, Events, Notice
from bot.locales import escape, say
from bot.logs import about
from bot.moderation import LOST
from bot.replies import ENDED, answer_reply
from db.models import Answer
from db.session import Database

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS = 2.0, 300.0


class Delivery:
    """`language`: the owner's."""

    def __init__(
        self, database: Database, events: Events, adapters: Mapping[str, Adapter], language: str
    ) -> None:
        self._database = database
        self._events = events
        self._adapters = adapters
        self._language = language
        self._marking = asyncio.Lock()
        # Of each answer one at a time: several of its jobs may end, or be tried again, meanwhile.
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def run(self) -> None:
        """Delivers what a stop left behind, then every answer as its last job ends."""
        async with asyncio.TaskGroup() as tasks:
            with self._events.follow() as follower:
                await self.catch_up(tasks)
                async for event in follower:
                    if isinstance(event, Ended):
                        self._begin(tasks, event.answer)
                    elif isinstance(event, Notice) and event.adapter in self._adapters:
                        tasks.create_task(self._tell(event), name=f"tell {event.member}")

    async def catch_up(self, tasks: asyncio.TaskGroup) -> None:
        """Begins what waits to be delivered in the chats that are there."""
        for answer in await self._database.answers.outbox():
            if answer.adapter in self._adapters:
                self._begin(tasks, answer.id)

    def _begin(self, tasks: asyncio.TaskGroup, number: int) -> None:
        tasks.create_task(self._deliver(number), name=f"deliver {number}")

    async def _tell(self, notice: Notice) -> None:
        """Once: a notice that doesn't arrive is in the log, and stands where it came from."""
        try:
            if notice.channel:
                await self._post(notice)
            else:
                await self._adapters[notice.adapter].tell(notice.member, notice.reply)
        except Unreachable:
            log.warning("%s can't be told", notice.member)
        except Exception:  # A chat fails in its own ways, and the others go on.
            log.exception("%s was not told", notice.member or f"channel {notice.channel}")

    async def _post(self, notice: Notice) -> None:
        """Into a log channel. Where it is out of reach the owner is told, once until it is back;
        moderators read it at /review."""
        guild, channel = notice.guild, notice.channel
        try:
            await self._adapters[notice.adapter].post(guild, channel, notice.reply)
        except Unreachable:
            log.warning("channel %s can't be told", channel)
            if await self._mark(guild, channel):
                await self._tell_owners(guild)
        else:
            await self._mark(guild, None)

    async def _mark(self, guild: str, lost: str | None) -> bool:
        """Notes the log channel that can't be written to; False when that is known."""
        settings = self._database.settings
        async with self._marking:
            if (await settings.of_guild(guild)).get(LOST) == lost:
                return False
            await settings.set(guild, "guild", "", LOST, lost)
            return True

    async def _tell_owners(self, guild: str) -> None:
        place = await self._database.access.place(guild)
        name = escape((place and place.name) or guild)
        reply = Reply(text=f"**{name}**: {say(self._language, 'log-channel-lost')}", private=True)
        for owner in await self._database.access.owners():
            self._events.tell(owner.adapter, owner.member, reply)

    async def _deliver(self, number: int) -> None:
        delay = FIRST_DELAY_SECONDS
        with about(request=number):
            async with self._turns.setdefault(number, asyncio.Lock()):
                while (answer := await self._due(number)) is not None:
                    if await self._try(answer):
                        log.info("delivered")
                        return
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, LAST_DELAY_SECONDS)

    async def _due(self, number: int) -> Answer | None:
        """The answer as it stands, where it has ended and isn't shown yet."""
        answer = await self._database.answers.get(number)
        if answer is None or answer.delivered is not None or answer.adapter not in self._adapters:
            return None
        return answer if all(job.state in ENDED for job in answer.jobs) else None

    async def _try(self, answer: Answer) -> bool:
        try:
            reply = answer_reply(answer, answer.language)
            await self._adapters[answer.adapter].deliver(answer, reply)
        except Exception:  # A chat fails in its own ways; the picture waits in the outbox.
            log.exception("answer %d was not delivered, trying again", answer.id)
            return False
        await self._database.answers.delivered(answer.id)
        if await self._changed(answer, reply):
            await self._database.answers.reopen(answer.id)
            return False
        self._events.publish(Delivered(guild=answer.guild, answer=answer.id))
        return True

    async def _changed(self, answer: Answer, reply: Reply) -> bool:
        """Whether a moderator has let out more of it while it was being shown, or its author has
        had it tried again."""
        found = await self._database.answers.get(answer.id)
        return found is not None and answer_reply(found, found.language) != reply
