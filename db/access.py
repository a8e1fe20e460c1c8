"""Where Semilla is switched on, and who owns it."""

from __future__ import annotations

from sqlalchemy import exists, func, select

from db.models import Answer, Owner, Place, PlaceState
from db.transactions import Transactions


class Access:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def state(self, guild: str) -> PlaceState | None:
        """None for a guild that nobody has spoken from."""
        async with self._transactions.read() as session:
            place = await session.get(Place, guild)
            return place.state if place else None

    async def ask(self, guild: str, name: str, private: bool) -> bool:
        """Notes a place where Semilla isn't switched on yet; False for one that is known, which
        takes a read only: whoever floods it holds up nobody who writes."""
        if await self.place(guild) is not None:
            return False
        async with self._transactions.write() as session:
            if await session.get(Place, guild) is not None:  # asked twice in the same moment
                return False
            session.add(Place(guild=guild, name=name, private=private, state=PlaceState.ASKED))
            return True

    async def waiting(self, limit: int) -> tuple[int, list[Place]]:
        """How many places wait for an owner's word, and the latest of them. An owner's own private
        chat, which has the owner's id, waits for nothing."""
        owners = select(Owner.member)
        asked = (Place.state == PlaceState.ASKED) & Place.guild.not_in(owners)
        latest = select(Place).where(asked).order_by(Place.changed.desc()).limit(limit)
        async with self._transactions.read() as session:
            count = await session.scalar(select(func.count()).select_from(Place).where(asked))
            return int(count or 0), list(await session.scalars(latest))

    async def set_state(self, guild: str, state: PlaceState, name: str = "") -> None:
        async with self._transactions.write() as session:
            place = await session.get(Place, guild)
            if place is None:
                session.add(Place(guild=guild, name=name, state=state))
            else:
                place.state = state
                place.name = name or place.name

    async def place(self, guild: str) -> Place | None:
        async with self._transactions.read() as session:
            return await session.get(Place, guild)

    async def owners(self) -> list[Owner]:
        async with self._transactions.read() as session:
            return list(await session.scalars(select(Owner).order_by(Owner.since)))

    async def owns(self, member: str) -> bool:
        async with self._transactions.read() as session:
            return await session.get(Owner, member) is not None

    async def add_owner(self, member: str, adapter: str) -> None:
        async with self._transactions.write() as session:
            if await session.get(Owner, member) is None:
                session.add(Owner(member=member, adapter=adapter))

    async def is_known(self, member: str) -> bool:
        """Whether the member has asked for something in a guild that is switched on."""
        active = select(Place.guild).where(Place.state == PlaceState.ACTIVE)
        asked = exists().where(Answer.member == member, Answer.guild.in_(active))
        async with self._transactions.read() as session:
            return bool(await session.scalar(select(asked)))
