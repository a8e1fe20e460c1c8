"""Plurals, singulars and genders: more forms than there are, as nobody types the others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

NUMBERS = {
    "en": (("", "s"), ("", "es"), ("y", "ies"), ("f", "ves"), ("fe", "ves")),
    "es": (("", "s"), ("", "es"), ("z", "ces")),
}


def numbers(word: str, language: str) -> Iterator[str]:
    """What may be its plural or singular: more than there is, as nobody types the rest."""
    for single, plural in NUMBERS[language]:
        if word.endswith(single):
            yield word.removesuffix(single) + plural
        if word.endswith(plural) and len(word) > len(plural) + 2:
            yield word.removesuffix(plural) + single


def _genders_es(word: str) -> Iterator[str]:
    """Of an adjective: rojo → roja, rojas."""
    if word.endswith("o"):
        yield from (word[:-1] + ending for ending in ("a", "as", "os"))


def inflections(words: tuple[str, ...], language: str, noun: bool) -> Iterator[str]:
    """Of "polar bear" the last word, of "oso polar" the first, or both."""
    if language == "en":
        *before, last = words
        yield from (" ".join([*before, number]) for number in numbers(last, "en"))
        return
    first, *after = words
    genders = () if noun else _genders_es(first)
    for number in chain(numbers(first, "es"), genders):
        yield " ".join([number, *after])
        for second in numbers(after[0], "es") if after else ():
            yield " ".join([number, second, *after[1:]])
