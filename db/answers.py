"""Answers: what calls owe, from acceptance to delivery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.orm import selectinload

from db.models import Answer, Job, JobState, Picture, now
from db.transactions import Transactions

OPEN = (JobState.QUEUED, JobState.RUNNING)
# All that a reply is made of: pictures with their parents, and what a reroll is compared with.
WHOLE = (
    selectinload(Answer.jobs).selectinload(Job.picture).selectinload(Picture.parent),
    selectinload(Answer.jobs).selectinload(Job.parent),
)


class Answers:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def accept(self, answer: Answer, jobs: Sequence[Job]) -> Answer:
        """Commits an answer with its jobs. A known origin gives the answer that already stands."""
        async with self._transactions.write() as session:
            known = await session.scalar(select(Answer).where(Answer.origin == answer.origin))
            if known is None:
                answer.jobs = list(jobs)
                session.add(answer)
                await session.flush()
            found = known.id if known is not None else answer.id
        accepted = await self.get(found)
        if accepted is None:
            raise LookupError(f"answer {found}")
        return accepted

    async def get(self, answer: int) -> Answer | None:
        async with self._transactions.read() as session:
            return await session.get(Answer, answer, options=WHOLE)

    async def outbox(self) -> list[Answer]:
        """Undelivered answers whose jobs have all ended."""
        unfinished = exists().where(Job.answer_id == Answer.id, Job.state.in_(OPEN))
        query = select(Answer).where(Answer.delivered.is_(None), ~unfinished).order_by(Answer.id)
        query = query.options(*WHOLE)
        async with self._transactions.read() as session:
            return list(await session.scalars(query))

    async def recent(
        self,
        guild: str,
        member: str,
        moderator: bool = False,
        before: int | None = None,
        limit: int = 20,
    ) -> list[Answer]:
        """The guild's answers, newest first; private ones for their author (or a moderator)."""
        query = select(Answer).where(Answer.guild == guild).order_by(Answer.id.desc()).limit(limit)
        query = query.options(*WHOLE)
        if not moderator:
            query = query.where(or_(Answer.private.is_(False), Answer.member == member))
        if before is not None:
            query = query.where(Answer.id < before)
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
        """Its jobs are tried again, so it will be delivered again."""
        await self._set(answer, {"delivered": None})

    async def erase_tokens(self, before: datetime) -> None:
        """Interaction tokens are good for minutes; afterwards they are only a secret to lose."""
        async with self._transactions.write() as session:
            stale = and_(Answer.token.is_not(None), Answer.created < before)
            await session.execute(update(Answer).where(stale).values(token=None))

    async def _set(self, answer: int, values: dict[str, object]) -> None:
        async with self._transactions.write() as session:
            await session.execute(update(Answer).where(Answer.id == answer).values(**values))
