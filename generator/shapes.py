"""Shapes of pictures as people write them."""

from __future__ import annotations

import re

SHAPES = {
    **dict.fromkeys(("square", "cuadrado", "cuadrada", "1:1"), 1.0),
    **dict.fromkeys(("portrait", "vertical", "retrato"), 3 / 4),
    **dict.fromkeys(("landscape", "horizontal", "apaisado", "apaisada"), 4 / 3),
    **dict.fromkeys(("wide", "ancho", "ancha", "panorama"), 16 / 9),
    **dict.fromkeys(("tall", "alto", "alta"), 9 / 16),
}
STEEPEST = 3.0  # the longest side over the shortest


def ratio_of(text: str) -> float:
    """Width over height. Raises ValueError."""
    shape = text.strip().casefold()
    if shape in SHAPES:
        return SHAPES[shape]
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*[:/]\s*(\d+(?:\.\d+)?)", shape)
    if not parts or not float(parts[2]):
        raise ValueError(text)
    ratio = float(parts[1]) / float(parts[2])
    if not 1 / STEEPEST <= ratio <= STEEPEST:
        raise ValueError(text)
    return ratio
