"""The history of pictures. Every question takes the asker: nothing leaks between guilds."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select, text, update

from db.codes import read_code
from db.models import Job, Picture, Visibility, now
from db.storage import Storage
from db.transactions import Transactions
from generator.request import GenerationRequest

MATCHES = text(
    "pictures.id IN (SELECT rowid FROM pictures_words WHERE pictures_words MATCH :words)"
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where."""

    guild: str
    member: str
    moderator: bool = False


class History:
    def __init__(self, transactions: Transactions, storage: Storage) -> None:
        self._transactions = transactions
        self._storage = storage

    async def get(self, asker: Asker, code: str) -> Picture | None:
        """None for a picture that isn't there, was deleted, or isn't the asker's to see."""
        return await self._one(_seen_by(asker).where(Picture.code == read_code(code)))

    async def by_pixels(self, asker: Asker, pixel_hash: str) -> Picture | None:
        """The newest with exactly these pixels."""
        return await self._one(_seen_by(asker).where(Picture.pixel_hash == pixel_hash))

    async def by_file(self, asker: Asker, file: str) -> Picture | None:
        return await self._one(_seen_by(asker).where(Picture.file == file))

    async def search(
        self,
        asker: Asker,
        text: str = "",
        member: str = "",
        before: int | None = None,
        limit: int = 12,
    ) -> list[Picture]:
        """Newest first. `text` finds words without their accents, the last one by its beginning."""
        query = _seen_by(asker).limit(limit)
        if words := _words(text):
            query = query.where(MATCHES.bindparams(words=words))
        if member:
            query = query.where(
                or_(func.lower(Picture.member_name) == member.lower(), Picture.member == member)
            )
        if before is not None:
            query = query.where(Picture.id < before)
        return await self._all(query)

    async def latest(self, asker: Asker, n: int = 1) -> list[Picture]:
        return await self._all(_seen_by(asker).limit(n))

    async def parent(self, asker: Asker, picture: Picture) -> Picture | None:
        if picture.parent_id is None:
            return None
        return await self._one(_seen_by(asker).where(Picture.id == picture.parent_id))

    async def children(self, asker: Asker, picture: Picture) -> list[Picture]:
        return await self._all(_seen_by(asker).where(Picture.parent_id == picture.id))

    async def delete(self, asker: Asker, code: str) -> bool:
        """File and words go; the row stays, so that its children keep their recipe."""
        picture = await self.get(asker, code)
        if picture is None:
            return False
        async with self._transactions.write() as session:
            gone = {"deleted": now(), "prompt": "", "member_name": "", "notes": []}
            await session.execute(update(Picture).where(Picture.id == picture.id).values(**gone))
            used = await session.scalar(_uses(picture.file))
        if not used:
            await self._storage.remove(picture.file)
        return True

    async def set_visibility(self, picture: int, visibility: Visibility) -> None:
        async with self._transactions.write() as session:
            values = {"visibility": visibility}
            await session.execute(update(Picture).where(Picture.id == picture).values(**values))

    async def files(self) -> set[str]:
        """Every file that a picture or a recipe needs."""
        async with self._transactions.read() as session:
            shown = await session.scalars(select(Picture.file).where(Picture.deleted.is_(None)))
            image = Job.recipe["initial_image"].as_string()
            drawn_over = await session.scalars(select(image).where(image.is_not(None)))
            return {*shown, *drawn_over}

    async def speeds(self, limit: int = 300) -> list[tuple[str, int, int, int, float]]:
        """Model, width, height, network calls, seconds of the newest pictures, newest first."""
        query = select(Picture.recipe, Picture.seconds).order_by(Picture.id.desc()).limit(limit)
        async with self._transactions.read() as session:
            rows = [(GenerationRequest.from_json(r), s) for r, s in await session.execute(query)]
        return [(r.model, r.width, r.height, r.calls, seconds) for r, seconds in rows]

    async def _one(self, query: Select[tuple[Picture]]) -> Picture | None:
        async with self._transactions.read() as session:
            return await session.scalar(query.limit(1))

    async def _all(self, query: Select[tuple[Picture]]) -> list[Picture]:
        async with self._transactions.read() as session:
            return list(await session.scalars(query))


def _seen_by(asker: Asker) -> Select[tuple[Picture]]:
    """The pictures that the asker may see, newest first."""
    query = select(Picture).where(Picture.guild == asker.guild, Picture.deleted.is_(None))
    if not asker.moderator:
        query = query.where(
            or_(Picture.visibility == Visibility.PUBLIC, Picture.member == asker.member)
        )
    return query.order_by(Picture.id.desc())


def _uses(file: str) -> Select[tuple[int]]:
    """Whether anything but deleted pictures still needs the file."""
    shown = select(Picture.id).where(Picture.file == file, Picture.deleted.is_(None))
    image = Job.recipe["initial_image"].as_string()
    drawn_over = select(Job.id).where(image == file)
    return select(func.count()).where(or_(shown.exists(), drawn_over.exists()))


def _words(typed: str) -> str:
    """A typed text as an FTS5 query: its words in any order, none of them an operator."""
    words = ['"' + word.replace('"', '""') + '"' for word in typed.split()]
    return " ".join(words) + "*" if words else ""
