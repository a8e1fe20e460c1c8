"""Writes the model's folder, as StableDiffusionPipeline.from_pretrained reads it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline

from generator.catalogue import BUNDLED
from generator.training.scenes import Composer
from generator.training.unet import scheduler
from generator.training.vocabulary import vocabulary


def write(
    folder: Path, autoencoder: Any, text_encoder: Any, tokenizer: Any, unet: Any, composer: Composer
) -> None:
    """fp16 safetensors, vocabulary.json, and the settings and words that the bot begins with."""
    autoencoder.register_to_config(_name_or_path="semilla")  # not where it lay on this machine
    pipeline = StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to("cpu", torch.float16).save_pretrained(folder, safe_serialization=True)
    words = vocabulary(composer.concepts, composer.art)
    text = json.dumps(words, ensure_ascii=False, indent=1)
    (folder / "vocabulary.json").write_text(text, encoding="utf-8")
    if folder.resolve() != BUNDLED.resolve():
        shutil.copy(BUNDLED / "semilla.toml", folder)
