"""Whether the model has learnt by heart: what its pictures are nearest to.

For something it was never shown (a known thing in a colour on a background that didn't come
together) a model that copies would give the nearest training picture; one that composes gives what
was asked. Pictures are compared at 32×32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.training.concepts import fingerprint
from generator.training.judge import Pixels
from generator.training.scenes import Composer, Scene, Thing

SIDE = 32
Wanted = tuple[int, str, str]
"""Concept, colour, background."""


def small(pictures: Pixels) -> NDArray[np.float32]:
    """(n, 128, 128, 3) → (n, 3072), 0 … 1."""
    block = pictures.shape[1] // SIDE
    blocks = pictures.reshape(len(pictures), SIDE, block, SIDE, block, 3)
    means: NDArray[np.float32] = blocks.mean((2, 4), dtype=np.float32)
    return means.reshape(len(pictures), -1) / np.float32(255)


class Neighbours:
    """Args: scenes: those that the model was trained on; folder: keeps them small."""

    def __init__(self, composer: Composer, scenes: Sequence[Scene], folder: Path) -> None:
        self._composer, self._scenes = composer, scenes
        name = f"neighbours-{fingerprint(composer.concepts)}-{len(scenes)}.npy"
        if not (folder / name).exists():
            np.save(folder / name, self._all_small())
        self._known = np.load(folder / name, mmap_mode="r")

    def _all_small(self) -> NDArray[np.uint8]:
        found = np.empty((len(self._scenes), SIDE * SIDE * 3), np.uint8)
        for index, scene in enumerate(self._scenes):
            found[index] = (small(self._composer.draw(scene)[None])[0] * 255).round()
        return found

    def lines(self, pictures: Pixels, wanted: Sequence[Wanted]) -> Iterator[str]:
        """Figures of generated pictures of what was never shown."""
        drawn = small(pictures)
        to_training, nearest = self._nearest(drawn)
        to_asked = np.array([self._to_asked(d, w) for d, w in zip(drawn, wanted, strict=True)])
        real = small(np.stack([self._composer.draw(next(self._asked(w))) for w in wanted]))
        real_to_training, _ = self._nearest(real)
        yield (
            f"  nearer to a real drawing of what was asked than to all {len(self._scenes)} training pictures: "
            f"{(to_asked < to_training).sum()}/{len(wanted)}; median distance {np.median(to_asked):.3f} "
            f"and {np.median(to_training):.3f} (a real drawing of it to the nearest training picture: "
            f"{np.median(real_to_training):.3f})"
        )
        yield "  " + self._shared([self._scenes[index] for index in nearest], wanted)

    def _shared(self, nearest: Sequence[Scene], wanted: Sequence[Wanted]) -> str:
        pairs = [*zip(nearest, wanted, strict=True)]
        things = sum(w[0] in {t.concept for t in s.things} for s, w in pairs)
        colours = sum(s.things[0].colour == w[1] for s, w in pairs)
        backgrounds = sum(s.background == w[2] for s, w in pairs)
        return (
            f"the nearest training picture has the thing asked in {things}, the colour in {colours}, "
            f"the background in {backgrounds} of {len(pairs)}"
        )

    def _nearest(self, drawn: NDArray[np.float32]) -> tuple[NDArray[np.float64], list[int]]:
        """RMS distance to the nearest training picture, and which one that is."""
        best = np.full(len(drawn), np.inf)
        index = np.zeros(len(drawn), int)
        for start in range(0, len(self._scenes), 2000):
            known = self._known[start : start + 2000].astype(np.float32) / 255
            squares = (drawn**2).sum(1)[:, None] + (known**2).sum(1)[None] - 2 * drawn @ known.T
            nearest = squares.argmin(1)
            values = squares[np.arange(len(drawn)), nearest]
            index = np.where(values < best, nearest + start, index)
            best = np.minimum(best, values)
        return np.sqrt(np.maximum(best, 0) / drawn.shape[1]), index.tolist()

    def _to_asked(self, drawn: NDArray[np.float32], wanted: Wanted) -> float:
        asked = small(np.stack([self._composer.draw(scene) for scene in self._asked(wanted)]))
        return float(np.sqrt(((asked - drawn) ** 2).mean(1)).min())

    def _asked(self, wanted: Wanted) -> Iterator[Scene]:
        """In all styles, both ways round."""
        concept, colour, background = wanted
        for picture in self._composer.pictures_of(concept):
            style = self._composer.art.pictures[picture].style
            for mirrored in (False, True):
                things = (Thing(concept, picture, colour),)
                yield Scene(style, background, things, mirrored=mirrored)
