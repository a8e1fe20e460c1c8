"""The moderator's pages, and the door of the class."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.adapters.web.network import PortInUse
from bot.adapters.web.rendering import page
from bot.adapters.web.rooms import CLASS, Moved, NoNetwork, TooManyTries
from bot.adapters.web.sessions import Session
from bot.adapters.web.site import Visit, arrive, enter_as_moderator, read_form
from bot.config import save_token
from bot.locales import say
from bot.moderation import below_floor, blocked_word, rules_of
from bot.words import fold

NAME_CHARACTERS = 24
# Given names that are listed words, too: alone, with an initial, with a number.
LISTED_NAMES = re.compile(
    r"(dick|porn(chai|chanok|pan|pimon|sak|sawan|thip|tip))( [^\W\d]\.?)?( \d)?"
)
TOKENS = {
    "discord": re.compile(r"[\w-]{20,}\.[\w-]{5,}\.[\w-]{20,}"),
    "telegram": re.compile(r"\d{5,}:[\w-]{30,}"),
}


async def classroom(request: Request) -> Response:
    """Address, code and QR code, large enough for the last row."""
    visit = enter_as_moderator(request)
    return _classroom(visit, await _open(visit) if visit.site.room.is_open else "")


async def open_or_close(request: Request) -> Response:
    visit = enter_as_moderator(request)
    form = await read_form(request, visit)
    if form.get("do") == "close":
        await visit.site.close_class()
        return RedirectResponse("/class", status_code=303)
    if form.get("do") == "renew":
        visit.site.room.renew()
        visit.site.semilla.events.publish(Moved(guild=CLASS.id, answer=0))
        return RedirectResponse("/class", status_code=303)
    if problem := await _open(visit):
        return _classroom(visit, problem)
    return RedirectResponse("/class", status_code=303)


async def _open(visit: Visit) -> str:
    """Also while it is open: the computer may have been carried into another network since. Says
    why it can't be."""
    try:
        await visit.site.open_class()
    except NoNetwork:
        return say(visit.language, "web-no-network")
    except PortInUse as taken:
        return say(visit.language, "web-port-in-use", port=str(taken.port))
    return ""


def _classroom(visit: Visit, problem: str = "") -> Response:
    room = visit.site.room
    code = f"http://{room.address}" if room.is_open else ""
    content = page(
        "class.html", visit, room=room, problem=problem, qr=qr_code(code) if code else ""
    )
    return visit.keep(HTMLResponse(content, status_code=409 if problem else 200))


def qr_code(text: str) -> str:
    """An SVG, dark on light in either colour scheme: not all phones read it the other way."""
    import segno

    return str(
        segno.make(text, micro=False).svg_inline(border=3, dark="#111", light="#fff", omitsize=True)
    )


async def join(request: Request) -> Response:
    """Where visitors type the code and their first name; also the next one at the same device."""
    visit = arrive(request)
    if visit.inside and not visit.session.name:
        return RedirectResponse("/", status_code=303)
    return _door(visit)


async def try_to_join(request: Request) -> Response:
    visit = arrive(request)
    form = await read_form(request, visit)
    name = first_name(str(form.get("name", "")))
    code = "".join(c for c in str(form.get("code", ""))[:20] if c.isdecimal())
    database = visit.site.semilla.database
    if not name:
        return _door(visit, say(visit.language, "web-name-missing"), name, code)
    rules = await rules_of(database, CLASS.id)
    given = LISTED_NAMES.fullmatch(fold(name))
    if not given and (blocked_word(rules, name) or below_floor(name)):
        return _door(visit, say(visit.language, "web-name-listed"), name, code, 422)
    if await database.moderation.banned([CLASS.id], visit.member.id):
        text = say(visit.language, "web-stopped", name=visit.member.name)
        return _door(visit, text, name, code, 403)
    address = request.client.host if request.client else ""
    try:
        admitted = visit.site.room.try_code(code, address)
    except TooManyTries as many:
        minutes = -(-many.seconds // 60)
        return _door(
            visit, say(visit.language, "web-too-many-tries", minutes=minutes), name, status=429
        )
    if not admitted:
        return _door(visit, say(visit.language, "web-wrong-code"), name, status=403)
    visit = replace(visit, session=replace(_session_of(visit, name), name=name, code=code))
    return visit.keep(RedirectResponse("/", status_code=303))


def _session_of(visit: Visit, name: str) -> Session:
    """This browser's, unless it was somebody else's: what is theirs isn't the next one's."""
    session = visit.session
    if not session.name or fold(session.name) == fold(name):
        return session
    return replace(visit.site.sessions.new(), language=session.language)


def _door(
    visit: Visit, problem: str = "", name: str = "", code: str = "", status: int = 200
) -> Response:
    content = page("join.html", visit, problem=problem, name=name, code=code)
    return visit.keep(HTMLResponse(content, status_code=status))


def first_name(text: str) -> str:
    """Letters, marks, digits and a few signs of names; nothing that could look like a command."""
    kept = (c for c in text if unicodedata.category(c)[0] in "LMN" or c in " -'’.")
    return " ".join("".join(kept).split())[:NAME_CHARACTERS].strip()


async def connect(request: Request) -> Response:
    return await _connect(enter_as_moderator(request))


async def save_tokens(request: Request) -> Response:
    """Keeps a token under the data folder, and connects. It is never shown again."""
    visit = enter_as_moderator(request)
    form = await read_form(request, visit)
    platform, token = str(form.get("platform", "")), str(form.get("secret", "")).strip()
    pattern = TOKENS.get(platform)
    if pattern is None or not pattern.fullmatch(token):
        return await _connect(visit, _no_token(visit, platform, token), status=422)
    save_token(visit.site.semilla.config.data, platform, token)
    if visit.site.chats is not None:
        visit.site.chats.connect(platform, token)
    return await _connect(visit, say(visit.language, "web-token-saved"))


def _no_token(visit: Visit, platform: str, token: str) -> str:
    chats = visit.site.chats
    sentence = chats.mistaken(platform, token) if chats is not None else ""
    return say(
        visit.language, sentence or "web-not-a-token", address=visit.site.semilla.config.web.address
    )


async def _connect(visit: Visit, notice: str = "", status: int = 200) -> Response:
    states = {platform: await _state(visit, platform) for platform in TOKENS}
    semilla = visit.site.semilla
    code = semilla.access.code if any(states.values()) and not semilla.config.access.open else ""
    content = page(
        "connect.html", visit, notice=notice, failed=status != 200, states=states, code=code
    )
    return visit.keep(HTMLResponse(content, status_code=status))


async def _state(visit: Visit, platform: str) -> str:
    """How a chat is, in words; "" when it has no token."""
    if visit.site.chats is None:
        return ""
    sentence, facts = await visit.site.chats.state(platform)
    address = {"address": visit.site.semilla.config.web.address}
    return say(visit.language, sentence, **address, **facts) if sentence else ""
