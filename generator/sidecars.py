"""A model's own defaults: from name.toml beside it, else from what model sites write beside it.

Every source is read into the same keys, those of name.toml.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.hashes import Stamp, stamp, stamps
from generator.headers import Header, Reason, Unusable
from generator.sampler_names import find

# name.civitai.info (Civitai Helper), name.cm-info.json (Stability Matrix), name.metadata.json
# (ComfyUI LoRA Manager), name.json (AUTOMATIC1111's cards).
SITES = (".civitai.info", ".cm-info.json", ".metadata.json", ".json")
OWN_VAE = ".vae.safetensors"  # beside a model: the one that it draws with (AUTOMATIC1111)
LONGEST = 2_000_000  # bytes of a sidecar that are read
DESCRIPTION = 300  # characters
SIDES = ("width", "height")
TAG = re.compile(r"<[^>]*>")
KINDS: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("name", "sampler", "prefix", "negative", "vae", "prediction"), str),
    **dict.fromkeys(("steps", "width", "height", "clip_skip"), int),
    **{"guidance_scale": (int, float), "nsfw": bool, "triggers": list, "description": dict},
}
LIMITS = {
    **{"steps": (1, 150), "guidance_scale": (0, 30), "clip_skip": (1, 12)},
    **dict.fromkeys(SIDES, (8, 8192)),
}
PREDICTIONS = ("v", "e")  # how what is written of it begins


def own_defaults(path: Path, header: Header | None = None) -> dict[str, Any]:
    """What is said of a model's file or folder: name.toml over sidecars over its own header.

    Raises Unusable for a name.toml that can't be used.
    """
    found = _of_header(header) if header else {}
    for suffix in reversed(SITES):
        found |= _of_site(beside(path, suffix))
    return found | _of_toml(path)


def beside(path: Path, suffix: str) -> Path:
    """model.safetensors → model.toml; a folder's is beside it, too."""
    stem = path.stem if path.is_file() else path.name
    return path.with_name(f"{stem}{suffix}")


def marks_of(path: Path) -> list[Stamp]:
    """Sizes and times of all that a model is read from. Raises OSError."""
    folder = path.is_dir()
    stem = path.name if folder else path.stem
    sides = [path.with_name(f"{stem}{suffix}") for suffix in (".toml", OWN_VAE, *SITES)]
    inside = [*path.rglob("*.json"), *path.glob("*.toml")] if folder else []
    return [*stamps(path), *(stamp(file) for file in (*sides, *inside) if file.is_file())]


def _of_toml(path: Path) -> dict[str, Any]:
    inside = path / "semilla.toml"
    file = inside if inside.exists() else beside(path, ".toml")
    if not file.exists():
        return {}
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unusable(Reason.SETTINGS, f"{file.name}: {error}") from error
    for key, value in values.items():
        kind = KINDS.get(key)
        if kind is None or not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
            raise Unusable(Reason.SETTINGS, f"{file.name}: {key}")
        if not _sensible(key, value):
            raise Unusable(Reason.SETTINGS, f"{file.name}: {key}")
    return _with_sampler(values, file)


def _with_sampler(values: dict[str, Any], file: Path) -> dict[str, Any]:
    """A sampler as anybody writes it → canonical sampler and schedule."""
    if "sampler" in values:
        known = find(values["sampler"])
        if known is None:
            raise Unusable(Reason.SETTINGS, f"{file.name}: sampler")
        values["sampler"], values["schedule"] = known
    return values


def _of_site(file: Path) -> dict[str, Any]:
    """Whatever is in it that is known; a broken one says nothing."""
    try:
        if file.stat().st_size > LONGEST:
            return {}
        card = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(card, dict):
        return {}
    inner = card.get("civitai")
    site: dict[str, Any] = inner if isinstance(inner, dict) else card
    named = site.get("model")
    model: dict[str, Any] = named if isinstance(named, dict) else {}
    found = {
        "triggers": _words(site.get("trainedWords", site.get("TrainedWords"))),
        "base": _text(site.get("baseModel") or site.get("BaseModel") or card.get("sd version")),
        "nsfw": bool(model.get("nsfw") or site.get("Nsfw") or site.get("nsfw")),
        "negative": _text(card.get("negative text")),
        "description": _described(
            card.get("description") or model.get("name") or site.get("ModelName")
        ),
    }
    if "activation text" in card:
        found["triggers"] = _words([card["activation text"]])
    found |= _of_example(site.get("images"))
    return {name: value for name, value in found.items() if value}


def _of_example(images: Any) -> dict[str, Any]:
    """Settings of the first picture that its site shows with them."""
    shown = images if isinstance(images, list) else []
    for image in shown:
        meta = image.get("meta") if isinstance(image, dict) else None
        if isinstance(meta, dict) and meta.get("steps"):
            return _settings(meta)
    return {}


def _settings(meta: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    steps = _number(meta.get("steps"))
    guidance = _number(meta.get("cfgScale"))
    skip = _number(meta.get("clipSkip") or meta.get("Clip skip"))
    if steps and _sensible("steps", steps):
        found["steps"] = int(steps)
    if guidance and _sensible("guidance_scale", guidance):
        found["guidance_scale"] = guidance
    if skip and _sensible("clip_skip", skip):
        found["clip_skip"] = int(skip)
    if known := find(str(meta.get("sampler", ""))):
        found["sampler"], found["schedule"] = known
    return found


def _of_header(header: Header) -> dict[str, Any]:
    """The Stability AI model specification, and kohya's keys."""
    known = header.metadata
    found: dict[str, Any] = {
        "description": _described(known.get("modelspec.description")),
        "triggers": _words([known.get("modelspec.trigger_phrase")]),
        "base": _text(
            " ".join(
                known.get(key, "")
                for key in ("modelspec.architecture", "modelspec.title", "ss_base_model_version")
            ).strip()
        ),
    }
    prediction = known.get("modelspec.prediction_type", "")
    if prediction.startswith(PREDICTIONS) or "v_pred" in header.shapes:
        found["prediction"] = "v" if "v_pred" in header.shapes else prediction[:1]
    size = re.fullmatch(r"(\d{1,5})x(\d{1,5})", known.get("modelspec.resolution", ""))
    sides = (
        {side: int(each) for side, each in zip(SIDES, size.groups(), strict=True)} if size else {}
    )
    if all(_sensible(side, each) for side, each in sides.items()):
        found |= sides
    return {name: value for name, value in found.items() if value}


def _described(value: Any) -> dict[str, str]:
    """In whatever language it is written: shown in every one."""
    text = " ".join(TAG.sub(" ", _text(value)).split())[:DESCRIPTION]
    return {"en": text, "es": text} if text else {}


def _words(value: Any) -> tuple[str, ...]:
    return tuple(text for each in value if (text := _text(each))) if isinstance(value, list) else ()


def _text(value: Any) -> str:
    """Without halves of letters, which sites leave where they cut a text."""
    return value.encode(errors="ignore").decode().strip() if isinstance(value, str) else ""


def _sensible(key: str, value: Any) -> bool:
    """Of a value that has its key's type."""
    match key:
        case "name":
            return bool(value.strip()) and value.isprintable()
        case "prediction":
            return bool(value.startswith(PREDICTIONS))
        case "triggers" | "description":
            texts = value.values() if isinstance(value, dict) else value
            return all(isinstance(each, str) for each in texts)
    low, high = LIMITS.get(key, (value, value))
    return bool(low <= value <= high)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def transformer_side(folder: Path) -> int | None:
    """The side in pixels that a transformer's folder says it was trained for."""
    files = (folder / part / "config.json" for part in ("transformer", "vae"))
    network, decoder = (
        json.loads(f.read_text(encoding="utf-8")) if f.exists() else {} for f in files
    )
    latents, levels = network.get("sample_size"), decoder.get("block_out_channels")
    return latents * 2 ** (len(levels) - 1) if isinstance(latents, int) and levels else None
