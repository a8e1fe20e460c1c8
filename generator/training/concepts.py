"""The things that the model is taught: concepts.txt, a line each.

    labels of the emoji that show it | English words | Spanish words with their gender

"dog face,dog|dog,puppy|perro m,perrito m". Genders: m, f; with p, the word is a plural already.
What things are called together is in kinds.txt, where their names stand in the place of labels:
"apple,grapes,…|fruit|fruta f".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from generator.training.words import english_plural, spanish_plural

CONCEPTS, KINDS = (Path(__file__).parent / name for name in ("concepts.txt", "kinds.txt"))


@dataclass(frozen=True, slots=True)
class SpanishNoun:
    text: str
    feminine: bool
    plural: bool

    def number(self, count: int) -> str:
        return self.text if count == 1 or self.plural else spanish_plural(self.text)


@dataclass(frozen=True, slots=True)
class Noun:
    """The first word of each language is the usual one."""

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


@dataclass(frozen=True, slots=True)
class Concept(Noun):
    """`kinds`: what it is called together with others: a fruit, a piece of clothing."""

    labels: tuple[str, ...]
    kinds: tuple[Noun, ...] = ()


def read(path: Path = CONCEPTS) -> tuple[Concept, ...]:
    lines = [*_lines(path)]
    names = {noun.name for _, noun in lines}
    together = [(each, kind) for each, kind in _lines(KINDS) if len(names.intersection(each)) > 1]
    return tuple(
        Concept(
            noun.english,
            noun.spanish,
            labels,
            tuple(kind for members, kind in together if noun.name in members),
        )
        for labels, noun in lines
    )


def kinds(concepts: Sequence[Concept]) -> dict[Noun, list[Concept]]:
    """Of each kind the things that are taught."""
    found: dict[Noun, list[Concept]] = {}
    for concept in concepts:
        for kind in concept.kinds:
            found.setdefault(kind, []).append(concept)
    return found


def _lines(path: Path) -> Iterator[tuple[tuple[str, ...], Noun]]:
    for line in filter(str.strip, path.read_text(encoding="utf-8").splitlines()):
        names, english, spanish = (tuple(field.split(",")) for field in line.strip().split("|"))
        yield names, Noun(english, tuple(map(_noun, spanish)))


def _noun(field: str) -> SpanishNoun:
    text, gender = field.rsplit(" ", 1)
    return SpanishNoun(text, gender.startswith("f"), gender.endswith("p"))


def labels(concepts: Sequence[Concept]) -> set[str]:
    return {label for concept in concepts for label in concept.labels}


def fingerprint(concepts: Sequence[Concept]) -> str:
    return hashlib.sha256(repr(concepts).encode()).hexdigest()[:12]
