"""Jobs: pictures to be made, from the line to their end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only, raiseload

from db.codes import SHORTEST, random_code, read_code
from db.models import Answer, Draft, Job, JobState, Picture, Review, Spent, now
from db.transactions import Transactions, insistent
from generator.request import GenerationRequest

OPEN = (JobState.QUEUED, JobState.RUNNING)
LEAN = (
    load_only(
        Job.answer_id, Job.guild, Job.member, Job.state, Job.recipe, Job.trace, raiseload=True
    ),
    raiseload("*"),
)
LIMITED = timedelta(days=1)  # as far as limits look back
TRIES = (4, 256)  # few while most codes are free; at 98 % taken, 256 miss once in 180


class Jobs:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def get(self, job: int) -> Job:
        """Raises LookupError."""
        async with self._transactions.read() as session:
            found = await session.get(Job, job)
        if found is None:
            raise LookupError(f"job {job}")
        return found

    async def waiting(self) -> list[Job]:
        """All that are in line, oldest first. Loaded is only what the line needs (see LEAN)."""
        query = select(Job).where(Job.state == JobState.QUEUED).order_by(Job.id)
        async with self._transactions.read() as session:
            return list(await session.scalars(query.options(*LEAN)))

    async def waiting_of(self, member: str) -> int:
        """How many of a member's jobs are in line or being drawn, in all guilds together."""
        return await self._count(Job.member == member)

    async def waiting_in(self, guild: str) -> int:
        return await self._count(Job.guild == guild)

    async def _count(self, whose: ColumnElement[bool]) -> int:
        query = select(func.count()).where(whose, Job.state.in_(OPEN))
        async with self._transactions.read() as session:
            return int(await session.scalar(query) or 0)

    async def ordered_since(self, member: str, since: datetime) -> list[tuple[datetime, int]]:
        """When a member ordered what at which cost, in all guilds together, oldest first; not what
        came to nothing."""
        kept = select(Job.created, Job.recipe).where(
            Job.member == member,
            Job.created > since,
            Job.state.not_in((JobState.CANCELLED, JobState.FAILED)),
        )
        erased = select(Spent.created, Spent.cost).where(
            Spent.member == member, Spent.created > since
        )
        async with self._transactions.read() as session:
            costs = [(row.created, cost_of(row.recipe)) for row in await session.execute(kept)]
            costs += [(row.created, row.cost) for row in await session.execute(erased)]
        return sorted(costs)

    async def forget_spent(self) -> None:
        async with self._transactions.write() as session:
            await session.execute(delete(Spent).where(Spent.created < now() - LIMITED))

    @insistent
    async def requeue_running(self) -> int:
        """At start: what a stop interrupted goes back in line."""
        async with self._transactions.write() as session:
            result = await session.execute(
                update(Job).where(Job.state == JobState.RUNNING).values(state=JobState.QUEUED)
            )
        return int(result.rowcount)  # type: ignore[attr-defined]  # of a CursorResult

    @insistent
    async def start(self, jobs: Sequence[int]) -> None:
        async with self._transactions.write() as session:
            started = update(Job).where(Job.id.in_(jobs), Job.state == JobState.QUEUED)
            await session.execute(started.values(state=JobState.RUNNING, started=now()))

    @insistent
    async def done(self, job: int, picture: Picture) -> Picture:
        """Inserts the picture under a free code and ends its job, in one transaction.

        A job that is done already gives its picture. Raises LookupError for one that ended without.
        """
        async with self._transactions.write() as session:
            if await self._end(session, job, state=JobState.DONE):
                picture.job_id = job
                picture.code = await free_code(session, Picture, picture.guild)
                session.add(picture)
        return await self._picture(job)

    async def _picture(self, job: int) -> Picture:
        async with self._transactions.read() as session:
            found = await session.scalar(select(Picture).where(Picture.job_id == job))
        if found is None:
            raise LookupError(f"job {job} has ended without a picture")
        return found

    @insistent
    async def fail(self, job: int, failure: str, code: str) -> None:
        async with self._transactions.write() as session:
            await self._end(session, job, state=JobState.FAILED, failure=failure, failure_code=code)

    @insistent
    async def cancel(self, job: int) -> bool:
        """False when it had already ended."""
        async with self._transactions.write() as session:
            return await self._end(session, job, state=JobState.CANCELLED)

    @insistent
    async def retry(self, job: int, recipe: dict[str, Any], notes: list[dict[str, Any]]) -> bool:
        """A failed job goes back in line, with its recipe as it can be drawn now, and its answer
        will be delivered again. False when it hadn't failed, or is tried again already."""
        again = update(Job).where(Job.id == job, Job.state == JobState.FAILED)
        again = again.values(
            state=JobState.QUEUED,
            recipe=recipe,
            notes=notes,
            failure=None,
            failure_code=None,
            ended=None,
        )
        owed = select(Job.answer_id).where(Job.id == job).scalar_subquery()
        async with self._transactions.write() as session:
            if not (await session.execute(again)).rowcount:  # type: ignore[attr-defined]
                return False
            await session.execute(update(Answer).where(Answer.id == owed).values(delivered=None))
        return True

    async def _end(self, session: AsyncSession, job: int, **values: object) -> bool:
        ended = update(Job).where(Job.id == job, Job.state.in_(OPEN)).values(ended=now(), **values)
        return bool((await session.execute(ended)).rowcount)  # type: ignore[attr-defined]


def cost_of(recipe: dict[str, Any]) -> int:
    """Pixels × network calls."""
    return GenerationRequest.from_json(recipe).cost


async def free_code(
    session: AsyncSession, table: type[Picture] | type[Draft] | type[Review], guild: str
) -> str:
    """A random code that the guild doesn't use yet, a longer one when the short ones are used."""
    length = SHORTEST
    while True:
        for tries in TRIES:
            codes = {random_code(length) for _ in range(tries)}
            used = select(table.code).where(table.guild == guild, table.code.in_(codes))
            if free := codes.difference(await session.scalars(used)):
                return free.pop()
        length += 1


def owned_code(table: type[Draft] | type[Review], member: str, code: str, near: str) -> Select[str]:
    """The guilds in which a member's own row has this code: the one that is `near`, then the newest."""
    own = select(table.guild).where(table.member == member, table.code == read_code(code))
    return own.order_by((table.guild == near).desc(), table.id.desc()).limit(1)
