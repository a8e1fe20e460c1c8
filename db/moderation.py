"""Bans and pauses, the record of what moderators did, and what waits for their word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Select,
    and_,
    delete,
    desc,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from db.codes import read_code
from db.jobs import free_code, owned_code
from db.models import (
    EVERYWHERE,
    Answer,
    Ban,
    Job,
    Picture,
    Record,
    RecordKind,
    Review,
    Visibility,
    now,
)
from db.transactions import Transactions, insistent

# What waits for a moderator.
ASKED = Review.asked.is_not(None) & Review.decided.is_(None)
UNASKED_KEPT = 20  # requests of a member in a guild that a word has stopped
# Spelled as the index has it.
HELD = and_(Picture.visibility == literal_column("'HELD'"), Picture.deleted.is_(None))
KNOWN: tuple[type[Answer | Review | Record | Ban], ...] = (Answer, Review, Record, Ban)


class Moderation:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def ban(self, ban: Ban) -> None:
        """Replaces what stood against the member there."""
        async with self._transactions.write() as session:
            await session.execute(_standing(ban.guild, ban.member).values(lifted=now()))
            session.add(ban)

    async def lift(self, guild: str, member: str) -> bool:
        """False when nothing stood against the member there."""
        async with self._transactions.write() as session:
            lifted = await session.execute(_standing(guild, member).values(lifted=now()))
        return bool(lifted.rowcount)  # type: ignore[attr-defined]  # of a CursorResult

    async def banned(self, guilds: Iterable[str], member: str) -> Ban | None:
        """What stands against a member in any of these guilds or everywhere, the longest."""
        query = select(Ban).where(Ban.member == member, Ban.guild.in_([*guilds, EVERYWHERE]))
        longest = query.where(_stands()).order_by(Ban.until.is_(None).desc(), Ban.until.desc())
        async with self._transactions.read() as session:
            return await session.scalar(longest.limit(1))

    async def bans(self, guild: str) -> list[Ban]:
        query = select(Ban).where(Ban.guild == guild, _stands()).order_by(Ban.id.desc())
        async with self._transactions.read() as session:
            return list(await session.scalars(query))

    @insistent
    async def write(self, record: Record) -> None:
        async with self._transactions.write() as session:
            session.add(record)

    async def records(
        self, guild: str, member: str = "", before: int | None = None, limit: int = 15
    ) -> list[Record]:
        """Newest first."""
        query = select(Record).where(Record.guild == guild).order_by(Record.id.desc()).limit(limit)
        if member:
            query = query.where(Record.member == member)
        if before is not None:
            query = query.where(Record.id < before)
        async with self._transactions.read() as session:
            return list(await session.scalars(query))

    async def attempts(self, member: str, since: datetime) -> int:
        """How often a member asked for what is never drawn, over all guilds."""
        never = Record.kind.in_((RecordKind.FLOOR, RecordKind.UNDRAWN))
        query = select(func.count()).where(Record.member == member, never, Record.created >= since)
        async with self._transactions.read() as session:
            return int(await session.scalar(query) or 0)

    async def shared_guilds(self, member: str, private: str) -> list[str]:
        """The guilds that a member has asked in, besides the private one; and those where something
        stands against them, though they have had their requests erased."""
        asked = select(Answer.guild).where(Answer.member == member)
        stopped = select(Ban.guild).where(Ban.member == member, Ban.guild != EVERYWHERE, _stands())
        async with self._transactions.read() as session:
            found = await session.scalars(asked.union(stopped))
            return [guild for guild in found if guild != private]

    async def members(self, guilds: Sequence[str], text: str) -> list[tuple[str, str]]:
        """Ids and newest names of those of this id or name who have asked in the guilds, or of whom
        something is recorded there, the latest first; "" for the name of whoever has had theirs
        erased."""
        known = union_all(*(_newest_names(table, guilds, text) for table in KNOWN))
        async with self._transactions.read() as session:
            found = await session.execute(known.order_by(desc("created")))
            names: dict[str, str] = {}
            for row in found:
                names.setdefault(row[0], row[1])
            return list(names.items())

    async def keep(self, review: Review) -> Review:
        """Gives the review its code. Of each member the newest stay, and what has been asked."""
        own = Review.guild == review.guild, Review.member == review.member
        unasked = select(Review.id).where(*own, Review.asked.is_(None)).order_by(Review.id.desc())
        async with self._transactions.write() as session:
            review.code = await free_code(session, Review, review.guild)
            session.add(review)
            await session.flush()
            old = unasked.offset(UNASKED_KEPT)
            await session.execute(delete(Review).where(Review.id.in_(old)))
        return review

    async def review(self, guild: str, code: str) -> Review | None:
        query = select(Review).where(Review.guild == guild, Review.code == read_code(code))
        async with self._transactions.read() as session:
            return await session.scalar(query)

    async def guild_of(self, member: str, code: str, near: str) -> str | None:
        """Where a member's own review of this code is: in the guild that is near, or else."""
        async with self._transactions.read() as session:
            return await session.scalar(owned_code(Review, member, code, near))

    async def ask(self, review: Review, at_once: int) -> bool:
        """Puts it before the moderators; False when it is there already, was decided, or so many
        of its member's are there."""
        of_member = Review.guild == review.guild, Review.member == review.member, ASKED
        waiting = select(func.count(Review.id)).where(*of_member).scalar_subquery()
        return await self._mark(review, Review.asked.is_(None) & (waiting < at_once), asked=now())

    async def decide(self, review: Review) -> bool:
        """False when somebody was faster."""
        return await self._mark(review, Review.decided.is_(None), decided=now())

    async def _mark(self, review: Review, open_: Any, **values: datetime) -> bool:
        marked = update(Review).where(Review.id == review.id, open_, Review.decided.is_(None))
        async with self._transactions.write() as session:
            result = await session.execute(marked.values(**values))
        return bool(result.rowcount)  # type: ignore[attr-defined]  # of a CursorResult

    async def asked(self, guild: str, limit: int = 10) -> list[Review]:
        """Requests that wait for a moderator, oldest first."""
        query = select(Review).where(Review.guild == guild, ASKED)
        async with self._transactions.read() as session:
            return list(await session.scalars(query.order_by(Review.asked).limit(limit)))

    async def held(self, guild: str, limit: int = 10) -> list[Picture]:
        """Pictures that wait for a moderator, oldest first."""
        query = select(Picture).where(Picture.guild == guild, HELD)
        async with self._transactions.read() as session:
            return list(await session.scalars(query.order_by(Picture.id).limit(limit)))

    async def unjudged(self, guild: str) -> int:
        """How many requests and pictures wait for a moderator."""
        counts = (
            select(func.count()).where(Review.guild == guild, ASKED),
            select(func.count()).where(Picture.guild == guild, HELD),
        )
        async with self._transactions.read() as session:
            return sum([await session.scalar(each) or 0 for each in counts])

    async def publish(self, picture: Picture) -> int | None:
        """Frees a held picture; gives the answer that is to be delivered again, or None when the
        picture isn't held any more."""
        async with self._transactions.write() as session:
            row = await session.get(Picture, picture.id)
            if row is None or row.visibility is not Visibility.HELD or row.deleted:
                return None
            answer = await session.scalar(
                select(Answer).join(Job, Job.answer_id == Answer.id).where(Job.id == row.job_id)
            )
            private = answer is not None and answer.private
            row.visibility = Visibility.PRIVATE if private else Visibility.PUBLIC
            row.held_for = row.blurred = ""
            if answer is not None:
                answer.delivered = None
        return answer.id if answer is not None else None

    async def forget_old(self, before: datetime) -> None:
        """What is recorded is kept for a time only; bans stay as long as they stand."""
        over = or_(Ban.lifted < before, and_(Ban.until.is_not(None), Ban.until < before))
        async with self._transactions.write() as session:
            await session.execute(delete(Record).where(Record.created < before))
            await session.execute(delete(Review).where(Review.created < before))
            await session.execute(delete(Ban).where(over))


def _newest_names(
    table: type[Answer | Review | Record | Ban], guilds: Sequence[str], text: str
) -> Select[str, str, datetime]:
    """Of each member of this id or name, as the table has it last."""
    named = or_(table.member == text, func.casefold(table.member_name) == text.casefold())
    newest = select(func.max(table.id)).where(table.guild.in_(guilds), named)
    last = table.id.in_(newest.group_by(table.member))
    return select(table.member, table.member_name, table.created).where(last)


def _stands() -> Any:
    return and_(Ban.lifted.is_(None), or_(Ban.until.is_(None), Ban.until > now()))


def _standing(guild: str, member: str) -> Any:
    return update(Ban).where(Ban.guild == guild, Ban.member == member, _stands())
