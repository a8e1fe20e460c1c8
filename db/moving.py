"""A guild under a new name: Telegram gives a group that grows into a supergroup another id."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.jobs import free_code
from db.models import Answer, Base, Draft, Picture, Place, Review, Setting, Style
from db.transactions import Transactions, insistent

PLACES = ("channels", "log_channel")  # settings that name channels, with commas between
# What has a name of its own in its guild: where both have one of that name, the old one's stays.
NAMED: tuple[tuple[Any, ...], ...] = (
    (Setting, Setting.scope, Setting.owner, Setting.name),
    (Style, Style.member, Style.name),
    (Draft, Draft.code),
    (Review, Review.code),
)


class Moving:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @insistent
    async def move(self, old: str, new: str, old_channel: str, new_channel: str) -> None:
        """History, requests, settings and permission go along. A second time changes nothing."""
        async with self._transactions.write() as session:
            if await session.get(Place, old) is not None:
                # The platform told of the new guild before it told that it is the old one.
                await session.execute(delete(Place).where(Place.guild == new))
            # Where the old group's messages were, there are others in the new one.
            waiting = Answer.guild == old, Answer.delivered.is_(None)
            await session.execute(update(Answer).where(*waiting).values(message=""))
            own = Setting.guild == old, Setting.scope == "channel", Setting.owner == old_channel
            await session.execute(update(Setting).where(*own).values(owner=new_channel))
            for table, *names in NAMED:
                of_old = select(*names).where(table.guild == old)
                doubled = table.guild == new, tuple_(*names).in_(of_old)
                await session.execute(delete(table).where(*doubled))
            await _recode(session, old, new)
            for table in _of_guilds():
                await session.execute(update(table).where(table.c.guild == old).values(guild=new))
            for asked in (Answer, Review):
                moved = asked.guild == new, asked.channel == old_channel
                await session.execute(update(asked).where(*moved).values(channel=new_channel))
            meant = select(Setting).where(Setting.guild == new, Setting.name.in_(PLACES))
            for each in await session.scalars(meant):
                named = each.value.split(",")
                each.value = ",".join(new_channel if c == old_channel else c for c in named)


async def _recode(session: AsyncSession, old: str, new: str) -> None:
    """Other codes for the few pictures of the new guild whose codes the old one has given, too."""
    given = select(Picture.code).where(Picture.guild == old)
    doubled = select(Picture).where(Picture.guild == new, Picture.code.in_(given))
    while found := (await session.scalars(doubled)).all():
        for each in found:
            each.code = await free_code(session, Picture, new)


def _of_guilds() -> list[Table]:
    """Every table whose rows belong to a guild."""
    return [table for table in Base.metadata.sorted_tables if "guild" in table.c]
