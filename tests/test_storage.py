from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from db import backup
from db.history import Asker
from db.models import Picture
from db.privacy import Owned
from db.session import Database
from db.storage import COARSE_SECONDS, DiskFull
from tests.rows import GUILD, MEMBER, PNG, answer, draw, job, picture, request

WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 "
JPEG = b"\xff\xd8\xff\xe0"


def stored(database: Database) -> set[str]:
    return {path.name for path in database.storage.folder.rglob("*") if path.is_file()}


def age(path: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


@pytest.mark.parametrize(
    ("data", "suffix"), [(PNG + b"a", ".png"), (WEBP, ".webp"), (JPEG, ".jpg"), (b"other", "")]
)
async def test_a_file_is_named_after_its_content(
    database: Database, data: bytes, suffix: str
) -> None:
    name = await database.storage.put(data)
    assert name == hashlib.sha256(data).hexdigest() + suffix
    assert database.storage.path(name) == database.storage.folder / name[:2] / name
    assert await database.storage.read(name) == data


async def test_the_same_bytes_are_kept_once(database: Database) -> None:
    names = {await database.storage.put(PNG) for _ in range(3)}
    assert len(names) == 1
    assert stored(database) == names


async def test_a_file_that_a_bad_disk_has_spoilt_is_mended_by_the_same_bytes(
    database: Database,
) -> None:
    name = await database.storage.put(PNG + b"as it was")
    for spoilt in (b"", PNG + b"as it wos"):
        database.storage.path(name).write_bytes(spoilt)
        assert await database.storage.put(PNG + b"as it was") == name
        assert await database.storage.read(name) == PNG + b"as it was"


async def test_a_full_disk_is_said_and_leaves_nothing_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as system:
        system.setattr(os, "fsync", full)
        with pytest.raises(DiskFull):
            await database.storage.put(PNG)
    assert stored(database) == set()
    assert await database.storage.put(PNG)


@pytest.mark.parametrize(
    "name", ["", "..", "../../semilla.db", "ab/../../semilla.db", "a" * 63, "A" * 64, "/etc/passwd"]
)
async def test_no_name_leads_out_of_the_folder(database: Database, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        await database.storage.read(name)


async def test_a_sweep_removes_what_no_row_mentions(database: Database) -> None:
    kept = await draw(database)
    drawn_over = await database.storage.put(PNG + b"drawn over")
    await database.answers.accept(answer(), [job(request(initial_image=drawn_over))])
    in_draft = await database.storage.put(PNG + b"in a draft")
    await database.drafts.save(GUILD, MEMBER, {"image": in_draft})
    orphan = await database.storage.put(PNG + b"orphan")
    broken = database.storage.path(orphan).with_name("new-xyz")
    broken.write_bytes(b"half a fi")
    for path in database.storage.folder.rglob("*"):
        age(path, hours=2)
    assert await database.storage.sweep() == 2
    assert stored(database) == {kept.file, drawn_over, in_draft}


async def test_a_sweep_leaves_files_whose_row_is_still_being_written(database: Database) -> None:
    new = await database.storage.put(PNG + b"new")
    again = await database.storage.put(PNG + b"again")
    age(database.storage.path(again), hours=2)
    await database.storage.put(PNG + b"again")
    assert await database.storage.sweep() == 0
    assert stored(database) == {new, again}


async def test_deleting_leaves_the_file_of_an_identical_picture_that_has_no_row_yet(
    database: Database,
) -> None:
    first = await draw(database, content=b"same")
    age(database.storage.path(first.file), hours=2)
    await asyncio.sleep(0.02)  # longer than a tick of the file system's clock
    await database.storage.put(PNG + b"same")  # a reroll that is about to be done
    await database.history.delete(Asker(GUILD, MEMBER), first.code)
    assert await database.storage.read(first.file)


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Database]:
    """A life of a database, with its first sweep."""
    database = await Database.open(folder / "semilla.db", folder / "pictures")
    await database.storage.sweep()
    yield database
    await database.close()
    await asyncio.sleep(2 * COARSE_SECONDS)


def set_aside(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("unclaimed-*/*")]


async def test_pictures_of_a_database_that_is_missing_at_a_start_come_back_with_it(
    tmp_path: Path,
) -> None:
    async with started(tmp_path) as database:
        kept = await draw(database)
    (tmp_path / "semilla.db").rename(tmp_path / "elsewhere")
    async with started(tmp_path) as database:
        assert stored(database) == set()
    (tmp_path / "elsewhere").rename(tmp_path / "semilla.db")
    async with started(tmp_path) as database:
        assert await database.storage.read(kept.file)


async def test_pictures_that_are_newer_than_a_database_that_was_put_back_are_not_lost(
    tmp_path: Path,
) -> None:
    async with started(tmp_path) as database:
        older = await draw(database)
    copy = (tmp_path / "semilla.db").read_bytes()
    async with started(tmp_path) as database:
        newer = await draw(database)
    (tmp_path / "semilla.db").write_bytes(copy)
    async with started(tmp_path) as database:
        assert stored(database) == {older.file}
        assert set_aside(tmp_path) == [newer.file]


async def test_an_export_that_a_stop_left_behind_is_removed_as_was_promised(
    tmp_path: Path,
) -> None:
    async with started(tmp_path) as database:
        await database.storage.put(b"PK an export")
    async with started(tmp_path) as database:
        assert stored(database) == set()
    assert set_aside(tmp_path) == []


async def test_what_is_erased_is_erased_where_it_was_set_aside_too(tmp_path: Path) -> None:
    async with started(tmp_path) as database:
        photo = await database.storage.put(JPEG + b"a photo")
        asked = await database.answers.accept(answer(), [job(request(initial_image=photo))])
        await database.jobs.cancel(asked.jobs[0].id)
    async with started(tmp_path) as database:
        assert set_aside(tmp_path) == [photo]
        await database.privacy.erase(Owned(MEMBER))
    assert set_aside(tmp_path) == []


async def test_what_members_stop_needing_between_starts_is_removed_and_not_set_aside(
    tmp_path: Path,
) -> None:
    async with started(tmp_path) as database:
        photo = await database.storage.put(JPEG + b"a photo")
        code = await database.drafts.save(GUILD, MEMBER, {"image": photo})
        age(database.storage.path(photo), hours=2)
    async with started(tmp_path) as database:
        draft = await database.drafts.get(GUILD, code)
        assert draft is not None
        await database.drafts.remove([draft])
        assert await database.storage.sweep() == 1
        assert stored(database) == set()
    assert set_aside(tmp_path) == []


async def test_what_could_not_be_set_aside_at_a_start_is_tried_again_and_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started(tmp_path) as database:
        other = await database.storage.put(PNG + b"of another database")
        age(database.storage.path(other), hours=2)
    database = await Database.open(tmp_path / "semilla.db", tmp_path / "pictures")

    def full(_from: Path, _to: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as system:
        system.setattr("shutil.move", full)
        with pytest.raises(OSError, match="No space"):
            await database.storage.sweep()
    await database.storage.sweep()
    assert set_aside(tmp_path) == [other]
    await database.close()


async def draw_over(database: Database, photo: str) -> Picture:
    made = request(initial_image=photo)
    accepted = await database.answers.accept(answer(), [job(made)])
    file = await database.storage.put(PNG + photo.encode())
    return await database.jobs.done(accepted.jobs[0].id, picture(made, file))


async def test_with_a_deleted_picture_goes_what_it_was_drawn_over_unless_a_draft_needs_it(
    database: Database,
) -> None:
    photos = [await database.storage.put(JPEG + which) for which in (b"one", b"other")]
    await asyncio.sleep(2 * COARSE_SECONDS)
    made = [await draw_over(database, photo) for photo in photos]
    await database.drafts.save(GUILD, MEMBER, {"image": photos[1]})
    for each in made:
        await database.history.delete(Asker(GUILD, MEMBER), each.code)
    assert stored(database) & set(photos) == {photos[1]}


async def test_a_picture_of_a_backup_that_was_put_back_is_deleted_with_its_file(
    tmp_path: Path,
) -> None:
    async with started(tmp_path / "before") as database:
        made = await draw(database)
        age(database.storage.path(made.file), hours=2)
    backup.back_up(tmp_path / "before", tmp_path / "semilla.tar")
    backup.unpack(tmp_path / "semilla.tar", tmp_path / "after")
    async with started(tmp_path / "after") as database:
        assert await database.history.delete(Asker(GUILD, MEMBER), made.code)
        assert stored(database) == set()
