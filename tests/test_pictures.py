"""From /imagine to a picture, made again and varied: real worker, real model, real database."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image, PngImagePlugin

from bot import logs, replies
from bot.conversation import Guild, Member, Reply, Tone
from bot.sheets import SHEET_PICTURES
from db.models import Answer, Job
from generator import metadata
from generator.messages import Note, NoteKind
from generator.request import GenerationRequest, Hires
from tests.chat import ANA, CLASS, Chat, open_chat
from tests.rows import draw, picture, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

LUIS, ZOE = Member("chat:luis", "Luis"), Member("chat:zoe", "Zoe")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with open_chat(tmp_path_factory.mktemp("data")) as opened:
        yield opened


def png(chat: Chat, reply: Reply, index: int = 0) -> bytes:
    return chat.semilla.database.storage.path(reply.pictures[index].file).read_bytes()


def pixels(chat: Chat, reply: Reply, index: int = 0) -> bytes:
    return Image.open(io.BytesIO(png(chat, reply, index))).convert("RGB").tobytes()


def colour(chat: Chat, reply: Reply, x: int, y: int) -> tuple[int, int, int]:
    image = Image.open(io.BytesIO(png(chat, reply))).convert("RGB").resize((16, 16))
    return image.getpixel((x, y))


async def test_every_picture_of_the_history_is_on_a_page_that_chats_can_show(chat: Chat) -> None:
    place = Guild("chat:many")
    codes = {
        (await draw(chat.semilla.database, guild=place.id, member=ANA.id)).code for _ in range(20)
    }
    pages = [await chat.type("/history", guild=place)]
    while pages[-1].buttons:
        pages.append(await chat.type(pages[-1].buttons[0][0].line, guild=place))
    assert max(len(page.pictures) for page in pages) <= SHEET_PICTURES
    seen = [each for page in pages for each in page.pictures]
    assert len(seen) == len({each.code for each in seen} & codes) == 20


@pytest.mark.parametrize(
    "line",
    [
        "a red apple on a blue background seed:7 steps:8",
        "una manzana roja sobre fondo azul semilla:7 pasos:8",
    ],
)
async def test_words_of_both_languages_become_a_picture_that_shows_them(chat, line):
    reply = await chat.ask(line)
    red, _, blue = colour(chat, reply, 0, 0)
    assert blue > red + 50
    red, _, blue = colour(chat, reply, 8, 9)
    assert red > blue + 50


async def test_the_picture_knows_its_recipe_in_both_formats(chat):
    reply = await chat.ask("two cats negative:dogs seed:11 steps:5 sampler:ddim guidance:3")
    request = metadata.read(png(chat, reply))
    assert (request.prompt, request.negative_prompt, request.seed) == ("two cats", "dogs", 11)
    text = Image.open(io.BytesIO(png(chat, reply))).info["parameters"]
    assert metadata.parse_infotext(text).options == {
        "prompt": "two cats",
        "negative": "dogs",
        "seed": "11",
        "steps": "5",
        "sampler": "DDIM",
        "guidance": "3",
        "size": "128x128",
        "model": "semilla",
    }


async def test_reroll_gives_the_same_pixels_and_says_so(chat):
    first = await chat.ask("a frog seed:3 steps:5")
    again = await chat.ask(f"/reroll {first.pictures[0].code}")
    assert pixels(chat, again) == pixels(chat, first)
    assert "Identical" in again.pictures[0].caption


async def test_reroll_with_an_option_changes_that_one_thing(chat):
    first = await chat.ask("a frog seed:3 steps:5")
    changed = await chat.ask(f"/reroll {first.pictures[0].code} steps:6")
    before, after = (metadata.read(png(chat, each)) for each in (first, changed))
    assert after.steps == 6
    assert (after.prompt, after.seed, after.sampler) == (before.prompt, before.seed, before.sampler)
    assert pixels(chat, changed) != pixels(chat, first)


async def test_another_has_a_new_seed(chat):
    first = await chat.ask("a frog seed:3 steps:4")
    another = await chat.ask(f"/reroll {first.pictures[0].code} seed:-1")
    assert metadata.read(png(chat, another)).seed != 3
    assert pixels(chat, another) != pixels(chat, first)


@pytest.mark.parametrize("sampler", ["euler a", "ddpm", "dpm2 a", "dpm++ 2m sde"])
async def test_a_variation_of_strength_0_is_the_original_with_every_sampler(chat, sampler):
    first = await chat.ask(f"a duck seed:5 steps:4 sampler:{sampler}")
    same = await chat.ask(f"/vary {first.pictures[0].code} strength:0 seed:9")
    assert pixels(chat, same) == pixels(chat, first)


async def test_a_subtle_variation_stays_nearer_than_a_strong_one(chat):
    first = await chat.ask("a fish seed:5 steps:8")
    code = first.pictures[0].code
    subtle = await chat.ask(f"/vary {code} strength:subtle seed:1")
    strong = await chat.ask(f"/vary {code} strength:0.9 seed:1")

    def distance(reply):
        pairs = zip(pixels(chat, reply), pixels(chat, first), strict=True)
        return sum(abs(a - b) for a, b in pairs)

    assert 0 < distance(subtle) < distance(strong)


async def test_a_variation_can_be_varied_and_made_again(chat):
    first = await chat.ask("a star seed:5 steps:4")
    second = await chat.ask(f"/vary {first.pictures[0].code}")
    third = await chat.ask(f"/vary {second.pictures[0].code}")
    assert len(metadata.read(png(chat, third)).variations) == 2
    again = await chat.ask(f"/reroll {third.pictures[0].code}")
    assert pixels(chat, again) == pixels(chat, third)


async def test_picture_i_of_n_has_the_seed_plus_i_and_can_be_made_alone(chat):
    three = await chat.ask("a tree seed:100 steps:4 count:3")
    alone = await chat.ask("a tree seed:102 steps:4")
    assert len(three.pictures) == 3
    # Beside others a call is wider, and its last bits are others: /reroll keeps to its widths.
    both = zip(pixels(chat, three, 2), pixels(chat, alone), strict=True)
    assert max(abs(a - b) for a, b in both) <= 2


async def test_a_picture_can_be_drawn_over(chat):
    first = await chat.ask("a red apple seed:5 steps:6")
    near = await chat.ask(f"a green apple image:{first.pictures[0].code} strength:0.3 seed:2")
    request = metadata.read(png(chat, near))
    assert request.initial_image == first.pictures[0].file
    assert request.calls == 6
    again = await chat.ask(f"/reroll {near.pictures[0].code}")
    assert pixels(chat, again) == pixels(chat, near)


async def test_upscaling_doubles_the_sides(chat):
    first = await chat.ask("a heart seed:5 steps:4")
    large = await chat.ask(f"/upscale {first.pictures[0].code}")
    assert (large.pictures[0].width, large.pictures[0].height) == (256, 256)


async def test_a_pasted_recipe_is_made_as_it_says(chat):
    first = await chat.ask("a moon seed:21 steps:5 sampler:dpm++ 2m karras guidance:3")
    request = metadata.read(png(chat, first))
    pasted = await chat.ask(metadata.infotext(request))
    assert pixels(chat, pasted) == pixels(chat, first)


@pytest.mark.parametrize(
    ("language", "begins"),
    [("en", "To make it again: `/imagine"), ("es", "Para repetirla: `/imagina")],
)
async def test_the_line_in_the_recipe_makes_the_picture_again(chat, language, begins):
    first = await chat.ask("a sun seed:8 steps:4 negative:red")
    recipe = await chat.type(f"/recipe {first.pictures[0].code}", language=language)
    assert begins in recipe.text
    line = recipe.text.partition(begins.partition("`")[0] + "`")[2].rstrip("`").replace("\\", "")
    assert pixels(chat, await chat.ask(line)) == pixels(chat, first)


async def test_the_line_of_a_picture_lets_in_nobodys_defaults(chat):
    reader = Member("chat:reader", "Rea")
    await chat.type('/settings negative:"red, yellow"', member=reader)
    first = await chat.ask("a sun seed:8 steps:4")
    elsewhere = io.BytesIO()
    told = PngImagePlugin.PngInfo()
    told.add_text("parameters", metadata.infotext(metadata.read(png(chat, first))))
    Image.new("RGB", (8, 8)).save(elsewhere, "PNG", pnginfo=told)
    for recipe in (
        await chat.type(f"/recipe {first.pictures[0].code}"),
        await chat.type("/recipe", image=elsewhere.getvalue()),
    ):
        line = recipe.text.partition("To make it again: `")[2].rstrip("`").replace("\\", "")
        assert pixels(chat, await chat.ask(line, member=reader)) == pixels(chat, first)


async def test_a_variation_is_told_in_each_languages_own_numbers(chat):
    first = await chat.ask("a sun seed:8 steps:2")
    near = await chat.ask(f"/vary {first.pictures[0].code} strength:0.15", language="es")
    code = near.pictures[0].code
    assert "variada con fuerza 0,15" in (await chat.type(f"/recipe {code}", language="es")).text
    assert "varied by 0.15" in (await chat.type(f"/recipe {code}")).text
    seed = metadata.read(png(chat, near)).variations[0].seed
    again = f'variaciones:"{seed}:0.15"'
    assert again in (await chat.type(f"/recipe {code}", language="es")).text


async def test_a_picture_made_again_names_its_original_once(chat):
    code = (await chat.ask("a sun seed:8 steps:2")).pictures[0].code
    own = (await chat.ask(f"/reroll {code}")).pictures[0].caption
    assert own.count(code) == 1
    others = (await chat.ask(f"/reroll {code}", member=LUIS)).pictures[0].caption
    assert "Ana" in others


async def test_of_several_made_again_only_the_one_with_its_seed_is_compared(chat):
    code = (await chat.ask("a sun seed:8 steps:2")).pictures[0].code
    same, other = (await chat.ask(f"/reroll {code} count:2")).pictures
    assert "✓ Identical" in same.caption
    assert f"🎲 from `{code}`" in other.caption
    assert "≠" not in other.caption


async def test_a_picture_is_found_by_its_file_and_by_its_link(chat):
    reply = await chat.ask("a cloud seed:8 steps:4")
    code = reply.pictures[0].code
    by_file = await chat.type("/show", image=png(chat, reply))
    by_link = await chat.type(f"/show http://127.0.0.1:8000/p/{code}")
    assert by_file.pictures == by_link.pictures == (await chat.type(f"/show {code}")).pictures
    copy = io.BytesIO()
    Image.new("RGB", (64, 64)).save(copy, "PNG")
    assert "not made here" in (await chat.type("/show", image=copy.getvalue())).text


async def test_a_png_without_words_is_made_again_from_its_recipe(chat):
    reply = await chat.ask("a cloud seed:9 steps:4 sampler:ddim")
    again = await chat.ask("/imagine", image=png(chat, reply))
    assert pixels(chat, again) == pixels(chat, reply)


async def test_an_event_that_arrives_twice_is_answered_once(chat):
    once = await chat.type("a bee steps:3", origin="message-1")
    twice = await chat.type("a bee steps:3", origin="message-1")
    assert once.answer == twice.answer
    assert len((await chat.wait_for(once.answer)).pictures) == 1


async def test_others_guilds_have_no_such_id(chat):
    reply = await chat.ask("a cat steps:3")
    code = reply.pictures[0].code
    elsewhere = await chat.type(f"/show {code}", guild=Guild("chat:other"))
    unknown = await chat.type(f"/show {code}", guild=Guild("chat:third"))
    assert elsewhere == unknown
    assert elsewhere.tone is Tone.REFUSED


async def test_a_private_picture_is_seen_by_its_author_only(chat):
    reply = await chat.ask("a cat steps:3 private:yes")
    code = reply.pictures[0].code
    assert (await chat.type(f"/show {code}")).pictures
    assert (await chat.type(f"/show {code}", member=LUIS)).tone is Tone.REFUSED


async def test_a_request_can_be_cancelled_while_it_is_drawn(chat):
    reply = await chat.type("a cat steps:150")
    await chat.type("/cancel")
    finished = await chat.wait_for(reply.answer)
    assert not finished.pictures
    assert finished.text == "Cancelled."


async def accept(chat: Chat, request: GenerationRequest) -> Answer:
    """A request that a command would not let through."""
    waiting = Answer(
        origin=f"accepted:{request.seed}",
        adapter="chat",
        guild=CLASS.id,
        member=ANA.id,
        member_name=ANA.name,
        language="en",
        line="/imagine prompt:sun",
    )
    job = Job(guild=CLASS.id, member=ANA.id, recipe=request.to_json())
    return await chat.semilla.dispatch.accept(waiting, [job])


async def test_a_fault_is_in_the_log_with_its_trace_and_its_request(chat, caplog, monkeypatch):
    monkeypatch.setattr(caplog.handler, "formatter", logs.Lines())
    first = await chat.ask("a sun seed:9 steps:2")
    request = replace(metadata.read(png(chat, first)), sampler="no such")
    accepted = await accept(chat, request)
    assert "on our side" in (await chat.wait_for(accepted.id)).text
    lines = [json.loads(line) for line in caplog.text.splitlines()]
    (told,) = [line for line in lines if "no such" in line["text"]]
    assert (told["request"], told["job"]) == (accepted.id, accepted.jobs[0].id)
    assert "Traceback" in told["text"]


async def test_a_request_whose_model_was_replaced_while_it_waited_can_be_tried_again(chat):
    first = await chat.ask("a sun seed:8 steps:2")
    request = replace(metadata.read(png(chat, first)), model_hash="0" * 64)
    accepted = await accept(chat, request)
    failed = await chat.wait_for(accepted.id)
    assert "just changed" in failed.text
    await chat.type(failed.buttons[0][0].line)
    again = await chat.wait_for(accepted.id, times=2)
    assert pixels(chat, again) == pixels(chat, first)


async def test_nobody_cancels_for_another(chat):
    reply = await chat.type("a cat steps:30")
    refused = await chat.type(f"/cancel {reply.answer}", member=LUIS)
    assert refused.tone is Tone.REFUSED
    assert (await chat.wait_for(reply.answer)).pictures


async def test_only_its_author_deletes_a_picture(chat):
    reply = await chat.ask("a cat seed:77 steps:3")
    code = reply.pictures[0].code
    assert (await chat.type(f"/delete {code} sure:yes", member=LUIS)).tone is Tone.REFUSED
    await chat.type(f"/delete {code} sure:yes", member=ANA)
    assert (await chat.type(f"/show {code}")).tone is Tone.REFUSED


async def test_a_worker_that_is_killed_loses_no_picture(chat):
    reply = await chat.type("a whale steps:40 seed:4")
    await asyncio.sleep(0.5)
    os.kill(chat.semilla.dispatch.worker, signal.SIGKILL)
    survived = await chat.wait_for(reply.answer)
    assert pixels(chat, survived) == pixels(chat, await chat.ask("a whale steps:40 seed:4"))


async def test_what_is_cancelled_while_the_worker_is_away_is_not_drawn_again(chat):
    await chat.semilla.dispatch.ready.wait()
    first = await chat.type("a cat steps:150")
    second = await chat.type("a dog steps:150", member=LUIS)
    third = await chat.type("a whale steps:150", member=ZOE)
    os.kill(chat.semilla.dispatch.worker, signal.SIGKILL)
    await chat.type("/cancel")
    assert (await chat.wait_for(first.answer)).text == "Cancelled."
    await chat.type("/cancel", member=LUIS)
    left = (await chat.type("/queue", member=ZOE)).text
    assert "1 in line" in left or "1 being drawn" in left
    await chat.type("/cancel", member=ZOE)
    for each in (second, third):
        assert (await chat.wait_for(each.answer)).text == "Cancelled."
    assert "Nobody waits" in (await chat.type("/queue")).text


async def test_what_is_cancelled_on_its_way_to_the_worker_is_not_drawn(chat, monkeypatch):
    jobs = chat.semilla.database.jobs
    start = jobs.start

    async def start_and_be_cancelled(numbers):
        await start(numbers)
        await chat.type("/cancel")

    monkeypatch.setattr(jobs, "start", start_and_be_cancelled)
    assert (await chat.ask("a cat steps:150")).text == "Cancelled."


async def test_all_is_there_after_a_restart(tmp_path: Path):
    async with open_chat(tmp_path) as before:
        first = await before.ask("a boat seed:9 steps:4")
        waiting = await before.type("a car seed:9 steps:60")
        code = first.pictures[0].code
    async with open_chat(tmp_path) as after:
        again = await after.ask(f"/reroll {code}")
        assert "Identical" in again.pictures[0].caption
        assert len((await after.wait_for(waiting.answer)).pictures) == 1
        assert (await after.type(f"/vary {code.lower()}")).tone is Tone.ACCEPTED


async def test_what_is_to_say_of_a_default_stands_in_the_recipe_only(chat):
    teacher = Member("chat:teacher", "Marta", moderator=True)
    there = Guild("chat:other-class")
    line = '/settings scope:guild negative:"EasyNegative, blurry" size:100x100'
    await chat.ask(line, member=teacher, guild=there)
    silent = await chat.ask("a moon steps:1", guild=there)
    typed = await chat.ask("a moon steps:1 negative:EasyNegative", guild=there)
    recipe = await chat.ask(f"/recipe {silent.pictures[0].code}", guild=there)
    assert len(silent.pictures[0].caption.splitlines()) == 1, silent.pictures[0].caption
    assert "EasyNegative" in typed.pictures[0].caption
    assert "100x100" in recipe.text
    assert recipe.text.count("EasyNegative") == 3  # as typed, in the note, in the line


async def test_a_file_of_semillas_gives_its_own_recipe_anywhere(chat):
    first = await chat.ask("a red apple seed:5 steps:3 sampler:ddim guidance:2.3456789")
    near = await chat.ask(f"/vary {first.pictures[0].code} strength:0.2 seed:9")
    file = png(chat, await chat.ask(f"/vary {near.pictures[0].code} strength:0.123456789 seed:3"))
    other = Guild("chat:other")
    await chat.type("/settings negative:dogs guidance:9", guild=other)
    again = await chat.ask("/imagine", image=file, guild=other)
    assert metadata.read(png(chat, again)) == metadata.read(file)
    assert Image.open(io.BytesIO(file)).convert("RGB").tobytes() == pixels(chat, again)
    assert again.pictures[0].notes == ()


async def test_what_a_recipe_from_elsewhere_has_and_this_one_cannot_is_told(chat):
    recipe = "a cat\nSteps: 3, Sampler: Euler, Seed: 9, Model: dreamy, Variation seed: 4, "
    recipe += "Variation seed strength: 0.25, ENSD: 31337"
    reply = await chat.ask(recipe)
    (variation,) = metadata.read(png(chat, reply)).variations
    assert (variation.seed, variation.strength) == (4, 0.25)
    assert '"Model: dreamy, ENSD: 31337" has no counterpart here' in reply.pictures[0].notes[0]


async def test_where_the_memory_did_not_suffice_for_the_same_calls_the_verdict_says_so():
    made = request()
    parent = picture(made, "a" * 64, trace="8e20", code="K7QX", notes=[])
    tiles = Note(NoteKind.DECODED_IN_TILES).to_json()
    for trace, notes, reason in (
        *(("2e20", [], "memory"), ("8e20", [tiles], "memory")),
        ("8e20", [], "not known"),
    ):
        again = picture(made, "b" * 64, trace=trace, notes=notes)
        assert reason in replies.verdict(again, parent, "en")


async def test_words_that_did_not_fit_are_told_whatever_else_is():
    cut = Note(NoteKind.PROMPT_CUT, {"words": "a tree", "limit": "75"})
    notes = [Note(NoteKind.WORDS_DRAWN, {"words": "red"}).to_json(), cut.to_json()]
    made = request("a {red|blue} cat", hires=Hires(32, 32, 9, 0.5))
    shown = picture(made, "a" * 64, code="K7QX", notes=notes, seconds=1.0, key={})
    assert any("a tree" in each for each in replies.picture_shown(shown, "en").notes)
    assert "in 4 steps" in replies.recipe_text(shown, "en", "")
