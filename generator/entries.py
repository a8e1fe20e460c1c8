"""What a catalogue lists: models, what is used beside them, and files that can't be used."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from generator.families import PIPELINES
from generator.headers import Kind, Reason
from generator.shapes import ratio_of
from generator.vocabulary import Vocabulary

EXAMPLES = {
    "en": ("a red cat on a blue background", "two frogs", "a green dragon"),
    "es": ("un gato rojo sobre fondo azul", "dos ranas", "un dragón verde"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that can be asked for.

    Args:
        hash: sha256 over its weights.
        path: its folder in the diffusers layout, or its single file.
        pipeline: the name of its diffusers pipeline.
        native: width and height in pixels that it was trained at.
        sides: shortest and longest side in pixels.
        grid: pixels that sides are multiples of.
        prefix: what its prompts begin with; negative: its negative prompt, unless another is given.
        triggers: words that its makers say it answers to.
        vae: the name of the VAE that it draws with instead of its own.
        prediction: "v" or "e", where its makers tell it and its scheduler's config doesn't.
        spacing: of its timesteps, where it was distilled and no scheduler's config tells it.
    """

    name: str
    hash: str
    path: Path
    family: str
    pipeline: str
    native: tuple[int, int]
    sides: tuple[int, int]
    grid: int
    steps: int
    sampler: str
    schedule: str = "automatic"
    guidance_scale: float
    clip_skip: int = 1
    prefix: str = ""
    negative: str = ""
    triggers: tuple[str, ...] = ()
    nsfw: bool = False
    vae: str | None = None
    prediction: str | None = None
    spacing: str | None = None
    description: Mapping[str, str] = field(default_factory=dict)
    vocabulary: Path | None = None

    @property
    def own_sampler(self) -> bool:
        """Whether it is drawn by its own pipeline, with the sampler that this has."""
        return self.pipeline in PIPELINES

    def size(self, text: str) -> tuple[int, int, bool]:
        """Width and height for a shape, a ratio or WxH, and whether they were changed.

        Raises ValueError for what is no size, or far from what the model draws.
        """
        if pixels := re.fullmatch(r"(\d{1,5})\s*[x×*]\s*(\d{1,5})", text.strip().lower()):
            return self._nearest(int(pixels[1]), int(pixels[2]))
        width, height = self._shaped(ratio_of(text))
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


@dataclass(frozen=True, slots=True)
class Extra:
    """A VAE, LoRA, embedding or upscaler, or a list of words.

    Args:
        family: what it was made for; "" where its file doesn't tell (VAEs, pickled embeddings).
        triggers: words that its makers say it answers to.
        scale: how many times as large an upscaler makes pictures.
        alias: what a LoRA was called when it was trained.
    """

    kind: Kind
    name: str
    path: Path
    family: str
    triggers: tuple[str, ...] = ()
    scale: int = 1
    alias: str = ""

    def fits(self, family: str) -> bool:
        return self.family in ("", family)


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is there and can't be used. `detail` is for the log."""

    name: str
    path: Path
    reason: Reason
    detail: str = ""


Entry = Model | Extra | Refused
