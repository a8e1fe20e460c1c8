"""What decides a picture's pixels: nothing missing, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from generator.sampler_names import calls

SEED_LIMIT = 2**32


@dataclass(frozen=True, slots=True)
class Variation:
    """A step away from the initial noise, towards the noise of another seed.

    Args:
        seed: 0 … 2**32 - 1.
        strength: 0 (the original) … 1 (the other seed's initial noise).
    """

    seed: int
    strength: float


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
    version: int = 1

    @property
    def guided(self) -> bool:
        return self.guidance_scale > 1

    @property
    def calls(self) -> int:
        """How often the network is called for this picture."""
        return calls(self.sampler, self.steps, self.strength if self.initial_image else 1.0)

    @property
    def cost(self) -> int:
        """Pixels × network calls: the unit of fairness, limits and estimates."""
        return self.width * self.height * self.calls

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        variations = tuple(Variation(**variation) for variation in fields.get("variations", ()))
        return cls(**{**fields, "variations": variations})
