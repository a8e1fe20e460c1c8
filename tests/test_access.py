"""Closed by default: nothing is drawn where the owner has not switched Semilla on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.conversation import Guild, Member, Tone
from tests.chat import ANA, CLASS, Chat, open_chat

OWNER = Member("chat:owner", "Olga", moderator=True)
AT_HOME = Guild("chat:olga", private=True)
OTHER = Guild("chat:other", "Strangers")
ASK = "a red apple steps:1"


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with open_chat(tmp_path, SEMILLA_ACCESS__OPEN="no") as chat:
        yield chat


async def _owned(chat: Chat) -> None:
    """Olga types the code in the class."""
    code = chat.semilla.access.code
    reply = await chat.type(f"/activate {code}", member=OWNER)
    assert "Switched on" in reply.text


async def test_a_new_place_gets_a_polite_message_and_no_picture(chat: Chat) -> None:
    reply = await chat.type(ASK)
    assert reply.tone is Tone.REFUSED
    assert "not switched on" in reply.text
    assert "Aún no me activaron" in (await chat.type(ASK, language="es")).text
    assert len(chat.semilla.dispatch) == 0


async def test_without_an_owner_a_place_is_told_how_one_comes_to_be(chat: Chat) -> None:
    for guild in (CLASS, Guild("chat:ana", private=True)):
        reply = await chat.type(ASK, guild=guild)
        assert "no owner" in reply.text
        assert "a code at /connect on my page and types /activate" in reply.text
        assert chat.semilla.access.code not in reply.text
        spanish = (await chat.type(ASK, guild=guild, language="es")).text
        assert "un código en /connect, en mi página, y escribe /activar" in spanish
    await _owned(chat)
    assert "owner has been told" in (await chat.type(ASK, guild=OTHER)).text


async def test_the_first_owner_hears_of_every_place_that_asked_before(chat: Chat) -> None:
    await chat.type(ASK)
    await chat.type(ASK, guild=OTHER)
    await chat.type(ASK, guild=Guild("chat:ana", private=True))
    reply = await chat.type(f"/activate {chat.semilla.access.code}", member=OWNER)
    assert "2 places have asked" in reply.text, "and not this one, which is switched on"
    told = await chat.hear(2)
    assert {member for member, _ in told} == {OWNER.id}
    person, place = sorted((notice for _, notice in told), key=lambda notice: notice.text)
    assert person.text.startswith("Ana wrote to me in a private chat.")
    assert place.text.startswith("I am wanted in **Strangers**.")
    activate, ignore = place.buttons[0]
    await chat.type(activate.line, member=OWNER, guild=AT_HOME)
    assert (await chat.type(ASK, guild=OTHER)).tone is Tone.ACCEPTED
    await chat.type(ignore.line, member=OWNER, guild=AT_HOME)
    assert (await chat.type(ASK, guild=OTHER)).tone is Tone.REFUSED


async def test_an_owner_is_not_asked_about_their_own_private_chat(chat: Chat) -> None:
    alone = Guild(OWNER.id, private=True)
    await chat.type(ASK, guild=alone, member=OWNER)
    await chat.type(ASK)
    code = chat.semilla.access.code
    reply = await chat.type(f"/activate {code}", guild=alone, member=OWNER)
    assert "One place has asked" in reply.text
    ((_, notice),) = await chat.hear(1)
    assert "wanted in" in notice.text


async def test_of_many_places_the_latest_ten_are_told_and_then_the_others(chat: Chat) -> None:
    for number in range(13):
        await chat.type(ASK, guild=Guild(f"chat:{number}", f"Place {number}"))
    code = chat.semilla.access.code
    reply = await chat.type(f"/activate {code}", member=OWNER, guild=AT_HOME)
    assert "13 places have asked" in reply.text
    assert "the latest 10" in reply.text
    told = [notice for _, notice in await chat.hear(10)]
    assert {notice.text.split("**")[1] for notice in told} == {f"Place {n}" for n in range(3, 13)}
    for notice in told:
        await chat.type(notice.buttons[0][1].line, member=OWNER, guild=AT_HOME)
    again = await chat.type("/activate", member=OWNER, guild=AT_HOME)
    assert "3 places have asked" in again.text
    rest = [notice for _, notice in (await chat.hear(13))[10:]]
    assert {notice.text.split("**")[1] for notice in rest} == {"Place 0", "Place 1", "Place 2"}


async def test_who_asked_in_private_has_their_name_erased(chat: Chat) -> None:
    zoe = Member("chat:zoe", "Zoe")
    alone = Guild(zoe.id, private=True)
    await chat.type(ASK, guild=alone, member=zoe)
    assert await chat.semilla.access.name(alone.id) == "Zoe"
    await chat.type("/privacy delete sure:yes", guild=alone, member=zoe)
    assert await chat.semilla.access.name(alone.id) == zoe.id


async def test_a_place_that_is_known_holds_up_no_writer(chat: Chat) -> None:
    await chat.type(ASK)
    database = chat.semilla.config.data / "semilla.db"
    with closing(sqlite3.connect(database, check_same_thread=False)) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        async with asyncio.timeout(5):
            assert (await chat.type(ASK)).repeated


async def test_the_code_makes_an_owner_and_switches_the_place_on(chat: Chat) -> None:
    await _owned(chat)
    reply = await chat.ask(ASK)
    assert reply.pictures
    again = await chat.type("/activate", member=ANA)
    assert again.tone is Tone.REFUSED, "a member can't"


async def test_the_owner_hears_of_a_new_place_once_and_switches_it_on_by_a_button(
    chat: Chat,
) -> None:
    await _owned(chat)
    for _ in range(2):
        assert (await chat.type(ASK, guild=OTHER)).tone is Tone.REFUSED
    ((member, notice),) = await chat.hear(1)
    assert member == OWNER.id
    assert "Strangers" in notice.text
    (buttons,) = notice.buttons
    await chat.type(buttons[0].line, member=OWNER, guild=AT_HOME)
    assert (await chat.type(ASK, guild=OTHER)).tone is Tone.ACCEPTED
    await chat.type(buttons[1].line, member=OWNER, guild=AT_HOME)
    assert (await chat.type(ASK, guild=OTHER)).tone is Tone.REFUSED


async def test_a_place_that_has_been_told_is_told_no_more_after_a_restart_either(
    tmp_path: Path,
) -> None:
    for again in (False, True):
        async with open_chat(tmp_path, SEMILLA_ACCESS__OPEN="no") as chat:
            assert (await chat.type(ASK)).repeated is again
            assert (await chat.type("/activate", member=ANA)).repeated, "whatever a member types"


async def test_private_chats_are_off_but_for_the_owner_and_whom_they_activate(chat: Chat) -> None:
    await _owned(chat)
    alone = Guild("chat:ana", private=True)
    assert "private" in (await chat.type(ASK, guild=alone)).text
    owners = await chat.type(ASK, guild=AT_HOME, member=OWNER)
    assert owners.tone is Tone.ACCEPTED
    assert (await chat.type(ASK, guild=alone)).repeated
    ((_, notice),) = await chat.hear(1)
    assert "Ana wrote to me" in notice.text
    await chat.type(notice.buttons[0][0].line, member=OWNER, guild=AT_HOME)
    assert (await chat.type(ASK, guild=alone)).tone is Tone.ACCEPTED


async def test_a_closed_private_chat_is_open_for_what_is_ones_own_of_a_place_that_is_switched_on(
    chat: Chat,
) -> None:
    await _owned(chat)
    alone, luis = Guild(ANA.id, private=True), Member("chat:luis", "Luis")
    picture = (await chat.ask(ASK)).pictures[0]
    another = await chat.ask(f"/reroll {picture.code} seed:-1", guild=alone)
    assert another.pictures
    assert another.private
    words = await chat.type(f"/rewrite {another.answer}", guild=alone)
    assert words.form is not None
    assert words.form.fields[1].value == ""
    for line in (f"/reroll {picture.code}", f"/rewrite {another.answer}"):
        theirs = await chat.type(line, guild=Guild(luis.id, private=True), member=luis)
        assert theirs.tone is Tone.REFUSED


async def test_codes_are_not_to_be_guessed(chat: Chat) -> None:
    moderator = Member("chat:mo", "Mo", moderator=True)
    for _ in range(5):
        assert "isn't the code" in (await chat.type("/activate 0000", member=moderator)).text
    code = chat.semilla.access.code
    assert "Too many" in (await chat.type(f"/activate {code}", member=moderator)).text
    assert (await chat.type(ASK)).tone is Tone.REFUSED


async def test_strangers_who_guess_do_not_keep_the_owner_out(chat: Chat) -> None:
    for n in range(40):
        stranger = Member(f"chat:stranger{n}", "Mo")
        alone = Guild(stranger.id, private=True)
        for _ in range(5):
            await chat.type("/activate 0000", member=stranger, guild=alone)
    await _owned(chat)


async def test_an_owner_who_asks_for_what_is_never_drawn_is_not_paused(chat: Chat) -> None:
    await _owned(chat)
    for _ in range(4):
        assert (await chat.type("a naked child", member=OWNER)).text == "I don't draw that."
    assert await chat.semilla.database.moderation.banned((), OWNER.id) is None


async def test_the_code_is_read_as_it_is_typed_on_a_phone(chat: Chat) -> None:
    typed = chat.semilla.access.code.lower()
    moderator = Member("chat:mo", "Mo", moderator=True)
    assert "Switched on" in (await chat.type(f"/activate {typed}", member=moderator)).text


async def test_allowed_private_chats_are_for_members_of_places_that_are_switched_on(
    tmp_path: Path,
) -> None:
    allowed = {"SEMILLA_ACCESS__OPEN": "no", "SEMILLA_ACCESS__PRIVATE_CHATS": "yes"}
    async with open_chat(tmp_path, **allowed) as chat:
        await _owned(chat)
        alone = Guild("chat:ana", private=True)
        assert (await chat.type(ASK, guild=alone)).tone is Tone.REFUSED
        await chat.type(ASK, guild=CLASS)
        assert (await chat.type(ASK, guild=alone)).tone is Tone.ACCEPTED
