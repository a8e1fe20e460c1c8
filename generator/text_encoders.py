"""From token ids to what a network attends to: one text encoder of a model, or both of SD XL's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class TextEncoder:
    """A CLIP text model with its tokenizer.

    Args:
        depth: layers from the end that embeddings are taken from without clip skip: 1 is the last,
            2 the one before it (SD XL).
        normed: whether the final layer norm is applied to them.
    """

    tokenizer: Any
    model: Any
    depth: int = 1
    normed: bool = True

    @property
    def length(self) -> int:
        """Tokens of a chunk, with the beginning's and the end's."""
        return int(min(self.tokenizer.model_max_length, self.model.config.max_position_embeddings))

    @property
    def width(self) -> int:
        return int(self.model.config.hidden_size)

    @property
    def deepest(self) -> int:
        """The largest clip skip: nothing but what the layers begin with is left."""
        return int(self.model.config.num_hidden_layers) + 1

    @property
    def pooling(self) -> bool:
        """Whether it has a projection, whose pooled embeddings SD XL wants besides."""
        return hasattr(self.model, "text_projection")

    @torch.inference_mode()
    def __call__(self, ids: Tensor, clip_skip: int = 1) -> tuple[Tensor, Tensor | None]:
        """Embeddings (rows, tokens, width), and pooled ones (rows, width) of an encoder that pools.

        Args:
            ids: (rows, tokens), padded; on any device.
            clip_skip: as AUTOMATIC1111 counts, 1 skipping nothing; never less than `depth` and never
                more than `deepest`.
        """
        layer = min(max(clip_skip, self.depth), self.deepest)
        output = self.model(ids.to(self.model.device), output_hidden_states=layer > 1)
        pooled = output.text_embeds if self.pooling else None
        if layer == 1:
            return output.last_hidden_state, pooled
        hidden = output.hidden_states[-layer]
        if self.normed:
            hidden = getattr(self.model, "text_model", self.model).final_layer_norm(hidden)
        return hidden, pooled
