"""A request's prompt with all that it names found: what is drawn by the seed, LoRAs, embeddings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generator import embeddings, grammar, habits
from generator.catalogue import Catalogue, Extra
from generator.embeddings import Embedding
from generator.grammar import Prompt, Tag
from generator.headers import Kind
from generator.loaded_model import LoadedModel
from generator.loras import Lora
from generator.messages import Note, NoteKind
from generator.request import ExtraFile

NAMED = re.compile(
    r"\bembedding:([\w.+-]+?)(?=[,.;:)\]]*(?:\s|$|:|\)|\]|,))", re.IGNORECASE
)  # ComfyUI
# Files that recipes name as if they were words. Where they are missing nothing would tell.
USUAL = re.compile(
    r"\b(?:easynegative(?:v2)?|bad[-_ ]?hand(?:s-5|v[45](?:-75t)?)|bad[-_]prompt(?:_version2)?"
    r"|bad[-_]artist(?:-anime)?|bad-image-v2-39000|bad-picture-chill-75v|badpic|baddream"
    r"|ng_deepnegative_v1_75t|deepnegative|verybadimagenegative_v1\.3|unrealisticdream"
    r"|fastnegative(?:v2|embedding)|realisticvision-negative-embedding|negative_hand(?:-neg)?"
    r"|negativexl(?:_[a-z])?|unaestheticxl\w*|ac_neg[12]|aid\d+|bad_?quality\w*v\d+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Read:
    prompt: Prompt
    embeddings: tuple[Embedding, ...]
    loras: tuple[Lora, ...]
    notes: tuple[Note, ...]


def read(
    text: str, seed: int, model: LoadedModel, catalogue: Catalogue, *, negative: bool = False
) -> Read:
    """What is not there is told in the notes. A negative prompt has one part and no LoRAs."""
    notes: list[Note] = []
    text = _drawn(text, seed, catalogue, notes)
    translated = habits.weights(text)
    notes += [
        Note(NoteKind.PROMPT_TRANSLATED, {"typed": typed, "read": read})
        for typed, read in translated.changes.items()
    ]
    text, used = _embeddings(translated.text, model, catalogue, notes)
    prompt = grammar.parse(text, together=negative)
    found = [] if negative else _loras(prompt.tags, model, catalogue, notes)
    if negative:
        notes += [Note(NoteKind.TAG_IGNORED, {"tag": tag.text}) for tag in prompt.tags]
    return Read(prompt, tuple(used), tuple(found), tuple(notes))


def plain(text: str, seed: int, catalogue: Catalogue) -> tuple[str, list[Note]]:
    """The words alone, for pipelines that know no weights, schedules and LoRAs."""
    notes: list[Note] = []
    prompt = grammar.parse(habits.weights(_drawn(text, seed, catalogue, notes)).text)
    notes += [Note(NoteKind.TAG_IGNORED, {"tag": tag.text}) for tag in prompt.tags]
    sections = [section for part in prompt.parts for section in part.sections()]
    return " ".join("".join(p.text for p in each).strip() for each in sections).strip(), notes


def changed(
    extras: Sequence[ExtraFile], catalogue: Catalogue, family: str | None = None
) -> list[Note]:
    """Which of them are other files by now, or gone."""
    found = {each: catalogue.find_extra(Kind(each.kind), each.name, family) for each in extras}
    return [
        Note(NoteKind.EXTRA_CHANGED, {"name": each.name})
        for each, extra in found.items()
        if extra is None or catalogue.hash_of(extra) != each.hash
    ]


def _drawn(text: str, seed: int, catalogue: Catalogue, notes: list[Note]) -> str:
    drawn, missing = grammar.draw(text, seed, catalogue.wildcard)
    notes += [Note(NoteKind.WILDCARD_MISSING, {"name": name}) for name in missing]
    if drawn != text:
        notes.append(Note(NoteKind.WORDS_DRAWN, {"words": drawn.strip()[:200]}))
    return drawn


def _embeddings(
    text: str, model: LoadedModel, catalogue: Catalogue, notes: list[Note]
) -> tuple[str, list[Embedding]]:
    """The text without ComfyUI's mark, and the embeddings whose names stand in it."""
    typed = [found[1] for found in NAMED.finditer(text)]
    text = NAMED.sub(r"\1", text)
    folded = text.casefold()
    named = [e for e in catalogue.extras(Kind.EMBEDDING) if e.name.casefold() in folded]
    # Of two with one name the one that fits.
    named = [e for e in named if catalogue.find_extra(Kind.EMBEDDING, e.name, model.family) == e]
    used = [e for e in (_read(extra, model, notes) for extra in named) if e]
    there = " ".join(extra.name.casefold() for extra in named)
    missing = dict.fromkeys([*typed, *(found[0] for found in USUAL.finditer(text))])
    notes += [
        Note(NoteKind.EMBEDDING_MISSING, {"name": name})
        for name in missing
        if name.casefold() not in there
    ]
    return text, used


def _read(extra: Extra, model: LoadedModel, notes: list[Note]) -> Embedding | None:
    try:
        if extra.fits(model.family):
            return embeddings.read(extra.name, extra.path, model.encoders)
    except embeddings.EmbeddingRefused:
        pass
    notes.append(Note(NoteKind.EMBEDDING_UNFIT, {"name": extra.name}))
    return None


def _loras(
    tags: Sequence[Tag], model: LoadedModel, catalogue: Catalogue, notes: list[Note]
) -> list[Lora]:
    found = []
    for tag in tags:
        if tag.kind not in ("lora", "lyco"):
            notes.append(Note(NoteKind.TAG_IGNORED, {"tag": tag.text}))
            continue
        extra = catalogue.find_extra(Kind.LORA, tag.name, model.family)
        if extra and extra.fits(model.family):
            text, network = tag.weights()
            found.append(Lora(catalogue.hash_of(extra), text, network, extra.path))
        else:
            there = extra or _refused(tag.name, catalogue)
            kind = NoteKind.LORA_UNFIT if there else NoteKind.LORA_MISSING
            notes.append(Note(kind, {"name": tag.name}))
    return found


def _refused(name: str, catalogue: Catalogue) -> bool:
    """Whether there is such a file that can't be used by any model."""
    return any(each.name.casefold() == name.casefold() for each in catalogue.refused())
