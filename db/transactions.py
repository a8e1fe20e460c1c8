"""The two kinds of transactions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.ext.asyncio.session import _AsyncSessionContextManager


@dataclass(frozen=True, slots=True)
class Transactions:
    """`async with transactions.write() as session:` commits at its end, or rolls back."""

    _readers: async_sessionmaker[AsyncSession]
    _writers: async_sessionmaker[AsyncSession]

    def read(self) -> AsyncSession:
        return self._readers()

    def write(self) -> _AsyncSessionContextManager[AsyncSession]:
        return self._writers.begin()
