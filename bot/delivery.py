"""Shows finished answers in their chats: each once, however often it has to be tried."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from bot.conversation import Adapter, Reply, Unreachable
from bot.events import Delivered, Ended, Events, Notice
from bot.logs import about
from bot.replies import ENDED, answer_reply
from db.models import Answer
from db.session import Database

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS = 2.0, 300.0


class Delivery:
    def __init__(self, database: Database, events: Events, adapters: Mapping[str, Adapter]) -> None:
        self._database = database
        self._events = events
        self._adapters = adapters
        self._under_way: set[int] = set()

    async def run(self) -> None:
        """Delivers what a stop left behind, then every answer as its last job ends."""
        async with asyncio.TaskGroup() as tasks:
            with self._events.follow() as follower:
                await self.catch_up(tasks)
                async for event in follower:
                    if isinstance(event, Ended):
                        await self._check(tasks, event.answer)
                    elif isinstance(event, Notice) and event.adapter in self._adapters:
                        tasks.create_task(self._tell(event), name=f"tell {event.member}")

    async def catch_up(self, tasks: asyncio.TaskGroup) -> None:
        """Begins what waits to be delivered in the chats that are there."""
        for answer in await self._database.answers.outbox():
            self._begin(tasks, answer)

    async def _check(self, tasks: asyncio.TaskGroup, number: int) -> None:
        answer = await self._database.answers.get(number)
        if answer is not None and _has_ended(answer):
            self._begin(tasks, answer)

    def _begin(self, tasks: asyncio.TaskGroup, answer: Answer) -> None:
        if answer.id not in self._under_way and answer.adapter in self._adapters:
            self._under_way.add(answer.id)
            tasks.create_task(self._deliver(answer), name=f"deliver {answer.id}")

    async def _tell(self, notice: Notice) -> None:
        """Once: a notice that doesn't arrive is in the log, and stands where it came from."""
        adapter = self._adapters[notice.adapter]
        receiver = notice.member or f"channel {notice.channel}"
        try:
            if notice.channel:
                await adapter.post(notice.guild, notice.channel, notice.reply)
            else:
                await adapter.tell(notice.member, notice.reply)
        except Unreachable:
            log.warning("%s can't be told", receiver)
        except Exception:  # A chat fails in its own ways, and the others go on.
            log.exception("%s was not told", receiver)

    async def _deliver(self, answer: Answer) -> None:
        delay = FIRST_DELAY_SECONDS
        with about(request=answer.id):
            while not await self._try(answer):
                await asyncio.sleep(delay)
                delay = min(delay * 2, LAST_DELAY_SECONDS)
                found = await self._database.answers.get(answer.id)
                if found is None:  # its member has had it erased
                    break
                answer = found
            else:
                log.info("delivered")
        self._under_way.discard(answer.id)

    async def _try(self, answer: Answer) -> bool:
        try:
            reply = answer_reply(answer, answer.language)
            await self._adapters[answer.adapter].deliver(answer, reply)
        except Exception:  # A chat fails in its own ways; the picture waits in the outbox.
            log.exception("answer %d was not delivered, trying again", answer.id)
            return False
        await self._database.answers.delivered(answer.id)
        if await self._says_more(answer, reply):
            await self._database.answers.reopen(answer.id)
            return False
        self._events.publish(Delivered(guild=answer.guild, answer=answer.id))
        return True

    async def _says_more(self, answer: Answer, reply: Reply) -> bool:
        """Whether a moderator has let out more of it while it was being shown."""
        found = await self._database.answers.get(answer.id)
        if found is None or not _has_ended(found):
            return False
        return answer_reply(found, found.language) != reply


def _has_ended(answer: Answer) -> bool:
    return all(job.state in ENDED for job in answer.jobs)
