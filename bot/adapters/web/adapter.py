"""The web page as an adapter: its routes, its server, the class's second door."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.adapters.web import calls, moderation, network, pages, pictures, stream
from bot.adapters.web.guard import Guard, TooLarge
from bot.adapters.web.network import PortInUse
from bot.adapters.web.rooms import CLASS, HOME, ClassRoom, Moved
from bot.adapters.web.sessions import Sessions
from bot.adapters.web.site import Chats, NotAllowed, NotInside, Site, StaleForm, arrive
from bot.commands.semilla import Semilla
from bot.config import Config
from bot.conversation import Reply, Unreachable
from bot.locales import say
from bot.refusals import short_code
from db.models import Answer

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"


class WebAdapter:
    """The page. Others may have routes of their own on its server.

    `room` tells the class's address and code while it is open.
    """

    name = calls.NAME

    def __init__(
        self,
        semilla: Semilla,
        config: Config,
        routes: Sequence[BaseRoute] = (),
        chats: Chats | None = None,
    ) -> None:
        self._config = config.web
        self._events = semilla.events
        self._network: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self.room = ClassRoom()
        self.sessions = Sessions(config.data, config.web.port)
        self.started = asyncio.Event()
        self.app = Starlette(
            routes=[*_routes(), *routes],
            middleware=[Middleware(Guard, hosts=self._hosts)],
            exception_handlers={
                NotInside: _not_inside,
                NotAllowed: _not_allowed,
                StaleForm: _stale,
                TooLarge: _too_large,
                ClientDisconnect: _left,
                HTTPException: _missing,
                Exception: _fault,
            },
        )
        self.app.state.site = Site(
            semilla, self.sessions, self.room, self.open_class, self.close_class, chats
        )

    @property
    def address(self) -> str:
        return self._config.address

    @property
    def moderator_address(self) -> str:
        """Makes the first browser that opens it the moderator's."""
        return f"{self.address}/?key={self.sessions.key}"

    async def run(self) -> None:
        """Serves until it is cancelled. Raises PortInUse, and NoNetwork when it is to open the
        class and there is no network."""
        listening = network.listen(self._config.host, self._config.port)
        try:
            if self._config.open_to_class:
                await self.open_class()
            self.started.set()
            await network.serve(self.app, listening)
        finally:
            listening.close()
            await self.close_class()

    async def deliver(self, answer: Answer, reply: Reply) -> None:
        """Nothing to send: pages show the database's rows, and follow the events by themselves."""

    async def tell(self, member: str, reply: Reply) -> None:
        """A page has no mailbox: what its member must know stands on the page."""
        raise Unreachable(member)

    async def post(self, guild: str, channel: str, reply: Reply) -> None:
        """A page has no channels: its moderators have /review."""
        raise Unreachable(channel)

    async def open_class(self) -> None:
        """Listens on the network too, where this computer is in it now. Raises NoNetwork and
        PortInUse; a class that is open stays so."""
        async with self._opening:
            host = await asyncio.to_thread(self.room.find)
            address = f"{host}:{self._config.port}"
            if address == self.room.address:
                return
            await self._leave_network()
            if self._config.host not in ("0.0.0.0", "::", host):  # noqa: S104
                listening = network.listen(host, self._config.port)
                serving = network.serve(self.app, listening)
                self._network = asyncio.create_task(serving, name="class")
            self.room.address = address
            self._events.publish(Moved(guild=HOME.id, answer=0))

    async def close_class(self) -> None:
        async with self._opening:
            self.room.address = ""
            await self._leave_network()
            self._events.publish(Moved(guild=CLASS.id, answer=0))

    async def _leave_network(self) -> None:
        serving, self._network = self._network, None
        if serving is not None:
            serving.cancel()
            await asyncio.wait([serving])

    def _hosts(self) -> frozenset[str]:
        return frozenset({self._config.host, self.room.address.rpartition(":")[0]}) - {""}


def _routes() -> list[BaseRoute]:
    return [
        Route("/", pages.home),
        Route("/call", calls.call, methods=["POST"]),
        Route("/events", stream.events),
        Route("/gallery", pages.gallery),
        Route("/p/{code}", pages.picture),
        Route("/files/{name}", pictures.file),
        Route("/shown/{name}", pictures.shown),
        Route("/language", pages.choose_language, methods=["POST"]),
        Route("/join", moderation.join),
        Route("/join", moderation.try_to_join, methods=["POST"]),
        Route("/class", moderation.classroom),
        Route("/class", moderation.open_or_close, methods=["POST"]),
        Route("/connect", moderation.connect),
        Route("/connect", moderation.save_tokens, methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


def _says(request: Request, status: int, key: str, at: str = "", **facts: str) -> Response:
    """In words: a sentence to the page's script, a page to everybody else. `at`: where it leads."""
    visit = arrive(request)
    text = say(visit.language, key, **facts)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"text": text, "at": at}, status_code=status)
    return pages.missing(visit, text, status)


async def _not_inside(request: Request, _error: Exception) -> Response:
    if "event-stream" in request.headers.get("accept", ""):
        return stream.moved()  # the page is of yesterday's code, and is led there when it is loaded
    if request.method == "GET":
        return RedirectResponse("/join", status_code=303)
    return _says(request, 403, "web-not-inside", at="/join")


async def _not_allowed(request: Request, _error: Exception) -> Response:
    return _says(request, 403, "web-moderators-only")


async def _stale(request: Request, _error: Exception) -> Response:
    return _says(request, 403, "web-stale")


async def _too_large(request: Request, _error: Exception) -> Response:
    return _says(request, 413, "web-too-large")


async def _left(_request: Request, _error: Exception) -> Response:
    return Response(status_code=408)  # nobody reads it


async def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _says(request, status, "web-no-page" if status == 404 else "web-stale")


async def _fault(request: Request, error: Exception) -> Response:
    code = short_code()
    log.error(
        "fault %s at %s: %s", code, request.url.path, "".join(traceback.format_exception(error))
    )
    return _says(request, 500, "fault", code=code)


__all__ = ["PortInUse", "WebAdapter"]
