"""Small pictures as chats show them: enlarged by a whole number, sharp and without blocks."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

WRITTEN: dict[str, dict[str, Any]] = {
    ".webp": {"quality": 92, "method": 4},
    ".jpg": {"quality": 92, "subsampling": 0},
}

BLURRED_PIXELS = 8  # a side that is left of a blurred picture


def enlarged(source: Path, cache: Path, scale: int, suffix: str = ".webp") -> Path:
    """The enlarged file in `cache`, made when it isn't there. It blocks: for a thread.

    Args:
        suffix: ".png" (keeps the texts of its source, and with them the recipe), ".webp", ".jpg".
    """
    target = cache / f"{source.stem}-{scale}{suffix}"
    if not target.exists():
        _enlarge(source, target, scale)
    return target


def forget(cache: Path, names: Iterable[str]) -> None:
    """Removes what was made of these files. It blocks."""
    for name in names:
        for path in cache.glob(f"{Path(name).stem}-*"):
            path.unlink(missing_ok=True)


def blurred(png: bytes) -> bytes:
    """What there is in a picture can't be made out, only that there is something. It blocks."""
    import io

    from PIL import Image, ImageFilter

    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGB")
    small = image.resize((BLURRED_PIXELS, BLURRED_PIXELS), Image.Resampling.BOX)
    large = small.resize(image.size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    large.filter(ImageFilter.GaussianBlur(max(image.size) / (2 * BLURRED_PIXELS))).save(file, "PNG")
    return file.getvalue()


def _enlarge(source: Path, target: Path, scale: int) -> None:
    """Lanczos makes no blocks, but softens edges; the mask gives them back what it took."""
    from PIL import Image, ImageFilter, PngImagePlugin

    texts = PngImagePlugin.PngInfo()
    with Image.open(source) as opened:
        size = (opened.width * scale, opened.height * scale)
        large = opened.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        for name, text in getattr(opened, "text", {}).items():
            texts.add_itxt(name, text)
    if scale > 1:
        large = large.filter(ImageFilter.UnsharpMask(radius=0.75 * scale, percent=90, threshold=0))
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{secrets.token_hex(4)}.new")
    how = WRITTEN.get(target.suffix, {"pnginfo": texts})
    large.save(temporary, Image.registered_extensions()[target.suffix], **how)
    temporary.replace(target)
