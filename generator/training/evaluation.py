"""Figures of a model: whether its pictures show what was asked, by the judge's word.

Every figure is printed with its number of pictures. One seed a prompt, none of them chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from generator.training import judge as judging
from generator.training.colours import BACKGROUNDS, HUES
from generator.training.judge import Pixels
from generator.training.neighbours import Neighbours, small
from generator.training.painter import SAMPLERS, Painter, Settings
from generator.training.phrases import english, spanish
from generator.training.scenes import SCENES, Composer, Scene, Thing
from generator.training.words import COLOURS, Language, an

LANGUAGES: tuple[Language, ...] = ("en", "es")
PARTS = (  # methods of Report
    "real_art",
    "things",
    "combinations",
    "twos",
    "guidance",
    "samplers",
    "negatives",
    "diversity",
)
GUIDANCES = (1.0, 2.0, 4.0, 6.0, 8.0)
STEPS = (10, 20, 50)


@dataclass(frozen=True)
class Extent:
    """Numbers of prompts: of each language, combination, …; `seeds` of each prompt of diversity."""

    things: int
    combinations: int
    twos: int
    guidance: int
    samplers: int
    diversity: int
    seeds: int
    negatives: int
    art: int


QUICK = Extent(60, 60, 40, 24, 24, 6, 6, 12, 600)
FULL = Extent(445, 300, 120, 60, 60, 20, 8, 24, 2000)


@dataclass(frozen=True)
class Asked:
    """A prompt, and what its picture should show; `concept`: an index; None: that isn't asked."""

    prompt: str
    concept: int
    colour: str | None = None
    background: str | None = None
    layout: str | None = None


def report(
    model: Path,
    composer: Composer,
    work: Path,
    extent: Extent,
    parts: Sequence[str] = PARTS,
    scenes: int = SCENES,
) -> None:
    """Prints the figures; `work` keeps the judge; `scenes`: on how many the model was trained."""
    Report(model, composer, work, extent, composer.scenes(scenes)).print(parts)


class Report:
    def __init__(
        self, model: Path, composer: Composer, work: Path, extent: Extent, scenes: Sequence[Scene]
    ) -> None:
        self.composer, self.work, self.extent, self.scenes = composer, work, extent, scenes
        self.seen = {(s.things[0].concept, s.things[0].colour, s.background) for s in scenes}
        self.judge = judging.load(composer, work)
        self.painter = Painter(model)
        self.settings = self.painter.settings()

    def print(self, parts: Sequence[str]) -> None:
        print(f"{len(self.composer.concepts)} things; {self.settings}", flush=True)
        for part in parts:
            for line in getattr(self, part)():
                print(line, flush=True)

    def real_art(self) -> Iterator[str]:
        """What the judge makes of real drawings in compositions that it never saw."""
        scenes = judging.held_out(self.composer, self.extent.art)
        single = [s for s in scenes if s.layout == "one"]
        coloured = [s for s in single if s.things[0].colour]
        twos = [s for s in scenes if s.layout == "two"]
        yield "The judge itself, on real art in compositions held out:"
        for name, chosen in (
            ("any", scenes),
            ("one thing", single),
            ("one thing, recoloured", coloured),
            ("two", twos),
        ):
            pictures = np.stack([self.composer.draw(scene) for scene in chosen])
            yield f"  {name}: {self._line(pictures, [*map(_asked_of, chosen)])}"
        pictures = np.stack([self.composer.draw(scene) for scene in coloured])
        yield (
            "  one thing, recoloured, through the autoencoder and back: "
            + self._line(self.painter.there_and_back(pictures), [*map(_asked_of, coloured)])
        )

    def things(self) -> Iterator[str]:
        for language in LANGUAGES:
            asked = self._plain(self.extent.things, language)
            yield f'"a <thing>", {language}:'
            yield from self._judged(self._paint(asked), asked)

    def combinations(self) -> Iterator[str]:
        """Thing, colour and background together, none of which the model was trained on."""
        asked = [*self._unseen(self.extent.combinations)]
        pictures = self._paint(asked)
        yield "A thing in a colour on a background, never seen together (half Spanish):"
        yield from self._judged(pictures, asked)
        wanted = [(a.concept, a.colour or "", a.background or "") for a in asked]
        yield from Neighbours(self.composer, self.scenes, self.work).lines(pictures, wanted)

    def twos(self) -> Iterator[str]:
        asked = [
            Asked(self._two(concept, LANGUAGES[number % 2]), concept, layout="two")
            for number, concept in enumerate(self._concepts(self.extent.twos, countable=True))
        ]
        yield '"two <things>" (half Spanish):'
        yield from self._judged(self._paint(asked), asked)

    def guidance(self) -> Iterator[str]:
        asked = [*self._unseen(self.extent.guidance, seed=2)]
        yield "Guidance (colour, thing and background asked, half Spanish):"
        for guidance in GUIDANCES:
            settings = replace(self.settings, guidance=guidance)
            yield f"  {guidance:.0f}: {self._line(self._paint(asked, settings), asked)}"

    def samplers(self) -> Iterator[str]:
        asked = [*self._unseen(self.extent.samplers, seed=3)]
        yield "Samplers and steps (colour, thing and background asked, half Spanish):"
        for sampler in SAMPLERS:
            for steps in STEPS:
                settings = replace(self.settings, sampler=sampler, steps=steps)
                yield f"  {sampler}, {steps}: {self._line(self._paint(asked, settings), asked)}"

    def negatives(self) -> Iterator[str]:
        """What is red by nature, and fruit of any kind, with and without the negative prompt "red"."""
        natural = self.composer.natural_colours
        red = [
            index
            for index in range(len(self.composer.concepts))
            if sum(natural[p] == "red" for p in self.composer.pictures_of(index)) >= 2
        ]
        plain = [Asked(self._phrase(i, "en"), i) for i in red[: self.extent.negatives]]
        fruit = [Asked("a fruit", red[0])] * (2 * self.extent.negatives)
        for title, asked in (("Things that are red by nature", plain), ('"a fruit"', fruit)):
            yield f"{title}: judged red"
            for negative in ("", "red"):
                pictures = self._paint(asked, replace(self.settings, negative=negative))
                found = self.judge.look(pictures).colours.count("red")
                yield f'  with the negative prompt "{negative}": {found} of {len(asked)}'

    def diversity(self) -> Iterator[str]:
        yield "Diversity over seeds (distance: RMS of 32×32 pixels, 0 … 1):"
        spreads, art_spreads, kinds = [], [], []
        for concept in self._concepts(self.extent.diversity, seed=4):
            asked = [Asked(self._phrase(concept, "en"), concept)] * self.extent.seeds
            painted = small(self._paint(asked))
            art = small(np.stack([*self._drawings(concept)]))
            spreads.append(_spread(painted))
            art_spreads.append(_spread(art))
            nearest = ((painted[:, None] - art[None]) ** 2).mean(2).argmin(1)
            kinds.append(len(Counter(nearest.tolist())))
        yield (
            f"  between {self.extent.seeds} seeds {np.mean(spreads):.3f}, "
            f"between the drawings of the art {np.mean(art_spreads):.3f}; "
            f"{np.mean(kinds):.1f} different drawings are the nearest of {self.extent.seeds} "
            f"pictures (means over {len(kinds)} prompts)"
        )

    def _drawings(self, concept: int) -> Iterator[Pixels]:
        for picture in self.composer.pictures_of(concept):
            scene = Scene("noto", "white", (Thing(concept, picture),))
            yield self.composer.draw(scene)
            yield self.composer.draw(replace(scene, mirrored=True))

    def _plain(self, count: int, language: Language) -> list[Asked]:
        return [Asked(self._phrase(i, language), i, layout="one") for i in self._concepts(count)]

    def _concepts(
        self, count: int, seed: int = 1, countable: bool = False, colourless: bool = False
    ) -> list[int]:
        """At random. `countable`: no plurals; `colourless`: none with a colour in its name."""
        indices = [
            index
            for index, concept in enumerate(self.composer.concepts)
            if not (countable and concept.spanish[0].plural)
            and not (colourless and COLOURS.keys() & concept.name.split())
        ]
        return Random(seed).sample(indices, min(count, len(indices)))

    def _phrase(self, concept: int, language: Language, colour: str | None = None) -> str:
        words = self.composer.concepts[concept]
        if language == "es":
            return spanish(words.spanish[0], colour)
        return english(words.english[0], colour)

    def _two(self, concept: int, language: Language) -> str:
        words = self.composer.concepts[concept]
        if language == "es":
            return spanish(words.spanish[0], number="dos")
        return english(words.english[0], number="two")

    def _unseen(self, count: int, seed: int = 1) -> Iterator[Asked]:
        random = Random(seed)
        for number, concept in enumerate(self._concepts(count, seed, colourless=True)):
            language = LANGUAGES[number % 2]
            colour, behind = random.choice(self._free(concept))
            spanish_words, english_words = (
                f"sobre fondo {COLOURS[behind]}",
                f"on {an(behind)} background",
            )
            where = " " + (spanish_words if language == "es" else english_words)
            yield Asked(self._phrase(concept, language, colour) + where, concept, colour, behind)

    def _free(self, concept: int) -> list[tuple[str, str]]:
        """Colours and backgrounds that the model never saw it with; all, if it saw it with all."""
        pairs = [pair for pair in product(HUES, [*BACKGROUNDS][1:]) if pair[0] != pair[1]]
        return [pair for pair in pairs if (concept, *pair) not in self.seen] or pairs

    def _paint(self, asked: Sequence[Asked], settings: Settings | None = None) -> Pixels:
        prompts = [each.prompt for each in asked]
        return self.painter.paint(prompts, settings or self.settings)

    def _judged(self, pictures: Pixels, asked: Sequence[Asked]) -> Iterator[str]:
        yield "  " + self._line(pictures, asked)

    def _line(self, pictures: Pixels, asked: Sequence[Asked]) -> str:
        return "; ".join(self._shares(pictures, asked))

    def _shares(self, pictures: Pixels, asked: Sequence[Asked]) -> Iterator[str]:
        seen = self.judge.look(pictures)
        pairs = zip(seen.things, asked, strict=True)
        yield share("thing", (self._same(thing, a.concept) for thing, a in pairs))
        for name, found in (
            ("colour", seen.hues),
            ("background", seen.backgrounds),
            ("layout", seen.layouts),
        ):
            wanted = [(getattr(a, name), f) for a, f in zip(asked, found, strict=True)]
            told = [(want, judged) for want, judged in wanted if want]
            if told:
                yield share(name, (want == judged for want, judged in told))

    def _same(self, thing: int, other: int) -> bool:
        """An apple and a red apple have drawings in common: either is right."""
        drawings = {*self.composer.pictures_of(thing)}
        return thing == other or not drawings.isdisjoint(self.composer.pictures_of(other))


def _asked_of(scene: Scene) -> Asked:
    thing = scene.things[0]
    return Asked("", thing.concept, thing.colour, scene.background, scene.layout)


def _spread(pictures: NDArray[np.float32]) -> float:
    """The mean distance between two of them."""
    first, second = np.triu_indices(len(pictures), 1)
    return float(np.sqrt(((pictures[first] - pictures[second]) ** 2).mean(1)).mean())


def share(name: str, right: Iterable[bool]) -> str:
    counted = [*right]
    return f"{name} {sum(counted)}/{len(counted)} ({100 * sum(counted) / len(counted):.0f} %)"
