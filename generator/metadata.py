"""What a picture's file tells of itself: AUTOMATIC1111's `parameters` text and Semilla's own JSON."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from PIL import ExifTags, Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from generator.request import GenerationRequest
from generator.sampler_names import find, label_of

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
# As there, but for the bounds: without them a long text of no pairs is read from each letter.
PAIR = re.compile(r'(\w[\w \-/]{1,60}+):\s*("(?:\\.|[^\\"]){1,4000}+"|[^,]*)(?:,|$)')
SETTINGS_LIMIT = 10_000  # characters of the last line
NEGATIVE = "Negative prompt:"
ONE_LINE = re.compile(rf"\s(?={NEGATIVE}|Steps: \d+, )")  # where lines began
OPTIONS = (("Steps", "steps"), ("CFG scale", "guidance"), ("Seed", "seed"), ("Size", "size"))
MORE = (("Clip skip", "clip_skip"), ("Hires upscale", "hires"), ("Tiling", "tiling"))
FILES = (("Model", "model"), ("VAE", "vae"))  # told in `settings`, too: they may not be here
# As AUTOMATIC1111 names them; its own "None" takes brackets for letters, which is nothing of ours.
EMPHASES = {"original": "Original", "no norm": "No norm", "none": "Ignore"}
READ_EMPHASES = {label.lower(): name for name, label in EMPHASES.items()} | {"none": "none"}
SCHEDULES = {"sgm uniform": "SGM Uniform"}  # whose label is no title
# What AUTOMATIC1111 means by "Automatic" (modules/sd_samplers_kdiffusion.py).
AUTOMATIC = {
    **dict.fromkeys(("dpm++ 2m", "dpm++ sde", "dpm2", "dpm2 a"), "karras"),
    **dict.fromkeys(("dpm++ 2m sde", "dpm++ 3m sde"), "exponential"),
}
READ = {*dict(OPTIONS), *dict(MORE), "Sampler", "Variation seed", "Variation seed strength"}
# What decides no pixel, and hashes that the field's programs take in ways of their own.
SAYS_NOTHING = {
    *("Version", "User", "Created Date", "Civitai resources", "Civitai metadata"),
    *("Hashes", "Model hash", "VAE hash", "Lora hashes", "TI hashes"),
}
LEAST_PAIRS = 3  # fewer than these and a last line is words, not settings


class Reason(StrEnum):
    """Why a picture from outside is refused."""

    BROKEN = "broken"
    TOO_LARGE = "too-large"
    NOT_AN_IMAGE = "not-an-image"


class ImageRefused(ValueError):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Told:
    """A recipe from outside.

    Args:
        options: of imagine, as texts that nobody has checked yet.
        settings: what it tells besides, with AUTOMATIC1111's keys.
    """

    options: Mapping[str, str]
    settings: Mapping[str, str]

    def left_out(self, request: GenerationRequest) -> list[str]:
        """What a request that was made from it doesn't have of it."""
        own = {key: value.casefold() for key, value in _pairs(request).items()}
        return [f"{k}: {v}" for k, v in self.settings.items() if own.get(k) != v.casefold()]


def options(request: GenerationRequest) -> dict[str, str]:
    """The request as options of imagine, as far as they can tell it."""
    first = request.hires or request
    sampler = request.sampler
    if request.schedule != "automatic":
        sampler = f"{sampler} {request.schedule}"
    return {
        "prompt": request.prompt,
        "negative": request.negative_prompt,
        "seed": str(request.seed),
        "steps": str(request.steps),
        "sampler": sampler,
        "guidance": _exactly(request.guidance_scale),
        "size": f"{first.width}x{first.height}",
        "model": request.model,
        "hires": f"{request.factor:g}" if request.hires else "",
        "tiling": "yes" if request.tiling else "",
        "clip_skip": str(request.clip_skip) if request.clip_skip > 1 else "",
        "emphasis": request.emphasis if request.emphasis != "original" else "",
        "vae": request.vae or "",
        "variations": ",".join(f"{v.seed}:{_exactly(v.strength)}" for v in request.variations),
    }


def _exactly(number: float) -> str:
    return str(number).removesuffix(".0")


def infotext(request: GenerationRequest) -> str:
    """AUTOMATIC1111's text (modules/processing.py, create_infotext), with its keys in its order."""
    pairs = ", ".join(f"{key}: {_quoted(value)}" for key, value in _pairs(request).items())
    negative = f"\n{NEGATIVE} {request.negative_prompt}" if request.negative_prompt else ""
    return f"{request.prompt}{negative}\n{pairs}"


def _pairs(request: GenerationRequest) -> dict[str, str]:
    return {key: str(value) for key, value in _settings(request) if value is not None}


def _settings(request: GenerationRequest) -> Iterator[tuple[str, object]]:
    label = label_of(request.sampler)
    hires, varied = request.hires, request.variations[-1] if request.variations else None
    first = hires or request
    strength = hires.strength if hires else request.strength if request.initial_image else None
    yield "Steps", request.steps
    yield "Sampler", label
    schedule = SCHEDULES.get(request.schedule, request.schedule.title())
    yield "Schedule type", None if request.schedule == "automatic" else schedule
    yield "CFG scale", f"{request.guidance_scale:g}"
    yield "Seed", request.seed
    yield "Size", f"{first.width}x{first.height}"
    yield "Model hash", request.model_hash[:10]
    yield "Model", request.model
    yield "VAE hash", request.vae_hash and request.vae_hash[:10]
    yield "VAE", request.vae
    yield "Variation seed", varied and varied.seed
    yield "Variation seed strength", varied and f"{varied.strength:g}"
    yield "Denoising strength", None if strength is None else f"{strength:g}"
    yield "Clip skip", request.clip_skip if request.clip_skip > 1 else None
    yield "RNG", "CPU"
    yield "Tiling", True if request.tiling else None
    yield "Emphasis", None if request.emphasis == "original" else EMPHASES[request.emphasis]
    if hires:
        yield "Hires upscale", f"{request.factor:g}"
        yield "Hires steps", request.steps_run[1]
        yield "Hires upscaler", "Lanczos"
    yield "Lora hashes", _hashes(request, "lora")
    yield "TI hashes", _hashes(request, "embedding")
    yield "Postprocess upscaler", request.upscaler
    yield "Version", "Semilla"


def _hashes(request: GenerationRequest, kind: str) -> str | None:
    found = [f"{each.name}: {each.hash[:12]}" for each in request.extras if each.kind == kind]
    return ", ".join(found) or None


def parse_infotext(text: str) -> Told | None:
    """The recipe in AUTOMATIC1111's text, or None when it isn't one.

    As there (modules/infotext_utils.py), the last line counts as settings from three pairs on. A
    text that a chat has put on one line is read, too.
    """
    text = text.strip()
    *lines, last = (text if "\n" in text else ONE_LINE.sub("\n", text)).split("\n")
    pairs = dict(PAIR.findall(last[:SETTINGS_LIMIT]))
    if len(pairs) < LEAST_PAIRS or "Steps" not in pairs:
        return None
    prompt, _, negative = "\n".join(["", *lines]).partition(f"\n{NEGATIVE}")
    found = {"prompt": prompt.strip(), "negative": negative.strip()}
    values = {key: _unquoted(value.strip()) for key, value in pairs.items()}
    if file := values.get("VAE"):
        values["VAE"] = re.sub(r"\.(safetensors|ckpt|pt)$", "", file)
    found |= {name: values[key] for key, name in (*OPTIONS, *MORE, *FILES) if key in values}
    if emphasis := READ_EMPHASES.get(values.get("Emphasis", "").lower()):
        found["emphasis"] = emphasis
    name, schedule = values.get("Sampler", ""), values.get("Schedule type", "")
    if known := find(f"{name} {schedule}"):
        meant = AUTOMATIC.get(known[0]) if schedule and known[1] == "automatic" else None
        found["sampler"] = f"{name} {meant or schedule}".strip()
        values.pop("Schedule type", None)
    elif find(name):
        found["sampler"] = name
    if seed := values.get("Variation seed"):
        found["variations"] = f"{seed}:{values.get('Variation seed strength', 0)}"
    used = READ if "sampler" in found else READ - {"Sampler"}
    rest = {k: v for k, v in values.items() if k not in used | SAYS_NOTHING}
    return Told({name: value for name, value in found.items() if value}, rest)


def write(
    image: Image.Image, request: GenerationRequest, key: Mapping[str, str], trace: str
) -> bytes:
    """A PNG with both texts."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("parameters", infotext(request))
    own = {"request": request.to_json(), "pixels": pixel_hash(image), "key": dict(key)}
    chunks.add_itxt("semilla", json.dumps({**own, "trace": trace}, ensure_ascii=False))
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=chunks, compress_level=6)
    return file.getvalue()


def read(png: bytes) -> GenerationRequest | None:
    """The recipe in a PNG of Semilla's, or None."""
    return _own(_texts(png))


def _own(texts: Mapping[str, str]) -> GenerationRequest | None:
    try:
        return GenerationRequest.from_json(json.loads(texts["semilla"])["request"])
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None


def read_pixels(data: bytes) -> str | None:
    """The hash of the pixels that a PNG of Semilla's was made with; it may be shown enlarged."""
    try:
        return str(json.loads(_texts(data)["semilla"])["pixels"])
    except (KeyError, RecursionError, TypeError, ValueError):
        return None


def read_told(data: bytes) -> Told | None:
    """The recipe in a picture: Semilla's own JSON, which tells it exactly; in others the
    `parameters` (PNG) or EXIF UserComment (JPEG, WebP)."""
    texts = _texts(data)
    return _told_by(_own(texts)) or parse_infotext(texts.get("parameters", ""))


def _told_by(request: GenerationRequest | None) -> Told | None:
    if request is None:
        return None
    try:
        found = {name: str(value) for name, value in options(request).items()}
        settings = _pairs(request)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None  # its values may be anything
    rest = {key: value for key, value in settings.items() if key not in READ}
    return Told({name: value for name, value in found.items() if value}, rest)


def pixel_hash(image: Image.Image) -> str:
    """sha256 of the RGB bytes, in hexadecimal: two files with the same pixels are the same."""
    return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()


def pixel_hash_of(png: bytes) -> str:
    """The same of a file that was already checked."""
    return pixel_hash(Image.open(io.BytesIO(png)))


def open_image(data: bytes, max_pixels: int, mode: str = "RGB") -> Image.Image:
    """A picture from outside as RGB or RGBA, turned as its EXIF says. Raises ImageRefused."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of what is broken beside the pixels
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > max_pixels:
                raise ImageRefused(Reason.TOO_LARGE)
            return ImageOps.exif_transpose(image).convert(mode)
    except UnidentifiedImageError as error:
        raise ImageRefused(Reason.NOT_AN_IMAGE) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageRefused(Reason.TOO_LARGE) from error
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ImageRefused):
            raise
        raise ImageRefused(Reason.BROKEN) from error


async def checked_png(data: bytes, max_pixels: int) -> bytes:
    """A picture from outside as a clean PNG: nothing but pixels. Raises ImageRefused."""
    return await asyncio.to_thread(_clean_png, data, max_pixels)


def _clean_png(data: bytes, max_pixels: int) -> bytes:
    file = io.BytesIO()
    open_image(data, max_pixels).save(file, "PNG")
    return file.getvalue()


def _texts(data: bytes) -> dict[str, str]:
    try:
        with warnings.catch_warnings(action="ignore"):
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            texts = {str(k): v for k, v in image.info.items() if isinstance(v, str)}
            exif = Image.Exif()  # not the picture's own: for that a PNG unpacks all its pixels
            exif.load(image.info.get("exif", b""))
            comment = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return {}
    if comment:
        texts.setdefault("parameters", _commented(comment))
    return texts


def _commented(comment: object) -> str:
    """The text of an EXIF UserComment: eight bytes say how it is written, if they are there."""
    if not isinstance(comment, bytes):
        return str(comment)
    code, text = comment[:8], comment[8:]
    if code == b"UNICODE\0":  # of usual letters one byte is 0, whichever comes first
        order = "be" if text[::2].count(0) > text[1::2].count(0) else "le"
        return text.decode(f"utf-16-{order}", "replace").lstrip("\ufeff")
    return (text if code in (b"ASCII\0\0\0", bytes(8)) else comment).decode("utf-8", "replace")


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\n]", text) else text


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value
