"""What a member chooses, what is taken where nothing is chosen, and how it is understood."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import App
from bot.conversation import Member, Tone
from generator.messages import Note, NoteKind
from generator.request import GenerationRequest
from tests.chat import ANA, CLASS, Chat, settings
from tests.rows import draw, request

MARTA = Member("chat:marta", "Marta", moderator=True)
RED_CAT = request("a red cat", model="semilla", width=112, height=144, negative_prompt="blue")


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    """Nothing is drawn here: what is accepted is looked at."""
    async with App.open(settings(tmp_path)) as app:
        yield Chat(app)


@pytest.fixture
async def code(chat: Chat) -> str:
    """Of Ana's picture of a red cat."""
    where = {"guild": CLASS.id, "member": ANA.id, "recipe": RED_CAT.to_json()}
    return (await draw(chat.semilla.database, **where)).code


async def asked(chat: Chat, text: str, member: Member = ANA) -> GenerationRequest:
    """What is to be drawn for a line."""
    reply = await chat.type(text, member=member)
    assert reply.tone is Tone.ACCEPTED, reply.text
    return (await chat.semilla.database.jobs.waiting())[-1].request


async def noted(chat: Chat) -> list[Note]:
    """What is to be told of what was asked last."""
    (number,) = [each.id for each in await chat.semilla.database.jobs.waiting()][-1:]
    job = await chat.semilla.database.jobs.get(number)
    return [Note.from_json(each) for each in job.notes]


async def refused(chat: Chat, text: str, language: str = "en", member: Member = ANA) -> str:
    reply = await chat.type(text, member=member, language=language)
    assert reply.tone is Tone.REFUSED, reply.text
    return reply.text


async def test_a_misspelt_option_is_told_and_becomes_no_words(chat: Chat, code: str) -> None:
    told = await refused(chat, f"/repetir {code} passos:30", "es")
    assert told == "/repetir no tiene la opción «passos». ¿Querías decir pasos?"
    assert "Did you mean steps?" in await refused(chat, "a red cat --stepps 12")
    assert "no option" in await refused(chat, f"/reroll {code} steps:30 private:yes")


async def test_what_only_looks_like_an_option_is_drawn(chat: Chat) -> None:
    assert "time: 12" in (await asked(chat, "a cat, time: 12")).prompt
    assert (await asked(chat, "a cat --stop 80")).prompt == "a cat"


async def test_a_side_that_is_named_alone_leaves_the_other(chat: Chat, code: str) -> None:
    taller = await asked(chat, f"/reroll {code} height:192")
    wider = await asked(chat, f"/reroll {code} width:192")
    assert (taller.width, taller.height) == (112, 192)
    assert (wider.width, wider.height) == (192, 144)


async def test_typed_sides_go_before_a_default_size(chat: Chat) -> None:
    await chat.type("/settings size:portrait")
    drawn = await asked(chat, "a red cat width:192 height:128")
    assert (drawn.width, drawn.height) == (192, 128)
    assert "Give the size once" in await refused(chat, "a cat size:square width:192")


async def test_a_style_joins_the_words_of_a_picture(chat: Chat, code: str) -> None:
    await chat.type('/style save night prompt:"blue background" tiling:yes width:192 height:128')
    drawn = await asked(chat, f"/reroll {code} style:night")
    assert drawn.prompt == "a red cat, blue background"
    assert (drawn.tiling, drawn.width, drawn.height) == (True, 192, 128)


async def test_a_style_may_have_a_place_for_the_words(chat: Chat, code: str) -> None:
    await chat.type('/style save print prompt:"# mine\na print of {prompt}, {blue|red} background"')
    drawn = await asked(chat, "a {black|white} cat style:print")
    assert drawn.prompt == "a print of a {black|white} cat, {blue|red} background"
    drawn = await asked(chat, f"/reroll {code} style:print")
    assert drawn.prompt == "a print of a red cat, {blue|red} background"


async def test_midjourneys_raw_style_stops_nobody(chat: Chat) -> None:
    assert (await asked(chat, "a cat --style raw")).prompt == "a cat"
    assert "no style" in await refused(chat, "a cat --style cubism")
    await chat.type('/style save raw prompt:"blue background"')
    assert (await asked(chat, "a cat --style raw")).prompt == "a cat, blue background"


async def test_midjourneys_tiles_and_repetitions_are_ours(chat: Chat, code: str) -> None:
    drawn = await asked(chat, "a red cat --tile --repeat 2")
    assert (drawn.prompt, drawn.tiling) == ("a red cat", True)
    await asked(chat, f'/reroll {code} prompt:"a red dog --r 3"')
    assert len(await chat.semilla.database.jobs.waiting()) == 5


@pytest.mark.parametrize("name", ["Negative prompt:", "prompt negativo:"])
async def test_a_negative_prompt_in_the_prompt_is_one(chat: Chat, code: str, name: str) -> None:
    for line in ("/imagine", f"/reroll {code}"):
        drawn = await asked(chat, f'{line} prompt:"a girl and a dog\n{name} nsfw" negative:blue')
        assert (drawn.prompt, drawn.negative_prompt) == ("a girl and a dog", "blue, nsfw")


async def test_lines_that_are_comments_are_not_drawn(chat: Chat) -> None:
    typed = "# for the class\na red cat\n# a blue one"
    assert (await asked(chat, typed)).prompt == "a red cat"
    assert await noted(chat) == [Note(NoteKind.COMMENT_IGNORED)]
    assert (await asked(chat, "#1 cat")).prompt == "#1 cat"


async def test_a_recipe_with_a_sampler_that_we_lack_is_made_with_another(chat: Chat) -> None:
    drawn = await asked(chat, "a cat\nSteps: 9, Sampler: DPM++ 2S a, CFG scale: 5, Seed: 3")
    assert (drawn.steps, drawn.seed, drawn.sampler) == (9, 3, "dpm++ 2m")
    assert await noted(chat) == [Note(NoteKind.OPTION_IGNORED, {"typed": "Sampler: DPM++ 2S a"})]


async def test_a_default_that_cannot_be_is_not_kept(chat: Chat) -> None:
    assert "size" in await refused(chat, "/settings size:enormous")
    assert "nearest is semilla" in await refused(chat, "/settings model:potato")
    assert "no option" in await refused(chat, "/settings seed:7")
    assert (await asked(chat, "a red cat")).model == "semilla"


async def test_a_default_model_that_is_gone_stops_nobody(chat: Chat) -> None:
    await chat.semilla.database.settings.set(CLASS.id, "guild", "", "model", "removed")
    assert (await asked(chat, "a red cat")).model == "semilla"


async def test_what_is_not_typed_keeps_to_the_limits_of_the_place(chat: Chat) -> None:
    await chat.type("/setup max_steps:10 max_side:64", member=MARTA)
    drawn = await asked(chat, "a red cat")
    assert (drawn.steps, drawn.width, drawn.height) == (10, 64, 64)
    assert "too many" in await refused(chat, "a red cat steps:11")
    assert (await asked(chat, "a red cat", MARTA)).steps > 10


async def test_the_guilds_negative_stays_when_another_is_chosen(chat: Chat, code: str) -> None:
    await chat.type("/settings negative:blurry scope:guild", member=MARTA)
    drawn = await asked(chat, f"/reroll {code} negative:red")
    assert drawn.negative_prompt == "red, blurry"


async def test_a_large_order_that_is_confirmed_twice_is_one(tmp_path: Path) -> None:
    async with App.open(settings(tmp_path, SEMILLA_LIMITS__ASK_SECONDS="60")) as app:
        chat = Chat(app)
        chat.semilla.estimate.learn("semilla", 128, 128, calls=20, seconds=2.0)
        ((yes,),) = (await chat.type("a cat steps:150 count:9")).buttons
        assert (await chat.type(yes.line)).tone is Tone.ACCEPTED
        assert (await chat.type(yes.line.lower())).tone is Tone.REFUSED
        assert len(chat.semilla.dispatch) == 9


@pytest.mark.parametrize("prompt", ["🐱", "123", "un", "..."])
async def test_what_has_nothing_to_draw_is_told_before(chat: Chat, prompt: str) -> None:
    assert "I don't know any" in await refused(chat, prompt)


async def test_the_queue_counts_all_and_offers_to_cancel_what_is_far_behind(chat: Chat) -> None:
    for number in range(7):
        luis = Member(f"chat:{number}", "Luis")
        assert (await chat.type("a red cat count:9", member=luis)).tone is Tone.ACCEPTED
    await asked(chat, "a red cat")
    shown = await chat.type("/queue")
    assert "64 in line" in shown.text
    assert shown.buttons


async def test_more_pictures_than_may_ever_wait_are_told_so(chat: Chat) -> None:
    await chat.type("/setup waiting:3", member=MARTA)
    assert "3 is the most" in await refused(chat, "a red cat count:4")
    await asked(chat, "a red cat count:3")
    told = await refused(chat, "un gato rojo", "es")
    assert told.startswith("Tienes 3 imágenes en espera")


async def test_how_many_are_left_is_told(chat: Chat) -> None:
    await chat.type("/setup per_hour:5", member=MARTA)
    await asked(chat, "a red cat count:4 steps:1")
    assert "Ask for 1 now" in await refused(chat, "a red cat count:2 steps:1")


async def test_what_cannot_shrink_as_far_as_the_place_wants_is_told(chat: Chat) -> None:
    await chat.type("/setup max_side:30", member=MARTA)
    assert "30" in await refused(chat, "a red cat")


async def test_a_setup_that_is_refused_changes_nothing(chat: Chat) -> None:
    await refused(chat, "/setup language:es words:children roles:@uno", member=MARTA)
    assert await chat.semilla.database.settings.of_guild(CLASS.id) == {}


async def test_what_is_tried_again_is_as_private_and_as_many_as_it_was(chat: Chat) -> None:
    kept = {"prompt": "a red cat", "private": "yes", "count": "2"}
    draft = await chat.semilla.database.drafts.save(CLASS.id, ANA.id, kept)
    reply = await chat.type(f"/imagine draft:{draft}")
    assert reply.answer is not None
    again = await chat.semilla.database.answers.get(reply.answer)
    assert again is not None
    assert (again.private, len(again.jobs)) == (True, 2)


async def test_roles_and_channels_are_ids(chat: Chat) -> None:
    told = await refused(chat, "/configurar roles:@uno", "es", MARTA)
    assert told == "«@uno» no es un id. Elígelo de la lista que aparece, o pega su id."
    assert "is no id" in await refused(chat, "/setup channels:#art", member=MARTA)


async def test_help_tells_what_a_command_takes(chat: Chat) -> None:
    told = await chat.type("/ayuda imagina", language="es")
    assert "`pasos:`" in told.text
    assert "`clip-skip:`" in told.text
    assert "`steps:`" in (await chat.type("/help steps")).text
    assert "`modelo:`" in (await chat.type("/ayuda modelo", language="es")).text
    assert "no help" in await refused(chat, "/help nothing")


async def test_a_member_is_found_however_they_are_named(chat: Chat, code: str) -> None:
    for named in ("@Ana", "Ana", ANA.id):
        (found,) = (await chat.type(f"/history member:{named}")).pictures
        assert found.code == code, named


async def test_what_can_be_tapped_is_in_the_readers_language(chat: Chat) -> None:
    reply = await chat.type("/ver ZZZ9", language="es")
    (button,) = reply.buttons[0]
    assert (button.label, button.line) == ("/historial", "/history")
