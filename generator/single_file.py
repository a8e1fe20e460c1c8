"""Reads a model out of a single file in the original layout (CompVis, Stability AI), offline.

How the networks are built comes with the project (generator/configs), their sizes from the shapes
of the tensors, as ComfyUI does it (model_detection.py); the names are translated by diffusers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

from generator.text_encoders import TextEncoder

CONFIGS = Path(__file__).parent / "configs"
NETWORK = "model.diffusion_model."
DECODER = "first_stage_model."
CHUNK = 77  # tokens

Weights = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a model is made of."""

    unet: Any
    vae: Any
    encoders: tuple[TextEncoder, ...]
    scheduler_config: dict[str, Any]


def read(file: Path, family: str, prediction: str | None, dtype: torch.dtype) -> Parts:
    """Raises ValueError, KeyError or RuntimeError when parts are missing or don't fit together."""
    known = json.loads((CONFIGS / f"{family}.json").read_text(encoding="utf-8"))
    weights = load_file(file)
    unet = _unet(known["unet"], weights, dtype)
    encoders = tuple(_encoder(each, weights, dtype) for each in known["text_encoders"])
    prediction = prediction or _written_prediction(file)
    if prediction is None and family == "sd2":
        prediction = "v" if predicts_v(unet) else "e"
    scheduler = dict(known["scheduler"])
    if prediction == "v":
        scheduler["prediction_type"] = "v_prediction"
    if "ztsnr" in weights:  # trained down to pure noise
        scheduler |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return Parts(unet, _vae(known["vae"], weights, DECODER), encoders, scheduler)


def read_vae(file: Path, config: Mapping[str, Any]) -> Any:
    """A VAE of its own, in the original layout or diffusers', with the config of the model's own."""
    weights = load_file(file)
    if any(name.startswith("decoder.mid_block.") for name in weights):
        return _filled(AutoencoderKL, config, weights)
    prefix = DECODER if any(name.startswith(DECODER) for name in weights) else ""
    return _vae(config, weights, prefix)


def let_go(*networks: nn.Module) -> None:
    """Weights are read where they lie: a file that is written over would change them."""
    for network in networks:
        for tensor in (*network.parameters(), *network.buffers()):
            if tensor.device.type == "cpu":
                tensor.data = tensor.data.clone()


def predicts_v(unet: Any) -> bool:
    """Whether an SD 2 network was trained on velocities, by what it makes of a grey input.

    At the noisiest timestep ε is about the input itself, v far below it; AUTOMATIC1111's test
    (modules/sd_models_config.py).
    """
    where = {"device": unet.device, "dtype": unet.dtype}
    grey = torch.full((1, unet.config.in_channels, 8, 8), 0.5, **where)
    words = torch.full((1, 2, unet.config.cross_attention_dim), 0.5, **where)
    with torch.inference_mode():
        output = unet(grey, torch.tensor([999.0]), encoder_hidden_states=words).sample
    return bool((output - grey[:, : output.shape[1]]).float().mean() < -1)


def _written_prediction(file: Path) -> str | None:
    """What the original configuration beside a model says, as people put it there."""
    config = file.with_suffix(".yaml")
    if not config.exists():
        return None
    return "v" if re.search(r'parameterization:\s*"?v\b', config.read_text("utf-8")) else "e"


def _unet(known: Mapping[str, Any], weights: Weights, dtype: torch.dtype) -> Any:
    config = unet_sizes(known, weights)
    translated = convert_ldm_unet_checkpoint(weights, config)
    return _filled(UNet2DConditionModel, config, translated).to(dtype)


def unet_sizes(known: Mapping[str, Any], weights: Weights) -> dict[str, Any]:
    """A UNet's config: what is known of its family, and the sizes of these weights."""
    first = weights[f"{NETWORK}input_blocks.0.0.weight"]
    levels = _levels(weights, first.shape[0])
    channels = [level[0] for level in levels]
    depths = [level[2] for level in levels]
    config = dict(known)
    if head := config.pop("head_channels", None):
        config["attention_head_dim"] = [max(1, each // head) for each in channels]
    if f"{NETWORK}label_emb.0.0.weight" in weights:
        width = weights[f"{NETWORK}label_emb.0.0.weight"].shape[1]
        config["projection_class_embeddings_input_dim"] = width
    down = ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths]
    return config | {
        "in_channels": first.shape[1],
        "out_channels": weights[f"{NETWORK}out.2.weight"].shape[0],
        "block_out_channels": channels,
        "layers_per_block": levels[0][1],
        "down_block_types": down,
        "up_block_types": [each.replace("Down", "Up") for each in reversed(down)],
        "transformer_layers_per_block": [max(depth, 1) for depth in depths],
        "cross_attention_dim": next(
            tensor.shape[1] for name, tensor in weights.items() if "attn2.to_k.weight" in name
        ),
    }


def _levels(weights: Weights, channels: int) -> list[tuple[int, int, int]]:
    """For each resolution its channels, layers and transformer blocks in a layer."""
    levels, layers, depth = [], 0, 0
    for block in count(1):
        prefix = f"{NETWORK}input_blocks.{block}."
        residual = weights.get(f"{prefix}0.in_layers.2.weight")
        if residual is None:
            levels.append((channels, layers, depth))
            if f"{prefix}0.op.weight" not in weights:
                return levels
            layers, depth = 0, 0
            continue
        channels, layers = residual.shape[0], layers + 1
        depth = _count(weights, f"{prefix}1.transformer_blocks.", ".attn2.to_k.weight")
    return levels


def _count(weights: Weights, before: str, after: str) -> int:
    return next(n for n in count() if f"{before}{n}{after}" not in weights)


def _vae(known: Mapping[str, Any], weights: Weights, prefix: str) -> Any:
    levels = _count(weights, f"{prefix}encoder.down.", ".block.0.conv1.weight")
    blocks = f"{prefix}encoder.down.0.block."
    config = dict(known) | {
        "block_out_channels": [
            weights[f"{prefix}encoder.down.{level}.block.0.conv2.weight"].shape[0]
            for level in range(levels)
        ],
        "layers_per_block": _count(weights, blocks, ".conv1.weight"),
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
    }
    return _filled(AutoencoderKL, config, convert_ldm_vae_checkpoint(weights, config))


def _encoder(known: Mapping[str, Any], weights: Weights, dtype: torch.dtype) -> TextEncoder:
    kind = CLIPTextModelWithProjection if known["pooled"] else CLIPTextModel
    config = CLIPTextConfig(**_encoder_sizes(known, weights))
    with torch.device("meta"):
        model = kind(config)
    prefix = known["prefix"]
    if known["layout"] == "open_clip":
        translated = convert_open_clip_checkpoint(model, weights, prefix=prefix)
    else:
        translated = convert_ldm_clip_checkpoint(weights, prefix)
    if not known["pooled"]:  # there the text model has no name of its own
        translated = {name.removeprefix("text_model."): v for name, v in translated.items()}
    _fill(model, {name: v for name, v in translated.items() if "position_ids" not in name})
    embeddings = getattr(model, "text_model", model).embeddings
    embeddings.position_ids = torch.arange(config.max_position_embeddings).expand((1, -1))
    return TextEncoder(
        _tokenizer(known["pad"]), model.eval().to(dtype), known["depth"], known["normed"]
    )


@cache
def _tokenizer(pad: str) -> CLIPTokenizer:
    """The same for every file: making one takes longer than a turn of the others."""
    return CLIPTokenizer.from_pretrained(
        CONFIGS / "tokenizer", pad_token=pad, model_max_length=CHUNK, local_files_only=True
    )


def _encoder_sizes(known: Mapping[str, Any], weights: Weights) -> dict[str, Any]:
    prefix, clip = known["prefix"], known["layout"] == "clip"
    blocks = f"{prefix}text_model.encoder.layers." if clip else f"{prefix}transformer.resblocks."
    inner = ".mlp.fc1.weight" if clip else ".mlp.c_fc.weight"
    layers = _count(weights, blocks, inner)
    # SD 2 looks at the last layer but one, so that diffusers leaves the last one out.
    kept = layers if clip or known["pooled"] else layers - 1
    width = weights[f"{blocks}0{inner}"].shape[0]
    return dict(known["config"]) | {"num_hidden_layers": kept, "intermediate_size": width}


def _filled(kind: Any, config: Mapping[str, Any], weights: Weights) -> Any:
    with torch.device("meta"):
        model = kind.from_config(dict(config))
    _fill(model, weights)
    return model.eval()


def _fill(model: nn.Module, weights: Weights) -> None:
    """Raises RuntimeError when weights are missing or have other shapes; more of them are fine."""
    missing, _ = model.load_state_dict(weights, strict=False, assign=True)
    if missing:
        raise RuntimeError(f"{type(model).__name__}: {len(missing)} missing, as {missing[0]}")
