"""Discord, with the real discord.py on a loopback server and the shipped model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from pathlib import Path

import discord
import pytest
import pytest_asyncio
import yarl
from PIL import Image

from bot.adapters.discord import progress
from bot.adapters.discord.adapter import DiscordAdapter
from bot.app import App
from generator import metadata
from tests.chat import settings
from tests.discord_peer.server import ANA, CHANNEL, EVERYTHING, Discord, Fault, Message

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def serving_discord() -> AsyncIterator[Discord]:
    peer = Discord()
    await peer.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", f"http://{peer.address}/api/v10")
        gateway = yarl.URL(f"ws://{peer.address}/gateway")
        patch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        yield peer
    await peer.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def lonely() -> AsyncIterator[Discord]:
    """A Discord of one's own, that no Semilla is on yet."""
    async with serving_discord() as peer:
        yield peer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Discord, App]]:
    """One for all: its start takes longer than most of what is tested."""
    async with serving_discord() as peer, semilla_on(peer, tmp_path_factory.mktemp("data")) as app:
        yield peer, app


@pytest.fixture
def peer(running: tuple[Discord, App]) -> Discord:
    running[0].forget()
    return running[0]


@pytest.fixture
def app(running: tuple[Discord, App]) -> App:
    return running[1]


@asynccontextmanager
async def semilla_on(peer: Discord, data: Path, **more: str) -> AsyncIterator[App]:
    async with App.open(settings(data, **more)) as app:
        adapter = DiscordAdapter(app.semilla, "good")
        serving = asyncio.create_task(app.serve([adapter]))
        try:
            async with asyncio.timeout(60):
                await adapter.settled.wait()
            await peer.until(lambda: bool(peer.commands))
            yield app
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


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


async def test_the_menu_of_a_message_knows_its_picture(peer: Discord, app: App) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a fish", seed="8", steps=2))
    recipe = await peer.answer(await peer.menu("📋 Recipe", message))
    await peer.until(lambda: "a fish" in recipe.content)
    assert recipe.ephemeral
    assert "Euler" in recipe.content


async def test_several_pictures_are_taken_up_by_a_list(peer: Discord, app: App) -> None:
    asked = await peer.slash("imagine", prompt="a star", steps=1, count=3)
    message = await peer.answer(asked)
    await peer.until(lambda: len(message.files) == 3)
    (select,) = (item for row in message.components for item in row["components"])
    shown = await peer.answer(
        await peer.pick(message, select["custom_id"], select["options"][1]["value"])
    )
    await peer.until(lambda: bool(shown.files))
    assert select["options"][1]["label"].split()[-1] in next(iter(shown.files))


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
    assert "**big**" not in message.content
    assert message.mentions == {"parse": []}


async def test_members_see_at_most_eight_commands_in_both_languages(
    peer: Discord, app: App
) -> None:
    slash = [each for each in peer.commands if each.get("type", 1) == 1]
    members = [each for each in slash if each.get("default_member_permissions") is None]
    assert 1 <= len(members) <= 8
    imagine = next(each for each in slash if each["name"] == "imagine")
    assert imagine["name_localizations"]["es-ES"] == "imagina"
    options = {each["name"]: each for each in imagine["options"]}
    assert options["seed"]["name_localizations"]["es-419"] == "semilla"
    assert (options["steps"]["min_value"], options["steps"]["max_value"]) == (1, 150)
    assert all(each["integration_types"] == [0] for each in slash), "no user installs"


async def test_commands_are_sent_only_when_they_changed(lonely: Discord, tmp_path: Path) -> None:
    async with semilla_on(lonely, tmp_path):
        pass
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


@pytest.mark.parametrize("gone", ["token expired", "message deleted"])
async def test_a_picture_whose_placeholder_is_lost_is_sent_to_its_author(
    peer: Discord, app: App, gone: str
) -> None:
    asked = await peer.slash("imagine", prompt="a boat", steps=30)
    placeholder = await peer.answer(asked)
    if gone == "token expired":
        peer.expired.add(f"token-{asked}")
    else:
        del peer.messages[placeholder.id]
    await peer.until(lambda: len(_pictures(peer)) == 1)
    (late,) = _pictures(peer)
    assert f"<@{ANA}>" in late.content
    assert late.mentions["users"] == [ANA]
    assert late.reference == placeholder.id
    if gone == "token expired":
        await peer.until(lambda: str(late.id) in placeholder.content)
        assert placeholder.components == []


async def test_a_send_whose_confirmation_is_lost_is_not_repeated(peer: Discord, app: App) -> None:
    asked = await peer.slash("imagine", prompt="a drum", steps=20)
    await peer.answer(asked)
    peer.expired.add(f"token-{asked}")
    peer.faults.append(Fault(f"POST /channels/{CHANNEL}/messages", 400, after=True))
    await peer.until(lambda: len(_pictures(peer)) == 1)
    with app.semilla.events.follow() as events:
        while await app.semilla.database.answers.outbox():
            await anext(aiter(events))
    assert len(_pictures(peer)) == 1


async def test_a_missing_permission_is_told_to_the_author_in_private(
    peer: Discord, app: App
) -> None:
    asked = await peer.slash("imagine", prompt="a tree", steps=20)
    await peer.answer(asked)
    peer.expired.add(f"token-{asked}")
    peer.faults.append(Fault(f"POST /channels/{CHANNEL}/messages", 403, 50013))
    await peer.until(lambda: bool(_told(peer)))
    assert "Attach Files" in _told(peer)[0].content


async def test_a_picture_for_a_channel_that_is_gone_is_told_in_private(
    peer: Discord, app: App
) -> None:
    asked = await peer.slash("imagine", prompt="a moon", steps=20)
    await peer.answer(asked)
    peer.expired.add(f"token-{asked}")
    gone = Fault(f"POST /channels/{CHANNEL}/messages", 404, 10003)
    peer.faults.append(gone)
    await peer.until(lambda: bool(_told(peer)))
    assert "/history" in _told(peer)[0].content


async def test_after_a_dropped_connection_commands_go_on(peer: Discord, app: App) -> None:
    await peer.drop()
    await peer.until(lambda: peer.resumed == 1)
    await peer.order(7)
    await peer.until(lambda: peer.resumed == 2)
    asked = await peer.slash("imagine", prompt="a hat", steps=1)
    assert (await peer.picture(asked)).files


async def test_a_busy_discord_gets_the_picture_later(peer: Discord, app: App) -> None:
    limit = {"Via": "1.1 google", "Retry-After": "1", "X-RateLimit-Scope": "user"}
    asked = await peer.slash("imagine", prompt="a car", steps=2)
    body = {"retry_after": 0.5, "global": False}
    peer.faults.append(Fault("PATCH /webhooks", 429, times=2, headers=limit, body=body))
    assert (await peer.picture(asked)).files


async def test_an_interaction_that_discord_gave_up_makes_nothing(peer: Discord, app: App) -> None:
    peer.faults.append(Fault("POST /interactions", 404, 10062))
    await peer.slash("imagine", prompt="a lamp", steps=1)
    asked = await peer.slash("imagine", prompt="a leaf", steps=1)
    assert "a leaf" in (await peer.picture(asked)).content
    assert len(app.semilla.dispatch) == 0


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


async def test_a_wrong_token_is_told_and_the_rest_goes_on(lonely: Discord, tmp_path: Path) -> None:
    async with App.open(settings(tmp_path)) as app:
        adapter = DiscordAdapter(app.semilla, "bad")
        serving = asyncio.create_task(app.serve([adapter]))
        await asyncio.wait_for(adapter.settled.wait(), 60)
        assert adapter.state[0] == "discord-bad-token"
        assert not serving.done()
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def test_a_token_that_is_revoked_while_it_runs_is_told(
    lonely: Discord, tmp_path: Path
) -> None:
    async with App.open(settings(tmp_path)) as app:
        adapter = DiscordAdapter(app.semilla, "good")
        serving = asyncio.create_task(app.serve([adapter]))
        await asyncio.wait_for(adapter.settled.wait(), 60)
        await lonely.drop(4004)
        async with asyncio.timeout(20):
            while adapter.state[0] != "discord-bad-token":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert not serving.done()
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def test_progress_is_shown_with_a_preview_and_never_after_the_picture(
    peer: Discord, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EDIT_EVERY_SECONDS", 0.1)
    asked = await peer.slash("imagine", prompt="a lion", steps=40)
    message = await peer.answer(asked)
    await peer.until(lambda: "semilla-preview.webp" in message.files)
    assert list(message.buttons()) == ["Cancel"]
    finished = await peer.picture(asked)
    edits = finished.edits
    await asyncio.sleep(0.5)
    assert finished.edits == edits


def _pictures(peer: Discord) -> list[Message]:
    """Finished pictures that stand in the channel."""
    here = [each for each in peer.messages.values() if each.channel == CHANNEL]
    return [each for each in here if each.files and len(each.buttons()) > 3]


def _told(peer: Discord) -> list[Message]:
    return [each for each in peer.messages.values() if each.channel in peer.direct]


async def test_spanish_members_read_spanish(peer: Discord, app: App) -> None:
    asked = await peer.slash("imagine", "es-419", prompt="un gato rojo", steps=2)
    message = await peer.picture(asked)
    assert "semilla" in message.content
    assert "🌱 Variar" in message.buttons()
