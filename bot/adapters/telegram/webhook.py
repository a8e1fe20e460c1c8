"""Where Telegram calls when it is to bring its updates, instead of being asked for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/telegram"
SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  a header's name


class Called(Protocol):
    async def called(self, secret: str, update: Any) -> bool:
        """Whether it was Telegram who called."""


def route(current: Callable[[], Called | None]) -> Route:
    """For the page's server. `current`: the adapter that is connected just now."""

    async def take(request: Request) -> Response:
        adapter = current()
        try:
            update = json.loads(await request.body())
        except ValueError:
            update = None
        secret = request.headers.get(SECRET, "")
        known = adapter is not None and update is not None and await adapter.called(secret, update)
        return Response(status_code=200 if known else 404)

    return Route(PATH, take, methods=["POST"])
