"""The things that the model is taught: concepts.txt, a line each.

    labels of the emoji that show it | English words | Spanish words with their gender

"dog face,dog|dog,puppy|perro m,perrito m". Genders: m, f; with p, the word is a plural already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from generator.training.words import english_plural, spanish_plural

CONCEPTS = Path(__file__).parent / "concepts.txt"


@dataclass(frozen=True, slots=True)
class SpanishNoun:
    text: str
    feminine: bool
    plural: bool

    def number(self, count: int) -> str:
        return self.text if count == 1 or self.plural else spanish_plural(self.text)


@dataclass(frozen=True, slots=True)
class Concept:
    """The first word of each language is the usual one."""

    labels: tuple[str, ...]
    english: tuple[str, ...]
    spanish: tuple[SpanishNoun, ...]

    @property
    def name(self) -> str:
        return self.english[0]

    def forms(self) -> dict[str, list[str]]:
        """Its words in both languages, singular and plural."""
        english = chain.from_iterable((word, english_plural(word)) for word in self.english)
        spanish = chain.from_iterable((noun.text, noun.number(2)) for noun in self.spanish)
        return {"en": [*dict.fromkeys(english)], "es": [*dict.fromkeys(spanish)]}


def read(path: Path = CONCEPTS) -> tuple[Concept, ...]:
    return tuple(_concepts(path.read_text(encoding="utf-8").splitlines()))


def _concepts(lines: Sequence[str]) -> Iterator[Concept]:
    for line in filter(str.strip, lines):
        labels, english, spanish = (field.split(",") for field in line.strip().split("|"))
        yield Concept(tuple(labels), tuple(english), tuple(map(_noun, spanish)))


def _noun(field: str) -> SpanishNoun:
    text, gender = field.rsplit(" ", 1)
    return SpanishNoun(text, gender.startswith("f"), gender.endswith("p"))


def labels(concepts: Sequence[Concept]) -> set[str]:
    return {label for concept in concepts for label in concept.labels}


def fingerprint(concepts: Sequence[Concept]) -> str:
    return hashlib.sha256(repr(concepts).encode()).hexdigest()[:12]
