"""Lists of words that a seed draws from: wildcards/NAME.txt in the owner's folders."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

from generator.grammar import WILDCARD
from generator.request import VERSION

MARKED = "\ufeff"  # by Windows, at the beginning


def find(folders: Sequence[Path], name: str) -> Path | None:
    """In the first folder that has it."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    files = (folder / "wildcards" / f"{name}.txt" for folder in folders)
    try:
        return next((file for file in files if file.is_file()), None)
    except OSError:  # no file can have such a name
        return None


def lines(file: Path | None, version: int = VERSION) -> tuple[str, ...]:
    """None where there is no such file, or it can't be read.

    Args:
        version: of the recipe.
    """
    try:
        text = _text(file.read_bytes(), version) if file else ""
    except OSError:
        return ()
    read = [each.strip() for each in text.splitlines()]
    if version > 5:  # lists may have been put together
        read = [each.lstrip(MARKED) for each in read]
    return tuple(each for each in read if each and not each.startswith("#"))


def _text(content: bytes, version: int) -> str:
    """In UTF-8, or as Windows' editor keeps it otherwise: in UTF-16 with its mark, or in "ANSI"."""
    if version < 7:
        return content.decode("utf-8", errors="replace")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def named(folders: Sequence[Path], text: str) -> dict[str, Path]:
    """Those that a text names, and those that these name, by their names."""
    found: dict[str, Path] = {}
    texts = [text]
    while texts:
        for name in map(str.strip, WILDCARD.findall(texts.pop())):
            file = find(folders, name)
            if file is not None and name not in found:
                found[name] = file
                texts.append("\n".join(lines(file)))
    return found
