"""Answers: what calls owe, from acceptance to delivery."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import selectinload

from db.models import Answer, Job, JobState, Picture, now
from db.transactions import Transactions, insistent

OPEN = (JobState.QUEUED, JobState.RUNNING)
GROUP = 64  # at most in one transaction
# All that a reply is made of: pictures with their parents, and what a reroll is compared with.
WHOLE = (
    selectinload(Answer.jobs).selectinload(Job.picture).selectinload(Picture.parent),
    selectinload(Answer.jobs).selectinload(Job.parent),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Arrived:
    """What is to be accepted, and where whoever brought it waits for it."""

    answer: Answer
    jobs: Sequence[Job]
    accepted: asyncio.Future[Answer]


def _tell(group: Sequence[_Arrived], error: Exception) -> None:
    for each in group:
        if not each.accepted.done():
            each.accepted.set_exception(error)


class Answers:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._arrived: list[_Arrived] = []
        self._accepting = asyncio.Lock()

    async def accept(self, answer: Answer, jobs: Sequence[Job]) -> Answer:
        """Commits an answer with its jobs. A known origin gives the answer that already stands.

        Those that arrive while others are being committed share the next transaction: a commit
        costs about the same for one as for fifty.
        """
        arrived = _Arrived(answer, jobs, asyncio.get_running_loop().create_future())
        self._arrived.append(arrived)
        try:
            async with self._accepting:
                while not arrived.accepted.done():
                    await self._accept_arrived()
            return arrived.accepted.result()
        finally:
            if arrived in self._arrived:  # whoever brought it has gone
                self._arrived.remove(arrived)

    async def _accept_arrived(self) -> None:
        group, self._arrived = self._arrived[:GROUP], self._arrived[GROUP:]
        try:
            await self._accept_together(group)
        except IntegrityError:  # of one of them, and it must not cost the others theirs
            for each in group:
                await self._accept_alone(each)
        except OperationalError as error:  # locked or full: nobody waits for it a second time
            _tell(group, error)
        finally:  # whatever else happened, the others try in their turns
            self._arrived += [each for each in group if not each.accepted.done()]

    async def _accept_alone(self, arrived: _Arrived) -> None:
        try:
            await self._accept_together([arrived])
        except IntegrityError as error:
            _tell([arrived], error)

    async def _accept_together(self, group: Sequence[_Arrived]) -> None:
        origins = {each.answer.origin: each for each in reversed(group)}
        async with self._transactions.write() as session:
            known = select(Answer.origin, Answer.id).where(Answer.origin.in_(origins))
            ids = {row.origin: row.id for row in await session.execute(known)}
            new = [each for origin, each in origins.items() if origin not in ids]
            for each in new:
                each.answer.jobs = list(each.jobs)
                session.add(each.answer)
            await session.flush()
            ids |= {each.answer.origin: each.answer.id for each in new}
        found = {each.origin: each for each in await self._several(ids.values())}
        for each in group:
            if not each.accepted.done():
                each.accepted.set_result(found[each.answer.origin])

    async def _several(self, answers: Iterable[int]) -> list[Answer]:
        query = select(Answer).where(Answer.id.in_(answers)).options(*WHOLE)
        async with self._transactions.read() as session:
            return list(await session.scalars(query))

    async def get(self, answer: int) -> Answer | None:
        async with self._transactions.read() as session:
            return await session.get(Answer, answer, options=WHOLE)

    async def accepted(self, origin: str) -> bool:
        """Whether the call that came from there has its answer already."""
        query = select(exists().where(Answer.origin == origin))
        async with self._transactions.read() as session:
            return bool(await session.scalar(query))

    async def of_picture(self, picture: int) -> Answer | None:
        """The one that a picture was made for."""
        query = select(Answer).join(Answer.jobs).join(Job.picture).where(Picture.id == picture)
        async with self._transactions.read() as session:
            return await session.scalar(query.limit(1))

    async def outbox(self) -> list[Answer]:
        """Undelivered answers whose jobs have all ended."""
        unfinished = exists().where(Job.answer_id == Answer.id, Job.state.in_(OPEN))
        query = select(Answer).where(Answer.delivered.is_(None), ~unfinished).order_by(Answer.id)
        query = query.options(*WHOLE)
        async with self._transactions.read() as session:
            return list(await session.scalars(query))

    async def unsent(self, adapter: str) -> int:
        """How many finished pictures are still to be shown there."""
        query = select(func.count(Job.id)).join(Answer, Job.answer_id == Answer.id)
        query = query.where(Answer.adapter == adapter, Answer.delivered.is_(None))
        async with self._transactions.read() as session:
            return await session.scalar(query.where(Job.state == JobState.DONE)) or 0

    async def recent(
        self,
        guild: str,
        member: str,
        moderator: bool = False,
        author: str = "",
        limit: int = 20,
    ) -> list[Answer]:
        """The guild's answers, or one author's, newest first; private ones for their author (or a
        moderator)."""
        query = select(Answer).where(Answer.guild == guild).order_by(Answer.id.desc()).limit(limit)
        query = query.options(*WHOLE)
        if not moderator:
            query = query.where(or_(Answer.private.is_(False), Answer.member == member))
        if author:
            query = query.where(Answer.member == author)
        async with self._transactions.read() as session:
            return list(await session.scalars(query))

    async def delivered(self, answer: int, message: str = "") -> None:
        values: dict[str, object] = {"delivered": now()}
        if message:
            values["message"] = message
        await self._set(answer, values)

    async def set_message(self, answer: int, message: str) -> None:
        """The placeholder is another message than the one that was acknowledged."""
        await self._set(answer, {"message": message})

    async def reopen(self, answer: int) -> None:
        """It has changed since it was shown, and will be delivered again."""
        await self._set(answer, {"delivered": None})

    @insistent
    async def erase_tokens(self, before: datetime) -> None:
        """Interaction tokens are good for minutes; afterwards they are only a secret to lose."""
        async with self._transactions.write() as session:
            stale = and_(Answer.token.is_not(None), Answer.created < before)
            await session.execute(update(Answer).where(stale).values(token=None))

    @insistent
    async def _set(self, answer: int, values: dict[str, object]) -> None:
        async with self._transactions.write() as session:
            await session.execute(update(Answer).where(Answer.id == answer).values(**values))
