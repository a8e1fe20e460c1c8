"""Draws with a model for its evaluation: many prompts, one seed each."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import diffusers
import numpy as np
import torch

from generator.training.autoencoder import encode, to_tensor
from generator.training.judge import Pixels

BATCH = 8
FIRST_SEED = 1000
SAMPLERS = {
    "euler a": "EulerAncestralDiscreteScheduler",
    "euler": "EulerDiscreteScheduler",
    "dpm++ 2m": "DPMSolverMultistepScheduler",
    "ddim": "DDIMScheduler",
}


@dataclass(frozen=True)
class Settings:
    sampler: str
    steps: int
    guidance: float
    negative: str = ""

    def __str__(self) -> str:
        return f"{self.sampler}, {self.steps} steps, guidance {self.guidance:g}"


class Painter:
    def __init__(self, model: Path) -> None:
        self._model = model
        self._pipeline = diffusers.StableDiffusionPipeline.from_pretrained(
            model, dtype=torch.float32
        )
        self._pipeline.set_progress_bar_config(disable=True)

    def settings(self) -> Settings:
        """What the bot draws with when nothing else is asked."""
        fields = tomllib.loads((self._model / "semilla.toml").read_text(encoding="utf-8"))
        return Settings(fields["sampler"], fields["steps"], fields["guidance_scale"])

    def paint(self, prompts: Sequence[str], settings: Settings) -> Pixels:
        """(prompts, 128, 128, 3); the seeds are 1000, 1001, …"""
        scheduler = getattr(diffusers, SAMPLERS[settings.sampler])
        self._pipeline.scheduler = scheduler.from_config(self._pipeline.scheduler.config)
        batches = range(0, len(prompts), BATCH)
        drawn = [self._batch(prompts[at : at + BATCH], FIRST_SEED + at, settings) for at in batches]
        return np.concatenate(drawn)

    def _batch(self, prompts: Sequence[str], seed: int, settings: Settings) -> Pixels:
        sources = [torch.Generator().manual_seed(seed + n) for n in range(len(prompts))]
        images = self._pipeline(
            list(prompts),
            negative_prompt=[settings.negative] * len(prompts),
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance,
            generator=sources,
        ).images
        return np.stack([np.array(image.convert("RGB")) for image in images])

    @torch.no_grad()
    def there_and_back(self, pictures: Pixels) -> Pixels:
        """Through the autoencoder alone: what can be hoped for at best."""
        model = self._pipeline.vae
        batches = to_tensor(pictures).split(16)
        decoded = torch.cat([model.decode(encode(model, batch)).sample for batch in batches])
        pixels = decoded.add(1).mul(127.5).clamp(0, 255).round().byte()
        return pixels.permute(0, 2, 3, 1).numpy()
