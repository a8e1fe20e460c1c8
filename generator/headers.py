"""What a file of weights is, told from its header: nothing but the header is read.

Kinds and families are known by the names and shapes of tensors, as ComfyUI (model_detection.py) and
diffusers (loaders/single_file_utils.py) know them, never by the folder or the file's name.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from generator.esrgan import enlarging
from generator.families import WIDTHS

LONGEST_HEADER_BYTES = 100_000_000  # as safetensors itself has it
NETWORK = "model.diffusion_model."
SD_NETWORK = f"{NETWORK}input_blocks.0.0.weight"
CROSS_ATTENTION = re.compile(r"attn2\S*to_k(?:\.|_)(?:lora_down|lora_A|lora\.down|weight)")
LYCORIS = (
    "hada_w1",
    "lokr_w",
    ".oft_",
    "oft_diag",
    ".lora_mid",
    ".on_input",
    ".b1.weight",
    "glora",
)
LORA = (".lora_down.", ".lora_A.", ".lora.down.", "_lora.down.")
CONTROL = ("control_model.", "controlnet_", "input_hint_block.")
LATENT_CHANNELS = 4
INPUT_CHANNELS = (4, 9)  # 9: with a mask and the masked picture, for inpainting


class Kind(StrEnum):
    MODEL = "model"
    VAE = "vae"
    LORA = "lora"
    EMBEDDING = "embedding"
    UPSCALER = "upscaler"
    WILDCARD = "wildcard"  # a list of words


class Reason(StrEnum):
    """Why a file that is there can't be used."""

    PICKLE = "pickle"  # it could run code on being opened
    TORN = "torn"  # shorter than its header says: still being copied, or broken
    LYCORIS = "lycoris"
    OTHER_FAMILY = "other-family"
    PARTS_MISSING = "parts-missing"  # a network without text encoder or VAE
    UNREADABLE = "unreadable"
    NO_MODEL = "no-model"
    OTHER_UPSCALER = "other-upscaler"
    SETTINGS = "settings"  # its name.toml can't be used


class Unusable(Exception):
    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Header:
    """Names and shapes of a file's tensors, and what its maker wrote into it."""

    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]

    @classmethod
    def read(cls, file: Path) -> Header:
        """Raises Unusable, and OSError when the file is gone."""
        with file.open("rb") as opened:
            prefix = opened.read(8)
            if len(prefix) < 8:
                raise Unusable(Reason.TORN)
            (length,) = struct.unpack("<Q", prefix)
            if length > LONGEST_HEADER_BYTES:
                raise Unusable(Reason.UNREADABLE)
            text = opened.read(length)
        if len(text) < length:
            raise Unusable(Reason.TORN)
        header = cls._parse(text)
        if file.stat().st_size < 8 + length + header[1]:
            raise Unusable(Reason.TORN)
        return header[0]

    @classmethod
    def _parse(cls, text: bytes) -> tuple[Header, int]:
        """A header and how many bytes of tensors follow it."""
        try:
            entries = json.loads(text)
            metadata = {str(k): str(v) for k, v in entries.pop("__metadata__", {}).items()}
            shapes = {name: tuple(entry["shape"]) for name, entry in entries.items()}
            end = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
        except Exception as error:  # a stranger's file fails in many ways
            raise Unusable(Reason.UNREADABLE, str(error)) from error
        return cls(shapes, metadata), end

    def has(self, *parts: str) -> bool:
        """Whether a tensor's name contains one of these."""
        return any(part in name for name in self.shapes for part in parts)

    def begins(self, *prefixes: str) -> bool:
        return any(name.startswith(prefixes) for name in self.shapes)


@dataclass(frozen=True, slots=True)
class Identity:
    """A file's kind and family; a VAE fits sd1 and sd2, or sdxl, which its shapes don't tell.

    Args:
        scale: how many times as large an upscaler makes pictures.
    """

    kind: Kind
    family: str
    scale: int = 1


def identify(header: Header) -> Identity:
    """Raises Unusable for what can't be drawn with."""
    if header.has(*LYCORIS):
        raise Unusable(Reason.LYCORIS)
    if header.has(*LORA):
        return Identity(Kind.LORA, _lora_family(header))
    if header.begins(NETWORK):
        return Identity(Kind.MODEL, _model_family(header))
    if header.has(*CONTROL):
        raise Unusable(Reason.NO_MODEL)
    if _is_vae(header):
        return Identity(Kind.VAE, "")
    if family := _embedding_family(header):
        return Identity(Kind.EMBEDDING, family)
    if network := enlarging(header.shapes):
        return Identity(Kind.UPSCALER, "", network.scale)
    raise Unusable(Reason.NO_MODEL)


def _model_family(header: Header) -> str:
    width = _cross_attention_width(header)
    if SD_NETWORK not in header.shapes or width not in WIDTHS:
        raise Unusable(Reason.OTHER_FAMILY)
    if header.shapes[SD_NETWORK][1] not in INPUT_CHANNELS:
        raise Unusable(Reason.OTHER_FAMILY)
    if not header.begins("first_stage_model.") or not header.begins(
        "cond_stage_model.", "conditioner.embedders."
    ):
        raise Unusable(Reason.PARTS_MISSING)
    return WIDTHS[width].name


def _lora_family(header: Header) -> str:
    """Of text encoders alone too: SD XL's have a second one."""
    width = _cross_attention_width(header)
    if width is None and header.begins("lora_te2_", "text_encoder_2."):
        width = 2048
    if width is None and header.begins("lora_te", "text_encoder."):
        width = next(
            (
                shape[1]
                for name, shape in header.shapes.items()
                if "q_proj" in name and len(shape) > 1
            ),
            None,
        )
    if width not in WIDTHS:
        raise Unusable(Reason.OTHER_FAMILY)
    return WIDTHS[width].name


def _cross_attention_width(header: Header) -> int | None:
    found = (
        shape[1]
        for name, shape in header.shapes.items()
        if CROSS_ATTENTION.search(name) and len(shape) > 1
    )
    return next(found, None)


def _is_vae(header: Header) -> bool:
    prefix = "first_stage_model." if header.begins("first_stage_model.") else ""
    shape = header.shapes.get(f"{prefix}decoder.conv_in.weight")
    if shape is None:
        return False
    if shape[1] != LATENT_CHANNELS:
        raise Unusable(Reason.OTHER_FAMILY)
    return True


def _embedding_family(header: Header) -> str | None:
    if {"clip_l", "clip_g"} <= set(header.shapes):
        return "sdxl"
    if len(header.shapes) != 1:
        return None
    (shape,) = header.shapes.values()
    if len(shape) not in (1, 2):
        return None
    family = {768: "sd1", 1024: "sd2"}.get(shape[-1])
    if family is None:
        raise Unusable(Reason.OTHER_FAMILY)
    return family
