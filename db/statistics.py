"""Counts over all guilds, for the owner: numbers only, nobody's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import distinct, func, select

from db.models import Answer, Job, JobState, Picture
from db.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Counts:
    """Since `since` (None: ever).

    Args:
        jobs: by state.
        undelivered: answers that have ended, or will, and are not shown yet.
    """

    jobs: dict[JobState, int]
    pictures: int
    guilds: int
    members: int
    undelivered: int


class Statistics:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def counts(self, since: datetime | None = None) -> Counts:
        recent = [Job.created >= since] if since else []
        drawn = [Picture.created >= since] if since else []
        jobs = select(Job.state, func.count()).where(*recent).group_by(Job.state)
        pictures = select(func.count(Picture.id)).where(*drawn)
        people = select(func.count(distinct(Job.guild)), func.count(distinct(Job.member))).where(
            *recent
        )
        owed = select(func.count()).where(Answer.delivered.is_(None))
        async with self._transactions.read() as session:
            states = {row[0]: row[1] for row in await session.execute(jobs)}
            number = await session.scalar(pictures)
            guilds, members = (await session.execute(people)).one()
            undelivered = await session.scalar(owed)
        return Counts(states, number or 0, guilds, members, undelivered or 0)
