"""Defaults of guilds, channels and members; members' styles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, delete, or_, select

from db.models import EVERYWHERE, Setting, Style
from db.transactions import Transactions

PAUSED = "paused"  # the drawing
STRENGTH = {"guild": 0, "channel": 1, "member": 2}


class Settings:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def get(self, guild: str, channel: str, member: str) -> dict[str, str]:
        """What applies to a member in a channel: the member's own, else the channel's, the guild's."""
        owners = or_(
            Setting.scope == "guild",
            and_(Setting.scope == "channel", Setting.owner == channel),
            and_(Setting.scope == "member", Setting.owner == member),
        )
        async with self._transactions.read() as session:
            rows = list(
                await session.scalars(select(Setting).where(Setting.guild == guild, owners))
            )
        return {row.name: row.value for row in sorted(rows, key=lambda row: STRENGTH[row.scope])}

    async def of_guild(self, guild: str) -> dict[str, str]:
        """What a guild's moderators have set for all of it."""
        return await self.get(guild, "", "")

    async def of_roles(self, guild: str, roles: Sequence[str]) -> list[dict[str, str]]:
        """What they have set for each of these roles."""
        if not roles:
            return []
        query = select(Setting).where(
            Setting.guild == guild, Setting.scope == "role", Setting.owner.in_(roles)
        )
        found: dict[str, dict[str, str]] = defaultdict(dict)
        async with self._transactions.read() as session:
            for row in await session.scalars(query):
                found[row.owner][row.name] = row.value
        return list(found.values())

    async def set(self, guild: str, scope: str, owner: str, name: str, value: str | None) -> None:
        """With None the setting goes. `scope`: guild, channel, role or member."""
        async with self._transactions.write() as session:
            key = (guild, scope, owner, name)
            row = await session.get(Setting, key)
            if value is None:
                if row is not None:
                    await session.delete(row)
            elif row is None:
                session.add(Setting(guild=guild, scope=scope, owner=owner, name=name, value=value))
            else:
                row.value = value

    async def drawing_is_paused(self) -> bool:
        """By the owner, in all guilds."""
        return PAUSED in await self.of_guild(EVERYWHERE)

    async def pause_drawing(self, paused: bool) -> None:
        await self.set(EVERYWHERE, "guild", "", PAUSED, "yes" if paused else None)

    async def styles(self, guild: str, member: str) -> dict[str, dict[str, Any]]:
        query = select(Style).where(Style.guild == guild, Style.member == member)
        async with self._transactions.read() as session:
            rows = await session.scalars(query.order_by(Style.name))
            return {row.name: row.options for row in rows}

    async def get_style(self, guild: str, member: str, name: str) -> dict[str, Any] | None:
        async with self._transactions.read() as session:
            row = await session.get(Style, (guild, member, name.casefold()))
            return None if row is None else row.options

    async def save_style(
        self, guild: str, member: str, name: str, options: Mapping[str, str]
    ) -> None:
        async with self._transactions.write() as session:
            key = (guild, member, name.casefold())
            row = await session.get(Style, key)
            if row is None:
                row = Style(guild=guild, member=member, name=name.casefold(), options={})
                session.add(row)
            row.options = dict(options)

    async def delete_style(self, guild: str, member: str, name: str) -> bool:
        query = delete(Style).where(
            Style.guild == guild, Style.member == member, Style.name == name.casefold()
        )
        async with self._transactions.write() as session:
            return bool((await session.execute(query)).rowcount)  # type: ignore[attr-defined]
