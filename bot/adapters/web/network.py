"""Listening: sockets of our own, and uvicorn without its hands on the process's signals."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from bot.adapters.web.guard import LOOPBACK

SECONDS_TO_CLOSE = 1
# A process can have so many files open, and pictures, the database and the other chats need some.
# Of one address: a class may come through one, with half a dozen for each page. However many
# others there are, whoever is at this computer gets in.
CONNECTIONS, FROM_ONE_ADDRESS = 500, 250
REQUEST_SECONDS = 15.0  # within which a request is there whole, but for what it brings along


class PortInUse(OSError):
    """Another program listens there already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port} is in use")
        self.host = host
        self.port = port


class Server(uvicorn.Server):
    """Ends when it is told to; the process's signals belong to bot/processes.py."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Connection(H11Protocol):
    """One of few enough, which somebody asks something on: anybody in the class's network can
    connect."""

    open: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self.open[self._address] += 1
        crowded = self.open.total() > CONNECTIONS and self._address not in LOOPBACK
        if crowded or self.open[self._address] > FROM_ONE_ADDRESS:
            transport.abort()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._looking.cancel()
        self.open[self._address] -= 1
        if not self.open[self._address]:
            del self.open[self._address]
        super().connection_lost(exc)

    def _look(self) -> None:
        """Where nothing is asked, or all is answered, something has to be before the next look."""
        cycle: RequestResponseCycle | None = self.cycle
        idle = cycle is None or cycle.response_complete
        seen = cycle if idle else object()
        self._looking = self.loop.call_later(REQUEST_SECONDS, self._look_again, seen)

    def _look_again(self, seen: object) -> None:
        if self.cycle is seen:
            self.transport.close()
        else:
            self._look()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises PortInUse, and OSError for an address that isn't ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        # On Windows the same option would let two programs share a port.
        option = "SO_EXCLUSIVEADDRUSE" if sys.platform == "win32" else "SO_REUSEADDR"
        listening.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        # Windows refuses a port that another program holds for itself with "permission denied".
        held = sys.platform == "win32" and isinstance(error, PermissionError)
        if held or error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from error
        raise
    listening.setblocking(False)
    return listening


async def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Serves until it is cancelled, then closes what is open within a second."""
    logging.getLogger("uvicorn.error").addFilter(_is_fault)
    server = Server(_config(app))
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await asyncio.shield(serving)
        listening.close()


def _is_fault(record: logging.LogRecord) -> bool:
    """What a stop cuts off is none: an open page has a stream without an end."""
    cut = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not (cut or str(record.msg).startswith("Cancel %s running task"))


def _config(app: ASGIApp) -> Any:
    return uvicorn.Config(
        app,
        http=Connection,
        lifespan="off",
        log_config=None,
        access_log=False,
        # Who asks decides what they may do: nobody's header can tell us that.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=SECONDS_TO_CLOSE,
    )
