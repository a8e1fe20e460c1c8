"""The autoencoder: 128×128 pictures to 16×16 latents of eight channels, 1.6 M parameters.

It begins as one that passes colours through (colour_passing.py); at the end its latents are
normalised by channel inside the quant convolutions, so that the scaling factor is 1.
"""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from generator.training.colour_passing import pass_colours
from generator.training.data import SIDE
from generator.training.loop import Loop
from generator.training.scenes import Composer

CHANNELS = 8
WIDTHS = (16, 32, 64, 96)
COLOUR_SPREAD, DETAIL_SPREAD = 1.2, 0.75  # standard deviations of latents
WHOLE_FROM = 0.7  # of the steps: until then crops of 64×64, eight at a time; then two pictures
TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
PALETTE = (
    *((255, 255, 255),) * 10,
    *((150, 190, 245), (245, 150, 150), (160, 220, 160), (250, 230, 140), (250, 190, 215)),
    *((195, 165, 235), (45, 45, 50), (250, 195, 130), (190, 190, 190), (140, 220, 225)),
)


class Patches:
    """Drawings of any size, at any place, in any hue; pairs among them."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._drawings = range(len(composer.art.rgba))

    def batch(self, count: int, side: int, random: Random) -> Tensor:
        """(count, 3, side, side), -1 … 1."""
        return to_tensor(np.stack([self._patch(side, random) for _ in range(count)]))

    def _patch(self, side: int, random: Random) -> NDArray[np.uint8]:
        pixels = _crop(np.asarray(self._picture(random)), side, random)
        return _turn_hue(pixels, random) if random.random() < 0.35 else pixels

    def _picture(self, random: Random) -> Image.Image:
        image = Image.new("RGB", (SIDE, SIDE), random.choice(PALETTE))
        if random.random() < 0.15:
            self._put(image, 64, random.randint(0, 4), random.randint(16, 48), random)
            self._put(image, 64, random.randint(60, 64), random.randint(16, 48), random)
            return image
        side = random.choice((128, 112, 112, 96, 80, 64))
        x, y = random.randint(0, SIDE - side), random.randint(0, SIDE - side)
        self._put(image, side, x, y, random)
        return image

    def _put(self, image: Image.Image, side: int, x: int, y: int, random: Random) -> None:
        drawing = self._composer.drawing(random.choice(self._drawings), None)
        if random.random() < 0.5:
            drawing = drawing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        drawing = drawing.resize((side, side), Image.Resampling.LANCZOS)
        image.paste(drawing, (x, y), drawing)


def _crop(pixels: NDArray[np.uint8], side: int, random: Random) -> NDArray[np.uint8]:
    """Where there is something to see, if that is found at once."""
    crop = pixels[:side, :side]
    for _ in range(4):
        x, y = random.randint(0, SIDE - side), random.randint(0, SIDE - side)
        crop = pixels[y : y + side, x : x + side]
        if crop[::8, ::8].std() > 12:
            break
    return crop


def _turn_hue(pixels: NDArray[np.uint8], random: Random) -> NDArray[np.uint8]:
    angle = random.uniform(-math.pi, math.pi)
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.linalg.inv(TO_YIQ) @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ TO_YIQ
    turned: NDArray[np.uint8] = np.clip(pixels @ turn.T, 0, 255).astype(np.uint8)
    return turned


def to_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """(n, height, width, 3) of 0 … 255 → (n, 3, height, width) of -1 … 1."""
    tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    return tensor.contiguous(memory_format=torch.channels_last)


def build() -> Any:
    torch.manual_seed(0)
    model: Any = AutoencoderKL(
        latent_channels=CHANNELS,
        sample_size=SIDE,
        norm_num_groups=1,
        layers_per_block=1,
        block_out_channels=WIDTHS,
        down_block_types=("DownEncoderBlock2D",) * len(WIDTHS),
        up_block_types=("UpDecoderBlock2D",) * len(WIDTHS),
        mid_block_add_attention=False,
        scaling_factor=1.0,
    )
    return model


def train(composer: Composer, folder: Path, steps: int, device: torch.device) -> Any:
    """Trained and normalised.

    Raises:
        Stopped: after a signal.
    """
    patches = Patches(composer)
    model = build()
    pass_colours(model, patches.batch(8, SIDE, Random(0)))
    model.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0, fused=True
    )
    parts = {"model": model, "optimizer": optimizer}
    loop = Loop("autoencoder", folder / "autoencoder.pt", steps, parts)
    for step in loop.steps():
        random, share = Random(step), step / steps
        torch.manual_seed(step)
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(step, share)
        whole = share > WHOLE_FROM
        batch = patches.batch(2, SIDE, random) if whole else patches.batch(8, 64, random)
        loss = reconstruction_loss(model, batch.to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loop.losses(loss.item())
    pictures = _scenes(composer, 64).to(device)
    _normalise(model.eval(), pictures)
    print(f"autoencoder: {psnr(model, pictures):.2f} dB on {len(pictures)} scenes", flush=True)
    return model


def _learning_rate(step: int, share: float) -> float:
    cosine = 0.5 * (1 + math.cos(math.pi * share))
    return 1e-3 * min(1, (step + 1) / 50) * (0.96 * cosine + 0.04)


def reconstruction_loss(model: Any, pictures: Tensor) -> Tensor:
    """L1 + MSE + L1 of the gradients + a little KL."""
    mean, log_variance = model.quant_conv(model.encoder(pictures)).chunk(2, 1)
    log_variance = log_variance.clamp(-12, 4)
    latents = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
    error = model.decoder(model.post_quant_conv(latents)) - pictures
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    loss: Tensor = error.abs().mean() + error.square().mean() + 0.5 * edges + 2e-4 * kl
    return loss


def _scenes(composer: Composer, count: int) -> Tensor:
    random = Random(1)
    return to_tensor(np.stack([composer.draw(composer.scene(random)) for _ in range(count)]))


@torch.no_grad()
def encode(model: Any, pictures: Tensor) -> Tensor:
    """The means, without sampling."""
    latents: Tensor = model.encode(pictures).latent_dist.mean
    return latents


@torch.no_grad()
def _normalise(model: Any, pictures: Tensor) -> None:
    """Gives the latents of these pictures mean 0 and the spreads wanted, without changing what
    is decoded."""
    latents = torch.cat([encode(model, batch) for batch in pictures.split(32)])
    mean, spread = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    wanted = torch.full_like(spread, DETAIL_SPREAD)
    wanted[:3] = COLOUR_SPREAD
    scale = wanted / spread
    into, out_of = model.quant_conv, model.post_quant_conv
    out_of.bias.add_(out_of.weight[:, :, 0, 0] @ mean)
    out_of.weight.div_(scale[None, :, None, None])
    into.weight[:CHANNELS].mul_(scale[:, None, None, None])
    into.bias[:CHANNELS].sub_(mean).mul_(scale)
    into.bias[CHANNELS:].add_(2 * scale.log())


def psnr(model: Any, pictures: Tensor) -> float:
    """Of what comes back, in dB."""
    with torch.no_grad():
        decoded = model.decode(encode(model, pictures)).sample.clamp(-1, 1)
    return -10 * math.log10(((decoded - pictures) / 2).square().mean().item())
