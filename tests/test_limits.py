"""What a member may ask for, here and over all places; large orders are asked about first."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from PIL import Image

from bot import housekeeping
from bot.app import App
from bot.conversation import Guild, Member, Tone
from db.models import now
from tests.chat import ANA, CLASS, Chat, settings
from tests.rows import draw, picture, request
from tests.served import photo

MARTA = Member("chat:marta", "Marta", moderator=True)
LUIS = Member("chat:luis", "Luis")
OTHER = Guild("chat:other", "Another class")
ASK = "a red apple steps:1"
SMALL = request(model="semilla")


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    """Nothing is drawn here: what is accepted counts."""
    async with App.open(settings(tmp_path)) as app:
        yield Chat(app)


async def accepted(chat: Chat, text: str = ASK, **where: object) -> bool:
    return (await chat.type(text, **where)).tone is Tone.ACCEPTED


async def test_pictures_of_an_hour_are_counted_and_the_time_of_the_next_is_told(
    chat: Chat,
) -> None:
    await chat.type("/setup per_hour:2", member=MARTA)
    for _ in range(2):
        assert await accepted(chat, ASK)
    reply = await chat.type(ASK)
    assert reply.tone is Tone.REFUSED
    assert "2 of 2 in the last hour" in reply.text
    assert "The next one frees in 60 min." in reply.text
    spanish = await chat.type(ASK, language="es")
    assert "Llevas 2 de 2" in spanish.text
    assert "La próxima se libera en 60 min." in spanish.text
    assert await accepted(chat, ASK, member=LUIS), "others go on"
    assert await accepted(chat, ASK, member=MARTA), "moderators too"


async def test_what_is_asked_for_at_the_same_moment_is_counted_too(chat: Chat) -> None:
    await chat.type("/setup per_hour:3 waiting:5", member=MARTA)
    told = await asyncio.gather(*(chat.type(ASK) for _ in range(8)))
    assert [each.tone for each in told].count(Tone.ACCEPTED) == 3
    where = {"member": LUIS, "guild": OTHER}
    told = await asyncio.gather(*(chat.type(f"{ASK} count:9", **where) for _ in range(4)))
    assert [each.tone for each in told].count(Tone.ACCEPTED) == 2, "20 may wait"


async def test_a_member_is_counted_over_all_places(chat: Chat) -> None:
    await chat.type("/setup per_day:1", member=MARTA)
    assert await accepted(chat, ASK, guild=OTHER)
    assert (await chat.type(ASK)).tone is Tone.REFUSED
    assert await accepted(chat, ASK, guild=OTHER), "there is no limit there"


async def test_in_private_the_strictest_shared_place_decides(chat: Chat) -> None:
    alone = Guild("chat:ana", private=True)
    await chat.type("/setup per_day:3 max_steps:30 models:semilla", member=MARTA)
    await chat.type("/setup per_day:2 models:semilla", member=MARTA, guild=OTHER)
    assert await accepted(chat)
    assert await accepted(chat, ASK, guild=alone)
    assert "30" in (await chat.type("a cat steps:31", guild=alone)).text
    assert await accepted(chat, ASK), "the class allows three"
    assert await accepted(chat, ASK, guild=alone, member=LUIS), "who shares no place has no limit"
    told = await chat.type(ASK, guild=alone)
    assert "3 of 3 in the last 24 hours" in told.text


async def test_what_came_to_nothing_is_not_counted(chat: Chat) -> None:
    await chat.type("/setup per_hour:1", member=MARTA)
    assert await accepted(chat)
    assert not await accepted(chat)
    await chat.type("/cancel")
    assert await accepted(chat, ASK)


async def test_who_has_everything_erased_has_the_same_limit_for_a_day_and_then_nothing_is_kept(
    chat: Chat,
) -> None:
    database = chat.semilla.database
    await chat.type("/setup per_day:1", member=MARTA)
    order = await database.answers.get((await chat.type(ASK)).answer or 0)
    assert order is not None
    (ordered,) = order.jobs
    await database.jobs.done(
        ordered.id, picture(ordered.request, "", guild=ordered.guild, member=ANA.id)
    )
    await chat.type("/privacy delete sure:yes")
    assert "1 of 1 in the last 24 hours" in (await chat.type(ASK)).text
    with time_machine.travel(now() + timedelta(days=1, minutes=1)):
        await database.jobs.forget_spent()
        with closing(sqlite3.connect(chat.semilla.config.data / "semilla.db")) as connection:
            assert ANA.id not in "\n".join(connection.iterdump())
        assert await accepted(chat)


async def test_a_picture_that_costs_as_much_as_several_counts_as_several(chat: Chat) -> None:
    await chat.type("/setup per_hour:3", member=MARTA)
    reply = await chat.type("a red apple steps:150")
    assert reply.tone is Tone.REFUSED
    assert "counts as" in reply.text


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("max_steps:10", "a cat steps:11"),
        ("max_count:2", "a cat count:3"),
        ("max_side:128", "a cat size:256x128"),
        ("waiting:1", "a cat count:2"),
    ],
)
async def test_a_guild_sets_how_much_a_request_may_be(chat: Chat, rule: str, line: str) -> None:
    await chat.type(f"/setup {rule}", member=MARTA)
    assert (await chat.type(line)).tone is Tone.REFUSED
    assert (await chat.type(line, member=MARTA)).tone is Tone.ACCEPTED
    await chat.type("/setup reset:yes", member=MARTA)
    assert (await chat.type(line)).tone is Tone.ACCEPTED


async def only_another_model(chat: Chat) -> None:
    """As if it had been there when it was set."""
    settings = chat.semilla.database.settings
    await settings.set(CLASS.id, "guild", "", "models", "another")


async def test_only_some_models_may_be_used(chat: Chat) -> None:
    await only_another_model(chat)
    assert "can't be used here. These can: another" in (await chat.type(ASK)).text
    assert await accepted(chat, member=MARTA)
    await chat.type("/setup models:all", member=MARTA)
    assert await accepted(chat)


async def test_models_are_set_by_names_that_are_there_in_any_case(chat: Chat) -> None:
    await chat.type("/setup models:Semilla model:SEMILLA", member=MARTA)
    assert await accepted(chat)
    for line in ("/setup models:semilla,dreamy words:adults", "/setup role:<@&77> models:dreamy"):
        refused = await chat.type(line, member=MARTA)
        assert refused.text == 'There is no model "dreamy". There are: semilla.'
    assert "words" not in await chat.semilla.database.settings.of_guild(CLASS.id)


async def test_a_role_has_all_models_or_its_limits_no_more(chat: Chat) -> None:
    artist = replace(ANA, roles=("77",))
    await only_another_model(chat)
    told = await chat.type("/setup role:<@&77> models:all", member=MARTA)
    assert "models: all" in told.text
    assert await accepted(chat, member=artist)
    await chat.type("/setup role:<@&77> models:none", member=MARTA)
    assert not await accepted(chat, member=artist), "what the guild has counts again"
    await chat.type("/setup models:all per_hour:2", member=MARTA)
    await chat.type("/setup role:<@&77> per_hour:50", member=MARTA)
    assert await accepted(chat, member=artist)
    reset = await chat.type("/setup role:<@&77> reset:yes", member=MARTA)
    assert "none of its own" in reset.text
    assert not await accepted(chat, member=artist), "what is of the guild stays"


async def test_a_role_may_have_more(chat: Chat) -> None:
    await chat.type("/setup per_hour:1", member=MARTA)
    await chat.type("/setup role:<@&77> per_hour:3", member=MARTA)
    artist = Member("chat:eva", "Eva", roles=("77",))
    for _ in range(3):
        assert await accepted(chat, ASK, member=artist)
    assert (await chat.type(ASK, member=artist)).tone is Tone.REFUSED


async def test_a_large_order_is_asked_about_first_and_made_after_a_yes(tmp_path: Path) -> None:
    async with App.open(settings(tmp_path, SEMILLA_LIMITS__ASK_SECONDS="60")) as app:
        chat = Chat(app)
        chat.semilla.estimate.learn("semilla", 128, 128, calls=20, seconds=2.0)
        question = await chat.type("a cat steps:150 count:9")
        assert "9 pictures, about" in question.text
        assert len(chat.semilla.dispatch) == 0
        ((yes,),) = question.buttons
        assert (await chat.type(yes.line, member=LUIS)).tone is Tone.REFUSED
        assert await accepted(chat, yes.line)
        assert len(chat.semilla.dispatch) == 9


async def test_a_large_order_over_a_photo_is_asked_about_and_keeps_it_for_a_day(
    tmp_path: Path,
) -> None:
    async with App.open(settings(tmp_path, SEMILLA_LIMITS__ASK_SECONDS="60")) as app:
        chat, database = Chat(app), app.semilla.database
        chat.semilla.estimate.learn("semilla", 128, 128, calls=20, seconds=2.0)
        ((yes,),) = (await chat.type("a cat steps:150 count:9", image=photo(1))).buttons
        ((later,),) = (await chat.type("a cat steps:150 count:9", image=photo(2))).buttons
        assert len(chat.semilla.dispatch) == 0
        await database.storage.sweep()
        made = await chat.type(yes.line)
        answer = await database.answers.get(made.answer or 0)
        assert answer is not None
        over = answer.jobs[0].request.initial_image
        assert over is not None
        with Image.open(database.storage.path(over)) as image:
            assert image.getpixel((0, 0)) == (1, 0, 90)
        await database.drafts.forget_attached(now() - timedelta(hours=1))
        assert "already" in (await chat.type(yes.line)).text
        await database.drafts.forget_attached(now() + timedelta(hours=1))
        assert "no longer there" in (await chat.type(later.line)).text


async def test_a_large_order_that_nobody_confirms_is_forgotten_in_the_end(tmp_path: Path) -> None:
    async with App.open(settings(tmp_path, SEMILLA_LIMITS__ASK_SECONDS="60")) as app:
        chat, line = Chat(app), "a cat steps:150 count:9"
        chat.semilla.estimate.learn("semilla", 128, 128, calls=20, seconds=2.0)
        with time_machine.travel(now() - timedelta(days=91)):
            ((old,),) = (await chat.type(line)).buttons
        ((young,),) = (await chat.type(line)).buttons
        keeping = asyncio.create_task(housekeeping.run(app.semilla, with_page=False))
        async with asyncio.timeout(20):
            while "no longer" not in (await chat.type(old.line, member=LUIS)).text:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        keeping.cancel()
        assert await accepted(chat, young.line)


async def test_a_large_order_with_the_code_of_one_that_is_forgotten_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.jobs.random_code", lambda _length: "K7QX")
    async with App.open(settings(tmp_path, SEMILLA_LIMITS__ASK_SECONDS="60")) as app:
        chat = Chat(app)
        chat.semilla.estimate.learn("semilla", 128, 128, calls=20, seconds=2.0)
        for _ in range(2):
            ((yes,),) = (await chat.type("a cat steps:150 count:9")).buttons
            assert await accepted(chat, yes.line)
            assert not await accepted(chat, yes.line)
            await app.semilla.database.drafts.forget_old(now() + timedelta(days=1))


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("/reroll {} steps:150 count:9", CLASS),
        ("/vary {} count:9", CLASS),
        ("/upscale {}", Guild(ANA.id, private=True)),
    ],
)
async def test_a_large_order_is_asked_about_however_and_wherever_it_is_made(
    tmp_path: Path, line: str, place: Guild
) -> None:
    async with App.open(settings(tmp_path, SEMILLA_LIMITS__ASK_SECONDS="1")) as app:
        chat = Chat(app)
        where = {"guild": CLASS.id, "member": ANA.id, "recipe": SMALL.to_json()}
        code = (await draw(chat.semilla.database, **where)).code
        chat.semilla.estimate.learn("semilla", 64, 64, calls=20, seconds=2.0)
        question = await chat.type(line.format(code), guild=place)
        assert "Shall I?" in question.text
        assert len(chat.semilla.dispatch) == 0
        ((yes,),) = question.buttons
        made = await chat.type(yes.line, guild=place)
        assert len(chat.semilla.dispatch) == (9 if "count:9" in line else 1)
        assert made.answer is not None
        again = await chat.semilla.database.answers.get(made.answer)
        assert again.line.startswith(line.split("{")[0]), "it is kept as what it was"
        assert (again.guild, again.private) == (CLASS.id, place.private)


async def test_of_a_model_that_has_drawn_nothing_the_network_calls_are_told(chat: Chat) -> None:
    question = await chat.type("a cat steps:150 count:9")
    assert question.text.startswith("9 pictures, 1350 calls of a network whose speed")
    assert await accepted(chat, question.buttons[0][0].line)
    assert await accepted(chat, "a cat count:9"), "nobody is asked about what is usual"
