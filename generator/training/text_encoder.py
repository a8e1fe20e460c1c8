"""The text encoder: a small CLIPTextModel, 2.8 M parameters, trained by itself and then frozen.

It learns to tell a scene from its caption: its things, colours, counts and places, and a thumbnail
of the picture. The states of a caption's end and padding carry it, as CLIP's do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import CLIPTextConfig, CLIPTextModel

from generator.training.captions import Captions
from generator.training.colours import BACKGROUNDS, HUES
from generator.training.concepts import Concept, kinds
from generator.training.data import STYLES
from generator.training.loop import Loop
from generator.training.precision import autocast
from generator.training.scenes import PLACES, SIZES, Scene
from generator.training.tokenizer import LENGTH, tokenise
from generator.training.vocabulary import other_forms
from generator.training.words import without_accents

WIDTH = 256
BATCH = 64
FIRST_PATCH = LENGTH // 2  # states 16 … 31 tell the 4×4 patches of the thumbnail
THUMBNAIL_WEIGHT = 12


def build(tokenizer: Any, concepts: Sequence[Concept]) -> Any:
    """Untrained; words that mean the same in either language begin with the same embedding."""
    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=768,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        hidden_act="gelu",
    )
    model = CLIPTextModel(config)
    embeddings = model.get_input_embeddings().weight
    with torch.no_grad():
        embeddings.normal_(0, 0.05)
        for synonyms in _synonyms(concepts):
            tokens = [*_single_tokens(tokenizer, synonyms)]
            embeddings[tokens[1:]] = embeddings[tokens[:1]]
    return model


def _synonyms(concepts: Sequence[Concept]) -> Iterator[Iterable[str]]:
    forms = [*(noun.forms() for noun in (*concepts, *kinds(concepts))), *other_forms()]
    for each in forms:
        words = [word for language in each.values() for word in language if " " not in word]
        yield dict.fromkeys([*words, *map(without_accents, words)])


def _single_tokens(tokenizer: Any, words: Iterable[str]) -> Iterator[int]:
    for word in words:
        tokens = tokenizer(word)["input_ids"][1:-1]
        if len(tokens) == 1:
            yield tokens[0]


class Telling(nn.Module):
    """What is asked of the states while the encoder is trained; thrown away afterwards."""

    def __init__(self, concepts: int, mean_patches: Tensor) -> None:
        super().__init__()
        answers = (
            concepts,
            concepts + 1,
            3,
            len(BACKGROUNDS),
            *(len(HUES) + 1,) * 2,
            len(SIZES) + 1,
            len(PLACES) + 1,
            len(STYLES) + 1,
        )
        self.heads = nn.ModuleList(nn.Linear(WIDTH, count) for count in answers)
        self.patch = nn.Linear(WIDTH, mean_patches.shape[1])
        self.register_buffer("mean_patches", mean_patches)

    def forward(self, states: Tensor, ended: Tensor, asked: Tensor, patches: Tensor) -> Tensor:
        """Args: states (n, 32, 256); ended (n, 32), 1 from the caption's end on; asked (n, 9);
        patches (n, 16, 48)."""
        weights = ended[..., None]
        pooled = (states * weights).sum(1) / weights.sum(1)
        losses = [
            cross_entropy(head(pooled), asked[:, number]) for number, head in enumerate(self.heads)
        ]
        error = self.patch(states[:, FIRST_PATCH:]) + self.mean_patches - patches
        thumbnail = (error.square() * weights[:, FIRST_PATCH:]).mean()
        things, others = losses[:2], losses[2:]
        return sum(things, start=0.5 * sum(others) + THUMBNAIL_WEIGHT * thumbnail)


def answers(scene: Scene) -> list[int]:
    """What the caption tells of it, as classes; the style is told apart, as not all name it."""
    first, *others = scene.things
    return [
        first.concept,
        others[0].concept + 1 if others else 0,
        scene.count - 1,
        [*BACKGROUNDS].index(scene.background),
        _place_in(HUES, first.colour),
        _place_in(HUES, others[0].colour if others else None),
        _place_in(SIZES, scene.size),
        _place_in(PLACES, scene.place),
    ]


def _place_in(names: Iterable[str], name: str | None) -> int:
    return 0 if name is None else 1 + [*names].index(name)


def style_told(caption: str) -> int:
    return next((1 + n for n, style in enumerate(STYLES) if style in caption), 0)


def patches_of(thumbnails: Tensor) -> Tensor:
    """(n, 16, 16, 3) → (n, 16, 48): 4×4 patches of 4×4."""
    count = len(thumbnails)
    grid = thumbnails.reshape(count, 4, 4, 4, 4, 3).permute(0, 1, 3, 2, 4, 5)
    return grid.reshape(count, FIRST_PATCH, -1)


class Lessons:
    """Batches of captions, each written anew, with what they tell.

    `thumbnails`: (scenes, 16, 16, 3), -1 … 1.
    """

    def __init__(
        self, tokenizer: Any, captions: Captions, scenes: Sequence[Scene], thumbnails: Tensor
    ) -> None:
        self._tokenizer, self._captions, self._scenes = tokenizer, captions, scenes
        self._asked = torch.tensor([answers(scene) for scene in scenes])
        self._patches = patches_of(thumbnails.float())
        self.concepts, self.mean_patches = len(captions.composer.concepts), self._patches.mean(0)

    def batch(self, random: Random) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Token ids, and what `Telling` takes beside the states."""
        chosen = [random.randrange(len(self._scenes)) for _ in range(BATCH)]
        texts = [self._captions.write(self._scenes[index], random) for index in chosen]
        ids = tokenise(self._tokenizer, texts)
        ended = (ids == self._tokenizer.eos_token_id).cumsum(1).clamp(max=1).float()
        styles = torch.tensor([style_told(text) for text in texts])
        asked = torch.cat([self._asked[chosen], styles[:, None]], 1)
        return ids, ended, asked, self._patches[chosen]


def train(
    model: Any, lessons: Lessons, folder: Path, steps: int, device: torch.device, peak: float
) -> None:
    """`peak`: the highest learning rate.

    Raises:
        Stopped: after a signal.
    """
    torch.manual_seed(0)
    telling = Telling(lessons.concepts, lessons.mean_patches).to(device)
    model.to(device).train()
    optimizer = _optimizer(model, telling, peak)
    parts = {"model": model, "telling": telling, "optimizer": optimizer}
    loop = Loop("text encoder", folder / "text_encoder.pt", steps, parts)
    for step in loop.steps():
        for group in optimizer.param_groups:
            group["lr"] = peak * min(1, (step + 1) / 100) * _cosine(step / steps)
        ids, *told = (tensor.to(device) for tensor in lessons.batch(Random(step)))
        with autocast(device):
            states = model(input_ids=ids).last_hidden_state
        loss = telling(states.float(), *told)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([*model.parameters(), *telling.parameters()], 1.0)
        optimizer.step()
        loop.losses(loss.item())
    model.eval()


def _cosine(share: float) -> float:
    return 0.97 * 0.5 * (1 + math.cos(math.pi * share)) + 0.03


def _optimizer(model: Any, telling: nn.Module, peak: float) -> torch.optim.Optimizer:
    embeddings = model.get_input_embeddings().weight
    parameters = [*model.parameters(), *telling.parameters()]
    decayed = [p for p in parameters if p.ndim > 1 and p is not embeddings]
    others = [p for p in parameters if p.ndim <= 1 or p is embeddings]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.98), fused=True)
