"""Where Semilla isn't switched on: one message to a place, once and for all, and then nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.discord_peer.kept import Message
from tests.discord_peer.payloads import CHANNEL, OWNER, Place, channel_json
from tests.discord_peer.serving import lonely, semilla_on, told
from tests.telegram_peer.server import ANA, LUIS, PRIVATE, TEACHER, Sent, Telegram
from tests.test_telegram import semilla_on as semilla_on_telegram
from tests.test_telegram import serving_telegram

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["lonely"]  # a fixture

SHUT = {"SEMILLA_ACCESS__OPEN": "no", "SEMILLA_ACCESS__PRIVATE_CHATS": "no"}
NEW = 2100  # a server that Semilla is added to
LINES = ("/imagine a bee", "/imagina un gato", "/dance@semilla_bot", "/activate", "/show K7QX")


async def test_a_group_on_telegram_hears_of_it_once(tmp_path: Path) -> None:
    async with serving_telegram() as peer:
        async with semilla_on_telegram(peer, tmp_path, **SHUT):
            await peer.invite()
            await peer.until(lambda: [*peer.messages.values()])
            await everybody_asks(peer)
        async with semilla_on_telegram(peer, tmp_path, **SHUT) as app:
            await peer.invite()  # taken out and brought in again
            await everybody_asks(peer)
            code = app.semilla.access.code
            activated = await peer.answered(await peer.say(f"/activate {code}", user=TEACHER))
        assert activated.text.startswith("✓")
        told, *others = [m.text for m in peer.messages.values() if m is not activated]
        assert "Aún no me activaron" in told
        assert others == []


async def everybody_asks(peer: Telegram) -> None:
    for line in LINES:
        for user in (ANA, LUIS):
            await peer.say(line, user=user)


async def test_a_private_chat_on_telegram_hears_of_it_once(tmp_path: Path) -> None:
    async with serving_telegram() as peer:
        async with semilla_on_telegram(peer, tmp_path, **SHUT):
            first = await peer.answered(await peer.say("/start", chat=PRIVATE))
            assert "no owner" in first.text
            for line in ("a bee", "/dance", "/start"):
                await peer.say(line, chat=PRIVATE)
        async with semilla_on_telegram(peer, tmp_path, **SHUT) as app:
            await peer.say("a bee", chat=PRIVATE)
            code = app.semilla.access.code
            owner = await peer.answered(await peer.say(f"/activate {code}", chat=PRIVATE))
        assert [*peer.messages.values()] == [first, owner]


async def test_the_first_owner_on_telegram_hears_in_private_who_asked_before(
    tmp_path: Path,
) -> None:
    async with serving_telegram() as peer, semilla_on_telegram(peer, tmp_path, **SHUT) as app:
        await peer.invite()
        await peer.answered(await peer.say("/start", chat=PRIVATE))
        code = app.semilla.access.code
        owner = await peer.answered(await peer.say(f"/activar {code}", chat=TEACHER, user=TEACHER))
        assert "2 lugares me pidieron" in owner.text
        told = await peer.until(lambda: questions(peer, 2))
        assert "Ana me escribió en un chat privado" in told["Ana"].text
        press = await peer.press(told["Clase 5B"], "✓ Activar", user=TEACHER)
        assert "Activada en Clase 5B" in (await peer.toast(press))["text"]
        assert (await peer.shown(await peer.say("/imagine a bee steps:1"))).photo


async def test_an_owner_on_telegram_hears_of_a_group_that_brings_her_in(tmp_path: Path) -> None:
    async with serving_telegram() as peer, semilla_on_telegram(peer, tmp_path, **SHUT) as app:
        code = app.semilla.access.code
        await peer.answered(await peer.say(f"/activar {code}", chat=TEACHER, user=TEACHER))
        await peer.invite(user=LUIS)
        told = await peer.until(lambda: questions(peer, 1))
        assert "Luis wants to use me in Clase 5B" in told["Clase 5B"].text
        (said,) = await peer.until(lambda: in_group(peer))
        assert said.silent
        assert "Ya avisé a quien me administra" in said.text
        press = await peer.press(told["Clase 5B"], "Ignore", user=TEACHER)
        assert "No diré nada" in (await peer.toast(press))["text"]
        await everybody_asks(peer)
    assert in_group(peer) == [said]


def in_group(peer: Telegram) -> list[Sent]:
    return [each for each in peer.messages.values() if each.chat == peer.group]


def questions(peer: Telegram, count: int) -> dict[str, Sent]:
    """What an owner is asked in private, by the place that it is about, once there are so many."""
    asked = [m for m in peer.messages.values() if m.chat == TEACHER and m.keyboard]
    names = ("Ana", "Clase 5B")
    return {n: m for m in asked for n in names if n in m.text} if len(asked) >= count else {}


async def test_on_discord_whoever_asks_is_answered_alone(lonely, tmp_path: Path) -> None:
    """An interaction must be answered: its author sees that, and nobody else."""
    other = Place(channel=CHANNEL + 1)
    for _ in range(2):
        async with semilla_on(lonely, tmp_path, **SHUT):
            for place in (Place(), other):
                before = len(lonely.messages)
                await lonely.slash("imagine", at=place, prompt="a bee", steps=1)
                await lonely.until(lambda before=before: answered_alone(lonely) > before)
    assert answered_alone(lonely) == len(lonely.messages) == 4


async def test_the_first_owner_on_discord_hears_in_private_who_asked_before(
    lonely, tmp_path: Path
) -> None:
    alone = Place(guild=None, channel=8000)
    async with semilla_on(lonely, tmp_path, **SHUT) as app:
        for place in (Place(), alone):
            told_of = await lonely.answer(await lonely.slash("queue", at=place))
            await lonely.until(lambda said=told_of: "have no owner" in said.content)
        owner = await lonely.slash("activate", at=alone, by=OWNER, code=app.semilla.access.code)
        said = await lonely.answer(owner)
        await lonely.until(lambda: "2 places have asked" in said.content)
        await lonely.until(lambda: len(told(lonely)) == 2)
        person, server = sorted(told(lonely), key=lambda each: each.content)
        assert "Ana wrote to me in a private chat" in person.content
        assert "wanted in **Seeds**" in server.content
        await lonely.press(server, server.buttons()["✓ Activate"], at=alone, by=OWNER)
        await lonely.until(
            lambda: any("on in Seeds" in m.content for m in lonely.messages.values())
        )
        asked = await lonely.slash("imagine", prompt="a bee", steps=1)
        assert (await lonely.picture(asked)).files


async def test_a_new_server_on_discord_gets_one_polite_message_and_its_owner_is_asked(
    lonely, tmp_path: Path
) -> None:
    alone, room = Place(guild=None, channel=8000), channel_json(NEW, NEW + 2)
    closed = channel_json(NEW, NEW + 1) | {
        "permission_overwrites": [{"id": str(NEW), "type": 0, "allow": "0", "deny": "2048"}]
    }
    async with semilla_on(lonely, tmp_path, **SHUT) as app:
        owner = await lonely.slash("activate", at=alone, by=OWNER, code=app.semilla.access.code)
        said = await lonely.answer(owner)
        await lonely.until(lambda: "You are my owner now" in said.content)
        await lonely.invite(NEW, "Garden", closed, room)
        await lonely.until(lambda: bool(told(lonely) and in_server(lonely)))
        (said,), (asked,) = in_server(lonely), told(lonely)
        assert said.channel == NEW + 2, "where it may write"
        assert said.silent
        assert "not switched on here yet. My owner has been told" in said.content
        assert asked.content.startswith("I am wanted in **Garden**."), "by whom isn't known"
        assert list(asked.buttons()) == ["✓ Activate", "Ignore"]
        await lonely.throw_out(NEW)
        await lonely.invite(NEW, "Garden", closed, room)
        await lonely.press(asked, asked.buttons()["✓ Activate"], at=alone, by=OWNER)
        await lonely.until(
            lambda: any("on in Garden" in m.content for m in lonely.messages.values())
        )
        assert in_server(lonely) == [said], "the second time nothing was said"
        await lonely.throw_out(NEW)
        await lonely.invite(NEW, "Garden", closed, room)
        await lonely.until(lambda: len(in_server(lonely)) == 2)
        assert "Hello!" in in_server(lonely)[-1].content
        assert told(lonely) == [asked]


async def test_a_new_server_on_discord_is_told_that_there_is_no_owner(
    lonely, tmp_path: Path
) -> None:
    async with semilla_on(lonely, tmp_path, **SHUT):
        await lonely.invite(NEW, "Garden", channel_json(NEW, NEW + 1))
        await lonely.until(lambda: bool(in_server(lonely)))
    (said,) = in_server(lonely)
    assert "have no owner" in said.content
    assert told(lonely) == []


def in_server(peer) -> list[Message]:
    """What was said in the new server."""
    return [each for each in peer.messages.values() if NEW < each.channel < NEW + 10]


def answered_alone(peer) -> int:
    alone = [each for each in peer.messages.values() if each.ephemeral]
    return sum("not switched on" in each.content for each in alone)
