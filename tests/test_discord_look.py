"""What members read on Discord, whole messages as they stand, in both languages.

SEMILLA_LOOK=folder writes the messages anew, and photographs them into that folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.app import App
from tests.discord_peer import look
from tests.discord_peer.kept import Message
from tests.discord_peer.payloads import CHANNEL
from tests.discord_peer.server import Discord
from tests.discord_peer.serving import app, lonely, peer, pictures, running

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["app", "lonely", "peer", "running"]  # fixtures

SEEN = Path(__file__).parent / "data"
PROMPTS = {
    "en-US": ("a red apple", "a yellow star"),
    "es-419": ("una manzana roja", "una estrella"),
}


@pytest.mark.parametrize("language", ["en-US", "es-419"])
async def test_messages_read_as_they_are_meant_to(peer: Discord, app: App, language: str) -> None:
    apple, star = PROMPTS[language]
    asked = await peer.slash("imagine", language, prompt=apple, seed="417", steps=8)
    done = await peer.picture(asked)
    vary, edit, recipe, more = list(done.buttons().values())[1:]
    varied = await peer.picture(await peer.press(done, vary, language))
    folded = await peer.answer(await peer.press(done, more, language))
    await peer.until(lambda: bool(folded.buttons()))
    identical = list(folded.buttons().values())[3]
    again = await peer.picture(await peer.press(folded, identical, language))
    told = await peer.answer(await peer.press(done, recipe, language))
    await peer.until(lambda: apple in told.content)
    draft = await peer.picture(
        await peer.slash("imagine", language, prompt=star, seed="5", steps=2, private=True)
    )
    several = await peer.answer(
        await peer.slash("imagine", language, prompt=star, seed="1", steps=2, count=4)
    )
    await peer.until(lambda: len(several.files) == 4)
    refused = await _private(peer, await peer.slash("imagine", language, prompt="x", size="9x9"))
    late = await _late(peer, language, star)
    seen = [done, varied, again, folded, several, draft, told, refused, late]
    await _compare(seen, f"discord.{language[:2]}")
    form = await peer.response(await peer.press(done, edit, language))
    assert form["data"]["title"]


async def _private(peer: Discord, interaction: int) -> Message:
    """What came in place of the message that was acknowledged."""
    public = await peer.answer(interaction)
    await peer.until(lambda: public.id not in peer.messages)
    token = f"token-{interaction}"
    await peer.until(lambda: any(each.token == token for each in peer.messages.values()))
    return next(each for each in peer.messages.values() if each.token == token)


async def _late(peer: Discord, language: str, prompt: str) -> Message:
    asked = await peer.slash("imagine", language, prompt=prompt, seed="6", steps=20)
    await peer.answer(asked)
    peer.expired.add(f"token-{asked}")
    before = len(pictures(peer))
    await peer.until(lambda: len(pictures(peer)) == before + 1)
    return max((m for m in peer.messages.values() if m.channel == CHANNEL), key=lambda m: m.id)


async def _compare(seen: list[Message], name: str) -> None:
    file, found = SEEN / f"{name}.txt", look.as_text(seen)
    if folder := os.environ.get("SEMILLA_LOOK"):
        file.write_text(found, encoding="utf-8")
        await look.photograph(look.as_page(seen), Path(folder) / f"{name}.png")
    assert found == file.read_text(encoding="utf-8")
