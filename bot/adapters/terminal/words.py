"""The terminal's own flags, taken out of a command line; all else belongs to the command."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"}
OUTPUT = ("-o", "--output", "--salida")
IMAGE = ("--image", "--imagen")
LANGUAGE = ("--lang", "--idioma")
EXPORTING = ("privacy", "privacidad")  # the command whose file is no picture
HELP = ("-h", "--help", "--ayuda")


class BadWords(Exception):
    """A flag of the terminal's own that can't be used: a sentence of the locales, and its facts."""

    def __init__(self, key: str, **facts: str) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """A command line as it was typed.

    Args:
        words: the command with its own words and flags.
        output: the PNG (of an export, ZIP) file to write, or a folder for them.
        image: the file of a picture to draw over.
    """

    words: tuple[str, ...]
    output: Path | None = None
    image: Path | None = None
    language: str | None = None
    help: bool = False


def read(arguments: list[str]) -> CommandLine:
    """Raises BadWords."""
    words: list[str] = []
    own: dict[str, str] = {}
    wants_help = False
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            words += [word, *rest]
        elif word in HELP:
            wants_help = True
        elif (flag := _own_flag(word)) is not None:
            value = word.partition("=")[2] if "=" in word else next(rest, None)
            if not value:
                raise BadWords("terminal-flag-empty", flag=word)
            if flag == "image" and not _is_file(value):
                words += ["--image", value]  # the id of a picture, the command's own option
            else:
                own[flag] = value
        else:
            words.append(word)
    return CommandLine(
        words=tuple(words),
        output=_output(own["output"], words) if "output" in own else None,
        image=_path(own["image"]) if "image" in own else None,
        language=_language(own["language"]) if "language" in own else None,
        help=wants_help,
    )


def read_image(path: Path) -> bytes:
    """Raises BadWords."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadWords("terminal-image", file=str(path), reason=error.strerror or "") from error


def _own_flag(word: str) -> str | None:
    name = word.partition("=")[0]
    for flag, names in (("output", OUTPUT), ("image", IMAGE), ("language", LANGUAGE)):
        if name in names:
            return flag
    return None


def _path(text: str) -> Path:
    """`Path.expanduser` would raise where a name only begins like a user's home."""
    return Path(os.path.expanduser(text))


def _is_file(value: str) -> bool:
    path = _path(value)
    return path.suffix.lower() in PICTURES or len(path.parts) > 1 or path.is_file()


def _output(text: str, words: list[str]) -> Path:
    """Checked before anything is drawn."""
    path = _path(text)
    if path.is_dir():
        return path
    kind = "zip" if words and words[0].casefold() in EXPORTING else "png"
    if not path.suffix:
        path = path.with_name(f"{path.name}.{kind}")
    if path.suffix.lower() != f".{kind}":
        better = str(path.with_suffix(f".{kind}"))
        raise BadWords(f"terminal-not-{kind}", file=text, better=better)
    if not path.parent.is_dir():
        raise BadWords("terminal-no-folder", folder=str(path.parent))
    return path


def _language(text: str) -> str:
    if text.lower()[:2] not in ("en", "es"):
        raise BadWords("terminal-language", value=text)
    return text.lower()[:2]
