"""Enlarges pictures with an RRDBNet, tile by tile, so that memory is bounded.

The network is that of ESRGAN (Wang et al. 2018, arXiv 1809.00219) and Real-ESRGAN (Wang et al. 2021,
arXiv 2107.10833): residual blocks of dense ones, then the sides are doubled.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from generator.esrgan import DENSE, FOLDED, LAYERS, Enlarging, enlarging, renamed
from generator.pickles import unwrapped

TILE = 192  # pixels a side, and
MARGIN = 16  # those around it that are looked at
GRID = max(FOLDED)  # that edges of tiles lie on, as pixels are folded together
RESIDUAL = 0.2  # how much of what a block found is added
SLOPE = 0.2  # below 0


class _Dense(nn.Module):
    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        for layer in range(LAYERS):
            made = features if layer == LAYERS - 1 else growth
            self.add_module(f"conv{layer + 1}", _conv(features + layer * growth, made))

    def forward(self, x: Tensor) -> Tensor:
        known, last = x, x
        for number, conv in enumerate(self.children()):
            last = conv(known)
            if number < LAYERS - 1:
                known = torch.cat([known, _bent(last)], dim=1)
        return x + RESIDUAL * last


class _Block(nn.Module):
    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        for dense in range(DENSE):
            self.add_module(f"rdb{dense + 1}", _Dense(features, growth))

    def forward(self, x: Tensor) -> Tensor:
        found = x
        for dense in self.children():
            found = dense(found)
        return x + RESIDUAL * found


class RRDBNet(nn.Module):
    def __init__(self, built: Enlarging) -> None:
        super().__init__()
        self.built, features = built, built.features
        self.conv_first = _conv(3 * built.folded**2, features)
        self.body = nn.ModuleList(_Block(features, built.growth) for _ in range(built.blocks))
        self.conv_body = _conv(features, features)
        for number in range(built.doublings):
            self.add_module(f"conv_up{number + 1}", _conv(features, features))
        self.conv_hr = _conv(features, features)
        self.conv_last = _conv(features, 3)

    def steps(self, x: Tensor) -> Generator[None, None, Tensor]:
        """Yields after every block.

        Args:
            x: (1, 3, height, width) in 0 … 1, its sides multiples of what is folded.
        """
        first = self.conv_first(functional.pixel_unshuffle(x, self.built.folded))
        found = first
        for block in self.body:
            found = block(found)
            yield
        found = first + self.conv_body(found)
        for number in range(self.built.doublings):
            larger = functional.interpolate(found, scale_factor=2.0)
            found = _bent(self.get_submodule(f"conv_up{number + 1}")(larger))
        return torch.as_tensor(self.conv_last(_bent(self.conv_hr(found))))


def _conv(taken: int, made: int) -> nn.Conv2d:
    return nn.Conv2d(taken, made, 3, padding=1)


def _bent(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, SLOPE)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Upscaler:
    """An RRDBNet in memory, in full precision."""

    network: RRDBNet

    @property
    def scale(self) -> int:
        return self.network.built.scale

    def turns(self, image: Image.Image) -> int:
        return len(list(tiles(*image.size))) * self.network.built.blocks

    def draw(
        self, image: Image.Image, size: tuple[int, int]
    ) -> Generator[None, Any, Image.Image | None]:
        """Yields after every block of every tile; None when the numbers got out of hand."""
        whole = _pixels(image)
        made = np.zeros([*(side * self.scale for side in image.size[::-1]), 3], "uint8")
        for left, top, right, bottom in tiles(*image.size):
            x, y = max(0, left - MARGIN), max(0, top - MARGIN)
            seen = whole[..., y : bottom + MARGIN, x : right + MARGIN]
            larger = yield from self._enlarged(seen)
            if larger is None:
                return None
            made[self._span(top, bottom), self._span(left, right)] = larger[
                self._span(top - y, bottom - y), self._span(left - x, right - x)
            ]
        enlarged = Image.fromarray(made)
        same = enlarged.size == size
        return enlarged if same else enlarged.resize(size, Image.Resampling.LANCZOS)

    def _span(self, first: int, last: int) -> slice:
        return slice(first * self.scale, last * self.scale)

    @torch.inference_mode()
    def _enlarged(self, seen: Tensor) -> Generator[None, None, np.ndarray[Any, Any] | None]:
        """Of (1, 3, height, width); (height, width, 3)."""
        height, width = seen.shape[2:]
        over = [-side % self.network.built.folded for side in (width, height)]
        padded = functional.pad(seen, (0, over[0], 0, over[1]), "replicate")
        device = self.network.conv_first.weight.device
        made = yield from self.network.steps(padded.to(device))
        if not made.isfinite().all():
            return None
        pixels = (made[0].cpu().clamp(0, 1).permute(1, 2, 0) * 255).round().to(torch.uint8)
        return np.asarray(pixels.numpy())


def tiles(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right, bottom: as few as there can be, all about as large."""
    for (top, bottom), (left, right) in product(_cuts(height), _cuts(width)):
        yield left, top, right, bottom


def _cuts(side: int) -> list[tuple[int, int]]:
    count = ceil(side / TILE)
    edges = [side * n // count // GRID * GRID for n in range(count)] + [side]
    return list(pairwise(edges))


def _pixels(image: Image.Image) -> Tensor:
    pixels = torch.from_numpy(np.array(image.convert("RGB")))
    return pixels.permute(2, 0, 1)[None].float() / 255


def read(file: Path, device: torch.device) -> Upscaler:
    """From a safetensors file or a weights-only pickle. Raises ValueError for anything else."""
    if file.suffix.lower() == ".safetensors":
        found: Any = load_file(file)
    else:
        found = unwrapped(torch.load(file, map_location="cpu", weights_only=True))
    weights = {name: each for name, each in found.items() if isinstance(each, Tensor)}
    built = enlarging({name: tuple(each.shape) for name, each in weights.items()})
    if built is None:
        raise ValueError(f"{file} is no RRDBNet")
    network = RRDBNet(built)
    network.load_state_dict({new: weights[name].float() for name, new in renamed(weights).items()})
    return Upscaler(network.eval().to(device))
