"""Drawing over a part of a picture: where it is transparent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from generator.loaded_model import LoadedModel

REDRAWN = 0.5  # of a latent's pixels, from which on all of it is drawn anew


@dataclass(frozen=True, slots=True)
class Area:
    """What of a picture is drawn anew.

    Args:
        image: RGBA; what is transparent is drawn anew, in between there is a seam.
        mask: (1, 1, height, width) of the latents: 1 is drawn anew.
        latents: the picture's, (1, channels, height, width).
    """

    image: Image.Image
    mask: Tensor
    latents: Tensor

    @classmethod
    def of(cls, model: LoadedModel, image: Image.Image | None) -> Self | None:
        """None where all of it is drawn anew."""
        if image is None or image.mode != "RGBA":
            return None
        anew = interpolate(_transparency(image), scale_factor=1 / model.factor, mode="area")
        return cls(image, (anew >= REDRAWN).float(), model.encode_image(image.convert("RGB")))

    def keep(self, latents: Tensor) -> Tensor:
        """These, and the picture's own where nothing is drawn.

        Applied to what each call predicts of the clean picture, as AUTOMATIC1111 does it
        (modules/sd_samplers_cfg_denoiser.py), it fits every sampler.
        """
        return self.mask * latents + (1 - self.mask) * self.latents

    def paste(self, drawn: Image.Image) -> Image.Image:
        """The pixels that are kept are the very same."""
        return Image.composite(self.image.convert("RGB"), drawn, self.image.getchannel("A"))


def inpainting_input(
    model: LoadedModel, area: Area | None, shape: tuple[int, ...]
) -> Tensor | None:
    """What a network for inpainting takes beside the latents: mask and masked picture.

    None for other networks. Without a mask everything is drawn anew.
    """
    if not model.inpaints:
        return None
    if area is None:
        mask = torch.ones(1, 1, *shape[2:])
        hidden = torch.zeros(1, 3, *(side * model.factor for side in shape[2:]))
        return torch.cat([mask, model.encode_pixels(hidden)], dim=1)
    pixels = torch.frombuffer(bytearray(area.image.convert("RGB").tobytes()), dtype=torch.uint8)
    pixels = pixels.view(1, area.image.height, area.image.width, 3).permute(0, 3, 1, 2).float()
    hidden = (pixels / 127.5 - 1) * (_transparency(area.image) < REDRAWN)
    return torch.cat([area.mask, model.encode_pixels(hidden)], dim=1)


def _transparency(image: Image.Image) -> Tensor:
    """(1, 1, height, width), 1 where it is transparent."""
    alpha = torch.frombuffer(bytearray(image.getchannel("A").tobytes()), dtype=torch.uint8)
    return 1 - alpha.view(1, 1, image.height, image.width).float() / 255
