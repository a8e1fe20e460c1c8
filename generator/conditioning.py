"""From a prompt's words to what the network attends to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from generator.messages import Note, NoteKind


@dataclass(frozen=True, slots=True)
class Encoded:
    """Embeddings of shape (1, tokens, width) and what did not fit."""

    embeddings: Tensor
    notes: tuple[Note, ...] = ()


def encode(tokenizer: Any, encoder: Any, prompt: str) -> Encoded:
    """As diffusers' StableDiffusionPipeline.encode_prompt: cut at the tokenizer's length."""
    limit = tokenizer.model_max_length
    ids = tokenizer(
        prompt, padding="max_length", max_length=limit, truncation=True, return_tensors="pt"
    ).input_ids
    with torch.inference_mode():
        embeddings = encoder(ids.to(encoder.device))[0]
    return Encoded(embeddings, _left_out(tokenizer, prompt, limit))


def _left_out(tokenizer: Any, prompt: str, limit: int) -> tuple[Note, ...]:
    whole = tokenizer(prompt, truncation=False).input_ids
    if len(whole) <= limit:
        return ()
    words = tokenizer.decode(whole[limit - 1 : -1]).strip()
    return (Note(NoteKind.PROMPT_CUT, {"words": words[:200], "limit": str(limit - 2)}),)
