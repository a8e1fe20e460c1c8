"""The token of Discord: whether it is good, and what is said where it is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import discord
import pytest

from bot import doctor
from bot.adapters.discord.adapter import DiscordAdapter
from bot.adapters.discord.token import PERMISSIONS
from bot.app import App
from tests.chat import settings
from tests.discord_peer.server import Discord
from tests.discord_peer.serving import lonely

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["lonely"]  # fixtures

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789ab"


@asynccontextmanager
async def connecting(
    data: Path, secret: str
) -> AsyncIterator[tuple[DiscordAdapter, asyncio.Task[None]]]:
    """Semilla with a token, once it is known whether Discord takes it."""
    async with App.open(settings(data)) as app:
        adapter = DiscordAdapter(app.semilla, secret)
        serving = asyncio.create_task(app.serve([adapter]))
        await asyncio.wait_for(adapter.settled.wait(), 60)
        yield adapter, serving
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def test_a_wrong_token_is_told_and_the_rest_goes_on(lonely: Discord, tmp_path: Path) -> None:
    async with connecting(tmp_path, "bad") as (adapter, serving):
        assert adapter.state[0] == "discord-bad-token"
        assert not serving.done()


async def test_a_token_that_is_revoked_while_it_runs_is_told(
    lonely: Discord, tmp_path: Path
) -> None:
    async with connecting(tmp_path, "good") as (adapter, serving):
        await lonely.drop(4004)
        async with asyncio.timeout(60):
            while adapter.state[0] != "discord-bad-token":  # noqa: ASYNC110 — told by no event
                await asyncio.sleep(0.05)
        assert not serving.done()


@pytest.mark.parametrize(
    ("token", "good", "words"),
    [
        (TOKEN, True, "https://discord.com/oauth2/authorize?client_id=1000"),
        (TOKEN[:-1] + "c", False, "its token isn't accepted"),
        ("123456789012345678", False, "the application's id"),
        ("0123456789abcdef" * 4, False, "the public key"),
        ("abcdefghijklmnopqrstuvwxyz_-0123", False, "the client secret"),
    ],
)
async def test_the_doctor_says_in_words_what_is_wrong_with_a_token_or_gives_the_invitation(
    lonely: Discord, tmp_path: Path, token: str, good: bool, words: str
) -> None:
    lonely.token = TOKEN
    config = settings(tmp_path, DISCORD_TOKEN=token)
    found = await asyncio.to_thread(lambda: list(doctor.findings(config, "en")))
    (finding,) = (each for each in found if words in each.text)
    assert finding.good is good
    if good:
        permissions = int(finding.text.split("permissions=")[1].split("&")[0])
        assert discord.Permissions(permissions) == PERMISSIONS
        assert not discord.Permissions(permissions).administrator
