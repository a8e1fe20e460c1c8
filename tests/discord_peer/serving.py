"""Semilla on a loopback Discord: with the real discord.py and the shipped model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import discord
import pytest
import pytest_asyncio
import yarl

from bot import delivery
from bot.adapters.discord import progress
from bot.adapters.discord.adapter import DiscordAdapter
from bot.app import App
from tests.chat import settings
from tests.discord_peer.kept import Message
from tests.discord_peer.payloads import CHANNEL
from tests.discord_peer.server import Discord


@asynccontextmanager
async def serving_discord() -> AsyncIterator[Discord]:
    peer = Discord()
    await peer.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", f"http://{peer.address}/api/v10")
        gateway = yarl.URL(f"ws://{peer.address}/gateway")
        patch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        # All servers come at once: nobody has to wait two seconds for more of them.
        soon = property(lambda _: 0.1, lambda *_: None)
        patch.setattr(discord.state.ConnectionState, "guild_ready_timeout", soon, raising=False)
        yield peer
    await peer.stop()
    assert not peer.broken, f"Discord's own description forbids {peer.broken}"


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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "EDIT_EVERY_SECONDS", 0.2)  # a short picture's is seen, too
        patch.setattr(delivery, "FIRST_DELAY_SECONDS", 0.2)
        data = tmp_path_factory.mktemp("data")
        async with serving_discord() as peer, semilla_on(peer, data) as app:
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


def pictures(peer: Discord, channel: int = CHANNEL) -> list[Message]:
    """Finished pictures that stand in the channel."""
    here = [each for each in peer.messages.values() if each.channel == channel]
    return [each for each in here if each.files and len(each.buttons()) > 3]


def told(peer: Discord) -> list[Message]:
    """What somebody was written in private."""
    return [each for each in peer.messages.values() if each.channel in peer.direct]
