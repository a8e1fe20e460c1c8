"""How soon Discord is acknowledged while the generator is busy: python -m bench.discord [seconds]

A loopback Discord sends 50 commands a second from one process and loop; its own work is in the
figures. The longest stall is that of the event loop that all of Semilla's chats share.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from statistics import median, quantiles

import discord
import yarl

import bot.commands  # noqa: F401  declares them
from bot.adapters.discord.adapter import DiscordAdapter
from bot.app import App
from tests.chat import settings
from tests.discord_peer.server import Discord

RATE, TICK_SECONDS = 50, 0.005
LINES = (
    ("imagine", {"prompt": "a red apple", "steps": 20}),
    ("queue", {}),
    ("help", {}),
    ("history", {"text": "apple"}),
)


async def main(seconds: float) -> None:
    peer = Discord()
    await peer.start()
    discord.http.Route.BASE = f"http://{peer.address}/api/v10"
    gateway = yarl.URL(f"ws://{peer.address}/gateway")
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway
    with tempfile.TemporaryDirectory() as folder:
        config = settings(Path(folder), SEMILLA_LIMITS__WAITING="10000")
        async with App.open(config) as app:
            adapter = DiscordAdapter(app.semilla, "good")
            serving = asyncio.create_task(app.serve([adapter]))
            await peer.until(lambda: bool(peer.commands))
            await peer.picture(await peer.slash("imagine", prompt="a red apple", steps=2))
            await _measure(peer, seconds)
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
    await peer.stop()


async def _measure(peer: Discord, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    stalls: list[float] = []
    watching = asyncio.create_task(_watch(stalls))
    sent: dict[int, float] = {}
    for n in range(round(seconds * RATE)):
        name, options = LINES[n % len(LINES)]
        at = loop.time()
        sent[await peer.slash(name, **options)] = at
        await asyncio.sleep(max(0.0, 1 / RATE - (loop.time() - at)))
    await peer.until(lambda: all(number in peer.acknowledged for number in sent))
    watching.cancel()
    waited = sorted(peer.acknowledged[number] - at for number, at in sent.items())
    print(f"{len(waited)} commands, {RATE} a second, generator busy")
    print(f"acknowledged: median {median(waited) * 1000:.0f} ms, ", end="")
    print(f"99th percentile {quantiles(waited, n=100)[98] * 1000:.0f} ms (goal 200)")
    print(f"longest stall of the loop: {max(stalls) * 1000:.0f} ms (goal 50)")


async def _watch(stalls: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        at = loop.time()
        await asyncio.sleep(TICK_SECONDS)
        stalls.append(loop.time() - at - TICK_SECONDS)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10))
