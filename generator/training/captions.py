"""What people would type for a scene, in both languages, in many ways."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from generator.training.concepts import Noun
from generator.training.phrases import english, spanish
from generator.training.scenes import Composer, Scene, Thing
from generator.training.words import COLOURS, Language, an, without_accents

Word = TypeVar("Word")
LANGUAGES: tuple[Language, ...] = ("en", "es")

ARTICLE, USUAL_WORD, NATURAL_COLOUR = 0.75, 0.6, 0.15  # shares of captions
KIND = 0.12  # of those of things that have one
STYLE, PRAISE, OPENING, WHITE_TOLD, ACCENTS_LOST = 0.35, 0.08, 0.1, 0.12, 0.2
PRAISES = {
    "en": "cute,high quality,beautiful,masterpiece,best quality,detailed,4k,simple,nice,funny,"
    "colorful,for kids,digital art",
    "es": "bonito,alta calidad,precioso,obra maestra,detallado,sencillo,gracioso,colorido,"
    "para niños,arte digital",
}
OPENINGS = {
    "en": ("a picture of", "an emoji of", "a drawing of"),
    "es": ("un dibujo de", "una imagen de", "un emoji de"),
}
BACKGROUNDS = {
    "en": (
        " on {} background",
        " with {} background",
        ", {bare} background",
        " on {bare} background",
    ),
    "es": (
        " sobre fondo {bare}",
        " con fondo {bare}",
        ", fondo {bare}",
        " en un fondo {bare}",
        " sobre un fondo {bare}",
    ),
}
PLACES = {
    "en": {"left": "on the left", "right": "on the right", "top": "at the top"}
    | {"bottom": "at the bottom"},
    "es": {"left": "a la izquierda", "right": "a la derecha", "top": "arriba", "bottom": "abajo"},
}
PAIRS = {
    "en": ("{} on the left and {} on the right", "{} next to {}", *("{} and {}",) * 3),
    "es": (
        "{} a la izquierda y {} a la derecha",
        "{} al lado de {}",
        "{} junto a {}",
        *("{} y {}",) * 3,
    ),
}
STYLES = {
    "en": (", {} style", " in {} style", ", {}"),
    "es": (", estilo {}", " en estilo {}", ", {}"),
}
NUMBERS: dict[Language, dict[int, tuple[str, ...]]] = {
    "en": {2: ("two", "two", "2", "a pair of"), 3: ("three", "three", "3")},
    "es": {2: ("dos", "dos", "2"), 3: ("tres", "tres", "3")},
}
SIZES = {"small": ("small", "little", "tiny"), "big": ("big", "large")}


class Captions:
    def __init__(self, composer: Composer) -> None:
        self.composer = composer

    def write(self, scene: Scene, random: Random, among: Sequence[Language] = LANGUAGES) -> str:
        language = random.choice(among)
        text = self._things(scene, language, random) + _background(scene, language, random)
        if random.random() < STYLE:
            text += random.choice(STYLES[language]).format(scene.style)
        if random.random() < PRAISE:
            text += ", " + random.choice(PRAISES[language].split(","))
        if language == "es" and random.random() < ACCENTS_LOST:
            text = without_accents(text, keep_tilde=random.random() < 0.5)
        return text

    def _things(self, scene: Scene, language: Language, random: Random) -> str:
        article = random.random() < ARTICLE
        phrases = [self._phrase(t, scene, language, article, random) for t in scene.things]
        if len(phrases) == 2:
            return random.choice(PAIRS[language]).format(*phrases)
        text = phrases[0]
        if scene.place:
            text += " " + PLACES[language][scene.place]
        if random.random() < OPENING:
            text = f"{random.choice(OPENINGS[language])} {text}"
        return text

    def _phrase(
        self, thing: Thing, scene: Scene, language: Language, article: bool, random: Random
    ) -> str:
        colour = thing.colour
        if colour is None and random.random() < NATURAL_COLOUR:
            colour = self.composer.natural_colours[thing.picture]
        noun = self._noun(thing, random)
        size = scene.size if scene.count == 1 else None
        numbers = NUMBERS[language].get(scene.count)
        number = random.choice(numbers) if numbers else None
        if language == "es":
            return spanish(_one_of(noun.spanish, random), colour, size, number, article)
        size = random.choice(SIZES[size]) if size else None
        return english(_one_of(noun.english, random), colour, size, number, article)

    def _noun(self, thing: Thing, random: Random) -> Noun:
        concept = self.composer.concepts[thing.concept]
        if concept.kinds and random.random() < KIND:
            return random.choice(concept.kinds)
        return concept


def _one_of(words: Sequence[Word], random: Random) -> Word:
    return words[0] if random.random() < USUAL_WORD else random.choice(words)


def _background(scene: Scene, language: Language, random: Random) -> str:
    colour = scene.background
    if colour == "white" and random.random() >= WHITE_TOLD:
        return ""
    template = random.choice(BACKGROUNDS[language])
    bare = COLOURS[colour] if language == "es" else colour
    return template.format(an(bare), bare=bare)
