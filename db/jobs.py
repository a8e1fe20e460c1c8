"""Jobs: pictures to be made, from the line to their end."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import noload

from db.codes import LENGTH, TRIES, random_code
from db.models import Job, JobState, Picture, now
from db.transactions import Transactions

OPEN = (JobState.QUEUED, JobState.RUNNING)
LEAN = (noload(Job.answer), noload(Job.picture), noload(Job.parent))


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
        """All that are in line, oldest first; only their own columns are loaded."""
        query = select(Job).where(Job.state == JobState.QUEUED).order_by(Job.id)
        async with self._transactions.read() as session:
            return list(await session.scalars(query.options(*LEAN)))

    async def waiting_of(self, guild: str, member: str) -> int:
        """How many of a member's jobs are in line or being drawn."""
        query = select(func.count()).where(
            Job.guild == guild, Job.member == member, Job.state.in_(OPEN)
        )
        async with self._transactions.read() as session:
            return int(await session.scalar(query) or 0)

    async def requeue_running(self) -> int:
        """At start: what a stop interrupted goes back in line."""
        async with self._transactions.write() as session:
            result = await session.execute(
                update(Job).where(Job.state == JobState.RUNNING).values(state=JobState.QUEUED)
            )
        return int(result.rowcount)  # type: ignore[attr-defined]  # of a CursorResult

    async def start(self, jobs: Sequence[int]) -> None:
        async with self._transactions.write() as session:
            started = update(Job).where(Job.id.in_(jobs), Job.state == JobState.QUEUED)
            await session.execute(started.values(state=JobState.RUNNING, started=now()))

    async def done(self, job: int, picture: Picture) -> Picture:
        """Inserts the picture under a free code and ends its job, in one transaction."""
        async with self._transactions.write() as session:
            picture.job_id = job
            picture.code = await free_code(session, Picture.guild, Picture.code, picture.guild)
            session.add(picture)
            await self._end(session, job, state=JobState.DONE)
        return picture

    async def fail(self, job: int, failure: str, code: str) -> None:
        async with self._transactions.write() as session:
            await self._end(session, job, state=JobState.FAILED, failure=failure, failure_code=code)

    async def cancel(self, job: int) -> bool:
        """False when it had already ended."""
        async with self._transactions.write() as session:
            return await self._end(session, job, state=JobState.CANCELLED)

    async def retry(self, job: int) -> None:
        """A failed job goes back in line."""
        async with self._transactions.write() as session:
            again = update(Job).where(Job.id == job, Job.state == JobState.FAILED)
            await session.execute(
                again.values(state=JobState.QUEUED, failure=None, failure_code=None, ended=None)
            )

    async def _end(self, session: AsyncSession, job: int, **values: object) -> bool:
        ended = update(Job).where(Job.id == job, Job.state.in_(OPEN)).values(ended=now(), **values)
        return bool((await session.execute(ended)).rowcount)  # type: ignore[attr-defined]


async def free_code(session: AsyncSession, guild_column: object, column: object, guild: str) -> str:
    """A code that the guild doesn't use yet; longer ones when the short ones run low."""
    length = LENGTH
    while True:
        for _ in range(TRIES):
            code = random_code(length)
            taken = select(column).where(guild_column == guild, column == code)  # type: ignore[call-overload, arg-type]
            if await session.scalar(taken) is None:
                return code
        length += 1
