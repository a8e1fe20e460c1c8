"""What the page's handlers work with, and who stands before them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from bot.adapters.web.guard import LOOPBACK
from bot.adapters.web.rooms import CLASS, HOME, ClassRoom
from bot.adapters.web.sessions import Session, Sessions, browser_language
from bot.commands.semilla import Semilla
from bot.conversation import Guild, Member
from bot.events import Follower
from bot.locales import say
from db.history import Asker


class NotInside(Exception):
    """A visitor from another computer who hasn't typed the class's code."""


class NotAllowed(Exception):
    """Only the moderator may do this."""


class StaleForm(Exception):
    """A form without this browser's token: from elsewhere, or from a page that is too old."""


class Chats(Protocol):
    """The chats that need a token."""

    def connect(self, platform: str, token: str) -> None: ...

    def mistaken(self, platform: str, token: str) -> str:
        """The sentence for what was pasted in a token's place; "" where it can't be told."""

    async def state(self, platform: str) -> tuple[str, Mapping[str, Any]]:
        """A sentence of the locales and its facts; "" for one that isn't connected."""

    async def troubles(self) -> list[tuple[str, Mapping[str, Any]]]:
        """What keeps connected chats from answering."""


@dataclass(frozen=True, slots=True)
class Site:
    """Made once by the adapter; `open_class` and `close_class` bind and free the network.

    `open_class` raises NoNetwork and PortInUse. `streams`: of each browser that follows what
    happens, by its session.
    """

    semilla: Semilla
    sessions: Sessions
    room: ClassRoom
    open_class: Callable[[], Awaitable[None]]
    close_class: Callable[[], Awaitable[None]]
    chats: Chats | None
    streams: defaultdict[str, list[Follower]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a browser.

    Args:
        local: it comes from this computer itself.
        path: of the page, to come back to.
    """

    site: Site
    session: Session
    language: str
    local: bool
    path: str

    @property
    def guild(self) -> Guild:
        return CLASS if self.site.room.is_open else HOME

    @property
    def inside(self) -> bool:
        return self.local or self.session.moderator or self.site.room.admits(self.session.code)

    @property
    def member(self) -> Member:
        name = self.session.name or say(self.language, "web-home-name")
        return Member(f"web:{self.session.id}", name, self.session.moderator)

    @property
    def asker(self) -> Asker:
        return Asker(self.guild.id, self.member.id, self.session.moderator)

    @property
    def token(self) -> str:
        return self.site.sessions.token(self.session)

    def keep(self, response: Response) -> Response:
        """Writes the cookie, which also makes it last longer."""
        self.site.sessions.save(response, self.session)
        return response


def arrive(request: Request) -> Visit:
    """Whoever it is, inside or not."""
    site = cast(Site, request.app.state.site)
    session = site.sessions.read(request) or site.sessions.new()
    language = session.language or browser_language(
        request.headers.get("accept-language", ""), site.semilla.config.language
    )
    local = request.client is not None and request.client.host in LOOPBACK
    path = request.url.path if request.url.path != "/call" else "/"
    if request.url.query and "key" not in request.query_params:
        path += f"?{request.url.query}"
    return Visit(site, session, language, local, path)


def enter(request: Request) -> Visit:
    """A visit of someone who may be here. Raises NotInside."""
    visit = arrive(request)
    if not visit.inside:
        raise NotInside
    return visit


def enter_as_moderator(request: Request) -> Visit:
    """Raises NotInside and NotAllowed."""
    visit = enter(request)
    if not visit.session.moderator:
        raise NotAllowed
    return visit


async def read_form(request: Request, visit: Visit) -> FormData:
    """The form that was sent, with a file from inside only. Raises StaleForm, HTTPException, and
    TooLarge while it is being read."""
    form = await request.form(max_files=1 if visit.inside else 0, max_fields=100)
    if not visit.site.sessions.holds_token(visit.session, str(form.get("token", ""))):
        raise StaleForm
    return form
