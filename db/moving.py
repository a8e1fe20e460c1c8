"""A guild under a new name: Telegram gives a group that grows into a supergroup another id."""

from __future__ import annotations

from sqlalchemy import Delete, Table, delete, select, tuple_, update

from db.models import Answer, Base, Place, Review, Setting, Style
from db.transactions import Transactions, insistent

PLACES = ("channels", "log_channel")  # settings that name channels, with commas between


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
            for kept in (Setting, Style):  # where both have something, the old one's stays
                await session.execute(_doubled(kept, old, new))
            for table in _of_guilds():
                await session.execute(update(table).where(table.c.guild == old).values(guild=new))
            for asked in (Answer, Review):
                moved = asked.guild == new, asked.channel == old_channel
                await session.execute(update(asked).where(*moved).values(channel=new_channel))
            own = Setting.guild == new, Setting.scope == "channel", Setting.owner == old_channel
            await session.execute(update(Setting).where(*own).values(owner=new_channel))
            meant = select(Setting).where(Setting.guild == new, Setting.name.in_(PLACES))
            for each in await session.scalars(meant):
                named = each.value.split(",")
                each.value = ",".join(new_channel if c == old_channel else c for c in named)


def _doubled(kept: type[Setting | Style], old: str, new: str) -> Delete:
    """Deletes what the new guild has under the same name."""
    named = [column for column in kept.__table__.primary_key if column.name != "guild"]
    olds = select(*named).where(kept.guild == old)
    return delete(kept).where(kept.guild == new, tuple_(*named).in_(olds))


def _of_guilds() -> list[Table]:
    """Every table whose rows belong to a guild."""
    return [table for table in Base.metadata.sorted_tables if "guild" in table.c]
