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


def say(language: str, key: str, /, **facts: Any) -> str:
    """The sentence `key` in `language`. Raises KeyError for a key that doesn't exist."""
    bundle = _bundle(language)
    pattern = bundle.get_message(key).value
    values = {name: escape(v) if isinstance(v, str) else v for name, v in facts.items()}
    text, errors = bundle.format_pattern(pattern, values)
    if errors:
        raise KeyError(f"{key} ({language}): {errors}")
    return str(text)


def has(language: str, key: str) -> bool:
    return bool(_bundle(language).has_message(key))


def escape(text: str) -> str:
    """Makes someone's words literal in Semilla's markup."""
    return MARKUP.sub(r"\\\1", text)


def plain(text: str) -> str:
    """Semilla's markup without its marks."""
    return re.sub(r"\\([\\*`])|\*\*|`", lambda match: match[1] or "", text)


@cache
def _bundle(language: str) -> Any:
    from fluent.runtime import FluentBundle, FluentResource  # 0.1 s, not needed for --help

    bundle = FluentBundle([language], use_isolating=False)
    for path in sorted(FOLDER.rglob(f"{language}.ftl")):
        bundle.add_resource(FluentResource(path.read_text(encoding="utf-8")))
    return bundle
