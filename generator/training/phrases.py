"""A thing with its colour, size and number, in words: "two red cats", "dos gatos rojos"."""

from __future__ import annotations

from generator.training.concepts import SpanishNoun
from generator.training.words import (
    PLURAL_ALREADY,
    an,
    english_plural,
    spanish_colour,
)

UNCOUNTABLE = {  # without "a"
    *PLURAL_ALREADY,
    *("dice", "money", "luggage", "lightning", "water", "snow", "meat", "ice", "clothing"),
    *("lettuce", "food", "paper"),
}
STRESSED_A = {"agua", "águila", "ancla", "hacha", "hada"}  # un águila, but dos águilas blancas
SPANISH_SIZES = {"small": ("pequeño", "pequeña"), "big": ("grande", "grande")}


def english(
    noun: str,
    colour: str | None = None,
    size: str | None = None,
    number: str | None = None,
    article: bool = True,
) -> str:
    """`size`: the word itself; `number`: a word for more than one."""
    said = colour if colour and colour not in noun.split() else None
    counted = english_plural(noun) if number else noun
    phrase = " ".join(filter(None, (number, size, said, counted)))
    plural = noun.split()[-1] in UNCOUNTABLE
    return an(phrase) if article and not number and not plural else phrase


def spanish(
    noun: SpanishNoun,
    colour: str | None = None,
    size: str | None = None,
    number: str | None = None,
    article: bool = True,
) -> str:
    """`size`: small or big; `number`: a word for more than one."""
    plural = number is not None or noun.plural
    word = noun.number(2 if plural else 1)
    said = spanish_colour(colour, noun.feminine, plural) if colour else None
    if said in word.split():
        said = None
    sized = SPANISH_SIZES[size][noun.feminine] + "s" * plural if size else None
    first = number or (_article(noun, plural) if article else None)
    return " ".join(filter(None, (first, word, said, sized)))


def _article(noun: SpanishNoun, plural: bool) -> str:
    if plural:
        return "unas" if noun.feminine else "unos"
    return "una" if noun.feminine and noun.text not in STRESSED_A else "un"
