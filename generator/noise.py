"""Randomness has one owner: every random number of a picture comes from here, on the CPU.

One torch.Generator for each picture, so that nobody's noise moves anybody else's, and the same seed
gives the same noise on every device.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from generator.request import Variation

NEARLY_PARALLEL = 0.9995


def generator(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)


def draw(shape: Sequence[int], source: torch.Generator) -> Tensor:
    """Standard normal, float32, on the CPU."""
    return torch.randn(tuple(shape), generator=source, dtype=torch.float32)


def initial_noise(
    shape: Sequence[int], source: torch.Generator, variations: Sequence[Variation] = ()
) -> Tensor:
    """The noise of `source`'s seed, varied in order.

    The sampler's own noise goes on from `source`, so that a variation of strength 0 is the original
    with every sampler.

    Args:
        shape: (1, channels, height, width).
    """
    noise = draw(shape, source)
    for variation in variations:
        towards = draw(shape, generator(variation.seed))
        noise = slerp(variation.strength, noise[0], towards[0])[None]
    return noise


def slerp(strength: float, low: Tensor, high: Tensor) -> Tensor:
    """Spherical interpolation row by row, as AUTOMATIC1111 does it (modules/rng.py).

    Args:
        strength: 0 (low) … 1 (high).
        low, high: (channels, height, width).
    """
    low_norm = low / torch.norm(low, dim=1, keepdim=True)
    high_norm = high / torch.norm(high, dim=1, keepdim=True)
    dot = (low_norm * high_norm).sum(1)
    if dot.mean() > NEARLY_PARALLEL:
        # The weights are the wrong way round there too; where it is used the two hardly differ.
        return low * strength + high * (1 - strength)
    omega = torch.acos(dot)
    sine = torch.sin(omega)
    low_part = (torch.sin((1.0 - strength) * omega) / sine).unsqueeze(1) * low
    return low_part + (torch.sin(strength * omega) / sine).unsqueeze(1) * high
