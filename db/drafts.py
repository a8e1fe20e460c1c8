"""Drafts: recipes in the making."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from db.codes import read_code
from db.jobs import free_code
from db.models import Draft
from db.transactions import Transactions


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
