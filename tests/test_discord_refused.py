"""Late answers on Discord: what it doesn't let through is told, and nothing is taken for something
else that was sent before."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from bot.adapters.discord import adapter
from bot.adapters.discord.adapter import DiscordAdapter
from bot.app import App
from db.history import Asker
from db.models import Answer, Job, now
from tests.chat import settings
from tests.discord_peer.kept import Fault, Message
from tests.discord_peer.payloads import ANA, CHANNEL, EVERYTHING, GUILD
from tests.discord_peer.server import Discord
from tests.discord_peer.serving import app, lonely, peer, pictures, running, semilla_on, told
from tests.rows import answer, job, request
from tests.test_discord_faults import outbox_is_empty

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["app", "lonely", "peer", "running"]  # fixtures

POST = f"POST /channels/{CHANNEL}/messages"
VIEW, WRITE, ATTACH = 1 << 10, 1 << 11, 1 << 15
BLOCKED = 240000  # a link in it is taken for a harmful one
NO_ACCESS, FORBIDDEN, CLOSED = (403, 50001), (403, 50013), (400, 50083)


async def _late(peer: Discord, steps: int = 20, count: int = 1) -> Message:
    """The placeholder of what can be shown by a message of its own alone."""
    snail = {"prompt": "a snail", "steps": steps, "count": count}
    asked = await peer.slash("imagine", **snail)
    peer.expired.add(f"token-{asked}")
    return await peer.answer(asked)


@pytest.mark.parametrize(
    ("forbidden", "error", "words"),
    [
        (0, (404, 10003), "is gone"),
        (ATTACH, FORBIDDEN, "Attach Files"),
        (WRITE, FORBIDDEN, "Send Messages"),
        (VIEW, NO_ACCESS, "View Channel"),
        (0, NO_ACCESS, "View Channel"),
        (0, FORBIDDEN, "doesn't let me"),
        (0, CLOSED, "thread where you asked for it is closed"),
        (0, (403, 50083), "thread where you asked for it is closed"),
    ],
)
async def test_what_keeps_a_late_picture_from_its_channel_is_told_in_private(
    peer: Discord, app: App, forbidden: int, error: tuple[int, int], words: str
) -> None:
    await peer.forbid(forbidden)
    await _late(peer)
    peer.faults.append(Fault(POST, *error, times=99))
    await peer.until(lambda: bool(told(peer)))
    await outbox_is_empty(app)
    (sent,) = told(peer)
    assert words in sent.content
    assert "/history" in sent.content
    await peer.forbid(0)


@pytest.mark.parametrize("error", [FORBIDDEN, (400, BLOCKED), (413, 40005)])
async def test_what_discord_takes_in_no_way_is_told_at_once(
    peer: Discord, app: App, error: tuple[int, int]
) -> None:
    peer.faults += [Fault("PATCH /webhooks", *error, times=99), Fault(POST, *error, times=99)]
    await peer.slash("imagine", prompt="a snail", steps=1)
    await peer.until(lambda: bool(told(peer)))
    await outbox_is_empty(app)
    (sent,) = told(peer)
    assert "doesn't let me" in sent.content


async def test_who_takes_no_messages_reads_it_where_they_asked(peer: Discord, app: App) -> None:
    peer.closed_to.add(ANA)
    placeholder = await _late(peer)
    peer.faults.append(Fault(POST, *FORBIDDEN))
    await peer.until(lambda: "doesn't let me" in placeholder.content)
    assert not placeholder.buttons()
    peer.closed_to.clear()


async def test_a_server_that_threw_semilla_out_is_a_place_that_is_gone(
    lonely: Discord, tmp_path: Path
) -> None:
    async with semilla_on(lonely, tmp_path):
        await _late(lonely)
        await lonely.throw_out(GUILD)
        lonely.faults.append(Fault(POST, *NO_ACCESS))
        await lonely.until(lambda: bool(told(lonely)))
        assert "is gone" in told(lonely)[0].content


async def test_what_is_sent_before_the_gateway_lets_semilla_in_comes_in_the_end(
    lonely: Discord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "RETRY_SECONDS", 0.1)
    async with App.open(settings(tmp_path)) as app:
        await app.semilla.dispatch.accept(*_that_fails(app))
        lonely.faults += [Fault("GET /gateway", 503, times=2), Fault(POST, 503)]
        serving = asyncio.create_task(app.serve([DiscordAdapter(app.semilla, "good")]))
        await lonely.until(lambda: bool(lonely.messages) and lonely.connected.is_set())
        assert not serving.done()
        assert not told(lonely), "no server that isn't heard of yet is gone"
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


@pytest.mark.parametrize("error", [FORBIDDEN, CLOSED])
async def test_where_no_message_can_be_sent_a_late_picture_takes_its_placeholder(
    peer: Discord, app: App, error: tuple[int, int]
) -> None:
    placeholder = await peer.answer(await peer.slash("imagine", prompt="a snail", steps=20))
    await peer.until(lambda: "Cancel" in placeholder.buttons())
    peer.faults.append(Fault(POST, *error))
    with time_machine.travel(now() + timedelta(minutes=2)):
        await peer.until(lambda: pictures(peer) == [placeholder])
    assert not told(peer)


async def test_what_its_author_has_cancelled_calls_nobody(peer: Discord, app: App) -> None:
    placeholder = await peer.answer(await peer.slash("imagine", prompt="a snail", steps=150))
    await peer.until(lambda: "Cancel" in placeholder.buttons())
    with time_machine.travel(now() + timedelta(minutes=2)):
        await peer.press(placeholder, placeholder.buttons()["Cancel"])
        await peer.until(lambda: any("Cancelled" in m.content for m in _public(peer)))
        await outbox_is_empty(app)
    assert "Cancelled" in placeholder.content
    assert not [each for each in peer.messages.values() if each.mentions.get("users")]


async def test_what_waited_while_the_token_was_refused_is_sent_once_there_is_another(
    lonely: Discord, tmp_path: Path
) -> None:
    async with App.open(settings(tmp_path)) as app:
        await app.semilla.dispatch.accept(*_that_fails(app))
        serving = asyncio.create_task(app.serve([]))
        for secret, state in (("bad", "discord-bad-token"), ("good", "discord-ready")):
            app.add(chat := DiscordAdapter(app.semilla, secret))
            async with asyncio.timeout(60):
                await chat.settled.wait()
            assert chat.state[0] == state
        await lonely.until(lambda: any(m.channel == CHANNEL for m in lonely.messages.values()))
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def test_each_picture_that_is_approved_of_a_late_answer_is_shown(
    peer: Discord, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, place = app.semilla.database.settings, f"discord:{GUILD}"
    await settings.set(place, "guild", "", "approve", "yes")
    placeholder = await _late(peer, count=2)
    await peer.until(lambda: "discord.com/channels" in placeholder.content)
    monkeypatch.setattr(peer, "rights", EVERYTHING)
    for approved in (1, 2):
        await _publish_next(peer)
        await peer.until(lambda approved=approved: _in_sight(peer) == [approved])
    await settings.set(place, "guild", "", "approve", None)


async def test_what_failed_late_and_is_tried_again_is_shown(peer: Discord, app: App) -> None:
    model = app.semilla.catalogue.default().name
    place, author = f"discord:{GUILD}", f"discord:{ANA}"
    late = answer(
        adapter="discord", guild=place, channel=str(CHANNEL), member=author, language="en"
    )
    replaced = job(request(model=model, model_hash="0" * 64), guild=place, member=author)
    await app.semilla.dispatch.accept(late, [replaced])
    await peer.until(lambda: any("Try again" in m.buttons() for m in peer.messages.values()))
    (failed,) = peer.messages.values()
    assert failed.content.startswith(f"About what you asked for, <@{ANA}>:")
    await peer.press(failed, failed.buttons()["Try again"])
    await peer.until(lambda: _in_sight(peer) == [1])


async def test_what_fails_again_is_told_again(peer: Discord, app: App) -> None:
    model = app.semilla.catalogue.default()
    place, author = f"discord:{GUILD}", f"discord:{ANA}"
    late = answer(
        adapter="discord", guild=place, channel=str(CHANNEL), member=author, language="en"
    )
    late.created = now() - timedelta(minutes=5)
    known = {"model": model.name, "model_hash": model.hash, "steps": 1}
    asked = [request("a hat", **known), request("a hat", sampler="none", **known)]
    await app.semilla.dispatch.accept(late, [job(e, guild=place, member=author) for e in asked])
    await peer.until(lambda: any("Try again" in m.buttons() for m in peer.messages.values()))
    (failed,) = _public(peer)
    await outbox_is_empty(app)
    await peer.press(failed, failed.buttons()["Try again"])
    await peer.until(lambda: "Try again" in _public(peer)[-1].buttons() and len(_public(peer)) == 2)


async def test_what_is_left_and_what_was_approved_since_is_no_message_of_before(
    peer: Discord, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, place = app.semilla.database.settings, f"discord:{GUILD}"
    await settings.set(place, "guild", "", "approve", "yes")
    placeholder = await _late(peer, steps=10, count=3)
    await peer.until(lambda: "discord.com/channels" in placeholder.content)
    monkeypatch.setattr(peer, "rights", EVERYTHING)
    first, second, third = await app.semilla.database.moderation.held(place)
    for shown in ([first], [first, second], [first, third]):
        if third in shown:
            await app.semilla.database.history.delete(Asker(place, second.member), second.code)
        await _publish_next(peer)
        names = [f"semilla-{each.code}.png" for each in shown]
        await peer.until(lambda names=names: list(_public(peer)[-1].files) == names)
    await settings.set(place, "guild", "", "approve", None)


def _that_fails(app: App) -> tuple[Answer, list[Job]]:
    """A request of Ana's, for a model that has been replaced."""
    place, author = f"discord:{GUILD}", f"discord:{ANA}"
    replaced = request(model=app.semilla.catalogue.default().name, model_hash="0" * 64)
    waits = answer(adapter="discord", guild=place, channel=str(CHANNEL), member=author)
    return waits, [job(replaced, guild=place, member=author)]


async def _publish_next(peer: Discord) -> None:
    waiting = await peer.answer(await peer.slash("review"))
    await peer.until(lambda: "📢 Publish" in waiting.buttons())
    await peer.press(waiting, waiting.buttons()["📢 Publish"])


def _public(peer: Discord) -> list[Message]:
    return [each for each in peer.messages.values() if not each.ephemeral]


def _in_sight(peer: Discord) -> list[int]:
    """How many pictures each message of the channel shows that shows any."""
    seen = [m for m in peer.messages.values() if m.channel == CHANNEL and not m.ephemeral]
    return [len(each.files) for each in seen if each.files]
