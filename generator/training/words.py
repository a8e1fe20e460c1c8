"""English and Spanish as far as captions need them: articles, plurals, agreement, colours."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Language = Literal["en", "es"]

ENGLISH_PLURALS = {
    "child": "children",
    "man": "men",
    "woman": "women",
    "snowman": "snowmen",
    "tooth": "teeth",
    "foot": "feet",
    "mouse": "mice",
    "goose": "geese",
    "wolf": "wolves",
    "leaf": "leaves",
    "scarf": "scarves",
    "tomato": "tomatoes",
    "potato": "potatoes",
    "volcano": "volcanoes",
    "tornado": "tornadoes",
    "superhero": "superheroes",
    "knife": "knives",
    "ox": "oxen",
}
UNCHANGED = {
    "sheep",
    "fish",
    "deer",
    "shrimp",
    "squid",
    "jellyfish",
    "dice",
    "money",
    "luggage",
    "lightning",
    "water",
    "snow",
    "meat",
    "ice",
    "clothing",
    "lettuce",
    "up",
}
PLURAL_ALREADY = {
    "people",
    "clothes",
    "maracas",
    "jeans",
    "pants",
    "socks",
    "glasses",
    "sunglasses",
    "headphones",
    "scissors",
    "swords",
    "fries",
    "pancakes",
    "grapes",
    "cherries",
    "blueberries",
    "noodles",
    "books",
    "fireworks",
    "gloves",
    "eyes",
    "lips",
}
# Borrowed words, names, and what the rules below would get wrong.
SPANISH_PLURALS = {
    "hot dog": "hot dogs",
    "cara guiñando": "caras guiñando",
    "papá noel": "papás noel",
    "robot": "robots",
    "pay": "pays",
    "pretzel": "pretzels",
    "donut": "donuts",
    "cactus": "cactus",
    "paraguas": "paraguas",
    "rascacielos": "rascacielos",
    "pulgar arriba": "pulgares arriba",
    "paracaídas": "paracaídas",
    "arcoíris": "arcoíris",
}
STRESSED_ENDINGS = (  # the plural is a syllable longer, so that the accent isn't needed
    ("ón", "ones"),
    ("án", "anes"),
    ("ín", "ines"),
    ("ún", "unes"),
    ("én", "enes"),
    ("és", "eses"),
    ("ús", "uses"),
)
COLOURS = {
    "white": "blanco",
    "blue": "azul",
    "red": "rojo",
    "green": "verde",
    "yellow": "amarillo",
    "pink": "rosa",
    "purple": "morado",
    "black": "negro",
    "orange": "naranja",
    "gray": "gris",
    "brown": "marrón",
}
VOWEL_SOUND = re.compile(r"(?!uni|ufo)[aeiou]|hour")


def an(phrase: str) -> str:
    """The phrase with "a" or "an"."""
    return f"{'an' if VOWEL_SOUND.match(phrase) else 'a'} {phrase}"


def english_plural(noun: str) -> str:
    """Of "drop of water" the first noun, otherwise the last word."""
    head, of, rest = noun.partition(" of ")
    *before, last = head.split()
    return " ".join([*before, _english_plural(last)]) + of + rest


def _english_plural(word: str) -> str:
    if word in UNCHANGED or word in PLURAL_ALREADY:
        return word
    if word in ENGLISH_PLURALS:
        return ENGLISH_PLURALS[word]
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def spanish_plural(noun: str) -> str:
    """Of the noun and of an adjective behind it: osos polares, but relojes de arena."""
    if noun in SPANISH_PLURALS:
        return SPANISH_PLURALS[noun]
    first, *rest = noun.split()
    if len(rest) == 1:
        rest = [_spanish_plural(rest[0])]
    return " ".join([_spanish_plural(first), *rest])


def _spanish_plural(word: str) -> str:
    if word in SPANISH_PLURALS:
        return SPANISH_PLURALS[word]
    if word[-1] in "aeiouéáó":
        return word + "s"
    if word[-1] == "z":
        return word[:-1] + "ces"
    for single, plural in STRESSED_ENDINGS:
        if word.endswith(single):
            return word[: -len(single)] + plural
    return word + "es"


def spanish_colour(colour: str, feminine: bool, plural: bool) -> str:
    """Of an English colour the Spanish word that agrees with its noun."""
    word = COLOURS[colour]
    if feminine and word.endswith("o"):
        word = word[:-1] + "a"
    return _spanish_plural(word) if plural else word


def without_accents(text: str, keep_tilde: bool = False) -> str:
    """As it is typed in a hurry; with `keep_tilde` ñ stays ñ."""
    marks = "\u0303" if keep_tilde else ""
    letters = unicodedata.normalize("NFD", text)
    plain = "".join(c for c in letters if c in marks or not unicodedata.combining(c))
    return unicodedata.normalize("NFC", plain) if keep_tilde else plain
