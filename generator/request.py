"""What decides a picture's pixels: nothing missing, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product
from math import ceil
from typing import Any, Self

from generator.sampler_names import calls

SEED_LIMIT = 2**32
GRIDS = (8, 16, 32, 64)  # of pixels, that models round sides to; what fits a finer one fits all
DIGITS = 6  # of a factor
LANCZOS = "lanczos"  # enlarges without a network
# Since 2 dpm++ 3m sde has the right formula; since 3 what a mask keeps is kept through hires fix, too,
# lms begins as low in the middle of its timesteps as at their beginning, a LoRA that is named twice
# weighs as much as both, and a BREAK at the end begins no chunk; since 4 a picture that is drawn over
# is drawn over in a step at least, the prompt of hires fix is scheduled over the steps that it runs,
# other pipelines draw what a schedule begins with, options have weights and keep their blanks, parts
# aren't looked for in brackets and negative prompts, a LoRA is found by its alias, too, and its weight
# may have a comma; since 5 an embedding that isn't among its files is a word; since 6 the LoRAs that its
# seed draws are among its files, and no others, numbers of weights need no leading digit and may have a
# comma, commas between Midjourney's parts belong to none, and endings of embeddings' files and the
# mark at the beginning of a list of words are none; since 7 lists of words may be in Windows' ways of
# keeping texts, a number behind a space is no weight of Midjourney's, and LoRAs of text encoders need
# no alphas.
VERSION = 7


@dataclass(frozen=True, slots=True)
class Variation:
    """A step away from the initial noise, towards the noise of another seed.

    Args:
        seed: 0 … 2**32 - 1.
        strength: 0 (the original) … 1 (the other seed's initial noise).
    """

    seed: int
    strength: float


@dataclass(frozen=True, slots=True)
class Hires:
    """A picture that is drawn small, enlarged, and drawn over ("hires fix").

    Args:
        width, height: of the small one, in pixels.
        steps: of drawing over it, of which the last steps × strength are run; strength: how much
            of it is redrawn, 0 … 1.
    """

    width: int
    height: int
    steps: int
    strength: float


def enlarged(side: int, factor: float, grid: int) -> int:
    """A side that many times as large, rounded to the model's grid."""
    return round(side * factor / grid) * grid


@dataclass(frozen=True, slots=True)
class ExtraFile:
    """A LoRA, embedding or list of words that a prompt names, or an upscaler; `hash` is its file's
    sha256."""

    kind: str
    name: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """Everything that a picture is made from, with every default already resolved.

    A new field's default must give the pixels that recipes written before it had.

    Args:
        model: the model's name in the catalogue.
        model_hash: sha256 of its weights, in hexadecimal.
        width: pixels, a multiple of 8; height likewise.
        sampler: a canonical name of `generator.sampler_names`.
        schedule: a canonical schedule type, "automatic" being the sampler's own.
        guidance_scale: at 1 and below the network is asked once and the negative prompt is unused.
        variations: applied in order to the initial noise (never to a sampler's own noise).
        initial_image: sha256 of the stored file that image-to-image starts from.
        clip_skip: as AUTOMATIC1111 counts, 1 skipping nothing.
        emphasis: what becomes of prompt weights: "original", "no norm" or "none".
        strength: how much of the initial image is redrawn, 0 … 1.
        vae: the name of the VAE that is used instead of the model's own; vae_hash: its file's
            sha256.
        masked: whether the initial image is kept but for where it is transparent.
        hires: how the picture comes to its size in two passes.
        tiling: whether its edges fit each other.
        upscaler: by what the initial image is enlarged where nothing is drawn: "lanczos", or the name
            of a network that `extras` has the hash of.
        extras: what its prompts name besides words.
        version: of how it is drawn, where that was mended since.
    """

    model: str
    model_hash: str
    prompt: str
    negative_prompt: str = ""
    width: int
    height: int
    steps: int
    sampler: str
    schedule: str = "automatic"
    guidance_scale: float
    seed: int
    variations: tuple[Variation, ...] = ()
    initial_image: str | None = None
    strength: float = 1.0
    clip_skip: int = 1
    emphasis: str = "original"
    vae: str | None = None
    vae_hash: str | None = None
    masked: bool = False
    hires: Hires | None = None
    tiling: bool = False
    upscaler: str | None = None
    extras: tuple[ExtraFile, ...] = ()
    version: int = VERSION

    @property
    def guided(self) -> bool:
        return self.guidance_scale > 1

    @property
    def calls(self) -> int:
        """How often the network is called for this picture."""
        if self.upscaler:
            return 0 if self.upscaler == LANCZOS else 1
        return sum(calls(self.sampler, steps) for steps in self.steps_run)

    @property
    def steps_run(self) -> tuple[int, ...]:
        """How many steps are run in each pass: the last ones of all that it has."""
        first = self._run(self.steps, self.strength if self.initial_image else 1.0)
        small = self.hires
        return (first, self._run(small.steps, small.strength)) if small else (first,)

    @property
    def scheduled(self) -> tuple[int, ...]:
        """Over how many steps each pass schedules its prompt."""
        if self.hires is None:
            return (self.steps,)
        return (self.steps, self.steps_run[1] if self.version > 3 else self.hires.steps)

    @property
    def network(self) -> str:
        """Whose speed its time depends on."""
        return self.model if self.upscaler in (None, LANCZOS) else str(self.upscaler)

    @property
    def cost(self) -> int:
        """Pixels × network calls: the unit of fairness, limits and estimates."""
        pixels = self.width * self.height
        if self.hires is None:
            return pixels * (self.calls or 1)  # what asks no network takes time all the same
        first, second = (calls(self.sampler, steps) for steps in self.steps_run)
        return self.hires.width * self.hires.height * first + pixels * second

    @property
    def full_calls(self) -> int:
        """Network calls of the picture's whole size that take as long as its own."""
        return round(self.cost / (self.width * self.height)) if self.hires else self.calls

    @property
    def factor(self) -> float:
        """How many times as large the second pass is, of the numbers of which both sides round to
        what they are the shortest; 1 where there is none."""
        if self.hires is None:
            return 1.0
        passes = ((self.hires.width, self.width), (self.hires.height, self.height))
        for grid, digits in product(GRIDS, range(DIGITS)):
            lowest = max((side - grid / 2) / small for small, side in passes)
            for step in (0, 1):
                factor = (ceil(lowest * 10.0**digits) + step) / 10.0**digits
                if all(enlarged(small, factor, grid) == side for small, side in passes):
                    return factor
        return self.width / self.hires.width

    @property
    def timed_by(self) -> tuple[str, int, int, int]:
        """Network, width, height, its calls: what its seconds depend on."""
        return self.network, self.width, self.height, self.full_calls

    def _run(self, steps: int, strength: float) -> int:
        least = 1 if strength > 0 and self.version > 3 else 0
        return min(max(int(steps * strength), least), steps)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        variations = tuple(Variation(**variation) for variation in fields.get("variations", ()))
        hires = fields.get("hires")
        extras = tuple(ExtraFile(**extra) for extra in fields.get("extras", ()))
        read = {"hires": hires and Hires(**hires), "extras": extras}
        return cls(**{"version": 1, **fields, **read, "variations": variations})
