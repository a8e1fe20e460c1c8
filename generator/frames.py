"""Messages as bytes between two processes: length, JSON header, raw parts.

A frame is two big-endian uint32 (length of the header, length of the raw part), the header in UTF-8
and the raw part, in which the header's `raw` finds its fields by their lengths.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from generator import messages
from generator.messages import Event, Failure, Note, Order
from generator.request import GenerationRequest

PREFIX = struct.Struct(">II")
KINDS: Mapping[str, Any] = {
    kind.__name__: kind
    for kind in (
        *(messages.Submit, messages.Cancel, messages.Rest),
        *(messages.Ready, messages.Loading, messages.Loaded, messages.Kept, messages.Resting),
        *(messages.Started, messages.Called, messages.Drawn, messages.Failed, messages.Cancelled),
    )
}
READERS: Mapping[str, Any] = {
    "request": GenerationRequest.from_json,
    "failure": Failure,
    "models": tuple,
    "notes": lambda notes: tuple(map(Note.from_json, notes)),
}


class Unreadable(Exception):
    """Bytes that are no frame of a message."""


def encode(message: Order | Event) -> bytes:
    """The frame of a message."""
    header: dict[str, Any] = {"kind": type(message).__name__}
    raw: dict[str, bytes] = {}
    for each in fields(message):
        value = getattr(message, each.name)
        if isinstance(value, bytes):
            raw[each.name] = value
        else:
            header[each.name] = _plain(value)
    header["raw"] = {name: len(part) for name, part in raw.items()}
    text = json.dumps(header).encode()
    body = b"".join(raw.values())
    return PREFIX.pack(len(text), len(body)) + text + body


def decode(text: bytes, body: bytes) -> Any:
    """The message of a frame's header and raw part. Raises Unreadable."""
    try:
        return _decode(json.loads(text), body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(repr(error)) from error


def _decode(header: dict[str, Any], body: bytes) -> Any:
    kind = KINDS[header.pop("kind")]
    start = 0
    for name, length in header.pop("raw").items():
        header[name] = body[start : start + length]
        start += length
    return kind(**{n: READERS[n](v) if n in READERS else v for n, v in header.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.to_json() if hasattr(value, "to_json") else value
