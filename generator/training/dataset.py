"""What the UNet and the text encoder learn from: each scene's latents, thumbnail and captions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor

from generator.training.autoencoder import CHANNELS, encode, to_tensor
from generator.training.captions import Captions
from generator.training.data import SIDE
from generator.training.loop import Loop
from generator.training.precision import fast
from generator.training.scenes import Composer, Scene
from generator.training.tokenizer import tokenise

GRID = SIDE // 8
BATCH = 32
CAPTIONS = 8  # of each scene


def encode_scenes(
    composer: Composer,
    scenes: Sequence[Scene],
    autoencoder: Any,
    folder: Path,
    device: torch.device,
) -> None:
    """Writes latents.npy, (scenes, 8, 16, 16), and thumbnails.npy, (scenes, 16, 16, 3), fp16.

    Raises:
        Stopped: after a signal.
    """
    latents = _file(folder / "latents.npy", (len(scenes), CHANNELS, GRID, GRID))
    thumbnails = _file(folder / "thumbnails.npy", (len(scenes), GRID, GRID, 3))
    precision = fast(device)
    autoencoder.to(device, precision)
    loop = Loop("scenes", folder / "scenes.pt", -(-len(scenes) // BATCH), {})
    for step in loop.steps():
        part = slice(step * BATCH, (step + 1) * BATCH)
        pictures = np.stack([composer.draw(scene) for scene in scenes[part]])
        blocks = pictures.reshape(-1, GRID, 8, GRID, 8, 3)
        thumbnails[part] = blocks.mean((2, 4)) / 127.5 - 1
        batch = to_tensor(pictures).to(device, precision)
        latents[part] = encode(autoencoder, batch).float().cpu().numpy()


def _file(path: Path, shape: tuple[int, ...]) -> Any:
    if path.exists():
        return open_memmap(path, mode="r+")
    return open_memmap(path, mode="w+", dtype=np.float16, shape=shape)


def write_captions(
    captions: Captions, scenes: Sequence[Scene], tokenizer: Any, folder: Path
) -> None:
    """Writes captions.npy: token ids (scenes × 8 + 1, 32), in the last row those of no words."""
    random = Random(9)
    texts = [captions.write(scene, random) for scene in scenes for _ in range(CAPTIONS)]
    rows = [*texts, ""]
    ids = [tokenise(tokenizer, rows[i : i + 1024]) for i in range(0, len(rows), 1024)]
    np.save(folder / "captions.npy", torch.cat(ids).numpy().astype(np.int16))


class Examples:
    """Batches of latents and token ids on a device; the same ones for the same generator state."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._latents = torch.from_numpy(np.load(folder / "latents.npy")).to(device)
        self._captions = torch.from_numpy(np.load(folder / "captions.npy")).to(device)
        self._device = device

    def batch(self, count: int, dropped: float, source: torch.Generator) -> tuple[Tensor, Tensor]:
        """Latents (count, 8, 16, 16) and ids (count, 32), `dropped` of them of no words."""
        where: dict[str, Any] = {"generator": source, "device": self._device}
        scenes = torch.randint(len(self._latents), (count,), **where)
        rows = scenes * CAPTIONS + torch.randint(CAPTIONS, (count,), **where)
        rows[torch.rand(count, **where) < dropped] = len(self._captions) - 1
        return self._latents[scenes].float(), self._captions[rows].long()
