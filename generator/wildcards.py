"""What a seed draws: of {a|b} one, and of __NAME__ a line of wildcards/NAME.txt in the owner's
folders. Agrees with the dynamic-prompts extension of AUTOMATIC1111."""

from __future__ import annotations

import codecs
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from generator.request import VERSION

MARKED = "\ufeff"  # by Windows, at the beginning of a list
DEEPEST_CHOICE = 8
LONGEST_DRAWN = 20_000  # characters: wildcards may multiply themselves

WILDCARD = re.compile(r"__([\w/ -]+?)__")
CHOICE = re.compile(r"(?<!\\)\{([^{}]*\|[^{}]*)\}")
# Of dynamic prompts: "2$$a|b|c", "1-2$$ and $$a|b|c", and in an option "0.7::a".
SEVERAL = re.compile(r"\s*(\d{1,2})(?:-(\d{1,2}))?\$\$(?:([^|$]*)\$\$)?")
CHANCE = re.compile(r"\s*(\d{1,4}(?:\.\d{0,6})?|\.\d{1,6})::")


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


def draw(
    text: str, seed: int, wildcard: Callable[[str, int], Sequence[str]], version: int = VERSION
) -> tuple[str, tuple[str, ...]]:
    """Text without __wildcards__ and {a|b}, always the same ones for a seed; and unknown wildcards.

    Args:
        wildcard: the lines that a wildcard stands for in a version, none where there is none.
        version: of the recipe.
    """
    source = random.Random(seed)  # noqa: S311
    missing: dict[str, None] = {}

    def line(found: re.Match[str]) -> str:
        lines = wildcard(found[1].strip(), version)
        if not lines:
            missing.setdefault(found[1].strip())
            return found[1]
        return str(source.choice(lines))

    def option(found: re.Match[str]) -> str:
        if version < 4:
            return str(source.choice(found[1].split("|"))).strip()
        return _options(found[1], source)

    for _ in range(DEEPEST_CHOICE):
        before = text
        text = CHOICE.sub(option, WILDCARD.sub(line, text))
        if text == before or len(text) > LONGEST_DRAWN:
            break
    return text, tuple(missing)


def _options(text: str, source: random.Random) -> str:
    """One of them with its blanks, or as many as are asked for, each once."""
    several = SEVERAL.match(text)
    options = text[several.end() if several else 0 :].split("|")
    chances = [CHANCE.match(each) for each in options]
    if several is None and not any(chances):
        return source.choice(options)
    left = [
        each[found.end() if found else 0 :] for each, found in zip(options, chances, strict=True)
    ]
    weights = [float(found[1]) if found else 1.0 for found in chances]
    low, high = (int(several[1]), int(several[2] or several[1])) if several else (1, 1)
    drawn = []
    for _ in range(min(source.randint(*sorted((low, high))), len(left))):
        (index,) = source.choices(range(len(left)), weights if any(weights) else None)
        drawn.append(left.pop(index))
        weights.pop(index)
    if several is None:
        return drawn[0]
    return (several[3] or ", ").join(each.strip() for each in drawn)
