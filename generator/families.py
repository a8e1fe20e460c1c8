"""What models of one architecture have in common, and what distilled ones ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Family:
    """The defaults of an architecture.

    Args:
        native: side in pixels, where the model's own files don't tell it.
        grid: pixels that sides are multiples of.
        sides: the shortest and longest side that it draws well, as a factor of its native side.
    """

    name: str
    steps: int
    sampler: str
    guidance_scale: float
    native: int = 512
    grid: int = 8
    sides: tuple[float, float] = (0.5, 2.0)


SD1 = Family("sd1", 25, "dpm++ 2m", 7.0)
SD2 = Family("sd2", 25, "dpm++ 2m", 7.5)
SDXL = Family("sdxl", 30, "dpm++ 2m", 6.0, native=1024)
SMALL = Family("small", 20, "dpm++ 2m", 4.0, native=128, grid=16)
# By the width of the text embeddings that the network attends to.
WIDTHS = {768: SD1, 1024: SD2, 2048: SDXL}
# Other architectures, by the name of their diffusers pipeline; they draw with their own sampler.
PIPELINES = {
    "PixArtAlphaPipeline": Family("pixart", 20, "dpm++ 2m", 4.5, native=1024),
    "PixArtSigmaPipeline": Family("pixart", 20, "dpm++ 2m", 4.5, native=1024),
    "StableDiffusion3Pipeline": Family("sd3", 28, "euler", 4.5, native=1024, grid=16),
    "FluxPipeline": Family("flux", 28, "euler", 3.5, native=1024, grid=16),
    "SanaPipeline": Family("sana", 20, "dpm++ 2m", 4.5, native=1024, grid=32),
    "AuraFlowPipeline": Family("auraflow", 50, "euler", 3.5, native=1024, grid=16),
    "Lumina2Pipeline": Family("lumina", 30, "euler", 4.0, native=1024, grid=16),
    "HunyuanDiTPipeline": Family("hunyuan", 50, "ddpm", 5.0, native=1024, grid=16),
    "KandinskyV22CombinedPipeline": Family("kandinsky", 50, "ddpm", 4.0, grid=64),
}


@dataclass(frozen=True, slots=True)
class Distillation:
    """What a distilled model wants instead of its family's defaults."""

    word: str
    steps: int
    sampler: str
    guidance_scale: float
    spacing: str | None = None  # of its timesteps, where no scheduler config tells it


# The strongest hint first: "lightning" models often have "turbo" in their descriptions.
DISTILLATIONS = (
    Distillation("lightning", 4, "euler", 1.0, "trailing"),
    Distillation("hyper", 8, "euler", 1.0, "trailing"),
    Distillation("lcm", 6, "lcm", 1.5),
    Distillation("turbo", 4, "euler a", 1.0, "trailing"),
    Distillation("dmd", 6, "lcm", 1.0),
)
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # dreamXL_lightningDPM: dream XL lightning DPM


def distillation(*hints: str) -> Distillation | None:
    """The distillation that metadata or, failing that, a name tells: whole words, any case."""
    for hint in hints:
        words = {word.casefold() for word in WORD.findall(hint)}
        found = next((each for each in DISTILLATIONS if each.word in words), None)
        if found is not None:
            return found
    return None


def distilled(family: Family, by: Distillation) -> Family:
    return replace(family, steps=by.steps, sampler=by.sampler, guidance_scale=by.guidance_scale)
