"""Reads a model out of a folder in the diffusers layout; never from a pickle, never from a hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from generator.pipelines import variant
from generator.single_file import Parts
from generator.text_encoders import TextEncoder


def read(folder: Path, dtype: torch.dtype) -> Parts:
    """Raises OSError, ValueError, KeyError or RuntimeError when parts are missing or don't fit."""
    unet = UNet2DConditionModel.from_pretrained(folder, **_part(folder, "unet", dtype))
    vae = AutoencoderKL.from_pretrained(folder, **_part(folder, "vae", torch.float32))
    two = (folder / "text_encoder_2").is_dir()
    encoders = [_encoder(folder, "", dtype, CLIPTextModel, 2 if two else 1)]
    if two:
        encoders.append(_encoder(folder, "_2", dtype, CLIPTextModelWithProjection, 2))
    config = (folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8")
    return Parts(unet, vae, tuple(encoders), json.loads(config))


def _encoder(folder: Path, number: str, dtype: torch.dtype, kind: Any, depth: int) -> TextEncoder:
    part = f"text_encoder{number}"
    model = kind.from_pretrained(folder, **_part(folder, part, dtype))
    tokenizer = CLIPTokenizer.from_pretrained(
        folder, subfolder=f"tokenizer{number}", local_files_only=True
    )
    return TextEncoder(tokenizer, model, depth, normed=depth == 1)


def _part(folder: Path, part: str, dtype: torch.dtype) -> dict[str, Any]:
    """What from_pretrained needs."""
    return {
        "subfolder": part,
        "dtype": dtype,
        "variant": variant(folder / part),
        "use_safetensors": True,
        "local_files_only": True,
    }
