"""Drafts: recipes in the making, and requests that nobody has heard yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import delete, select

from db.codes import read_code
from db.jobs import free_code
from db.models import Draft
from db.transactions import Transactions

MISSED = "missed:"  # no code looks like that


class Drafts:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def save(self, guild: str, member: str, options: Mapping[str, str]) -> str:
        """The new draft's code."""
        async with self._transactions.write() as session:
            code = await free_code(session, Draft, guild)
            session.add(Draft(guild=guild, member=member, code=code, options=dict(options)))
        return code

    async def get(self, guild: str, code: str) -> Draft | None:
        query = select(Draft).where(Draft.guild == guild, Draft.code == read_code(code))
        async with self._transactions.read() as session:
            return await session.scalar(query)

    async def miss(self, guild: str, member: str, origin: str, text: str) -> None:
        """Keeps a request that came while nobody listened; a second time changes nothing."""
        code = MISSED + origin
        async with self._transactions.write() as session:
            known = select(Draft.id).where(Draft.guild == guild, Draft.code == code)
            if await session.scalar(known) is None:
                options = {"request": text}
                session.add(Draft(guild=guild, member=member, code=code, options=options))

    async def missed(self, guild: str) -> list[Draft]:
        """In the order in which they came."""
        query = select(Draft).where(Draft.guild == guild, Draft.code.startswith(MISSED))
        async with self._transactions.read() as session:
            return list(await session.scalars(query.order_by(Draft.id)))

    async def remove(self, drafts: Iterable[Draft]) -> None:
        async with self._transactions.write() as session:
            await session.execute(delete(Draft).where(Draft.id.in_(each.id for each in drafts)))
