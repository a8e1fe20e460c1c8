"""Semilla's markup as Telegram's text and entities, counted in UTF-16 units.

Entities stand beside the text: nobody's words can become markup, and a text can be cut anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import regex
from telegram import MessageEntity
from telegram.constants import MessageLimit

TEXT_UNITS = int(MessageLimit.MAX_TEXT_LENGTH)
CAPTION_UNITS = int(MessageLimit.CAPTION_LENGTH)
CUT = "\n…"
MARKS = regex.compile(
    r"\\(?P<escaped>[\\*`])|\*\*(?P<bold>(?:\\.|[^\\])+?)\*\*|`(?P<code>(?:\\.|[^\\`])+?)`",
    regex.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Formatted:
    text: str = ""
    entities: tuple[MessageEntity, ...] = ()

    def cut(self, units: int) -> Formatted:
        """At most so many UTF-16 units, never ending inside an emoji or before an accent."""
        if length(self.text) <= units:
            return self
        kept, left = "", units - length(CUT)
        for cluster in regex.findall(r"\X", self.text):
            left -= length(cluster)
            if left < 0:
                break
            kept += cluster
        end = length(kept)
        entities = (
            MessageEntity(each.type, each.offset, min(each.length, end - each.offset))
            for each in self.entities
            if each.offset < end
        )
        return Formatted(kept + CUT, tuple(entities))


def length(text: str) -> int:
    """In UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def formatted(lines: Iterable[str], units: int = TEXT_UNITS) -> Formatted:
    """Lines of Semilla's markup, cut to what a message (or a caption) may be."""
    text, entities = "", list[MessageEntity]()
    for piece, kind in _pieces("\n".join(line for line in lines if line)):
        if kind:
            entities.append(MessageEntity(kind, length(text), length(piece)))
        text += piece
    return Formatted(text, tuple(entities)).cut(units)


def _pieces(marked: str) -> Sequence[tuple[str, str]]:
    """Plain pieces, each with the type of its entity or ""."""
    pieces, end = [], 0
    for match in MARKS.finditer(marked):
        pieces.append((marked[end : match.start()], ""))
        if match["escaped"]:
            pieces.append((match["escaped"], ""))
        elif match["bold"]:
            pieces.append((_literal(match["bold"]), str(MessageEntity.BOLD)))
        else:
            pieces.append((_literal(match["code"]), str(MessageEntity.CODE)))
        end = match.end()
    return [*pieces, (marked[end:], "")]


def _literal(text: str) -> str:
    return str(regex.sub(r"\\([\\*`])", r"\1", text))
