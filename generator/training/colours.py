"""Colours of scenes: those of backgrounds, recolouring a drawing, and telling which it has."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

BACKGROUNDS = {
    "white": (255, 255, 255),
    "blue": (120, 170, 245),
    "red": (240, 110, 110),
    "green": (130, 205, 130),
    "yellow": (250, 225, 110),
    "pink": (250, 175, 210),
    "purple": (180, 140, 230),
    "black": (35, 35, 42),
    "orange": (250, 175, 95),
    "gray": (185, 185, 190),
}
HUES = {  # of HSV, 0 … 1
    "red": 0.0,
    "orange": 0.075,
    "yellow": 0.145,
    "green": 0.36,
    "blue": 0.6,
    "purple": 0.77,
    "pink": 0.91,
}
NATURAL = (*HUES, "brown", "black", "white")


def to_hsv(rgb: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Hue, saturation and value, 0 … 1 each, of (…, 3) floats of 0 … 1."""
    high, low = rgb.max(-1), rgb.min(-1)
    spread = high - low
    safe = np.maximum(spread, 1e-6)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    sextant = np.where(
        high == red,
        ((green - blue) / safe) % 6,
        np.where(high == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    return sextant / 6, np.where(high > 0, spread / np.maximum(high, 1e-6), 0), high


def to_rgb(hue: Floats, saturation: Floats, value: Floats) -> Floats:
    sextant = (hue % 1) * 6
    index = np.floor(sextant).astype(int) % 6
    rest = sextant - np.floor(sextant)
    p, q = value * (1 - saturation), value * (1 - saturation * rest)
    t, v = value * (1 - saturation * (1 - rest)), value
    channels = ([v, q, p, p, t, v], [t, v, v, q, p, p], [p, p, t, v, v, q])
    return np.stack([np.choose(index, channel) for channel in channels], -1)


def recolour(rgba: Pixels, colour: str) -> Pixels:
    """The drawing in one hue: its colourful pixels keep a little of their differences in hue.

    A drawing that has hardly any colour is tinted as a whole.
    """
    rgb = rgba[..., :3].astype(np.float32) / 255
    hue, saturation, value = to_hsv(rgb)
    solid = rgba[..., 3] > 128
    colourful = (saturation > 0.18) & (value > 0.12)
    if (colourful & solid).mean() < 0.12 * solid.mean() + 1e-6:
        touched = value > 0.25
        same = (np.full_like(hue, HUES[colour]), np.full_like(hue, 0.65), np.clip(value, 0.3, 0.95))
        recoloured = to_rgb(*same)
    else:
        touched = colourful
        differences = ((hue - np.median(hue[colourful & solid]) + 0.5) % 1 - 0.5) * 0.12
        shades = _shades(colour, saturation, value)
        recoloured = to_rgb(HUES[colour] + differences, *shades)
    mixed = np.where(touched[..., None], recoloured, rgb)
    return np.concatenate([(mixed * 255).round().astype(np.uint8), rgba[..., 3:]], -1)


def _shades(colour: str, saturation: Floats, value: Floats) -> tuple[Floats, Floats]:
    """Saturation and value with which a hue looks like what its name says."""
    if colour == "pink":
        return saturation * 0.6, np.clip(value * 1.1, 0, 1)
    if colour == "yellow":
        value = np.clip(value * 1.25 + 0.1, 0, 1)
    elif colour in ("blue", "purple"):
        value = np.clip(value, 0, 0.95)
    return np.clip(np.maximum(saturation, 0.35), 0, 1), value


def natural_colour(rgba: Pixels) -> str | None:
    """The one colour that most of a drawing has; None if there is no such one."""
    solid = rgba[..., 3] > 128
    total = solid.sum()
    if total == 0:
        return None
    hue, saturation, value = to_hsv(rgba[..., :3].astype(np.float32) / 255)
    strong = solid & (saturation > 0.35) & (value > 0.35)
    if strong.sum() > 0.5 * total:
        return _hue_name(hue[strong], value[strong], total)
    if (solid & (value < 0.3)).sum() > 0.6 * total:
        return "black"
    if (solid & (value > 0.85) & (saturation < 0.12)).sum() > 0.6 * total:
        return "white"
    return None


def _hue_name(hues: Floats, values: Floats, total: int) -> str | None:
    found = None
    for colour, hue in HUES.items():
        if (np.abs((hues - hue + 0.5) % 1 - 0.5) < 0.045).sum() > 0.55 * total:
            found = colour
    dark = found in ("orange", "red") and np.median(values) < 0.62
    return "brown" if dark else found
