"""A small picture of what is coming, by a linear map: no call of any network."""

from __future__ import annotations

import io
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from generator import noise

SAMPLES = 4
SIDE = 16  # latents
PATCHES = 8  # patches of colour a side


class Preview:
    """RGB from latents, fitted by least squares on what the VAE makes of random colours."""

    def __init__(self, vae: Any) -> None:
        self._map = _fit(vae)

    def webp(self, latents: Tensor) -> bytes:
        """A WebP with one pixel for each latent.

        Args:
            latents: (1, channels, height, width), clean, as the network knows them.
        """
        flat = latents[0].permute(1, 2, 0).float().cpu()
        rgb = torch.cat([flat, torch.ones_like(flat[..., :1])], -1) @ self._map
        pixels = rgb.clamp(0, 1).mul(255).round().to(torch.uint8).numpy()
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "WEBP", quality=80, method=0)
        return file.getvalue()


@torch.inference_mode()
def _fit(vae: Any) -> Tensor:
    """(channels + 1, 3): RGB in 0 … 1 from latents and a constant."""
    source = noise.generator(0)
    patches = torch.rand((SAMPLES, 3, PATCHES, PATCHES), generator=source)
    factor = 2 ** (len(vae.config.block_out_channels) - 1)
    pictures = interpolate(patches, size=(SIDE * factor, SIDE * factor), mode="bilinear")
    encoded = vae.encode((pictures * 2 - 1).to(vae.device, vae.dtype)).latent_dist.mean
    # Where a VAE overflows in half precision: better a poor preview than no model.
    latents = encoded.float().cpu().nan_to_num(0, 0, 0) * vae.config.scaling_factor
    colours = avg_pool2d(pictures, factor)
    known = latents.permute(0, 2, 3, 1).flatten(0, 2)
    known = torch.cat([known, torch.ones_like(known[:, :1])], 1)
    wanted = colours.permute(0, 2, 3, 1).flatten(0, 2)
    solution: Tensor = torch.linalg.lstsq(known, wanted).solution
    return solution
