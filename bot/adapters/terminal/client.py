"""Hands a command line to the owner of the data folder, over loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from bot.adapters.terminal.messages import KEY, PATH, Message, Request, Result, decode
from bot.processes import Owner

CONNECT_SECONDS = 5.0


class OwnerGone(Exception):
    """Nobody (or somebody else) listens where the owner announced to be."""


class OwnerStopped(Exception):
    """The owner ended in the middle of an answer; what it had accepted is kept."""


class TooLarge(Exception):
    """The picture has more bytes than the owner takes."""


def send(owner: Owner, request: Request) -> Iterator[Message]:
    """The owner's messages as they come. Raises OwnerGone, OwnerStopped and TooLarge."""
    host = urlsplit(owner.address)
    connection = HTTPConnection(host.hostname or "127.0.0.1", host.port, timeout=CONNECT_SECONDS)
    headers = {KEY: owner.key}
    try:
        connection.connect()
        with suppress(ConnectionError):  # what is too large isn't read to its end, but answered
            connection.request("POST", PATH, request.to_bytes(), headers)
        if connection.sock is not None:
            connection.sock.settimeout(None)  # a picture takes its time
        response = connection.getresponse()
    except (OSError, HTTPException) as error:
        raise OwnerGone from error
    if response.status in (403, 404):
        raise OwnerGone(f"status {response.status}")
    if response.status == 413:
        raise TooLarge
    if response.status != 200:
        raise HTTPException(f"status {response.status}")
    try:
        for line in response:
            message = decode(line)
            yield message
            if isinstance(message, Result):
                return
    except (OSError, HTTPException) as error:
        raise OwnerStopped from error
    finally:
        connection.close()
    raise OwnerStopped  # http.client takes a stream that breaks off for one that ends


def cancel(owner: Owner, request: Request, answer: int) -> None:
    """Tells the owner that nobody waits for this answer any more."""
    words = ("cancel", str(answer))
    with suppress(OwnerGone, OwnerStopped):
        for _ in send(owner, replace(request, words=words, image=None)):
            pass
