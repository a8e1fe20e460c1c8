"""Every sentence that a member reads, in each language (Fluent).

Facts that are text are escaped for Semilla's markup, so that nobody's words can format a reply.
Seeds, ids and whatever can be typed go in as text: a number would get separators.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "es")
FOLDER = Path(__file__).parent.parent
MARKUP = re.compile(r"([\\*`])")
# Controls, and what turns the words around it: in nobody's name or prompt does either mean anything.
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ue000]")
# No writing has more marks on a letter; a hundred of them cover the lines above.
_MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
PILED = re.compile(f"({_MARK}{{4}}){_MARK}+")
LONG = 500
ENTRY = re.compile(r"^(?=[a-z])", re.MULTILINE)
MARK = re.compile(r"\ue000[^\ue000]*\ue000")
HOUR_SECONDS, DAY_SECONDS = 3600, 86_400


def say(language: str, key: str, /, **facts: Any) -> str:
    """The sentence `key` in `language`. Raises KeyError for a key that doesn't exist."""
    bundle = _bundle_with(language, key)
    pattern = bundle.get_message(key).value
    values = {name: escape(v) if isinstance(v, str) else v for name, v in facts.items()}
    # Fluent takes no texts as long as prompts may be: a mark stands in for them.
    long = {
        f"\ue000{name}\ue000": v
        for name, v in values.items()
        if isinstance(v, str) and len(v) > LONG
    }
    marks = {mark.strip("\ue000"): mark for mark in long}
    text, errors = bundle.format_pattern(pattern, values | marks)
    if errors:
        raise KeyError(f"{key} ({language}): {errors}")
    return MARK.sub(lambda match: long.get(match[0], ""), str(text))


def choice(language: str, value: str) -> str:
    """What one of an option's allowed values is called."""
    return say(language, f"choice-{value.replace(' ', '-')}")


def has(language: str, key: str) -> bool:
    return key in _entries(language)


def escape(text: str) -> str:
    """Makes someone's words literal in Semilla's markup."""
    return MARKUP.sub(r"\\\1", legible(text))


def legible(text: str) -> str:
    """Someone's words without what can't be seen or hides others."""
    return PILED.sub(r"\1", UNSEEN.sub("", text))


def decimal(number: float, language: str, form: str = ".1f") -> str:
    """With one decimal, or as `form` says, and the language's own sign: 1.3 or 1,3."""
    text = format(number, form)
    return text.replace(".", ",") if language == "es" else text


def gigabytes(size: int, language: str) -> str:
    """`size` in bytes: "1.3"."""
    return decimal(size / 10**9, language)


def duration(seconds: float, language: str) -> str:
    """A span of time, in the largest unit that says it well: "20 s", "15 min", "3 h", "4 days"."""
    if seconds < 90:
        return say(language, "seconds", count=max(1, round(seconds)))
    if seconds < 1.5 * HOUR_SECONDS:
        return say(language, "minutes", count=round(seconds / 60))
    if seconds < 2 * DAY_SECONDS:
        return say(language, "hours", count=round(seconds / HOUR_SECONDS))
    return say(language, "days", count=round(seconds / DAY_SECONDS))


def shortened(text: str, characters: int) -> str:
    """At most so many, never ending inside an emoji or before an accent."""
    if len(text) <= characters:
        return text
    kept = ""
    import regex  # few texts are that long, and the start waits for no library that it can spare

    for cluster in regex.finditer(r"\X", text):
        if cluster.end() >= characters:
            break
        kept = text[: cluster.end()]
    return kept + "…"


def plain(text: str) -> str:
    """Semilla's markup without its marks."""
    return re.sub(r"\\([\\*`])|\*\*|`", lambda match: match[1] or "", text)


def _bundle_with(language: str, key: str) -> Any:
    """An entry is parsed when it is said first: all of them take 0.1 s for each language."""
    from fluent.runtime import FluentResource  # not needed for --version

    bundle = _bundle(language)
    if not bundle.has_message(key):
        bundle.add_resource(FluentResource(_entries(language)[key]))
    return bundle


@cache
def _bundle(language: str) -> Any:
    from fluent.runtime import FluentBundle

    return FluentBundle([language], use_isolating=False)


@cache
def _entries(language: str) -> dict[str, str]:
    """Key → entry, as it stands in a file. None refers to another."""
    files = sorted(FOLDER.rglob(f"{language}.ftl"))
    texts = (text for file in files for text in ENTRY.split(file.read_text(encoding="utf-8")))
    return {text.split(maxsplit=1)[0]: text for text in texts if text[:1].isalpha()}
