"""Drafts: recipes in the making, and requests that nobody has heard yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from db.codes import read_code
from db.jobs import free_code, owned_code
from db.models import ATTACHED, Draft
from db.transactions import Transactions

MISSED = "missed:"  # no code looks like that
KEPT = 20  # of a member in a guild, besides what was missed


class Drafts:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def save(self, guild: str, member: str, options: Mapping[str, str]) -> str:
        """The new draft's code. Of each member the newest stay."""
        own = Draft.guild == guild, Draft.member == member, ~Draft.code.startswith(MISSED)
        newest = select(Draft.id).where(*own).order_by(Draft.id.desc())
        async with self._transactions.write() as session:
            code = await free_code(session, Draft, guild)
            session.add(Draft(guild=guild, member=member, code=code, options=dict(options)))
            await session.flush()
            await session.execute(delete(Draft).where(Draft.id.in_(newest.offset(KEPT))))
        return code

    async def get(self, guild: str, code: str) -> Draft | None:
        query = select(Draft).where(Draft.guild == guild, Draft.code == read_code(code))
        async with self._transactions.read() as session:
            return await session.scalar(query)

    async def guild_of(self, member: str, code: str, near: str) -> str | None:
        """Where a member's own draft of this code is: in the guild that is near, or else."""
        async with self._transactions.read() as session:
            return await session.scalar(owned_code(Draft, member, code, near))

    async def miss(self, guild: str, member: str, number: int, options: dict[str, Any]) -> None:
        """Keeps a request that came while nobody listened; a second time changes nothing.
        `number`: its message's, which grows with each."""
        code = f"{MISSED}{number}"
        async with self._transactions.write() as session:
            known = select(Draft.id).where(Draft.guild == guild, Draft.code == code)
            if await session.scalar(known) is None:
                session.add(Draft(guild=guild, member=member, code=code, options=options))

    async def missed(self, guild: str) -> list[Draft]:
        """In the order in which they were said: they are taken side by side, and kept in any."""
        query = select(Draft).where(Draft.guild == guild, Draft.code.startswith(MISSED))
        async with self._transactions.read() as session:
            found = await session.scalars(query)
            return sorted(found, key=lambda each: int(each.code.removeprefix(MISSED)))

    async def unasked(self, prefix: str) -> list[str]:
        """Guilds that were never asked what is to become of theirs, the longest waiting first."""
        query = select(Draft).where(Draft.guild.startswith(prefix), Draft.code.startswith(MISSED))
        async with self._transactions.read() as session:
            missed = await session.scalars(query.order_by(Draft.id))
            return list(dict.fromkeys(m.guild for m in missed if not m.options.get("asked")))

    async def note_asked(self, missed: Iterable[Draft]) -> None:
        async with self._transactions.write() as session:
            for each in missed:
                asked = update(Draft).where(Draft.id == each.id)
                await session.execute(asked.values(options=each.options | {"asked": True}))

    async def forget_missed(self, before: datetime) -> None:
        """What nobody has decided about in a long time."""
        old = Draft.code.startswith(MISSED), Draft.created < before
        async with self._transactions.write() as session:
            await session.execute(delete(Draft).where(*old))

    async def forget_attached(self, before: datetime) -> None:
        """Requests whose pictures nobody is to keep for long; a sweep removes the files."""
        old = Draft.options[ATTACHED].as_string().is_not(None), Draft.created < before
        async with self._transactions.write() as session:
            await session.execute(delete(Draft).where(*old))

    async def forget_old(self, before: datetime) -> None:
        """Whatever it is: a large order that nobody has confirmed, what could be tried again."""
        async with self._transactions.write() as session:
            await session.execute(delete(Draft).where(Draft.created < before))

    async def remove(self, drafts: Iterable[Draft]) -> None:
        async with self._transactions.write() as session:
            await session.execute(delete(Draft).where(Draft.id.in_(each.id for each in drafts)))
