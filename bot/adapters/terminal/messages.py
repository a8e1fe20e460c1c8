"""What passes between a command line and the owner of the data folder: a line of JSON each, and
behind the first one a picture."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

PATH, KEY = "/terminal", "x-semilla-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command line without the terminal's own flags.

    Args:
        words: the command's name, then its words and flags as the shell gave them.
        image: bytes of the picture file to draw over.
        member: "terminal:" and the system's name of the user.
    """

    words: tuple[str, ...]
    language: str
    member: str
    name: str
    image: bytes | None = None

    def to_bytes(self) -> bytes:
        """A line of JSON, and the picture as it is: what is sent is no larger than a file may be."""
        fields = json.dumps(asdict(replace(self, image=None)))
        return fields.encode() + b"\n" + (self.image or b"")

    @classmethod
    def from_bytes(cls, sent: bytes) -> Self:
        """Raises ValueError, TypeError and KeyError for what is no request."""
        text, _, image = sent.partition(b"\n")
        fields = json.loads(text)
        if not fields["words"]:
            raise ValueError("no words")
        return cls(**{**fields, "words": tuple(fields["words"]), "image": image or None})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the accepted answer is. `call` of `calls` is 0 of 0 until its picture is drawn."""

    answer: int
    text: str
    call: int = 0
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished picture. `path`: of its PNG on this machine."""

    code: str
    alt: str
    caption: str
    size: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The reply, the last of the messages.

    Args:
        tone: of `bot.conversation.Tone`.
        complete: every picture that the answer owed is here.
        table: the pictures are found ones, to be listed, and not new ones.
        lines: labels and command lines of what can be done next.
        fields: labels and values of a form.
        file: path of a file to hand out.
    """

    text: str
    tone: str
    complete: bool = True
    table: bool = False
    pictures: tuple[Drawing, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    file: str | None = None


Message = Progress | Result


def encode(message: Message) -> bytes:
    return json.dumps({"kind": type(message).__name__, **asdict(message)}).encode() + b"\n"


def decode(line: bytes) -> Message:
    fields: dict[str, Any] = json.loads(line)
    if fields.pop("kind") == "Progress":
        return Progress(**fields)
    for name in ("lines", "fields"):
        fields[name] = tuple((label, text) for label, text in fields[name])
    fields["pictures"] = tuple(Drawing(**each) for each in fields["pictures"])
    return Result(**fields)
