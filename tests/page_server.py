"""The whole of Semilla with its page, in a thread: real database, worker, model and sockets."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bot.commands  # noqa: F401  declares them
from bot.adapters.web.adapter import WebAdapter
from bot.app import App
from bot.config import Config, GeneratorConfig, Web


@dataclass(frozen=True, slots=True)
class Page:
    web: WebAdapter
    data: Path

    @property
    def address(self) -> str:
        return self.web.address

    @property
    def moderator_address(self) -> str:
        """Good for one browser, each time it is asked for."""
        return self.web.moderator_address


def settings(data: Path, port: int = 8000) -> Config:
    generator = GeneratorConfig(threads=1, preview_every=2)
    return Config(data=data, language="en", web=Web(port=port), generator=generator)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_page(data: Path) -> Iterator[Page]:
    """Raises whatever the server raised."""
    config = settings(data, free_port())
    started, stopping = threading.Event(), asyncio.Event()
    found: list[Page] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with App.open(config) as app:
            web = WebAdapter(app.semilla, config)
            serving = asyncio.create_task(app.serve([web]))
            await web.started.wait()
            found.append(Page(web, data))
            started.set()
            await asyncio.wait(
                {serving, asyncio.create_task(stopping.wait())}, return_when="FIRST_COMPLETED"
            )
            serving.cancel()
            await asyncio.wait({serving})

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert started.wait(30), "the page did not start"
        yield found[0]
    finally:
        loops[0].call_soon_threadsafe(stopping.set)
        thread.join(30)
