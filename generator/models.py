"""Loads models from their folders. Never asks a hub."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from generator.catalogue import Catalogue
from generator.messages import Failure
from generator.preview import Preview
from generator.samplers import Samplers


class ModelRefused(Exception):
    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


@dataclass(slots=True)
class LoadedModel:
    """A model in memory with what drawing needs of it."""

    name: str
    hash: str
    unet: Any
    vae: Any
    encoder: Any
    tokenizer: Any
    scheduler_config: dict[str, Any]
    preview: Preview
    samplers: Samplers = field(init=False)
    alphas: Tensor = field(init=False)
    device: torch.device = field(init=False)
    dtype: torch.dtype = field(init=False)

    def __post_init__(self) -> None:
        # Kept, because diffusers walks through all modules each time that it is asked.
        self.device, self.dtype = self.unet.device, self.unet.dtype
        self.samplers = Samplers(self.scheduler_config)
        # ᾱ by timestep; the same for every sampler, as the model was trained with it.
        self.alphas = self.samplers.make("ddim", "automatic", 1).alphas_cumprod

    @property
    def factor(self) -> int:
        """Pixels a side for each latent."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    def v_prediction(self) -> bool:
        return bool(self.scheduler_config.get("prediction_type") == "v_prediction")

    def clean(self, scaled: Tensor, t: Tensor, prediction: Tensor) -> Tensor:
        """The latents that a prediction points at.

        Args:
            scaled: the network's input, variance preserving.
            t: its timestep, which may lie between two.
        """
        alpha = self.alphas[int(t.round().clamp(0, len(self.alphas) - 1))]
        signal, noise = alpha.sqrt(), (1 - alpha).sqrt()
        if self.v_prediction:
            return signal * scaled - noise * prediction
        return (scaled - noise * prediction) / signal


class Models:
    """Keeps the last model that was asked for."""

    def __init__(self, folders: Sequence[Path], cache: Path, device: torch.device) -> None:
        self._folders = folders
        self._cache = cache
        self._device = device
        self._loaded: LoadedModel | None = None

    @property
    def dtype(self) -> torch.dtype:
        return torch.float16 if self._device.type == "cuda" else torch.float32

    def loaded(self, name: str, hash: str) -> LoadedModel | None:
        found = self._loaded
        return found if found and (found.name, found.hash) == (name, hash) else None

    def load(self, name: str, hash: str) -> tuple[LoadedModel, float]:
        """The model and the seconds that loading took. Raises ModelRefused."""
        started = time.perf_counter()
        found = Catalogue(self._folders, self._cache).find(name)
        if found is None:
            raise ModelRefused(Failure.MODEL_MISSING, name)
        if found.hash != hash:
            raise ModelRefused(Failure.MODEL_CHANGED, f"{name}: {found.hash}, not {hash}")
        self._loaded = None
        try:
            self._loaded = self._read(found.folder, name, hash)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelRefused(Failure.MODEL_BROKEN, f"{found.folder}: {error}") from error
        return self._loaded, time.perf_counter() - started

    def _read(self, folder: Path, name: str, hash: str) -> LoadedModel:
        local: dict[str, Any] = {"local_files_only": True}
        unet = UNet2DConditionModel.from_pretrained(
            folder, subfolder="unet", dtype=self.dtype, **local
        )
        vae = AutoencoderKL.from_pretrained(folder, subfolder="vae", dtype=torch.float32, **local)
        encoder = CLIPTextModel.from_pretrained(
            folder, subfolder="text_encoder", dtype=self.dtype, **local
        )
        tokenizer = CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer", **local)
        config = (folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8")
        unet, vae, encoder = (part.eval().to(self._device) for part in (unet, vae, encoder))
        return LoadedModel(
            name, hash, unet, vae, encoder, tokenizer, json.loads(config), Preview(vae)
        )
