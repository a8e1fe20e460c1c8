"""The history of pictures. Every question takes the asker: nothing leaks between guilds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Select,
    String,
    and_,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
    true,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.codes import readings
from db.models import Answer, Draft, Job, JobState, Picture, Visibility, now
from db.storage import Storage
from db.transactions import Transactions
from generator.request import GenerationRequest

WORDS = table("pictures_words", column("rowid"))
BLURRED = Picture.blurred != literal_column("''")  # as the index of them has it
AT_ONCE = 2000  # rows that are read before others have their turn
MAY_RUN = (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)  # a failed one can be tried again


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where. `adults`: in a channel for adults alone."""

    guild: str
    member: str
    moderator: bool = False
    adults: bool = False


class History:
    def __init__(self, transactions: Transactions, storage: Storage) -> None:
        self._transactions = transactions
        self._storage = storage

    async def get(self, asker: Asker, code: str) -> Picture | None:
        """None for a picture that isn't there, was deleted, or isn't the asker's to see. One that
        was made in a channel for adults is found from anywhere, but not to be shown there.

        If that very code was never given, the only picture whose code looks like it.
        """
        typed, *alike = readings(code) or [""]
        row = aliased(Picture)
        taken = exists().where(row.guild == asker.guild, row.code == typed)
        meant = and_(
            Picture.code.in_([typed, *alike]),  # what the index is for
            or_(Picture.code == typed, ~taken),
        )
        found = await self._all(_seen_by(asker).where(meant).order_by(None))
        return found[0] if len(found) == 1 else None

    async def guilds_with(self, code: str, beginning: str, limit: int = 5) -> list[str]:
        """Those whose id begins so, that have given this code; the newest first."""
        typed = (readings(code) or [""])[0]
        query = select(Picture.guild).where(Picture.code == typed, Picture.deleted.is_(None))
        query = query.where(Picture.guild.startswith(beginning)).order_by(Picture.id.desc())
        async with self._transactions.read() as session:
            return list(await session.scalars(query.limit(limit)))

    async def by_pixels(self, asker: Asker, pixel_hash: str) -> Picture | None:
        """The newest with exactly these pixels."""
        return await self._one(_seen_by(asker).where(Picture.pixel_hash == pixel_hash))

    async def by_message(self, asker: Asker, adapter: str, message: str) -> Picture | None:
        """The first that a message of a chat shows."""
        shown = Answer.adapter == adapter, Answer.guild == asker.guild, Answer.message == message
        jobs = select(Job.id).join(Job.answer).where(*shown)
        query = _seen_by(asker).where(Picture.job_id.in_(jobs))
        return await self._one(query.order_by(None).order_by(Picture.id))

    async def by_file(self, asker: Asker, file: str) -> Picture | None:
        """The picture that has this file; for moderators also by the blurred one of a held one."""
        seen = _seen_by(asker)  # asked twice, because an OR would use no index
        found = await self._one(seen.where(Picture.file == file))
        return found or await self._one(seen.where(Picture.blurred == file, BLURRED))

    async def search(
        self,
        asker: Asker,
        text: str = "",
        member: str = "",
        before: int | None = None,
        limit: int = 12,
        retired: bool = False,
    ) -> list[Picture]:
        """Newest first, those of channels for adults only there. `text` finds words without their
        accents, the last one by its beginning.

        `retired`: also those whose files have been removed.
        """
        query = _shown_to(asker).limit(limit)
        if not retired:
            query = query.where(Picture.file != "")
        if text.strip():
            words = _words(text)
            if not words:
                return []
            query = _with_words(query, words)
        if member:
            query = query.where(
                or_(
                    func.casefold(Picture.member_name) == member.casefold(),
                    Picture.member == member,
                )
            )
        if before is not None:
            query = query.where(Picture.id < before)
        return await self._all(query)

    async def latest(self, asker: Asker, n: int = 1) -> list[Picture]:
        return await self._all(_shown_to(asker).where(Picture.file != "").limit(n))

    async def parent(self, asker: Asker, picture: Picture) -> Picture | None:
        if picture.parent_id is None:
            return None
        return await self._one(_seen_by(asker).where(Picture.id == picture.parent_id))

    async def children(self, asker: Asker, picture: Picture) -> list[Picture]:
        """What was made of it, but for held ones: they are not to come up by the way."""
        shown = Picture.visibility != Visibility.HELD
        return await self._all(_seen_by(asker).where(Picture.parent_id == picture.id, shown))

    async def delete(self, asker: Asker, code: str) -> bool:
        """Its author's or a moderator's. File and words go, also those of its job and its answer;
        the row stays, because its children name it."""
        picture = await self._own(asker, code)
        if picture is None:
            return False
        async with self._transactions.erase() as session:
            await _forget(session, picture)
        await self._remove_unneeded([picture])
        return True

    async def _remove_unneeded(self, pictures: Sequence[Picture]) -> None:
        """The files of pictures whose rows don't name them any more, if no others do."""
        names = {name for each in pictures for name in _files_of(each)}
        async with self._transactions.read() as session:
            needed = set(await session.scalars(_needed_of(names)))
        for each in pictures:
            made = each.created.replace(tzinfo=UTC).timestamp()
            for name in _files_of(each) - needed:
                await self._storage.remove(name, put_before=made)

    async def retire(self, before: datetime, limit: int = 500) -> int:
        """Removes the files of older pictures, and photos that only they were drawn over; says of
        how many. Their recipes stay, so that they can be made again: `file` is empty until then.
        What others were drawn over stays, as no recipe could bring it back for them."""
        kept = select(Picture).where(Picture.deleted.is_(None), Picture.file != "")
        below = aliased(Picture)
        others = select(image_of(below)).where(
            below.deleted.is_(None), image_of(below).is_not(None)
        )
        query = kept.where(Picture.created < before, Picture.file.not_in(others))
        old = await self._all(query.order_by(Picture.id).limit(limit))
        async with self._transactions.write() as session:
            retired = update(Picture).where(Picture.id.in_([each.id for each in old]))
            # The rows that were read keep the names: the files go once nothing names them.
            await session.execute(
                retired.values(file=""), execution_options={"synchronize_session": False}
            )
        await self._remove_unneeded(old)
        return len(old)

    async def set_visibility(self, asker: Asker, code: str, visibility: Visibility) -> bool:
        """Its author's or a moderator's to set."""
        picture = await self._own(asker, code)
        if picture is None:
            return False
        async with self._transactions.write() as session:
            changed = update(Picture).where(Picture.id == picture.id)
            await session.execute(changed.values(visibility=visibility))
            await session.execute(_opened(picture).values(private=False))
        return True

    async def speeds(self, limit: int = 300) -> list[tuple[str, int, int, int, float]]:
        """Network, width, height, its calls, seconds of the newest pictures, newest first."""
        newest = select(Picture.recipe, Picture.seconds).where(Picture.deleted.is_(None))
        query = newest.order_by(Picture.id.desc()).limit(limit)
        async with self._transactions.read() as session:
            rows = [(GenerationRequest.from_json(r), s) for r, s in await session.execute(query)]
        return [(*request.timed_by, seconds) for request, seconds in rows]

    async def _own(self, asker: Asker, code: str) -> Picture | None:
        picture = await self.get(asker, code)
        allowed = picture is not None and (asker.moderator or picture.member == asker.member)
        return picture if allowed else None

    async def _one(self, query: Select[Picture]) -> Picture | None:
        return next(iter(await self._all(query.limit(1))), None)

    async def _all(self, query: Select[Picture]) -> list[Picture]:
        async with self._transactions.read() as session:
            return list(await session.scalars(query))


async def needed_files(transactions: Transactions) -> set[str]:
    """Every file that a picture, the recipe of one that is still there, or a draft mentions."""
    shown = select(Picture.file).where(Picture.deleted.is_(None))
    blurred = select(Picture.blurred).where(Picture.deleted.is_(None))
    drawn_over = select(image_of(Picture)).where(Picture.deleted.is_(None), Picture.file != "")
    to_draw_over = select(image_of(Job)).where(Job.state.in_(MAY_RUN))
    files: set[str] = set()
    async with transactions.read() as session:
        found = await session.stream_scalars(union(shown, blurred, drawn_over, to_draw_over))
        async for names in found.partitions(AT_ONCE):
            files.update(names)
        for options in await session.scalars(select(Draft.options)):
            files.update(options.values())
        return files


def _files_of(picture: Picture) -> set[str]:
    """Its own ones, and what it was drawn over."""
    names = picture.file, picture.blurred, picture.recipe.get("initial_image")
    return {name for name in names if name}


def _seen_by(asker: Asker) -> Select[Picture]:
    """The pictures that the asker may see, newest first: held ones are the moderators' to see."""
    query = select(Picture).where(Picture.guild == asker.guild, Picture.deleted.is_(None))
    if not asker.moderator:
        own = and_(Picture.visibility == Visibility.PRIVATE, Picture.member == asker.member)
        query = query.where(or_(Picture.visibility == Visibility.PUBLIC, own))
    return query.order_by(Picture.id.desc())


def _shown_to(asker: Asker) -> Select[Picture]:
    """Those of them that may come up by the way, where the asker is."""
    query = _seen_by(asker).where(Picture.visibility != Visibility.HELD)
    return query if asker.adults else query.where(Picture.age_restricted.is_(False))


def _opened(picture: Picture) -> Any:
    """Updates a picture's answer, if it has no other than public ones now and will have none. What
    a chat has sent to its author alone isn't seen by others for that."""
    answer = select(Job.answer_id).where(Job.id == picture.job_id).scalar_subquery()
    hidden = and_(Picture.deleted.is_(None), Picture.visibility != Visibility.PUBLIC)
    others = select(Job.id).outerjoin(Picture, Picture.job_id == Job.id)
    others = others.where(Job.answer_id == Answer.id, or_(Job.state.in_(MAY_RUN), hidden))
    sole = update(Answer).where(Answer.id == answer, Answer.message == "")
    return sole.where(~others.correlate(Answer).exists())


async def _forget(session: AsyncSession, picture: Picture) -> None:
    """Erases the words of a picture wherever they are kept."""
    wordless = {"prompt": "", "negative_prompt": "", "initial_image": None}
    gone: dict[str, Any] = {"recipe": {**picture.recipe, **wordless}, "notes": []}
    emptied = update(Picture).where(Picture.id == picture.id)
    gone_too = {"prompt": "", "member_name": "", "held_for": "", "blurred": ""}
    await session.execute(emptied.values(deleted=now(), **gone_too, **gone))
    await session.execute(update(Job).where(Job.id == picture.job_id).values(**gone))
    answer = select(Job.answer_id).where(Job.id == picture.job_id).scalar_subquery()
    kept = select(Job.id).outerjoin(Picture, Picture.job_id == Job.id)
    stays = or_(Job.state.in_(MAY_RUN), and_(Picture.id.is_not(None), Picture.deleted.is_(None)))
    kept = kept.where(Job.answer_id == Answer.id, stays)
    forgotten = update(Answer).where(Answer.id == answer, ~kept.correlate(Answer).exists())
    empty = await session.execute(forgotten.values(line=""))
    if empty.rowcount:  # type: ignore[attr-defined]  # of a CursorResult
        silent = ("$.prompt", "", "$.negative_prompt", "", "$.initial_image", None)
        cancelled = update(Job).where(Job.answer_id == answer, Job.state == JobState.CANCELLED)
        await session.execute(cancelled.values(recipe=func.json_set(Job.recipe, *silent), notes=[]))


def _needed_of(files: Collection[str]) -> Any:
    """Those that a picture that isn't deleted, a draft, or a job that may run, still needs."""
    kept, drawn_over = Picture.deleted.is_(None), image_of(Picture)
    shown = select(Picture.file).where(Picture.file.in_(files), kept)
    blurred = select(Picture.blurred).where(Picture.blurred.in_(files), BLURRED, kept)
    below = select(drawn_over).where(drawn_over.in_(files), kept, Picture.file != "")
    to_draw_over = select(image_of(Job)).where(image_of(Job).in_(files), Job.state.in_(MAY_RUN))
    typed = func.json_each(Draft.options).table_valued("value")
    drafts = select(typed.c.value).select_from(Draft).join(typed, true())
    return union(shown, blurred, below, to_draw_over, drafts.where(typed.c.value.in_(files)))


def image_of(row: type[Picture] | type[Job]) -> Any:
    """The file that a row's recipe draws over; spelled as the index of pictures has it."""
    return func.json_extract(row.recipe, literal_column("'$.initial_image'"), type_=String)


def _with_words(query: Select[Picture], words: str) -> Select[Picture]:
    """In the order of the index of words, which so is read no further than the page needs."""
    joined = query.join(WORDS, WORDS.c.rowid == Picture.id).order_by(None)
    matching = joined.where(text("pictures_words MATCH :words").bindparams(words=words))
    return matching.order_by(WORDS.c.rowid.desc())


def _words(typed: str) -> str:
    """A typed text as an FTS5 query: its words in any order, none of them an operator."""
    words = [word for word in typed.replace("\0", " ").split() if any(map(str.isalnum, word))]
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    return " ".join(quoted) + "*" if quoted else ""
