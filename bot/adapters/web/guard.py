"""What every request passes first: the page answers only to its own names and its own forms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPLOAD_BYTES = 25_000_000
BODY_SECONDS = 30.0  # without a byte of what was announced, it has been given up
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ELSEWHERE = (
    "This page doesn't answer at this address. On the computer where Semilla runs, open the address "
    "that it showed when it started; others come in through the class.\n"
    "Esta página no responde en esta dirección. En la computadora de Semilla, abre la dirección que "
    "mostró al iniciarse; los demás entran por la clase."
)
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Unless it says more: without it, browsers keep the script of before an update for days.
    "Cache-Control": "no-cache",
}


class TooLarge(Exception):
    """A request's body is larger than anything that the page asks for."""


class Guard:
    """ASGI middleware.

    A foreign Host is how a name that was rebound to this computer shows itself, a foreign Origin
    how another page's form does. A body is cut off before it is read whole.

    Args:
        hosts: the names besides the loopback's, as they are now.
    """

    def __init__(self, app: ASGIApp, hosts: Callable[[], frozenset[str]]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if refused := self._refuse(headers):
            response = PlainTextResponse(refused, status_code=421)
            await response(scope, receive, _with_headers(send))
            return
        await self._app(scope, _limited(receive, headers), _with_headers(send))

    def _refuse(self, headers: Headers) -> str:
        host = headers.get("host", "")
        if _name(f"//{host}") not in LOOPBACK | self._hosts():
            return ELSEWHERE
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return "This form is not from this page. Este formulario no es de esta página."
        return ""


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _limited(receive: Receive, headers: Headers) -> Receive:
    announced = headers.get("content-length", "0")
    left = UPLOAD_BYTES - (int(announced) if announced.isdecimal() else 0)
    read, more = 0, True

    async def counted() -> Message:
        nonlocal read, more
        if left < 0:
            raise TooLarge
        try:
            async with asyncio.timeout(BODY_SECONDS if more else None):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        more = message.get("more_body", False)
        read += len(message.get("body", b""))
        if read > UPLOAD_BYTES:
            raise TooLarge
        return message

    return counted


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
