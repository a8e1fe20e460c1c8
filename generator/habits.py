"""What members bring along from other programs: Compel's and Midjourney's ways of writing a prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

BOUNDARY = r"(?=[\s,.;:!?)\]|]|$)"
SIGNS = r"(\++|-{2,})"
COMPEL_WORD = re.compile(rf"\b([^\W\d_]{{2,}}){SIGNS}{BOUNDARY}")  # word++, but not C++ or a dash
COMPEL_GROUP = re.compile(rf"\)(?:(\d{{1,2}}\.\d{{1,6}})|{SIGNS}){BOUNDARY}")  # (a b)1.3, (a b)++
MULTI_PROMPT = re.compile(r"(?<!:)::(?!:)\s*(-?\d{1,3}(?:\.\d{1,6})?)?")  # hot::2 dog::1
DASHES = r"(?:--|—|–)"  # telephones turn two into a long one
OPTION = re.compile(
    rf"(?:^|(?<=\s)){DASHES}([a-z]+)\b(?:[ =](?!{DASHES}))?((?:(?!\s{DASHES}[a-z]).)*)", re.DOTALL
)
MOST_SIGNS = 8

NAMES = {
    **dict.fromkeys(("ar", "aspect"), "size"),
    "no": "negative",
    "seed": "seed",
}
VALUES = {
    "size": re.compile(r"\d{1,4}(?:\.\d{1,3})?:\d{1,4}(?:\.\d{1,3})?"),
    "negative": re.compile(r".+", re.DOTALL),
    "seed": re.compile(r"\d{1,10}"),
}
# Midjourney's that have no counterpart, with what a value of theirs looks like.
WITHOUT = {
    **dict.fromkeys(("s", "stylize", "c", "chaos", "w", "weird", "iw", "sw", "cw"), r"\d+"),
    **dict.fromkeys(("q", "quality", "v", "version", "stop", "repeat", "r"), r"[\d.]+"),
    **dict.fromkeys(("style", "personalize", "p", "profile"), r"\w+"),
    **dict.fromkeys(("sref", "cref", "oref"), r"\S+"),
    "niji": r"\d*",
    **dict.fromkeys(("tile", "fast", "relax", "turbo", "hd", "uplight", "upbeta", "raw"), ""),
}


@dataclass(frozen=True, slots=True)
class Translated:
    """A text in our grammar.

    Args:
        changes: what was typed → what it was read as.
        options: our options' names → values.
        ignored: what has no counterpart here, as typed.
    """

    text: str
    changes: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def weights(text: str) -> Translated:
    """Compel's weights and Midjourney's parts in AUTOMATIC1111's grammar."""
    changes: dict[str, str] = {}

    def word(found: re.Match[str]) -> str:
        changes[found[0]] = f"({found[1]}:{_power(found[2])})"
        return changes[found[0]]

    def group(found: re.Match[str]) -> str:
        weight = found[1] or _power(found[2])
        changes[f"( ){found[0][1:]}"] = f"( :{weight})"
        return f":{weight})"

    text = COMPEL_WORD.sub(word, text)
    if "(" in text:
        text = COMPEL_GROUP.sub(group, text)
    if "::" in text and "[" not in text:
        text = _parts(text, changes)
    return Translated(text, changes)


def options(text: str) -> Translated:
    """The text without Midjourney's options, which stand at its end."""
    found: dict[str, str] = {}
    changes: dict[str, str] = {}
    ignored: list[str] = []

    def take(match: re.Match[str]) -> str:
        name, value = match[1], match[2].strip()
        ours = NAMES.get(name)
        if ours and VALUES[ours].fullmatch(value):
            found[ours] = value
            changes[f"--{name} {value}"] = f"{ours}:{value}"
            return ""
        theirs = re.match(WITHOUT[name], value) if name in WITHOUT else None
        if theirs is None:
            return match[0]
        ignored.append(f"--{name} {theirs[0]}".strip())
        return value[theirs.end() :]

    return Translated(OPTION.sub(take, text).strip(), changes, found, tuple(ignored))


def _power(signs: str) -> str:
    """Compel: each + is 1.1, each - is 0.9."""
    return f"{(1.1 if signs[0] == '+' else 0.9) ** min(len(signs), MOST_SIGNS):.4g}"


def _parts(text: str, changes: dict[str, str]) -> str:
    """Weights relative to each other, as Midjourney has them: their sum is 1."""
    pieces = MULTI_PROMPT.split(text)
    counts = [float(weight or 1) for weight in [*pieces[1::2], "1"]]
    parts = list(zip(map(str.strip, pieces[::2]), counts, strict=True))
    parts = [(words, weight) for words, weight in parts if words]
    total = sum(weight for _, weight in parts)
    if len(parts) < 2 or total <= 0:
        return " ".join(words for words, _ in parts)
    read = " AND ".join(f"{words} :{weight / total:.4g}" for words, weight in parts)
    changes[text.strip()] = read
    return read
