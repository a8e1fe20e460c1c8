"""How soon Discord is acknowledged while the generator is busy: python -m bench.discord [seconds]

Semilla runs in a process of its own, as ever; a loopback Discord in this one sends 50 commands a
second. The longest stall is that of the event loop that all of Semilla's chats share. Name a file
after the seconds, and where the loop stood still is written into it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import threading
import time
import traceback
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

RATE, TICK_SECONDS, GOAL_SECONDS = 50, 0.005, 0.05
SERVE = "--serve"  # how this file starts Semilla beside itself
LINES = (
    ("imagine", {"prompt": "a red apple", "steps": 20}),
    ("queue", {}),
    ("help", {}),
    ("history", {"text": "apple"}),
)


async def main(seconds: float, stacks: str) -> None:
    peer = Discord()
    await peer.start()
    with tempfile.TemporaryDirectory() as folder:
        semilla = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.discord", SERVE, peer.address, folder, stacks),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await peer.until(lambda: bool(peer.commands))
        await peer.picture(await peer.slash("imagine", prompt="a red apple", steps=2))
        waited = await _ask(peer, seconds)
        told, _ = await semilla.communicate(b"\n")
    await peer.stop()
    print(f"{len(waited)} commands, {RATE} a second, generator busy")
    print(f"acknowledged: median {median(waited) * 1000:.0f} ms, ", end="")
    print(f"99th percentile {quantiles(waited, n=100)[98] * 1000:.0f} ms (goal 200)")
    stalls = json.loads(told)
    print(f"longest stall of the loop: {max(stalls) * 1000:.0f} ms (goal 50), ", end="")
    print(f"{sum(each > GOAL_SECONDS for each in stalls)} over 50 ms")


async def _ask(peer: Discord, seconds: float) -> list[float]:
    """Seconds until each was acknowledged."""
    loop = asyncio.get_running_loop()
    sent: dict[int, float] = {}
    begin = loop.time()
    for n in range(round(seconds * RATE)):
        name, options = LINES[n % len(LINES)]
        await asyncio.sleep(max(0.0, begin + n / RATE - loop.time()))
        at = loop.time()
        sent[await peer.slash(name, **options)] = at
    await peer.until(lambda: all(number in peer.acknowledged for number in sent))
    return [peer.acknowledged[number] - at for number, at in sent.items()]


async def serve(address: str, folder: str, stacks: str) -> None:
    """Semilla on that Discord until a line comes in; then the stalls of its loop go out."""
    discord.http.Route.BASE = f"http://{address}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"ws://{address}/gateway")
    config = settings(Path(folder), SEMILLA_LIMITS__WAITING="10000")
    async with App.open(config) as app:
        adapter = DiscordAdapter(app.semilla, "good")
        serving = asyncio.create_task(app.serve([adapter]))
        await adapter.settled.wait()
        stalls = [0.0]
        watching = asyncio.create_task(_watch(stalls, stacks))
        await asyncio.to_thread(sys.stdin.readline)
        for task in (watching, serving):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    print(json.dumps(stalls))


async def _watch(stalls: list[float], stacks: str) -> None:
    loop = asyncio.get_running_loop()
    ticked = [loop.time()]
    if stacks:
        where = (threading.get_ident(), ticked, Path(stacks))
        threading.Thread(target=_look, args=where, daemon=True).start()
    while True:
        await asyncio.sleep(TICK_SECONDS)
        now = loop.time()
        stalls.append(now - ticked[0] - TICK_SECONDS)
        ticked[0] = now


def _look(thread: int, ticked: list[float], file: Path) -> None:
    """Where the loop's thread is whenever it has been in one place for too long."""
    with file.open("w") as out:
        while True:
            time.sleep(TICK_SECONDS)
            late = time.monotonic() - ticked[0]
            if late > GOAL_SECONDS / 2:
                stack = traceback.format_stack(sys._current_frames()[thread])
                print(f"--- {late * 1000:.0f} ms", *stack[-12:], sep="\n", file=out, flush=True)


if __name__ == "__main__":
    if SERVE in sys.argv:
        asyncio.run(serve(*sys.argv[2:5]))
    else:
        given = sys.argv[1:]
        asyncio.run(main(float(given[0]) if given else 10, given[1] if len(given) > 1 else ""))
