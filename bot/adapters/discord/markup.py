"""Semilla's markup as Discord's."""

from __future__ import annotations

import re

from discord.utils import escape_markdown

MARKS = re.compile(
    r"\\(?P<escaped>[\\*`])|\*\*(?P<bold>(?:\\.|[^\\])+?)\*\*|`(?P<code>(?:\\.|[^\\`])+?)`",
    re.DOTALL,
)
MESSAGE_CHARACTERS = 2000


def discord_markup(text: str) -> str:
    """Users' words stay literal: no formatting, no link's preview. A mention is shown as whom or
    what it names; it calls nobody, as no message allows it to."""
    parts: list[str] = []
    end = 0
    for match in MARKS.finditer(text):
        parts += [_literal(text[end : match.start()]), _marked(match)]
        end = match.end()
    return "".join([*parts, _literal(text[end:])])


def clipped(text: str, limit: int = MESSAGE_CHARACTERS) -> str:
    """Cut at a line's end where one is near, so that no mark stays open."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 2]
    line = cut.rfind("\n")
    return (cut[:line] if line > limit // 2 else cut) + "\n…"


def _marked(match: re.Match[str]) -> str:
    if match["escaped"]:
        return _literal(match["escaped"])
    if match["bold"]:
        return f"**{discord_markup(match['bold'])}**"
    code = re.sub(r"\\([\\*`])", r"\1", match["code"])
    return f"`` {code} ``" if "`" in code else f"`{code}`"


def _literal(text: str) -> str:
    # Angle brackets keep a link from unfolding into a preview of somebody's page.
    text = re.sub(r"https?://[^\s<>]+", lambda link: f"<{link[0]}>", escape_markdown(text))
    return re.sub("@(?=everyone|here)", "@\u200b", text)
