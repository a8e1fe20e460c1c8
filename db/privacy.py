"""What is kept of one member: counted, read out, and erased for good."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.history import BLURRED, image_of
from db.jobs import LIMITED, cost_of
from db.models import (
    ATTACHED,
    Answer,
    Ban,
    Draft,
    Job,
    JobState,
    Picture,
    Place,
    Record,
    Review,
    Setting,
    Spent,
    Style,
    Visibility,
    now,
)
from db.storage import Storage
from db.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Owned:
    """Whose, and where: None is every guild."""

    member: str
    guild: str | None = None

    def of(self, table: Any) -> Any:
        own = table.member == self.member
        return own if self.guild is None else own & (table.guild == self.guild)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: how many pictures and requests, and the names of files."""

    pictures: int
    requests: int
    files: frozenset[str]


class Privacy:
    def __init__(self, transactions: Transactions, storage: Storage) -> None:
        self._transactions = transactions
        self._storage = storage

    async def counts(self, owned: Owned) -> tuple[int, int]:
        """Pictures and requests that are kept."""
        pictures = select(func.count()).where(owned.of(Picture), Picture.deleted.is_(None))
        requests = select(func.count()).where(owned.of(Answer))
        async with self._transactions.read() as session:
            return (
                int(await session.scalar(pictures) or 0),
                int(await session.scalar(requests) or 0),
            )

    async def pictures(
        self, owned: Owned, before: int | None = None, limit: int = 500
    ) -> list[Picture]:
        """Newest first, but for held ones: those are the moderators' to show."""
        shown = Picture.deleted.is_(None) & (Picture.visibility != Visibility.HELD)
        query = select(Picture).where(owned.of(Picture), shown).order_by(Picture.id.desc())
        if before is not None:
            query = query.where(Picture.id < before)
        async with self._transactions.read() as session:
            return list(await session.scalars(query.limit(limit)))

    async def styles(self, owned: Owned) -> dict[str, dict[str, Any]]:
        query = select(Style).where(owned.of(Style)).order_by(Style.name)
        async with self._transactions.read() as session:
            return {row.name: row.options for row in await session.scalars(query)}

    async def erase(self, owned: Owned) -> Erased:
        """Rows and files. Others' pictures that came from these keep their recipes and lose where
        they came from; bans stay as long as they stand, records without words and name, and for a
        day what limits count."""
        began = time.time()
        pictures, requests = await self.counts(owned)
        async with self._transactions.erase() as session:
            files = await _files(session, owned)
            await _keep_costs(session, owned)
            await _erase(session, owned)
        gone = await self._unowned(files)
        for name in gone:
            await self._storage.remove(name, put_before=began)
        return Erased(pictures, requests, frozenset(gone))

    async def _unowned(self, files: Iterable[str]) -> list[str]:
        """Those that are nobody else's picture."""
        async with self._transactions.read() as session:
            return [name for name in files if not await session.scalar(select(_is_shown(name)))]


def _is_shown(file: str) -> Any:
    """By an index for each: one condition with both would read all pictures."""
    kept = Picture.deleted.is_(None)
    return or_(
        exists().where(Picture.file == file, kept),
        exists().where(Picture.blurred == file, BLURRED, kept),
    )


async def _files(session: AsyncSession, owned: Owned) -> set[str]:
    """Pictures, and photos that were brought to draw over."""
    queries: list[Select[str | None]] = [
        select(column).where(owned.of(table))
        for table, column in (
            (Picture, Picture.file),
            (Picture, Picture.blurred),
            (Picture, image_of(Picture)),
            (Job, image_of(Job)),
            (Draft, Draft.options[ATTACHED].as_string()),
        )
    ]
    found = {name for query in queries for name in await session.scalars(query)}
    return {name for name in found if name}


async def _keep_costs(session: AsyncSession, owned: Owned) -> None:
    """Else whoever has everything erased could order as much again."""
    drawn = Job.state == JobState.DONE, Job.created > now() - LIMITED
    for row in await session.execute(select(Job.created, Job.recipe).where(owned.of(Job), *drawn)):
        cost = cost_of(row.recipe)
        session.add(Spent(member=owned.member, created=row.created, cost=cost))


async def _erase(session: AsyncSession, owned: Owned) -> None:
    own = select(Picture.id).where(owned.of(Picture)).scalar_subquery()
    for table in (Picture, Job):
        orphans = update(table).where(table.parent_id.in_(own)).values(parent_id=None)
        await session.execute(orphans, execution_options={"synchronize_session": False})
    setting = Setting.owner == owned.member
    if owned.guild is not None:
        setting &= Setting.guild == owned.guild
    await session.execute(delete(Setting).where(Setting.scope == "member", setting))
    await session.execute(_gone(Picture, owned))
    await _empty_last(session, owned)
    for each in (Job, Answer, Draft, Style, Review):
        await session.execute(_gone(each, owned))
    nameless = update(Record).where(owned.of(Record)).values(member_name="", detail="")
    await session.execute(nameless)
    own_acts = Record.by == owned.member
    if owned.guild is not None:
        own_acts &= Record.guild == owned.guild
    await session.execute(update(Record).where(own_acts).values(by_name=""))
    await session.execute(update(Ban).where(owned.of(Ban)).values(member_name=""))
    if owned.guild is None:  # their private chat, which has asked for Semilla
        alone = Place.private & (Place.guild == owned.member)
        await session.execute(update(Place).where(alone).values(name=""))


def _gone(table: Any, owned: Owned) -> Any:
    gone = delete(table).where(owned.of(table))
    return gone.execution_options(synchronize_session=False)


async def _empty_last(session: AsyncSession, owned: Owned) -> None:
    """SQLite gives the number of a last row that went again, and what still runs or waits under
    that number would be taken for somebody else's. So these rows stay, with nothing in them."""
    last_job = select(func.max(Job.id)).scalar_subquery()
    its_answer = select(Job.answer_id).where(Job.id == last_job).scalar_subquery()
    last_answer = select(func.max(Answer.id)).scalar_subquery()
    answer = update(Answer).where(or_(Answer.id == last_answer, Answer.id == its_answer))
    job = update(Job).where(Job.id == last_job, owned.of(Job))
    empty_answer: dict[str, Any] = {
        **dict.fromkeys(("guild", "channel", "thread", "message", "member", "member_name"), ""),
        **{"line": "", "token": None, "origin": func.printf("erased:%d", Answer.id)},
    }
    empty_job: dict[str, Any] = {"guild": "", "member": "", "recipe": {}, "notes": []}
    for emptied in (
        answer.where(owned.of(Answer)).values(delivered=now(), **empty_answer),
        job.values(state=JobState.CANCELLED, trace=None, **empty_job),
    ):
        await session.execute(emptied, execution_options={"synchronize_session": False})
