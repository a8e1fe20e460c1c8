"""The words of the model's folder, vocabulary.json: generator/vocabulary.py reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from generator.training.concepts import Concept, Noun, kinds
from generator.training.data import Art

OTHER_WORDS = Path(__file__).parent / "other_words.json"
GROUPS = {
    0: "faces",
    1: "people",
    3: "animals and plants",
    4: "food",
    5: "places and weather",
    6: "play",
}


def vocabulary(concepts: Sequence[Concept], art: Art) -> dict[str, Any]:
    groups = {picture.label: picture.group for picture in art.pictures}
    things: list[tuple[Noun, Concept]] = [(concept, concept) for concept in concepts]
    things += [(kind, members[0]) for kind, members in kinds(concepts).items()]
    told = [
        {"name": noun.name, **noun.forms()}
        | {"group": GROUPS.get(groups[like.labels[0]], "things")}
        for noun, like in things
    ]
    words = _other_words()
    return {"things": told, **words, "ignored": words["ignored"].split()}


def other_forms() -> Iterator[dict[str, list[str]]]:
    """The words of each colour, place, count …, by language."""
    for names in _other_words()["other"].values():
        yield from names.values()


def _other_words() -> dict[str, Any]:
    words: dict[str, Any] = json.loads(OTHER_WORDS.read_text(encoding="utf-8"))
    return words
