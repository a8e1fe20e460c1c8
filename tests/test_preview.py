"""The small picture of what is coming."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from PIL import Image

from generator.catalogue import BUNDLED
from generator.preview import Preview


@pytest.fixture
def vae():
    torch.set_num_threads(1)
    return AutoencoderKL.from_pretrained(BUNDLED, subfolder="vae", dtype=torch.float32)


@torch.inference_mode()
def latents_of(image: Image.Image, vae) -> torch.Tensor:
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 127.5 - 1
    return vae.encode(pixels.float()).latent_dist.mean * vae.config.scaling_factor


def scene() -> Image.Image:
    image = Image.new("RGB", (128, 64), (250, 250, 250))
    image.paste((200, 30, 40), (0, 0, 64, 32))
    image.paste((30, 60, 200), (64, 32, 128, 64))
    return image


@pytest.mark.parametrize("scaling_factor", [1.0, 0.18215])
def test_it_shows_the_colours_of_the_picture_whatever_the_scale_of_the_latents(vae, scaling_factor):
    vae.register_to_config(scaling_factor=scaling_factor)
    shown = Image.open(io.BytesIO(Preview(vae).webp(latents_of(scene(), vae))))
    assert (shown.format, shown.size) == ("WEBP", (16, 8))
    small = scene().resize((16, 8), Image.Resampling.BOX)
    difference = np.abs(np.asarray(shown.convert("RGB"), float) - np.asarray(small, float))
    assert difference.mean() < 15
