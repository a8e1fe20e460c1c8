"""Finds the models: the one that ships, and those in the owner's folders."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.vocabulary import Vocabulary

log = logging.getLogger(__name__)

BUNDLED = Path(__file__).parent / "bundled"
SHAPES = {
    **dict.fromkeys(("square", "cuadrado", "cuadrada", "1:1"), 1.0),
    **dict.fromkeys(("portrait", "vertical", "retrato"), 3 / 4),
    **dict.fromkeys(("landscape", "horizontal", "apaisado", "apaisada"), 4 / 3),
    **dict.fromkeys(("wide", "ancho", "ancha", "panorama"), 16 / 9),
    **dict.fromkeys(("tall", "alto", "alta"), 9 / 16),
}
EXAMPLES = {
    "en": ("a red cat on a blue background", "two frogs", "a green dragon"),
    "es": ("un gato rojo sobre fondo azul", "dos ranas", "un dragón verde"),
}
STEEPEST = 3.0  # the longest side over the shortest


@dataclass(frozen=True, slots=True)
class Family:
    """What models of one architecture have in common.

    Args:
        grid: pixels that sides are multiples of.
        sides: the shortest and longest side that it draws well, as a factor of its native side.
    """

    name: str
    steps: int
    sampler: str
    guidance_scale: float
    grid: int = 8
    sides: tuple[float, float] = (0.5, 2.0)


# By the width of the text embeddings that the network attends to.
FAMILIES = {
    768: Family("sd1", 25, "dpm++ 2m", 7.0),
    1024: Family("sd2", 25, "dpm++ 2m", 7.5),
    2048: Family("sdxl", 30, "dpm++ 2m", 6.0),
}
SMALL = Family("small", 20, "euler a", 4.0, grid=16)


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be asked for.

    Args:
        hash: sha256 over its weights.
        native: width and height in pixels that it was trained at.
        sides: shortest and longest side in pixels.
        grid: pixels that sides are multiples of.
    """

    name: str
    hash: str
    folder: Path
    family: str
    native: tuple[int, int]
    sides: tuple[int, int]
    grid: int
    steps: int
    sampler: str
    guidance_scale: float
    description: Mapping[str, str]
    vocabulary: Path | None

    def size(self, text: str) -> tuple[int, int, bool]:
        """Width and height for a shape, a ratio or WxH, and whether they were changed.

        Raises ValueError for what is no size, or far from what the model draws.
        """
        if pixels := re.fullmatch(r"(\d{1,5})\s*[x×*]\s*(\d{1,5})", text.strip().lower()):
            return self._nearest(int(pixels[1]), int(pixels[2]))
        width, height = self._shaped(_ratio(text))
        return width, height, False

    def examples(self, language: str, n: int = 3) -> tuple[str, ...]:
        """Prompts to tap."""
        if self.vocabulary is None:
            return EXAMPLES[language][:n]
        return tuple(Vocabulary.load(self.vocabulary).examples(language)[:n])

    def _nearest(self, width: int, height: int) -> tuple[int, int, bool]:
        low, high = self.sides
        if not (low // 2 <= width <= high * 2 and low // 2 <= height <= high * 2):
            raise ValueError(f"{width}x{height}")
        size = tuple(min(max(round(s / self.grid) * self.grid, low), high) for s in (width, height))
        return size[0], size[1], size != (width, height)

    def _shaped(self, ratio: float) -> tuple[int, int]:
        """About as many pixels as the native size has, in another shape."""
        area = self.native[0] * self.native[1]
        width = math.sqrt(area * ratio)
        found = self._nearest(round(width), round(area / width))
        return found[0], found[1]


class Catalogue:
    """The models in these folders (a model's folder, or one with such folders in it)."""

    def __init__(self, folders: Sequence[Path], cache: Path) -> None:
        self._folders = (BUNDLED, *folders)
        self._cache = cache / "hashes.json"
        self._found: dict[Path, Model] = {}

    def models(self) -> list[Model]:
        """The one that ships first. Reads what it hasn't read yet."""
        for folder in self._model_folders():
            if folder not in self._found:
                try:
                    self._found[folder] = _read(folder, self._hash(folder))
                except (OSError, ValueError, KeyError, TypeError) as error:
                    log.warning("%s is no model that can be drawn with: %r", folder, error)
        return list(self._found.values())

    def find(self, text: str) -> Model | None:
        """By name, in any case, or by the beginning of only one name."""
        name = text.strip().casefold()
        models = self.models()
        exact = [each for each in models if each.name.casefold() == name]
        begun = [each for each in models if name and each.name.casefold().startswith(name)]
        found = exact or begun
        return found[0] if len(found) == 1 else None

    def default(self) -> Model:
        return self.models()[0]

    def _model_folders(self) -> list[Path]:
        found = []
        for folder in self._folders:
            if (folder / "model_index.json").exists():
                found.append(folder)
            elif folder.is_dir():
                found += sorted(path.parent for path in folder.glob("*/model_index.json"))
        return found

    def _hash(self, folder: Path) -> str:
        """sha256 over the weights, remembered by the files' sizes and times."""
        files = sorted(folder.rglob("*.safetensors"))
        stamps = [[str(f), f.stat().st_size, f.stat().st_mtime_ns] for f in files]
        known = self._known()
        entry = known.get(str(folder))
        if entry and entry["files"] == stamps:
            return str(entry["hash"])
        digest = hashlib.sha256()
        for file in files:
            digest.update(file.relative_to(folder).as_posix().encode())
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
        known[str(folder)] = {"files": stamps, "hash": digest.hexdigest()}
        self._remember(known)
        return digest.hexdigest()

    def _known(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._cache.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _remember(self, known: dict[str, Any]) -> None:
        """Whole or not at all: the chat process and the worker share this file."""
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        written = self._cache.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(known), encoding="utf-8")
        try:
            written.replace(self._cache)
        except PermissionError:  # Windows, while the other one reads it
            written.unlink()


def _read(folder: Path, hash: str) -> Model:
    network = json.loads((folder / "unet" / "config.json").read_text(encoding="utf-8"))
    decoder = json.loads((folder / "vae" / "config.json").read_text(encoding="utf-8"))
    family = FAMILIES.get(network["cross_attention_dim"], SMALL)
    native = network["sample_size"] * 2 ** (len(decoder["block_out_channels"]) - 1)
    own = _own_defaults(folder)
    vocabulary = folder / "vocabulary.json"
    low, high = (int(native * factor) for factor in family.sides)
    return Model(
        name=own.get("name", folder.name),
        hash=hash,
        folder=folder,
        family=family.name,
        native=(native, native),
        sides=(low, high),
        grid=family.grid,
        steps=own.get("steps", family.steps),
        sampler=own.get("sampler", family.sampler),
        guidance_scale=own.get("guidance_scale", family.guidance_scale),
        description=own.get("description", {}),
        vocabulary=vocabulary if vocabulary.exists() else None,
    )


def _own_defaults(folder: Path) -> dict[str, Any]:
    path = folder / "semilla.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _ratio(text: str) -> float:
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
