"""Where Semilla isn't switched on: one message to a place, once and for all, and then nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.discord_peer.payloads import CHANNEL, Place
from tests.discord_peer.serving import lonely, semilla_on
from tests.telegram_peer.server import ANA, LUIS, PRIVATE, TEACHER, Telegram
from tests.test_telegram import semilla_on as semilla_on_telegram
from tests.test_telegram import serving_telegram

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["lonely"]  # a fixture

SHUT = {"SEMILLA_ACCESS__OPEN": "no", "SEMILLA_ACCESS__PRIVATE_CHATS": "no"}
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
            assert "don't answer in private" in first.text
            for line in ("a bee", "/dance", "/start"):
                await peer.say(line, chat=PRIVATE)
        async with semilla_on_telegram(peer, tmp_path, **SHUT) as app:
            await peer.say("a bee", chat=PRIVATE)
            code = app.semilla.access.code
            owner = await peer.answered(await peer.say(f"/activate {code}", chat=PRIVATE))
        assert [*peer.messages.values()] == [first, owner]


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


def answered_alone(peer) -> int:
    alone = [each for each in peer.messages.values() if each.ephemeral]
    return sum("not switched on" in each.content for each in alone)
