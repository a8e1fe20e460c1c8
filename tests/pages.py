"""An opened page without a browser, for tests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
from PIL import Image
from starlette.routing import BaseRoute

import bot.commands  # noqa: F401  declares them
from bot.adapters.web.adapter import WebAdapter
from bot.app import App
from bot.chats import Chats
from bot.config import Config
from db.models import Answer, Job, Picture, Visibility
from tests import page_server

HERE, AWAY = ("127.0.0.1", 50_000), ("192.168.1.77", 50_000)
CLASS_ADDRESS = "192.168.1.10:8000"
Browser = httpx.AsyncClient


class Opened:
    """A page over an opened data folder; nothing is drawn, so no worker is started."""

    def __init__(
        self,
        app: App,
        config: Config,
        chats: Chats | None = None,
        routes: Sequence[BaseRoute] = (),
    ) -> None:
        self.semilla = app.semilla
        self.web = WebAdapter(app.semilla, config, routes, chats)

    def browser(
        self, client: tuple[str, int] = HERE, host: str = "127.0.0.1:8000", **headers: str
    ) -> Browser:
        transport = httpx.ASGITransport(self.web.app, raise_app_exceptions=False, client=client)
        return Browser(transport=transport, base_url=f"http://{host}", headers=headers)

    async def moderator(self) -> Browser:
        browser = self.browser()
        await browser.get("/", params={"key": self.web.sessions.key})
        return browser

    def open_class(self) -> str:
        """As if the network were there; gives the code."""
        self.web.room.address = CLASS_ADDRESS
        self.web.room.find = lambda: CLASS_ADDRESS.partition(":")[0]
        return self.web.room.code

    async def visitor(self, name: str = "Ana") -> Browser:
        browser = self.browser(AWAY, CLASS_ADDRESS)
        token = token_of(await browser.get("/join"))
        await browser.post("/join", data={"token": token, "code": self.web.room.code, "name": name})
        return browser

    async def picture(
        self,
        guild: str = "web:home",
        member: str = "web:somebody",
        private: bool = False,
        count: int = 1,
        **more: Any,
    ) -> Picture:
        """A picture of the history, with its file, the first of `count` that were asked for;
        `more` of its recipe."""
        source = self.semilla.config.data / "source.png"
        Image.new("RGB", (64, 96), "tomato").save(source)
        file = await self.semilla.database.storage.put(source.read_bytes())
        recipe: dict[str, Any] = {
            "model": "semilla",
            "model_hash": "0" * 64,
            "prompt": "a red <b>square</b>",
            "width": 64,
            "height": 96,
            "steps": 4,
            "sampler": "euler",
            "guidance_scale": 4.0,
            "seed": 417,
            **more,
        }
        answer = await self.semilla.database.answers.accept(
            answer_row(guild, member, private),
            [Job(guild=guild, member=member, recipe=recipe) for _ in range(count)],
        )
        return await self.semilla.database.jobs.done(
            answer.jobs[0].id,
            Picture(
                guild=guild,
                member=member,
                member_name="Ana",
                recipe=recipe,
                prompt=recipe["prompt"],
                file=file,
                pixel_hash="1" * 64,
                width=64,
                height=96,
                key={},
                trace="1e4",
                seconds=1.3,
                visibility=Visibility.PRIVATE if private else Visibility.PUBLIC,
            ),
        )


@asynccontextmanager
async def opened_page(data: Path) -> AsyncIterator[Opened]:
    config = page_server.settings(data)
    async with App.open(config) as app:
        yield Opened(app, config)


def answer_row(guild: str, member: str, private: bool) -> Answer:
    return Answer(
        origin=token_hex(),
        adapter="web",
        guild=guild,
        member=member,
        member_name="Ana",
        language="en",
        private=private,
        line='/imagine prompt:"a red square"',
    )


def token_of(response: httpx.Response) -> str:
    found = re.search(r'name="token" value="(\w+)"', response.text)
    assert found, response.text
    return found[1]


@asynccontextmanager
async def serving(web: WebAdapter) -> AsyncIterator[None]:
    """The adapter at work on real sockets, without a generator."""
    running = asyncio.create_task(web.run())
    try:
        async with asyncio.timeout(20):
            await web.started.wait()
            yield
    finally:
        running.cancel()
        await asyncio.wait([running])
