"""The judge: a small classifier of scenes that tells what a picture shows.

It is trained on the same art as the model, on compositions of its own; a tenth of all combinations
of thing, colour and background it never sees, and those tell how good it is. It learns with
shifts, blur and noise, so that it recognises what is drawn a little wrong. It looks twice: at the
whole, for layout and background, and closely where the first thing is then, for the thing and its
colour.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import affine_grid, avg_pool2d, cross_entropy, grid_sample, interpolate
from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from generator.training.autoencoder import to_tensor
from generator.training.colours import BACKGROUNDS, HUES, NATURAL
from generator.training.concepts import fingerprint
from generator.training.data import STYLES
from generator.training.loop import Loop
from generator.training.precision import autocast
from generator.training.scenes import LAYOUTS, SMALL, Composer, Scene, Thing

SIDE = 64
MARGIN = (SIDE - SMALL) // 2
SCENES, STEPS, BATCH, PEAK = 24_000, 1600, 128, 2e-3
WIDTHS = (64, 128, 256)
UNASKED = -100  # cross_entropy leaves it out
VERSION = 2  # of what is below: an older judge isn't used
COLOURS = (*NATURAL, "mixed")  # of drawings in several colours the last
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Verdict:
    """What each picture shows: indices of concepts, names of the rest.

    `hues`: the nearest of the seven that can be asked for, of drawings in several colours too.
    """

    things: list[int]
    colours: list[str]
    hues: list[str]
    backgrounds: list[str]
    layouts: list[str]


class Judge(nn.Module):
    def __init__(self, concepts: int) -> None:
        super().__init__()
        stages = [nn.Conv2d(3, 32, 5, 2, 2), nn.BatchNorm2d(32), nn.ReLU()]
        for before, after in zip((32, *WIDTHS), WIDTHS, strict=False):
            stages += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
            stages += [nn.Conv2d(after, after, 3, 1, 1), nn.BatchNorm2d(after), nn.ReLU()]
        self.body = nn.Sequential(*stages, nn.Flatten(), nn.Dropout(0.2))
        kinds = (concepts, len(COLOURS), len(BACKGROUNDS), len(LAYOUTS))
        self.heads = nn.ModuleList(nn.Linear(WIDTHS[-1] * 16, count) for count in kinds)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Of (n, 3, 64, 64) the scores of things, colours, backgrounds and layouts."""
        features = self.body(pictures)
        return [head(features) for head in self.heads]

    @torch.no_grad()
    def look(self, pictures: Pixels) -> Verdict:
        """At (n, 128, 128, 3)."""
        _, _, backgrounds, layouts = self._scores(avg_pool2d(to_tensor(pictures), 2))
        names = _best(layouts, [*LAYOUTS])
        views = [view(picture, name) for picture, name in zip(pictures, names, strict=True)]
        things, colours, *_ = self._scores(torch.cat(views))
        return Verdict(
            things=things.argmax(1).tolist(),
            colours=_best(colours, COLOURS),
            hues=_best(colours[:, : len(HUES)], [*HUES]),
            backgrounds=_best(backgrounds, [*BACKGROUNDS]),
            layouts=names,
        )

    def _scores(self, small: Tensor) -> list[Tensor]:
        scores = zip(*(self(batch) for batch in torch.split(small, 64)), strict=True)
        return [torch.cat(head) for head in scores]


def _best(scores: Tensor, names: Sequence[str]) -> list[str]:
    return [names[index] for index in scores.argmax(1).tolist()]


def view(picture: Pixels, layout: str) -> Tensor:
    """(1, 3, 64, 64): the first thing of a (128, 128, 3) picture, closely where it is small."""
    x, y, side = LAYOUTS[layout][0]
    if side > SIDE:
        return avg_pool2d(to_tensor(picture[None]), 2)
    x, y = x - MARGIN, y - MARGIN
    return to_tensor(picture[None, y : y + SIDE, x : x + SIDE])


def load(composer: Composer, folder: Path) -> Judge:
    """Trained the first time, in minutes; afterwards from the folder.

    Raises:
        Stopped: after a signal.
    """
    judge = Judge(len(composer.concepts))
    optimizer = torch.optim.AdamW(judge.parameters(), lr=PEAK, weight_decay=0.05)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK, total_steps=STEPS)
    path = folder / f"judge-{fingerprint(composer.concepts)}-{VERSION}.pt"
    loop = Loop("judge", path, STEPS, {"judge": judge, "optimizer": optimizer, "rates": rates})
    if loop.step < STEPS:
        _train(judge, optimizer, rates, loop, composer)
    return judge.eval()


def is_held_out(scene: Scene) -> bool:
    """A tenth of all combinations of thing, colour and background."""
    thing = scene.things[0]
    name = f"{thing.concept} {thing.colour} {scene.background}"
    return zlib.crc32(name.encode()) % 10 == 0


def held_out(composer: Composer, count: int, seed: int = 5) -> list[Scene]:
    random, found = Random(seed), list[Scene]()
    while len(found) < count:
        scene = _scene(composer, random)
        if is_held_out(scene):
            found.append(scene)
    return found


def _scene(composer: Composer, random: Random) -> Scene:
    """Of all kinds alike, unlike the model's: one thing in half of them, else any layout."""
    concept = random.randrange(len(composer.concepts))
    picture = random.choice(composer.pictures_of(concept, random.choice([*STYLES])))
    colour = random.choice([*HUES]) if random.random() < 0.5 else None
    layout = "one" if random.random() < 0.5 else random.choice([*LAYOUTS])
    return Scene(
        style=composer.art.pictures[picture].style,
        background=random.choice(["white", *BACKGROUNDS]),
        things=(Thing(concept, picture, colour),),
        count={"two": 2, "three": 3}.get(layout, 1),
        size=layout if layout in ("small", "big") else None,
        place=layout if layout in ("left", "right", "top", "bottom") else None,
        mirrored=random.random() < 0.5,
    )


def answers(composer: Composer, scene: Scene) -> tuple[int, int, int, int]:
    """What the judge should say of it, as classes."""
    thing = scene.things[0]
    natural = composer.natural_colours[thing.picture]
    colour = thing.colour or natural or "mixed"
    places = ([*BACKGROUNDS].index(scene.background), [*LAYOUTS].index(scene.layout))
    return thing.concept, COLOURS.index(colour), *places


def _train(
    judge: Judge, optimizer: Optimizer, rates: OneCycleLR, loop: Loop, composer: Composer
) -> None:
    random = Random(4)
    scenes = [_scene(composer, random) for _ in range(SCENES)]
    scenes = [scene for scene in scenes if not is_held_out(scene)]
    pictures, wanted = _views(composer, scenes)
    judge.train()
    for step in loop.steps():
        torch.manual_seed(step)
        chosen = torch.randint(len(pictures), (BATCH,))
        batch = disturb(pictures[chosen].float())
        with autocast(batch.device):
            scores = judge(batch)
        pairs = zip(scores, wanted[chosen].T, strict=True)
        losses = [
            cross_entropy(score.float(), right, ignore_index=UNASKED) for score, right in pairs
        ]
        loss = torch.stack(losses).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        rates.step()
        loop.losses(loss.item())


def _views(composer: Composer, scenes: Sequence[Scene]) -> tuple[Tensor, Tensor]:
    """The whole pictures, and of each that has something small a close one: (n, 3, 64, 64), and
    what is asked of each view."""
    pictures, wanted = [], []
    for scene in scenes:
        drawn = composer.draw(scene)
        thing, colour, background, layout = answers(composer, scene)
        pictures.append(avg_pool2d(to_tensor(drawn[None]), 2).bfloat16())
        if LAYOUTS[scene.layout][0][2] > SIDE:
            wanted.append((thing, colour, background, layout))
        else:
            wanted.append((UNASKED, UNASKED, background, layout))
            pictures.append(view(drawn, scene.layout).bfloat16())
            wanted.append((thing, colour, background, UNASKED))
    return torch.cat(pictures), torch.tensor(wanted)


def disturb(pictures: Tensor) -> Tensor:
    """Shifted, scaled and turned a little, lighter or darker, some blurred, all a little noisy."""
    count = len(pictures)
    angle = (torch.rand(count) - 0.5) * math.radians(16)
    scale = 0.92 + 0.16 * torch.rand(count)
    turn = torch.zeros(count, 2, 3)
    turn[:, 0, 0] = turn[:, 1, 1] = angle.cos() * scale
    turn[:, 0, 1], turn[:, 1, 0] = -angle.sin() * scale, angle.sin() * scale
    turn[:, :, 2] = (torch.rand(count, 2) - 0.5) * 0.12
    where = affine_grid(turn, list(pictures.shape), align_corners=False)
    moved = grid_sample(pictures, where, padding_mode="border", align_corners=False)
    coarse = interpolate(avg_pool2d(moved, 2), scale_factor=2.0, mode="bilinear")
    blurred = torch.where(torch.rand(count, 1, 1, 1) < 0.4, coarse, moved)
    light = blurred * (0.9 + 0.2 * torch.rand(count, 1, 1, 1)) + 0.1 * torch.randn(count, 3, 1, 1)
    noise = torch.randn_like(light) * 0.15 * torch.rand(count, 1, 1, 1)
    return (light + noise).clamp(-1, 1)
