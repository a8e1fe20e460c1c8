"""Parts of a picture by their names, as transparency: what is transparent is drawn anew."""

from __future__ import annotations

import io
import unicodedata

from PIL import Image, ImageChops, ImageFilter

from generator import metadata

HALF = 128
SEAM = 32  # a seam is a 32nd of the shorter side wide
# Left, top, right, bottom, as shares of the sides.
LEFT, RIGHT = (0, 0, 1 / 2, 1), (1 / 2, 0, 1, 1)
TOP, BOTTOM = (0, 0, 1, 1 / 2), (0, 1 / 2, 1, 1)
MIDDLE = (1 / 4, 1 / 4, 3 / 4, 3 / 4)
AREAS = {
    **dict.fromkeys(("left", "izquierda"), LEFT),
    **dict.fromkeys(("right", "derecha"), RIGHT),
    **dict.fromkeys(("top", "up", "arriba"), TOP),
    **dict.fromkeys(("bottom", "down", "abajo"), BOTTOM),
    **dict.fromkeys(("middle", "center", "centre", "centro", "medio"), MIDDLE),
}
AROUND = ("around", "alrededor", "edges", "bordes")


def known(area: str) -> bool:
    return _plain(area) in (*AREAS, *AROUND)


def masked(data: bytes, area: str | None, max_pixels: int) -> bytes | None:
    """A PNG that is transparent where it is to be drawn anew.

    Without an area it is what is transparent already; None where nothing, or all of it, is.
    Raises metadata.ImageRefused.
    """
    image = metadata.open_image(data, max_pixels, "RGBA")
    if area is not None:
        image.putalpha(_opacity(image.size, _plain(area)))
    kept = sum(image.getchannel("A").histogram()[HALF:])
    if kept in (0, image.width * image.height):
        return None
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _opacity(size: tuple[int, int], area: str) -> Image.Image:
    """255 where it is kept, 0 where it is drawn anew, soft between them."""
    drawn = AREAS.get(area, MIDDLE)
    sides = (*size, *size)
    box = tuple(round(share * side) for share, side in zip(drawn, sides, strict=True))
    opacity = Image.new("L", size, 255)
    opacity.paste(0, (box[0], box[1], box[2], box[3]))
    if area in AROUND:
        opacity = ImageChops.invert(opacity)
    return opacity.filter(ImageFilter.BoxBlur(min(size) / SEAM / 2))


def _plain(area: str) -> str:
    decomposed = unicodedata.normalize("NFD", area.casefold().strip())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
