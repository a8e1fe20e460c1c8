"""Discord, with the real discord.py on a loopback server and the shipped model."""

from __future__ import annotations

import asyncio
from collections import Counter
from io import BytesIO
from pathlib import Path

import discord
import pytest
from PIL import Image

from bot.adapters.discord import client
from bot.app import App
from db.history import Asker
from db.models import Review
from generator import metadata
from tests.discord_peer.kept import Fault
from tests.discord_peer.payloads import ANA, CHANNEL, EVERYTHING, GUILD
from tests.discord_peer.server import Discord
from tests.discord_peer.serving import app, lonely, peer, pictures, running, semilla_on

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["app", "lonely", "peer", "running"]  # fixtures


async def test_a_picture_comes_varies_and_is_made_again_identically(
    peer: Discord, app: App
) -> None:
    asked = await peer.slash("imagine", prompt="a red apple", seed="7", steps=4)
    acknowledged = await peer.response(asked)
    assert acknowledged["type"] == 5, "deferred before anything else"
    message = await peer.picture(asked)
    assert "a red apple" in message.content
    assert "seed `7`" in message.content
    (name, data), *none = message.files.items()
    assert not none
    request = metadata.read(data)
    assert request is not None
    assert (request.prompt, request.seed) == ("a red apple", 7)
    assert Image.open(BytesIO(data)).size == (512, 512)
    assert message.alts[name] == "a red apple"
    assert list(message.buttons()) == ["🎲 Another", "🌱 Vary", "✏️ Edit", "📋 Recipe", "⋯"]

    varied = await peer.picture(await peer.press(message, message.buttons()["🌱 Vary"]))
    assert "from" in varied.content
    menu = await peer.press(message, message.buttons()["⋯"])
    folded = await peer.answer(menu)
    await peer.until(lambda: bool(folded.buttons()))
    assert folded.ephemeral
    again = folded.buttons()["🟰 Make it again, identical"]
    identical = await peer.picture(await peer.press(folded, again))
    assert "Identical" in identical.content
    whole = await peer.answer(await peer.press(folded, folded.buttons()["📎 PNG"]))
    await peer.until(lambda: bool(whole.files))
    (png,) = whole.files.values()
    assert metadata.pixel_hash_of(png) == metadata.read_pixels(data)


async def test_edit_changes_what_was_changed_and_nothing_else(peer: Discord, app: App) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a dog", seed="5", steps=2))
    form = await peer.response(await peer.press(message, message.buttons()["✏️ Edit"]))
    assert form["type"] == 9
    fields = {
        row["component"]["custom_id"]: row["component"].get("value", "")
        for row in form["data"]["components"]
    }
    assert fields["prompt"] == "a dog"
    assert "seed:5" in fields["options"]
    changed = fields | {"prompt": "a cat"}
    sent = await peer.picture(await peer.send_modal(form["data"]["custom_id"], changed))
    assert "a cat" in sent.content
    assert "seed `5`" in sent.content


async def test_what_is_taken_out_in_an_edit_is_gone(peer: Discord, app: App) -> None:
    asked = await peer.slash(
        "imagine", prompt="a hat", negative="red", seed="5", steps=1, hires=1.5, size="64x64"
    )
    message = await peer.picture(asked)
    form = await peer.response(await peer.press(message, message.buttons()["✏️ Edit"]))
    hidden = form["data"]["custom_id"]
    changed = {"prompt": "a hat", "negative": "", "options": "seed:5 steps:1 size:64x64"}
    await peer.picture(await peer.send_modal(hidden, changed))
    (found,) = await app.semilla.database.history.latest(Asker(f"discord:{GUILD}", ""), n=1)
    assert (found.request.negative_prompt, found.request.hires) == ("", None)
    assert (found.request.width, found.request.seed) == (64, 5)


async def test_a_style_is_kept_used_and_deleted_without_typing_a_command(
    peer: Discord, app: App
) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a dog", steps=2))
    recipe = await peer.answer(await peer.menu("📋 Recipe", message))
    await peer.until(lambda: bool(recipe.buttons()))
    form = await peer.response(await peer.press(recipe, recipe.buttons()["💾 Keep as a style"]))
    named = {"name": "quick", "options": 'prompt:"watercolour"'}
    await peer.send_modal(form["data"]["custom_id"], named)
    await peer.until(lambda: any("Saved" in m.content for m in peer.messages.values()))
    drawn = await peer.picture(await peer.slash("imagine", prompt="a cat", style="quick"))
    assert "watercolour" in drawn.content
    (found,) = await app.semilla.database.history.latest(Asker(f"discord:{GUILD}", ""), n=1)
    assert found.request.steps == 2
    helping = await peer.answer(await peer.slash("help"))
    await peer.until(lambda: bool(helping.buttons()))
    styles = await peer.answer(await peer.press(helping, helping.buttons()["Style"]))
    await peer.until(lambda: bool(styles.buttons()))
    await peer.press(styles, styles.buttons()["🗑 quick"])
    await peer.until(lambda: any("is deleted" in m.content for m in peer.messages.values()))
    place, author = f"discord:{GUILD}", f"discord:{ANA}"
    assert not await app.semilla.database.settings.styles(place, author)


async def test_the_menu_of_a_message_knows_its_picture(peer: Discord, app: App) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a fish", seed="8", steps=2))
    recipe = await peer.answer(await peer.menu("📋 Recipe", message))
    await peer.until(lambda: "a fish" in recipe.content)
    assert recipe.ephemeral
    assert "DPM++ 2M" in recipe.content


async def test_a_switch_that_is_set_to_false_is_off(
    peer: Discord, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiled = await peer.picture(await peer.slash("imagine", prompt="a star", steps=1, tiling=True))
    code = next(iter(tiled.files)).split("-")[1][:4]
    await peer.picture(await peer.slash("reroll", id=code, tiling=False))
    guild, moderation = f"discord:{GUILD}", app.semilla.database.moderation
    changed, whole = await app.semilla.database.history.latest(Asker(guild, ""), n=2)
    assert (changed.request.tiling, whole.request.tiling) == (False, True)
    kept = Review(
        guild=guild, adapter="discord", channel=str(CHANNEL), thread="", age_restricted=False,
        member="discord:5", member_name="Bea", language="en", command="imagine",
        options={"prompt": "a word"}, word="word",
    )  # fmt: skip
    review = await moderation.keep(kept)
    await moderation.ask(review, 5)
    monkeypatch.setattr(peer, "rights", EVERYTHING)
    told = await peer.answer(await peer.slash("review", item=review.code, allow=False))
    await peer.until(lambda: bool(told.content))
    found = await moderation.review(guild, review.code)
    assert found is not None
    assert found.decided is not None


async def test_several_pictures_are_taken_up_by_a_list(peer: Discord, app: App) -> None:
    asked = await peer.slash("imagine", prompt="a star", steps=1, count=3)
    message = await peer.answer(asked)
    await peer.until(lambda: len(message.files) == 3)
    assert message.content.count("a star") == 1
    (select,) = (item for row in message.components for item in row["components"])
    shown = await peer.answer(
        await peer.pick(message, select["custom_id"], select["options"][1]["value"])
    )
    await peer.until(lambda: bool(shown.files))
    code = select["options"][1]["label"].split()[-1]
    assert code in next(iter(shown.files))
    varied = await peer.answer(await peer.slash("vary", id=code, count=2))
    await peer.until(lambda: len(varied.files) == 2)
    assert (varied.content.count("a star"), varied.content.count("🌱")) == (1, 1)


async def test_a_refusal_is_for_its_author_only(peer: Discord, app: App) -> None:
    asked = await peer.slash("imagine", prompt="a sun", sampler="oiler")
    public = await peer.answer(asked)
    await peer.until(lambda: public.id not in peer.messages and bool(peer.messages))
    (private,) = peer.messages.values()
    assert private.ephemeral
    assert "euler" in private.content.lower()


async def test_words_of_members_neither_ping_nor_format(peer: Discord, app: App) -> None:
    asked = await peer.slash(
        "imagine", prompt="a cat @everyone <@4000> **big** [x](http://y)", steps=1
    )
    message = await peer.picture(asked)
    assert "@everyone" not in message.content
    assert "<@4000>" in message.content, "shown by name, and called by nothing"
    assert "**big**" not in message.content
    assert message.mentions == {"parse": []}


async def test_members_see_at_most_eight_commands_in_both_languages(
    peer: Discord, app: App
) -> None:
    slash = [each for each in peer.commands if each.get("type", 1) == 1]
    members = [each for each in slash if each.get("default_member_permissions") is None]
    assert 1 <= len(members) <= 8
    moderators = {each["name"] for each in slash if each not in members}
    assert moderators >= {"setup", "ban", "review"}
    rights = {each["default_member_permissions"] for each in slash if each not in members}
    assert rights == {discord.Permissions(manage_messages=True).value}
    imagine = next(each for each in slash if each["name"] == "imagine")
    assert imagine["name_localizations"]["es-ES"] == "imagina"
    options = {each["name"]: each for each in imagine["options"]}
    assert options["seed"]["name_localizations"]["es-419"] == "semilla"
    assert (options["steps"]["min_value"], options["steps"]["max_value"]) == (1, 150)
    assert all(each["integration_types"] == [0] for each in slash), "no user installs"
    setup = next(each for each in slash if each["name"] == "setup")
    words = next(each for each in setup["options"] if each["name"] == "words")
    first = words["choices"][0]
    assert (first["value"], first["name"]) == ("children", "children")
    assert first["name_localizations"]["es-419"] == "niños"


async def test_a_picture_that_a_command_is_about_has_to_be_named(peer: Discord, app: App) -> None:
    options = {each["name"]: each.get("options", []) for each in peer.commands}
    needed = {name for name, of in options.items() if any(each["required"] for each in of)}
    assert needed >= {"reroll", "vary", "show"}
    assert "review" not in needed


async def test_commands_are_sent_only_when_they_changed(lonely: Discord, tmp_path: Path) -> None:
    async with semilla_on(lonely, tmp_path):  # which notes what it has sent
        await lonely.until(lambda: any(tmp_path.rglob("discord-commands")))
    async with semilla_on(lonely, tmp_path):
        pass
    assert lonely.syncs == 1


async def test_samplers_and_own_pictures_are_offered(peer: Discord, app: App) -> None:
    offered = await peer.complete("imagine", "sampler", "2m")
    assert "dpm++ 2m" in [each["value"] for each in offered]
    message = await peer.picture(await peer.slash("imagine", prompt="a bee", steps=1))
    pictures = await peer.complete("vary", "picture", "bee")
    assert [each["name"].split(" · ")[1] for each in pictures] == ["a bee"]
    assert pictures[0]["value"] in message.content


async def test_a_button_works_after_a_restart(lonely: Discord, tmp_path: Path) -> None:
    async with semilla_on(lonely, tmp_path):
        message = await lonely.picture(await lonely.slash("imagine", prompt="a key", steps=1))
    async with semilla_on(lonely, tmp_path):
        again = await lonely.press(message, message.buttons()["🎲 Another"])
        assert "a key" in (await lonely.picture(again)).content


async def test_what_is_made_of_a_private_picture_is_private(peer: Discord, app: App) -> None:
    asked = await peer.slash("imagine", prompt="a crown", steps=1, private=True)
    message = await peer.picture(asked)
    await peer.press(message, message.buttons()["🌱 Vary"])
    await peer.until(lambda: len(pictures(peer)) == 2)
    assert all(each.ephemeral for each in pictures(peer))


async def test_a_new_server_is_told_once_and_draws_nothing_until_the_code_is_typed(
    lonely: Discord, tmp_path: Path
) -> None:
    async with semilla_on(lonely, tmp_path, SEMILLA_ACCESS__OPEN="no") as app:
        refused = await lonely.answer(await lonely.slash("imagine", prompt="a bee", steps=1))
        await lonely.until(lambda: refused.id not in lonely.messages and bool(lonely.messages))
        (told,) = lonely.messages.values()
        assert told.ephemeral
        assert "not switched on" in told.content
        lonely.rights = EVERYTHING
        activated = await lonely.slash("activate", code=app.semilla.access.code)
        await lonely.until(lambda: any("Seeds" in m.content for m in lonely.messages.values()))
        assert (await lonely.answer(activated)).ephemeral
        asked = await lonely.slash("imagine", prompt="a bee", steps=1)
        assert (await lonely.picture(asked)).files


async def test_progress_is_shown_with_a_preview_and_never_after_the_picture(
    peer: Discord, app: App
) -> None:
    asked = await peer.slash("imagine", prompt="a lion", steps=20)
    message = await peer.answer(asked)
    await peer.until(lambda: "semilla-preview.webp" in message.files)
    assert list(message.buttons()) == ["Cancel"]
    finished = await peer.picture(asked)
    edits = finished.edits
    await asyncio.sleep(0.5)
    assert finished.edits == edits


async def test_finished_pictures_are_not_sent_again_with_each_step_of_the_others(
    peer: Discord, app: App
) -> None:
    asked = await peer.slash("imagine", prompt="a snail", steps=20, size="64x64", count=9)
    message = await peer.answer(asked)
    await peer.until(lambda: len(message.files) == 9 and "Cancel" not in message.buttons())
    names = Counter(name for name in peer.uploaded if "preview" not in name)
    assert set(names) == set(message.files)
    assert max(names.values()) <= 2, "when it is finished, and with the whole answer"


async def test_progress_forms_and_refusals_are_in_the_language_of_the_server(
    peer: Discord, app: App
) -> None:
    settings, place = app.semilla.database.settings, f"discord:{GUILD}"
    await settings.set(place, "guild", "", "language", "es")
    asked = await peer.slash("imagine", prompt="a snail", steps=20)
    message, seen = await peer.answer(asked), list[str]()
    await peer.until(lambda: seen.append(message.content) or len(message.buttons()) > 3)
    assert any("Dibujando" in each for each in seen)
    assert not any("Drawing" in each for each in seen)
    form = await peer.response(await peer.press(message, message.buttons()["✏️ Editar"]))
    *_, options = form["data"]["components"]
    assert options["label"].startswith("Semilla, pasos")
    await peer.menu("📋 Recipe", peer.bring(ANA, {}))
    await peer.until(lambda: any("ninguna imagen" in m.content for m in peer.messages.values()))
    await settings.set(place, "guild", "", "language", None)


async def test_commands_that_could_not_be_sent_are_sent_later(
    lonely: Discord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "RETRY_SECONDS", 0.1)
    lonely.faults.append(Fault("PUT /applications", 503, times=2))
    async with semilla_on(lonely, tmp_path):
        assert lonely.commands


async def test_words_in_the_box_of_options_are_refused_and_not_taken_for_a_picture(
    peer: Discord, app: App
) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a shoe", steps=1))
    form = await peer.response(await peer.press(message, message.buttons()["✏️ Edit"]))
    for options in ("steps:20 blue", "blue", "seed:5 prompt:blue"):
        peer.messages.clear()
        changed = {"prompt": "a shoe", "options": options}
        await peer.send_modal(form["data"]["custom_id"], changed)
        told = 'doesn\'t know what to do with "blue"'
        await peer.until(lambda told=told: any(told in m.content for m in peer.messages.values()))


async def test_a_form_of_words_alone_has_no_box_of_options(peer: Discord, app: App) -> None:
    await peer.slash("imagine", prompt="a naked woman", steps=1)
    await peer.until(lambda: any("✏️ Edit" in m.buttons() for m in peer.messages.values()))
    *_, refused = peer.messages.values()
    form = await peer.response(await peer.press(refused, refused.buttons()["✏️ Edit"]))
    names = [row["component"]["custom_id"] for row in form["data"]["components"]]
    assert names == ["prompt"]
    sent = await peer.send_modal(form["data"]["custom_id"], {"prompt": "a hat"})
    assert "a hat" in (await peer.picture(sent)).content


async def test_a_recipe_with_many_words_still_says_how_it_is_made_again(
    peer: Discord, app: App
) -> None:
    words = "a snail, " + " ".join(f"word_{n:03}" for n in range(150))
    asked = await peer.slash("imagine", prompt=words, negative="blurry " * 40, seed="7", steps=1)
    message = await peer.picture(asked)
    code = next(iter(message.files)).split("-")[1][:4]
    told = await peer.answer(await peer.press(message, message.buttons()["📋 Recipe"]))
    await peer.until(lambda: bool(told.content))
    assert "**seed** 7" in told.content
    assert told.content.endswith(f"`/reroll {code}`")


async def test_spanish_members_read_spanish(peer: Discord, app: App) -> None:
    asked = await peer.slash("imagine", "es-419", prompt="un gato rojo", steps=2)
    message = await peer.picture(asked)
    assert "semilla" in message.content
    assert "🌱 Variar" in message.buttons()
