"""Contact sheets: several pictures in one, each with its label."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from font_source_sans_pro import SourceSansProSemibold
from PIL import Image, ImageDraw, ImageFont

SHEET_PICTURES = 9
CELL_PIXELS, GAP_PIXELS, LABEL_PIXELS, LETTER_PIXELS = 384, 12, 44, 30
BACKGROUND, INK, FRAME = "white", "#1d1d1f", "#d8d8dc"
LETTERS = 0x530  # the font has Latin, Greek and Cyrillic ones; a name's others are left out


@dataclass(frozen=True, slots=True)
class Cell:
    picture: Path
    label: str


def columns(cells: int) -> int:
    """As near to a square as may be: 4 pictures are 2 × 2, 5 or 6 are 3 × 2."""
    return math.ceil(math.sqrt(cells))


def sheet(cells: Sequence[Cell]) -> bytes:
    """A JPEG of one to nine pictures in reading order. It blocks: for a thread.

    Small pictures are enlarged to the cell's size, large ones shrunk, none is distorted.
    """
    across = columns(len(cells))
    down = math.ceil(len(cells) / across)
    step_x, step_y = CELL_PIXELS + GAP_PIXELS, CELL_PIXELS + LABEL_PIXELS + GAP_PIXELS
    size = (across * step_x + GAP_PIXELS, down * step_y + GAP_PIXELS)
    whole = Image.new("RGB", size, BACKGROUND)
    pen = ImageDraw.Draw(whole)
    for place, cell in enumerate(cells):
        left = GAP_PIXELS + place % across * step_x
        top = GAP_PIXELS + place // across * step_y
        # Many pictures are as white as the sheet is.
        pen.rectangle((left - 1, top - 1, left + CELL_PIXELS, top + CELL_PIXELS), outline=FRAME)
        picture = _fitted(cell.picture)
        corner = (CELL_PIXELS - picture.width) // 2, (CELL_PIXELS - picture.height) // 2
        whole.paste(picture, (left + corner[0], top + corner[1]))
        middle = top + CELL_PIXELS + LABEL_PIXELS // 2
        pen.text((left, middle), _legible(cell.label), INK, _font(), anchor="lm")
    buffer = io.BytesIO()
    whole.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _fitted(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    scale = CELL_PIXELS / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _legible(label: str) -> str:
    """What the font can write, cut to a cell's width."""
    text = " ".join("".join(c for c in label if ord(c) < LETTERS).split())
    if _font().getlength(text) <= CELL_PIXELS:
        return text
    while text and _font().getlength(text + "…") > CELL_PIXELS:
        text = text[:-1]
    return text + "…"


@cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(SourceSansProSemibold, LETTER_PIXELS)
