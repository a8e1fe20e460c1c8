"""Scenes: what a training picture shows, drawn from the art.

Everything sits on the grid of eight pixels that a latent stands for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.training.colours import BACKGROUNDS, HUES, natural_colour, recolour
from generator.training.concepts import Concept
from generator.training.data import SIDE, STYLES, Art

SCENES, SEED = 44_000, 79  # those that the shipped model is trained on
SIZES = ("small", "big")
PLACES = ("left", "right", "top", "bottom")
SMALL = 56  # pixels
CORNERS = {"left": (4, 36), "right": (68, 36), "top": (36, 4), "bottom": (36, 68)}
LAYOUTS = {  # (x, y, side) of each thing
    "one": ((8, 8, 112),),
    "small": ((36, 36, SMALL),),
    "big": ((0, 0, SIDE),),
    **{place: ((*corner, SMALL),) for place, corner in CORNERS.items()},
    "two": ((*CORNERS["left"], SMALL), (*CORNERS["right"], SMALL)),
    "three": ((*CORNERS["top"], SMALL), (4, 68, SMALL), (68, 68, SMALL)),
}
ONE_WAY = {"calendar", "book", "map", "music note"}  # signs that aren't mirrored
WHITE, RECOLOURED, MIRRORED = 0.5, 0.3, 0.05  # shares of scenes, of single things, of scenes
STYLE_SHARES = (0.16, 0.40, 0.44)  # flat drawings are learnt sooner than Noto's shaded ones
# Things that the version before knew; the others are drawn so many times as often.
KNOWN_BEFORE, OFTENER = 395, 2.3
SINGLE, SEVERAL = 0.74, 0.89  # up to here one thing, up to there two or three of it, then a pair


@dataclass(frozen=True, slots=True)
class Thing:
    """`concept`: its index; `picture`: its index in the art; `colour`: another than its own."""

    concept: int
    picture: int
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    style: str
    background: str
    things: tuple[Thing, ...]
    count: int = 1
    size: str | None = None
    place: str | None = None
    mirrored: bool = False

    @property
    def layout(self) -> str:
        if len(self.things) == 2:
            return "two"
        return {2: "two", 3: "three"}.get(self.count) or self.size or self.place or "one"


class Composer:
    """Makes scenes of concepts and draws them."""

    def __init__(self, concepts: Sequence[Concept], art: Art) -> None:
        self.concepts, self.art = concepts, art
        by_label = defaultdict(list)
        for index, picture in enumerate(art.pictures):
            by_label[picture.label].append(index)
        self.pictures: list[Mapping[str, list[int]]] = []  # of each concept, by style
        for concept in concepts:
            by_style = defaultdict(list)
            for index in (i for label in concept.labels for i in by_label[label]):
                by_style[art.pictures[index].style].append(index)
            self.pictures.append(by_style)
        self._shares = [1 if n < KNOWN_BEFORE else OFTENER for n in range(len(concepts))]
        self.natural_colours = [natural_colour(rgba) for rgba in art.rgba]
        self.drawing = lru_cache(maxsize=9000)(self._drawing)

    def pictures_of(self, concept: int, style: str | None = None) -> list[int]:
        """In that style; in all of them when it has none in it."""
        by_style = self.pictures[concept]
        return by_style.get(style or "") or [i for each in by_style.values() for i in each]

    def scenes(self, count: int = SCENES, seed: int = SEED) -> list[Scene]:
        """Every drawing once on white and once on a colour, the rest at random; shuffled.

        The same ones for the same concepts, art, count and seed.
        """
        random = Random(seed)
        drawn = [self.scene(random) for _ in range(count)]
        shown = self._each_drawing(random)[:count]
        scenes = shown + drawn[len(shown) :]
        random.shuffle(scenes)
        return scenes

    def _each_drawing(self, random: Random) -> list[Scene]:
        colours = [*BACKGROUNDS][1:]
        return [
            Scene(style, background, (Thing(concept, index),))
            for concept, by_style in enumerate(self.pictures)
            for style, indices in by_style.items()
            for index in indices
            for background in ("white", random.choice(colours))
        ]

    def scene(self, random: Random) -> Scene:
        style = random.choices([*STYLES], STYLE_SHARES)[0]
        concept = random.choices(range(len(self.concepts)), self._shares)[0]
        kind = random.random()
        mirrored = random.random() < MIRRORED
        white = random.random() < WHITE
        background = "white" if white else random.choice([*BACKGROUNDS][1:])
        picture = random.choice(self.pictures_of(concept, style))
        if kind >= SEVERAL:
            things = self._pair(Thing(concept, picture), style, random)
            return Scene(style, background, things, mirrored=mirrored)
        if kind >= SINGLE:
            count = 2 if random.random() < 0.65 else 3
            colour = _colour(random, 0.1)
            thing = Thing(concept, picture, colour)
            return Scene(style, background, (thing,), count, mirrored=mirrored)
        colour = _colour(random, RECOLOURED)
        size, place = _size_or_place(random)
        thing = Thing(concept, picture, colour)
        return Scene(style, background, (thing,), 1, size, place, mirrored)

    def _pair(self, first: Thing, style: str, random: Random) -> tuple[Thing, Thing]:
        other = random.randrange(len(self.concepts))
        picture = random.choice(self.pictures_of(other, style))
        mine, its = _colour(random, 0.12), _colour(random, 0.12)
        return Thing(first.concept, first.picture, mine), Thing(other, picture, its)

    def draw(self, scene: Scene) -> NDArray[np.uint8]:
        """(128, 128, 3)."""
        image = Image.new("RGB", (SIDE, SIDE), BACKGROUNDS[scene.background])
        for number, (x, y, side) in enumerate(LAYOUTS[scene.layout]):
            thing = scene.things[min(number, len(scene.things) - 1)]
            drawing = self.drawing(thing.picture, thing.colour)
            if scene.mirrored and self.concepts[thing.concept].name not in ONE_WAY:
                drawing = drawing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            if side != SIDE:
                drawing = drawing.resize((side, side), Image.Resampling.BICUBIC)
            image.paste(drawing, (x, y), drawing)
        return np.array(image)

    def _drawing(self, picture: int, colour: str | None) -> Image.Image:
        rgba = self.art.rgba[picture]
        return Image.fromarray(recolour(rgba, colour) if colour else rgba)


def _colour(random: Random, share: float) -> str | None:
    return random.choice([*HUES]) if random.random() < share else None


def _size_or_place(random: Random) -> tuple[str | None, str | None]:
    kind = random.random()
    if kind < 0.10:
        return random.choice(SIZES), None
    return None, random.choice(PLACES) if kind < 0.18 else None
