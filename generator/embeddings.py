"""Textual inversion: words that a small file has vectors for, by the file's name."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from generator.text_encoders import TextEncoder

log = logging.getLogger(__name__)


class EmbeddingRefused(Exception):
    """It can't be read, or it has no vectors for this model."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """`vectors`: width → (tokens, width), for each text encoder one."""

    name: str
    vectors: Mapping[int, Tensor]

    def ids(self, encoder: TextEncoder) -> list[int]:
        """The tokens that it stands for: those of its name."""
        return tokenize(encoder, self.name)


def tokenize(encoder: TextEncoder, text: str) -> list[int]:
    """Without beginning, end and padding, of any length."""
    return list(encoder.tokenizer(text, add_special_tokens=False, verbose=False).input_ids)


def read(name: str, path: Path, encoders: Sequence[TextEncoder]) -> Embedding:
    """From a safetensors file or a weights-only pickle. Raises EmbeddingRefused."""
    try:
        found = _vectors(path, path.stat().st_mtime_ns)
    except Exception as error:  # pickles fail in many ways, and it is a stranger's file
        log.warning("%s is no embedding: %r", path, error)
        raise EmbeddingRefused(name) from error
    if not {encoder.width for encoder in encoders} <= set(found):
        raise EmbeddingRefused(name)
    return Embedding(name, found)


@lru_cache(64)
def _vectors(path: Path, _changed: int) -> Mapping[int, Tensor]:
    """The layouts of AUTOMATIC1111 (.pt: string_to_param, .safetensors: emb_params), of diffusers
    ({token: tensor}) and of SD XL (clip_l, clip_g)."""
    if path.suffix.lower() == ".safetensors":
        content: Any = load_file(path)
    else:
        content = torch.load(path, map_location="cpu", weights_only=True)
    content = content.get("string_to_param", content)
    tensors = [each.detach() for each in content.values() if isinstance(each, Tensor)]
    tensors = [each[None] if each.ndim == 1 else each for each in tensors]
    found = {each.shape[-1]: each for each in tensors if each.ndim == 2 and len(each)}
    if not found:
        raise ValueError("no vectors")
    return found
