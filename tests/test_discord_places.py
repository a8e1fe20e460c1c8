"""Where Semilla is asked on Discord, and on which pictures it works."""

from __future__ import annotations

import asyncio
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from bot.adapters.discord import adapter
from bot.app import App
from bot.events import Changed
from db.history import Asker
from tests.discord_peer.kept import Message
from tests.discord_peer.payloads import (
    ADULTS,
    ANA,
    BOT,
    CHANNEL,
    EVERYTHING,
    FORUM,
    GUILD,
    Place,
)
from tests.discord_peer.server import Discord
from tests.discord_peer.serving import app, lonely, peer, pictures, running, semilla_on
from tests.test_models_asked import shelf

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["app", "lonely", "peer", "running", "shelf"]  # fixtures

BEA = 4001
QUESTION = re.compile(r"\*\*\d (of|de) 8")
MODERATOR = Asker(f"discord:{GUILD}", "", moderator=True)
INFOTEXT = "a blue ship\nNegative prompt: people\nSteps: 3, Sampler: Euler, CFG scale: 4, Seed: 99"


@pytest.mark.parametrize("parent", [CHANNEL, FORUM])
async def test_a_thread_or_forum_post_is_answered_in_it(
    peer: Discord, app: App, parent: int
) -> None:
    thread = Place(channel=3500, parent=parent)
    asked = await peer.slash("imagine", at=thread, prompt="a leaf", steps=20)
    placeholder = await peer.answer(asked)
    await peer.until(lambda: "Cancel" in placeholder.buttons())
    peer.expired.add(f"token-{asked}")
    await peer.until(lambda: len(pictures(peer, thread.channel)) == 1)
    answer = (await app.semilla.database.answers.recent(f"discord:{GUILD}", "", True))[0]
    assert (answer.channel, answer.thread) == (str(parent), str(thread.channel))


async def test_where_it_does_not_draw_it_tells_the_way(lonely: Discord, tmp_path: Path) -> None:
    async with semilla_on(lonely, tmp_path) as app:
        settings = app.semilla.database.settings
        for name, value in (("channels", str(FORUM)), ("channels_shown", f"<#{FORUM}>")):
            await settings.set(f"discord:{GUILD}", "guild", "", name, value)
        lonely.rights = "0"
        await lonely.slash("imagine", prompt="a bee", steps=1)
        await lonely.until(lambda: any("I don't draw here" in t for t in _texts(lonely)))
        (refused,) = lonely.messages.values()
        assert refused.ephemeral
        assert f"<#{FORUM}>" in refused.content, "a channel to be tapped"
        post = Place(channel=3600, parent=FORUM)
        asked = await lonely.slash("imagine", at=post, prompt="a bee", steps=1)
        assert (await lonely.picture(asked)).channel == post.channel


async def test_a_channel_has_its_own_defaults_and_adults_have_theirs(
    peer: Discord, app: App
) -> None:
    settings = app.semilla.database.settings
    await settings.set(f"discord:{GUILD}", "channel", str(ADULTS), "steps", "2")
    place = Place(channel=ADULTS, age_restricted=True)
    message = await peer.picture(await peer.slash("imagine", at=place, prompt="a shoe"))
    recipe = await peer.answer(await peer.menu("📋 Recipe", message, at=place))
    await peer.until(lambda: "**steps** 2" in recipe.content)
    answer = (await app.semilla.database.answers.recent(f"discord:{GUILD}", "", True))[0]
    assert answer.age_restricted
    assert await peer.complete("vary", "picture", "shoe", at=place)
    assert not await peer.complete("vary", "picture", "shoe"), "in other channels nobody reads it"


async def test_private_chats_are_for_members_where_the_owner_allows_them(
    lonely: Discord, tmp_path: Path
) -> None:
    alone = Place(guild=None, channel=8000)
    closed = {"SEMILLA_ACCESS__OPEN": "no", "SEMILLA_ACCESS__PRIVATE_CHATS": "no"}
    async with semilla_on(lonely, tmp_path, **closed) as app:
        await app.semilla.database.access.add_owner("discord:9", "discord")
        refused = await lonely.answer(await lonely.slash("imagine", at=alone, prompt="a bee"))
        await lonely.until(lambda: any("in private" in text for text in _texts(lonely)))
        assert refused.id not in lonely.messages
        assert not pictures(lonely, alone.channel)
    async with semilla_on(lonely, tmp_path / "open"):
        asked = await lonely.slash("imagine", at=alone, prompt="a bee", steps=1)
        assert (await lonely.picture(asked)).channel == alone.channel


async def test_a_private_draft_is_published_by_its_author(peer: Discord, app: App) -> None:
    draft = await peer.picture(await peer.slash("imagine", prompt="a crown", steps=1, private=True))
    assert draft.ephemeral
    shown = await peer.picture(await peer.press(draft, draft.buttons()["📢 Publish"]))
    assert not shown.ephemeral
    assert "a crown" in shown.content
    assert list(shown.files.values()) == list(draft.files.values())
    await peer.press(draft, draft.buttons()["📢 Publish"])
    await peer.until(lambda: any("isn't private" in text for text in _texts(peer)))


async def test_a_picture_that_is_deleted_leaves_its_message(peer: Discord, app: App) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a hat", steps=1))
    more = await peer.answer(await peer.press(message, message.buttons()["⋯"]))
    await peer.until(lambda: "🗑 Delete" in more.buttons())
    sure = await peer.answer(await peer.press(more, more.buttons()["🗑 Delete"]))
    await peer.until(lambda: bool(sure.buttons()))
    await peer.press(sure, sure.buttons()["🗑 Yes, delete it"])
    await peer.until(lambda: "was deleted" in message.content)
    assert not message.files
    assert not message.buttons()


async def test_the_menu_knows_a_picture_whose_buttons_are_gone(peer: Discord, app: App) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a moon", steps=1))
    bare = Message(message.id, CHANNEL, files=message.files)
    recipe = await peer.answer(await peer.menu("📋 Recipe", bare))
    await peer.until(lambda: "a moon" in recipe.content)


async def test_the_menu_knows_a_picture_that_was_uploaded_again(peer: Discord, app: App) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a tree", steps=1))
    (code,) = [name.split("-")[1][:4] for name in message.files]
    file = await app.semilla.database.history.search(MODERATOR, limit=1)
    pixels = Image.open(app.semilla.database.storage.path(file[0].file)).convert("RGB")
    for data in (*message.files.values(), _png(pixels)):
        upload = peer.bring(ANA, {"picture.png": data})
        recipe = await peer.answer(await peer.menu("📋 Recipe", upload))
        await peer.until(lambda answer=recipe: "a tree" in answer.content)
        varied = await peer.picture(await peer.menu("🌱 Vary", upload))
        assert f"from [`{code}`]" in varied.content


async def test_the_menu_reads_the_recipe_in_a_file_of_elsewhere(peer: Discord, app: App) -> None:
    upload = peer.bring(ANA, {"ship.png": _png(Image.new("RGB", (64, 64)), INFOTEXT)})
    recipe = await peer.answer(await peer.menu("📋 Recipe", upload))
    await peer.until(lambda: "a blue ship" in recipe.content)
    form = await peer.response(await peer.menu("✏️ Edit", upload))
    fields = _filled_in(form)
    assert (fields["prompt"], fields["negative"]) == ("a blue ship", "people")
    sent = await peer.picture(
        await peer.send_modal(form["data"]["custom_id"], fields | {"prompt": "a red ship"})
    )
    assert "a red ship" in sent.content
    assert "seed `99`" in sent.content


async def test_a_picture_that_was_uploaded_again_is_edited_as_what_it_is(
    peer: Discord, app: App
) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a tree", steps=1))
    form = await peer.response(await peer.menu("✏️ Edit", peer.bring(ANA, message.files)))
    changed = _filled_in(form) | {"prompt": "a blue tree"}
    sent = await peer.picture(await peer.send_modal(form["data"]["custom_id"], changed))
    assert "a blue tree" in sent.content


async def test_a_file_that_is_gone_is_told(peer: Discord, app: App) -> None:
    gone = peer.bring(ANA, {"photo.png": _png(Image.new("RGB", (64, 64)))})
    del peer.messages[gone.id]
    await peer.menu("📋 Recipe", gone)
    await peer.until(lambda: any("didn't come through" in text for text in _texts(peer)))


async def test_a_file_that_the_network_loses_is_told(peer: Discord, app: App) -> None:
    nowhere = {"url": "http://127.0.0.1:1/photo.png"}
    lost = _attached(peer, {"photo.png": _png(Image.new("RGB", (64, 64)))}) | nowhere
    await peer.slash("imagine", prompt="a bee", file=lost)
    await peer.until(lambda: any("didn't come through" in text for text in _texts(peer)))


async def test_a_file_that_is_too_large_is_not_fetched(peer: Discord, app: App) -> None:
    own = peer.bring(ANA, {"large.png": bytes(17 * 1024 * 1024)})
    await peer.menu("📋 Recipe", own)
    await peer.until(lambda: any("16 MB is the most" in text for text in _texts(peer)))
    peer.forget()
    large = _attached(peer, {"photo.png": b"much"}) | {"size": 17 * 1024 * 1024}
    fetched = peer.fetched
    await peer.slash("imagine", prompt="a bee", file=large)
    await peer.until(lambda: any("16 MB is the most" in text for text in _texts(peer)))
    assert peer.fetched == fetched


async def test_no_file_is_fetched_for_who_is_not_answered(lonely: Discord, tmp_path: Path) -> None:
    async with semilla_on(lonely, tmp_path, SEMILLA_ACCESS__OPEN="no"):
        upload = lonely.bring(ANA, {"photo.png": _png(Image.new("RGB", (64, 64)), INFOTEXT)})
        await lonely.slash("imagine", prompt="a bee", file=_attached(lonely, upload.files))
        await lonely.until(lambda: any("not switched on" in text for text in _texts(lonely)))
        recipe = await lonely.answer(await lonely.menu("📋 Recipe", upload))
        await lonely.until(lambda: "not switched on" in recipe.content)
    assert not lonely.fetched


async def test_the_menu_leaves_others_pictures_alone_unless_the_server_allows_it(
    peer: Discord, app: App
) -> None:
    theirs = peer.bring(BEA, {"photo.png": _png(Image.new("RGB", (64, 64)), INFOTEXT)})
    await peer.menu("📋 Recipe", theirs)
    await peer.until(lambda: any("somebody else's" in text for text in _texts(peer)))
    form = await peer.response(await peer.menu("✏️ Edit", theirs))
    assert form["type"] == 4, "said, and no form opened"
    await app.semilla.database.settings.set(f"discord:{GUILD}", "guild", "", "others", "yes")
    recipe = await peer.answer(await peer.menu("📋 Recipe", theirs))
    await peer.until(lambda: "a blue ship" in recipe.content)
    await app.semilla.database.settings.set(f"discord:{GUILD}", "guild", "", "others", None)


async def test_the_menu_uses_a_picture_as_the_image_to_draw_over(peer: Discord, app: App) -> None:
    owl = await peer.picture(await peer.slash("imagine", prompt="an owl", steps=1))
    upload = peer.bring(ANA, {"photo.png": _png(Image.new("RGB", (64, 64), "red"))})
    for message in (owl, upload):
        form = await peer.response(await peer.menu("🖼️ Use as image", message))
        assert form["type"] == 9
        typed = {"prompt": "a cat", "options": "strength:0.5 steps:2"}
        drawn = await peer.picture(await peer.send_modal(form["data"]["custom_id"], typed))
        assert "a cat" in drawn.content
        recipe = await peer.answer(await peer.menu("📋 Recipe", drawn))
        await peer.until(lambda answer=recipe: "**strength** 0.5" in answer.content)


async def test_a_picture_is_drawn_over_by_its_id_or_by_a_link_to_its_message(
    peer: Discord, app: App
) -> None:
    owl = await peer.picture(await peer.slash("imagine", prompt="an owl", steps=1))
    (code,) = [name.split("-")[1][:4] for name in owl.files]
    link = f"https://discord.com/channels/{GUILD}/{CHANNEL}/{owl.id}"
    for named in (code, link):
        asked = await peer.slash("imagine", prompt="a cat", steps=2, **{"image-id": named})
        recipe = await peer.answer(await peer.menu("📋 Recipe", await peer.picture(asked)))
        await peer.until(lambda answer=recipe: "**strength** 0.6" in answer.content)


async def test_a_message_without_a_picture_says_so(peer: Discord, app: App) -> None:
    await peer.menu("📋 Recipe", peer.bring(ANA, {}))
    await peer.until(lambda: any("no picture of mine" in text for text in _texts(peer)))


async def test_the_status_names_the_model(peer: Discord, app: App) -> None:
    await peer.until(lambda: bool(peer.presence))
    model = app.semilla.catalogue.default().name
    assert peer.presence["activities"][0]["state"].startswith(model)


async def test_what_is_made_of_another_links_to_it(peer: Discord, app: App) -> None:
    first = await peer.slash("imagine", by=BEA, prompt="an owl", steps=1)
    owl = await peer.picture(first)
    assert owl.author == BOT
    varied = await peer.picture(await peer.press(owl, owl.buttons()["🌱 Vary"]))
    link = f"https://discord.com/channels/{GUILD}/{CHANNEL}/{owl.id}"
    assert f"(<{link}>) by Member4001" in varied.content


def _attached(peer: Discord, files: dict[str, bytes]) -> dict[str, Any]:
    (file,) = peer.payload(peer.bring(ANA, files))["attachments"]
    return dict(file)


def _filled_in(form: dict[str, Any]) -> dict[str, str]:
    """What a modal's fields hold when it opens."""
    rows = (row["component"] for row in form["data"]["components"])
    return {row["custom_id"]: row.get("value", "") for row in rows}


def _texts(peer: Discord) -> list[str]:
    return [each.content for each in peer.messages.values()]


def _png(image: Image.Image, infotext: str = "") -> bytes:
    file = BytesIO()
    texts = PngImagePlugin.PngInfo()
    if infotext:
        texts.add_itxt("parameters", infotext)
    image.save(file, "PNG", pnginfo=texts)
    return file.getvalue()


async def test_setup_is_one_conversation_of_buttons_that_ends_with_what_members_see(
    lonely: Discord, tmp_path: Path
) -> None:
    async with semilla_on(lonely, tmp_path) as app:
        lonely.rights = EVERYTHING
        question, asked = await lonely.answer(await lonely.slash("setup")), 0
        await lonely.until(lambda: bool(question.buttons()))
        while QUESTION.match(question.content):
            assert question.ephemeral
            asked += 1
            first = next(iter(question.buttons().values()))
            question = await lonely.answer(await lonely.press(question, first))
            await lonely.until(lambda told=question: bool(told.content))
        assert asked == 8
        assert "Los miembros ven:" in question.content
        rules = await app.semilla.database.settings.of_guild(f"discord:{GUILD}")
        assert (rules["language"], rules["words"]) == ("es", "children")


@pytest.mark.parametrize("kept", ["s:/dance", "m:/dance", "f:/dance"])
async def test_what_was_kept_of_a_command_that_is_gone_is_told_in_words(
    peer: Discord, app: App, kept: str
) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a hat", steps=1))
    if kept.startswith("f:"):
        await peer.send_modal(kept, {"prompt": "a cap"})
    else:
        message.components[0]["components"][0]["custom_id"] = kept
        await peer.press(message, kept)
    await peer.until(lambda: any("dance" in text for text in _texts(peer)))
    assert not any("code " in text for text in _texts(peer))


async def test_a_message_that_cant_be_changed_keeps_no_other_from_it(
    peer: Discord, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a cap", steps=1))
    (picture,) = await app.semilla.database.history.latest(MODERATOR, n=1)
    found = await app.semilla.database.answers.of_picture(picture.id)
    assert found is not None
    changed = Changed(guild=found.guild, answer=found.id)
    with monkeypatch.context() as patch:
        patch.setattr(adapter, "answer_reply", lambda *_: {}["a mistake of ours"])
        app.semilla.events.publish(changed)
        await asyncio.sleep(0.5)
    await app.semilla.database.history.delete(MODERATOR, picture.code)
    app.semilla.events.publish(changed)
    await peer.until(lambda: "was deleted" in message.content)


@pytest.mark.parametrize(
    "outdated",
    [
        {"name": "dance", "type": 1, "options": []},
        {"name": "Dance", "type": 3, "target_id": "1"},
        {"name": "show", "type": 1, "options": []},  # which needs a picture by now
    ],
)
async def test_a_command_that_was_changed_by_an_update_is_told_in_words(
    peer: Discord, app: App, outdated: dict[str, object]
) -> None:
    asked = await peer.command(outdated, "es-419")
    response = await peer.response(asked)
    assert f"«{outdated['name']}» como era antes" in response["data"]["content"]
    assert response["data"]["flags"] == 64, "for its author only"


async def test_loras_and_embeddings_that_fit_the_chosen_model_are_offered(
    lonely: Discord, tmp_path: Path, shelf: Path
) -> None:
    models_folder = {"SEMILLA_GENERATOR__MODELS_FOLDERS": str(shelf)}
    async with semilla_on(lonely, tmp_path, **models_folder) as app:
        await asyncio.to_thread(app.semilla.catalogue.refresh)  # else it is read by and by
        offered = await lonely.complete("imagine", "lora", "", model="own")
        assert [each["name"] for each in offered] == [
            "ink · LoRA · inked, black ink",
            "EasyNegative · embedding",
        ]
        assert [each["value"] for each in offered] == ["ink", "EasyNegative"]
        assert await lonely.complete("imagine", "lora", "") == [], "for the model that ships"
        models = await lonely.complete("imagine", "model", "own")
        assert [each["name"] for each in models] == ["own · sd1"]
