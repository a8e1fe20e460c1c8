"""What is kept of a member: told, handed out, and erased for good."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import sqlite3
import zipfile
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from bot.conversation import Guild, Member, Reply, Tone
from db import backup
from db.history import Asker
from db.models import Answer
from db.session import Database
from generator import metadata
from tests.chat import Chat, open_chat
from tests.served import photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEACHER = Member("chat:teacher", "Tea", moderator=True)
BEA = Member("chat:bea", "Bea")
_numbers = iter(range(10_000))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with open_chat(tmp_path_factory.mktemp("data")) as opened:
        yield opened


@pytest.fixture
def place() -> Guild:
    return Guild(f"chat:place{next(_numbers)}", "Place")


@pytest.fixture
def ana() -> Member:
    number = next(_numbers)
    return Member(f"chat:ana{number}", f"Ana{number}")


def archive(chat: Chat, reply: Reply) -> zipfile.ZipFile:
    assert reply.file is not None
    return zipfile.ZipFile(io.BytesIO(chat.semilla.database.storage.path(reply.file).read_bytes()))


def everything(chat: Chat) -> str:
    """Every text of the database, for what must not be in it any more."""
    with closing(sqlite3.connect(chat.semilla.config.data / "semilla.db")) as connection:
        return "\n".join(connection.iterdump())


async def test_privacy_says_what_is_kept_in_both_languages(
    chat: Chat, place: Guild, ana: Member
) -> None:
    await chat.ask("a red apple steps:1 count:2", guild=place, member=ana)
    english = await chat.type("/privacy", guild=place, member=ana)
    assert "2 pictures of yours are kept here, from 1 request." in english.text
    assert "until you delete them" in english.text
    spanish = await chat.type("/privacidad", guild=place, member=ana, language="es")
    assert "2 imágenes tuyas, de 1 pedido." in spanish.text
    assert english.private
    assert spanish.private


async def test_the_export_has_ones_pictures_and_recipes_and_nobody_elses(
    chat: Chat, place: Guild, ana: Member
) -> None:
    made = await chat.ask("a red apple steps:1 seed:7", guild=place, member=ana)
    await chat.ask("a blue cat steps:1", guild=place, member=BEA)
    await chat.type('/style save soft prompt:"watercolour"', guild=place, member=ana)
    (shown,) = made.pictures
    with archive(chat, await chat.type("/privacy export", guild=place, member=ana)) as exported:
        assert exported.namelist() == [f"{shown.code}.png", "recipes.json"]
        png = exported.read(f"{shown.code}.png")
        told = json.loads(exported.read("recipes.json"))
    assert metadata.read_told(png).options["prompt"] == "a red apple"
    (picture,) = told["pictures"]
    assert picture["recipe"]["seed"] == 7
    assert told["styles"] == {"soft": {"prompt": "watercolour"}}
    again = await chat.ask(picture["line"], guild=place, member=ana)
    before, after = (
        metadata.pixel_hash_of(chat.semilla.database.storage.path(each.file).read_bytes())
        for each in (shown, again.pictures[0])
    )
    assert before == after


async def test_an_export_that_is_too_large_comes_in_parts(
    chat: Chat, place: Guild, ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await chat.ask("a red apple steps:1 count:3", guild=place, member=ana)
    monkeypatch.setattr("bot.commands.privacy.PART_BYTES", 1)
    found, line = [], "/privacy export"
    while line:
        reply = await chat.type(line, guild=place, member=ana)
        with archive(chat, reply) as part:
            found += [name for name in part.namelist() if name.endswith(".png")]
        line = reply.buttons[0][0].line if reply.buttons else ""
    assert sorted(found) == sorted(f"{each.code}.png" for each in made.pictures)


async def test_erasing_asks_first(chat: Chat, place: Guild, ana: Member) -> None:
    made = await chat.ask("a red apple steps:1", guild=place, member=ana)
    asked = await chat.type("/privacy delete", guild=place, member=ana)
    assert len(asked.buttons) == 2
    assert (await chat.type(f"/show {made.pictures[0].code}", guild=place)).pictures


async def test_the_question_is_for_whoever_asked(chat: Chat, place: Guild, ana: Member) -> None:
    """A group sees its buttons, and whoever presses one says its line."""
    made = await chat.ask("a red apple steps:1", guild=place, member=BEA)
    asked = await chat.type("/privacy delete", guild=place, member=ana)
    for (button,) in asked.buttons:
        assert button.fits
        others = await chat.type(button.line, guild=place, member=BEA)
        assert others.tone is Tone.REFUSED
        assert "for whoever asked" in others.text
    assert (await chat.type(f"/show {made.pictures[0].code}", guild=place)).pictures
    for (button,) in asked.buttons:
        assert "Erased" in (await chat.type(button.line, guild=place, member=ana)).text


async def test_the_buttons_fit_whatever_the_ids_of_a_platform_are(chat: Chat) -> None:
    member = Member("discord:1234567890123456789", "Ana")
    asked = await chat.type("/privacy delete", guild=Guild("discord:1"), member=member)
    assert all(button.fits for (button,) in asked.buttons)


async def test_erased_are_rows_files_and_words(chat: Chat, place: Guild, ana: Member) -> None:
    storage = chat.semilla.database.storage
    made = await chat.ask("a red zinnia steps:1", guild=place, member=ana)
    over = await chat.ask("a zinnia cat steps:1", guild=place, member=ana, image=photo(31))
    await chat.type("a naked zinnia", guild=place, member=ana)
    await chat.type('/style save soft prompt:"zinnia"', guild=place, member=ana)
    await chat.type('/settings negative:"zinnia"', guild=place, member=ana)
    files = [storage.path(each.pictures[0].file) for each in (made, over)]
    brought = await chat.semilla.database.history.get(
        Asker(place.id, ana.id), over.pictures[0].code
    )
    assert brought is not None
    files.append(storage.path(brought.request.initial_image or ""))
    assert all(path.exists() for path in files)
    assert "zinnia" in everything(chat)
    done = await chat.type("/privacy delete sure:yes", guild=place, member=ana)
    assert "2 pictures and 2 requests" in done.text
    assert not any(path.exists() for path in files)
    text = everything(chat)
    assert "zinnia" not in text
    assert ana.name not in text
    assert "0 pictures" in (await chat.type("/privacy", guild=place, member=ana)).text
    assert "nothing" in (await chat.type("/privacy export", guild=place, member=ana)).text


async def test_moderators_who_have_themselves_erased_are_nameless_in_the_record(
    chat: Chat, place: Guild, ana: Member
) -> None:
    teacher = Member(f"{place.id}:teacher", "Teodora", moderator=True)
    await chat.ask("a red apple steps:1", guild=place, member=ana)
    await chat.type(f"/pause {ana.id} until:1h", guild=place, member=teacher)
    assert "Teodora" in (await chat.type("/audit", guild=place, member=teacher)).text
    await chat.type("/privacy delete sure:yes", guild=place, member=teacher)
    assert "Teodora" not in everything(chat)
    assert "somebody paused" in (await chat.type("/audit", guild=place, member=teacher)).text


@pytest.mark.parametrize("erasing", ["/privacy delete sure:yes", "/delete {code} sure:yes"])
async def test_words_that_are_erased_are_in_no_file_and_no_backup_any_more(
    chat: Chat, place: Guild, ana: Member, tmp_path: Path, erasing: str
) -> None:
    data = chat.semilla.config.data

    def written(*kept: Path) -> int:
        return sum(file.read_bytes().lower().count(b"marigold") for file in kept)

    made = await chat.ask("a red marigold steps:1", guild=place, member=ana)
    assert written(*data.glob("semilla.db*")) > 3
    line = erasing.format(code=made.pictures[0].code)
    assert (await chat.type(line, guild=place, member=ana)).tone is not Tone.REFUSED
    backup.back_up(data, tmp_path / "backup.tar")
    killed = shutil.copytree(data, tmp_path / "killed")
    await (await Database.open(killed / "semilla.db", killed / "pictures")).close()
    await chat.semilla.database.transactions.write_over()
    files = *data.glob("semilla.db*"), *killed.glob("semilla.db*"), tmp_path / "backup.tar"
    assert not written(*files)


async def test_others_variations_keep_the_recipe_and_lose_the_name(
    chat: Chat, place: Guild, ana: Member
) -> None:
    made = await chat.ask("a red apple steps:1", guild=place, member=ana)
    line = f"/vary {made.pictures[0].code} seed:5"
    theirs = await chat.ask(line, guild=place, member=BEA)
    assert ana.name in theirs.pictures[0].caption
    await chat.type("/privacy delete sure:yes", guild=place, member=ana)
    code = theirs.pictures[0].code
    shown = await chat.type(f"/show {code}", guild=place, member=BEA)
    assert shown.pictures
    assert ana.name not in str(shown)
    again = await chat.ask(f"/reroll {code}", guild=place, member=BEA)
    assert "Identical" in again.pictures[0].caption


async def test_another_place_keeps_what_was_not_meant(
    chat: Chat, place: Guild, ana: Member
) -> None:
    other = Guild(f"{place.id}-other")
    for guild in (place, other):
        await chat.ask("a red apple steps:1", guild=guild, member=ana)
    await chat.type("/privacy delete sure:yes", guild=place, member=ana)
    assert "1 picture of yours" in (await chat.type("/privacy", guild=other, member=ana)).text
    await chat.type("/privacy delete sure:yes everywhere:yes", guild=place, member=ana)
    assert "0 pictures" in (await chat.type("/privacy", guild=other, member=ana)).text


async def test_what_is_being_drawn_is_let_go_and_the_others_go_on(
    chat: Chat, place: Guild, ana: Member
) -> None:
    await chat.type("a cat steps:20 count:6", guild=place, member=ana)
    waiting = await chat.type("a red apple steps:1", guild=place, member=BEA)
    erased = await chat.type("/privacy delete sure:yes", guild=place, member=ana)
    assert erased.tone is Tone.PLAIN
    assert waiting.answer is not None
    assert (await chat.wait_for(waiting.answer)).pictures
    assert "Nobody waits" in (await chat.type("/queue", guild=place, member=BEA)).text
    assert ana.id not in everything(chat)


async def test_a_banned_member_may_still_take_along_and_erase_but_stays_banned(
    chat: Chat, place: Guild, ana: Member
) -> None:
    await chat.ask("a red apple steps:1", guild=place, member=ana)
    await chat.type(f"/ban {ana.name}", guild=place, member=TEACHER)
    assert (await chat.type("/privacy export", guild=place, member=ana)).file
    assert (
        "1 picture" in (await chat.type("/privacy delete sure:yes", guild=place, member=ana)).text
    )
    assert (await chat.type("a red apple", guild=place, member=ana)).tone is Tone.REFUSED
    alone = Guild(ana.id, private=True)
    assert (await chat.type("a red apple", guild=alone, member=ana)).tone is Tone.REFUSED


async def test_an_erased_answer_that_waited_for_its_chat_waits_no_more(tmp_path: Path) -> None:
    tried = asyncio.Event()

    class Away(Chat):
        async def deliver(self, answer: Answer, reply: Reply) -> None:
            tried.set()
            raise ConnectionError

    async with open_chat(tmp_path, Away) as away:
        await away.type("a red apple steps:1")
        await tried.wait()
        assert len(await away.semilla.database.answers.outbox()) == 1
        await away.type("/privacy delete sure:yes")
        assert await away.semilla.database.answers.outbox() == []
