from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from db.history import Asker
from db.models import Picture, Relation, Visibility, now
from db.privacy import Owned
from db.session import Database
from tests.rows import GUILD, MEMBER, PNG, answer, draw, job, picture, request

ANA = Asker(GUILD, MEMBER)
BEA = Asker(GUILD, "web:bea")
TEACHER = Asker(GUILD, "web:teacher", moderator=True)
STRANGER = Asker("web:other", MEMBER, moderator=True)


def prompts(pictures: list[Picture]) -> list[str]:
    return [picture.prompt for picture in pictures]


async def test_a_finished_picture_is_found_by_its_code_with_its_whole_recipe(
    database: Database,
) -> None:
    made = await draw(database, "a red cat")
    found = await database.history.get(BEA, made.code.lower())
    assert found is not None
    assert found.request == request("a red cat")
    assert await database.storage.read(found.file)


@asynccontextmanager
async def counted(database: Database) -> AsyncIterator[list[str]]:
    """The statements that are executed meanwhile."""
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
    yield said
    event.remove(database.engine.sync_engine, "before_cursor_execute", hear)


async def test_in_a_long_history_pictures_are_found_by_indexes(database: Database) -> None:
    made = await draw(database)
    rows = [
        picture(request(), f"{n:064x}", code=f"N{n}", parent_id=made.id + n // 2)
        for n in range(500)
    ]
    async with AsyncSession(database.engine) as session, session.begin():
        session.add_all(rows)
    await database.analyze()
    await database.engine.dispose()  # connections read it when they are opened
    history, moderation = database.history, database.moderation
    async with explained(database) as plans:
        await history.by_pixels(ANA, made.pixel_hash)
        assert await history.by_file(ANA, made.file)
        assert await history.by_file(ANA, "somebody's photo") is None
        await history.children(ANA, made)
        await history.guilds_with(made.code, "web:")
        await moderation.shared_guilds(MEMBER, "web:private")
        assert await history.delete(ANA, made.code)
        assert await moderation.held(GUILD) == []
    read = [line for line in plans if "pictures" in line or "answers" in line]
    row_by_row = ("SCAN", "USING INDEX pictures_newest (guild=?)")
    assert not [line for line in read if any(each in line for each in row_by_row)]
    assert any("pictures_over" in line for line in read)


async def test_erasing_reads_no_history_row_by_row(database: Database) -> None:
    made = await draw(database)
    others = {"member": "web:bea", "member_name": "Bea"}
    rows = [
        picture(request(), f"{n:064x}", code=f"N{n}", parent_id=made.id + n // 2, **others)
        for n in range(500)
    ]
    async with AsyncSession(database.engine) as session, session.begin():
        session.add_all(rows)
    await database.analyze()
    await database.engine.dispose()
    async with explained(database) as plans:
        assert (await database.privacy.erase(Owned(MEMBER))).files == {made.file}
    assert not [line for line in plans if line.startswith(("SCAN pictures", "SCAN jobs"))]


@asynccontextmanager
async def explained(database: Database) -> AsyncIterator[list[str]]:
    """How SQLite means to find what is asked for meanwhile."""
    plans: list[str] = []

    def hear(_connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.extend(row[3] for row in cursor.fetchall())

    event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
    yield plans
    event.remove(database.engine.sync_engine, "before_cursor_execute", hear)


async def test_the_history_is_searched_once_for_all_pictures_that_have_become_old(
    database: Database,
) -> None:
    asked = []
    for pictures in (2, 20):
        files = [(await draw(database)).file for _ in range(pictures)]
        async with counted(database) as statements:
            assert await database.history.retire(now() + timedelta(days=1)) == pictures
        asked.append(len(statements))
        for each in files:
            assert await database.history.by_file(ANA, each) is None
            assert not database.storage.path(each).exists()
    assert asked[0] == asked[1]


async def test_an_id_of_another_guild_answers_like_one_that_does_not_exist(
    database: Database,
) -> None:
    theirs = await draw(database, "a red cat", guild=GUILD)
    child = await draw(database, parent_id=theirs.id, relation=Relation.VARIATION)
    history = database.history
    assert await history.get(STRANGER, theirs.code) is None
    assert await history.by_pixels(STRANGER, theirs.pixel_hash) is None
    assert await history.by_file(STRANGER, theirs.file) is None
    assert await history.search(STRANGER, "cat") == []
    assert await history.search(STRANGER, member="Ana") == []
    assert await history.latest(STRANGER) == []
    assert await history.parent(STRANGER, child) is None
    assert await history.children(STRANGER, theirs) == []
    assert not await history.delete(STRANGER, theirs.code)
    assert not await history.set_visibility(STRANGER, theirs.code, Visibility.PRIVATE)
    assert await database.drafts.get("web:other", await _draft(database)) is None
    assert await history.get(ANA, theirs.code) is not None


async def test_two_guilds_may_use_the_same_code(database: Database) -> None:
    codes = {(await draw(database, guild=guild)).guild for guild in (GUILD, "web:other")}
    assert codes == {GUILD, "web:other"}


async def test_a_held_picture_is_the_moderators_alone_and_in_no_list(database: Database) -> None:
    made = await draw(database, visibility=Visibility.HELD)
    assert await database.history.get(ANA, made.code) is None
    assert await database.history.get(TEACHER, made.code)
    assert await database.history.search(TEACHER) == await database.history.search(ANA) == []


async def test_a_private_picture_is_its_authors_and_the_moderators(database: Database) -> None:
    made = await draw(database, visibility=Visibility.PRIVATE)
    assert await database.history.get(ANA, made.code)
    assert await database.history.get(TEACHER, made.code)
    assert await database.history.get(BEA, made.code) is None
    assert await database.history.search(BEA) == []


async def test_only_author_and_moderators_set_who_sees_a_picture(database: Database) -> None:
    made = await draw(database)
    assert not await database.history.set_visibility(BEA, made.code, Visibility.PRIVATE)
    assert await database.history.get(BEA, made.code)
    assert await database.history.set_visibility(ANA, made.code, Visibility.PRIVATE)
    assert await database.history.get(BEA, made.code) is None
    assert await database.history.set_visibility(TEACHER, made.code, Visibility.PUBLIC)
    assert await database.history.get(BEA, made.code)


@pytest.mark.parametrize(
    "typed",
    [
        "árbol",
        "arbol",
        "ARBOL",
        "a\u0301rbol",
        "verde árbol",
        "arb",
        "verde ar",
        "«árbol»",
        "árbol!",
    ],
)
async def test_words_are_found_without_their_accents_and_while_being_typed(
    database: Database, typed: str
) -> None:
    await draw(database, "un gato rojo")
    await draw(database, "un Árbol verde")
    assert prompts(await database.history.search(ANA, typed)) == ["un Árbol verde"]


async def test_every_word_must_be_there_and_only_the_last_may_be_a_beginning(
    database: Database,
) -> None:
    await draw(database, "un árbol verde")
    assert await database.history.search(ANA, "arb verde") == []
    assert await database.history.search(ANA, "árbol rojo") == []


@pytest.mark.parametrize("typed", ["🎲", "!!!", '"', "*", "- + ^"])
async def test_a_search_without_any_word_finds_nothing(database: Database, typed: str) -> None:
    await draw(database, "a red cat")
    assert await database.history.search(ANA, typed) == []


@pytest.mark.parametrize(
    "typed",
    ["cat OR dog", "NOT cat", "prompt : cat", 'ca"t', "cat NEAR dog", "rowid:1", "(dog cat)"],
)
async def test_a_search_is_words_and_never_a_query(database: Database, typed: str) -> None:
    await draw(database, "a red cat")
    assert await database.history.search(ANA, typed) == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(typed=st.text(max_size=40))
async def test_any_text_can_be_searched(database: Database, typed: str) -> None:
    assert await database.history.search(ANA, typed) == []


async def test_pages_follow_each_other_without_gap_or_repetition(database: Database) -> None:
    made = [(await draw(database, f"cat {i}")).id for i in range(7)]
    seen: list[int] = []
    before = None
    while page := await database.history.search(ANA, "cat", before=before, limit=3):
        seen += [picture.id for picture in page]
        before = seen[-1]
    assert seen == made[::-1]


async def test_pictures_of_a_member_are_found_by_name_and_by_id(database: Database) -> None:
    await draw(database, "mine")
    await draw(database, "hers", member=BEA.member, member_name="Bea")
    assert prompts(await database.history.search(ANA, member="bea")) == ["hers"]
    assert prompts(await database.history.search(ANA, member=BEA.member)) == ["hers"]
    assert prompts(await database.history.latest(ANA)) == ["hers"]
    assert prompts(await database.history.latest(ANA, n=5)) == ["hers", "mine"]


async def test_parent_and_children_know_each_other(database: Database) -> None:
    parent = await draw(database)
    child = await draw(database, parent_id=parent.id, relation=Relation.VARIATION)
    assert (await database.history.parent(ANA, child)).id == parent.id
    assert [each.id for each in await database.history.children(ANA, parent)] == [child.id]
    assert await database.history.parent(ANA, parent) is None


async def test_every_picture_of_a_long_family_comes_with_its_parent(database: Database) -> None:
    family = [await draw(database)]
    for _ in range(4):
        parent = family[-1].id
        family.append(await draw(database, parent_id=parent, relation=Relation.VARIATION))
    found = await database.history.latest(ANA, n=3)
    alone = await database.history.get(ANA, family[-1].code)
    assert alone is not None
    for child, parent in zip([*found, alone], [*family[3:0:-1], family[3]], strict=True):
        assert child.parent is not None
        assert child.parent.code == parent.code


async def test_a_private_parent_is_not_shown_to_others(database: Database) -> None:
    parent = await draw(database, visibility=Visibility.PRIVATE)
    child = await draw(database, parent_id=parent.id, relation=Relation.VARIATION)
    assert await database.history.parent(BEA, child) is None
    assert await database.history.parent(ANA, child) is not None


async def test_a_deleted_picture_leaves_no_file_and_no_words_anywhere(database: Database) -> None:
    made = await draw(database, "a secret garden")
    child = await draw(database, "a blue cat", parent_id=made.id, relation=Relation.VARIATION)
    assert await database.history.delete(ANA, made.code)
    assert await database.history.get(ANA, made.code) is None
    assert await database.history.search(ANA, "garden") == []
    assert not database.storage.path(made.file).exists()
    assert await database.history.get(ANA, child.code)
    accepted = await database.answers.get(1)
    assert accepted is not None
    left = accepted.jobs[0].picture
    assert left is not None
    assert left.deleted
    assert "garden" not in json.dumps([left.recipe, left.prompt, accepted.jobs[0].recipe])
    assert "cat" not in accepted.line
    assert not await database.history.delete(ANA, made.code)


async def test_with_the_last_picture_of_a_request_go_the_words_of_those_that_were_cancelled(
    database: Database,
) -> None:
    made = request("a secret garden")
    told = [{"kind": "prompt-translated", "facts": {"typed": "garden++"}}]
    jobs = [job(made, notes=told), job(made, notes=told)]
    accepted = await database.answers.accept(answer(line="/imagine a secret"), jobs)
    first, second = accepted.jobs
    await database.jobs.cancel(second.id)
    file = await database.storage.put(PNG)
    shown = await database.jobs.done(first.id, picture(made, file))
    assert await database.history.delete(ANA, shown.code)
    left = await database.answers.get(accepted.id)
    assert left is not None
    assert left.line == ""
    assert "garden" not in json.dumps([[each.recipe, each.notes] for each in left.jobs])
    assert left.jobs[1].request.prompt == ""


async def test_only_author_and_moderators_delete(database: Database) -> None:
    made = await draw(database)
    assert not await database.history.delete(BEA, made.code)
    assert await database.storage.read(made.file)
    assert await database.history.delete(TEACHER, made.code)


async def test_a_file_stays_while_another_picture_shows_it(database: Database) -> None:
    first = await draw(database, content=b"same")
    again = await draw(database, content=b"same")
    assert first.file == again.file
    await database.history.delete(ANA, first.code)
    assert await database.storage.read(again.file)


async def test_a_file_stays_while_something_is_drawn_over_it(database: Database) -> None:
    base = await draw(database)
    over = request("over it", initial_image=base.file)
    await database.answers.accept(answer(), [job(over)])
    await database.history.delete(ANA, base.code)
    assert await database.storage.read(base.file)


async def test_a_photo_goes_with_the_last_picture_over_it_and_a_picture_below_another_stays(
    database: Database,
) -> None:
    photo = await database.storage.put(b"a photo")
    over = request("over it", initial_image=photo)
    first, last = [await draw(database, recipe=over.to_json()) for _ in range(2)]
    base = await draw(database)
    drawn = await draw(database, recipe=request("over it", initial_image=base.file).to_json())
    later = first.created + timedelta(microseconds=1)
    assert await database.history.retire(later) == 1
    assert await database.storage.read(photo)
    assert await database.history.retire(now() + timedelta(days=1)) == 2
    assert not database.storage.path(photo).exists()
    for each, stays in ((first, False), (last, False), (drawn, False), (base, True)):
        found = await database.history.get(ANA, each.code)
        assert found is not None
        assert bool(found.file) is stays
        assert database.storage.path(each.file).exists() is stays


async def test_the_typed_line_stays_while_the_answer_has_another_picture(
    database: Database,
) -> None:
    made = [request(), request(seed=8)]
    accepted = await database.answers.accept(answer(), [job(each) for each in made])
    first = await _finish(database, accepted.jobs[0].id)
    second = await _finish(database, accepted.jobs[1].id)
    await database.history.delete(ANA, first.code)
    assert (await database.answers.get(accepted.id)).line != ""
    await database.history.delete(ANA, second.code)
    assert (await database.answers.get(accepted.id)).line == ""


async def test_speeds_are_of_the_newest_pictures_first(database: Database) -> None:
    for seconds in (1.0, 2.0, 3.0):
        await draw(database, seconds=seconds)
    speeds = await database.history.speeds(limit=2)
    assert speeds == [("small", 64, 64, 20, 3.0), ("small", 64, 64, 20, 2.0)]


async def test_identical_pixels_are_found(database: Database) -> None:
    made = await draw(database)
    found = await database.history.by_pixels(BEA, made.pixel_hash)
    assert found is not None
    assert found.code == made.code


async def _draft(database: Database) -> str:
    return await database.drafts.save(GUILD, MEMBER, {"prompt": "a cat"})


async def _finish(database: Database, number: int) -> Picture:
    made = await database.jobs.get(number)
    file = await database.storage.put(str(number).encode())
    return await database.jobs.done(number, picture(made.request, file))
