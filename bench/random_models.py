"""Models with random weights of the true sizes, made on the device where they draw: how fast, how
large and how exact they are doesn't depend on what their weights say."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline

from generator.entries import Model
from generator.models import Models
from generator.request import GenerationRequest
from generator.serving import same_every_time
from generator.single_file import Parts
from generator.text_encoders import TextEncoder
from tests import micro_models as micro

CROSS_DOWN, CROSS_UP = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
# What a file's tensors tell and generator/configs doesn't.
UNETS: dict[str, dict[str, Any]] = {
    "sd1": {
        "sample_size": 64,
        "layers_per_block": 2,
        "block_out_channels": (320, 640, 1280, 1280),
        "down_block_types": (CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, "DownBlock2D"),
        "up_block_types": ("UpBlock2D", CROSS_UP, CROSS_UP, CROSS_UP),
    },
    "sdxl": {
        "sample_size": 128,
        "layers_per_block": 2,
        "block_out_channels": (320, 640, 1280),
        "attention_head_dim": (5, 10, 20),
        "transformer_layers_per_block": (1, 2, 10),
        "down_block_types": ("DownBlock2D", CROSS_DOWN, CROSS_DOWN),
        "up_block_types": (CROSS_UP, CROSS_UP, "UpBlock2D"),
    },
}
VAE = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
SIDES, SMALL_SIDE = {"sd1": 512, "sdxl": 1024}, 32  # pixels
HASH = "random"


class RandomModels(Models):
    """Has a model by the name of each family in `UNETS`, beside those of the folders.

    Args:
        small: of the true architecture, as small as can be.
    """

    def __init__(
        self, folders: Sequence[Path], cache: Path, device: torch.device, *, small: bool
    ) -> None:
        super().__init__(folders, cache, device)
        self._small = small

    def stock(self, family: str) -> Any:
        """diffusers' own pipeline over such a model, as it comes."""
        own = self._made(family)
        parts = {"unet": own.unet, "vae": own.vae.to(self.dtype)}
        for number, encoder in zip(("", "_2"), own.encoders, strict=False):
            parts |= {
                f"text_encoder{number}": encoder.model,
                f"tokenizer{number}": encoder.tokenizer,
            }
        parts["scheduler"] = DDIMScheduler.from_config(own.scheduler_config)
        if family == "sdxl":
            pipeline: Any = StableDiffusionXLPipeline(**parts)
        else:
            spare = {"safety_checker": None, "feature_extractor": None}
            pipeline = StableDiffusionPipeline(**parts, **spare, requires_safety_checker=False)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def _find(self, name: str, hash: str) -> Model:
        if name not in UNETS:
            return super()._find(name, hash)
        return replace(self.catalogue.default(), name=name, hash=hash, family=name)

    def _parts(self, found: Model) -> Parts:
        return self._made(found.name) if found.name in UNETS else super()._parts(found)

    def _made(self, family: str) -> Parts:
        """The same weights each time."""
        known = micro.known(family)
        torch.manual_seed(0)
        with torch.device(self.device):
            unet = micro.unet(family, **({} if self._small else UNETS[family])).to(self.dtype)
            vae = micro.vae(family, **({} if self._small else {**known["vae"], **VAE}))
            encoders = [
                micro.text_encoder(family, number, **({} if self._small else own["config"]))
                for number, own in enumerate(known["text_encoders"])
            ]
        told = zip(encoders, known["text_encoders"], strict=True)
        return Parts(
            unet,
            vae,
            tuple(
                TextEncoder(
                    micro.tokenizer(own["pad"]), each.to(self.dtype), own["depth"], own["normed"]
                )
                for each, own in told
            ),
            known["scheduler"],
        )


@contextmanager
def random_models(
    family: str, small: bool, *folders: Path
) -> Iterator[tuple[RandomModels, GenerationRequest]]:
    """As the worker has them: on the card, if there is one, with its settings; and a recipe."""
    card = torch.cuda.is_available()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2) if card else 1)
    torch.set_grad_enabled(False)
    same_every_time()
    side = SMALL_SIDE if small else SIDES[family]
    recipe = GenerationRequest(
        model=family,
        model_hash=HASH,
        prompt="a red cat",
        width=side,
        height=side,
        steps=20,
        sampler="euler",
        guidance_scale=7.5,
        seed=7,
    )
    with tempfile.TemporaryDirectory() as cache:
        device = torch.device("cuda" if card else "cpu")
        yield RandomModels(folders, Path(cache), device, small=small), recipe
