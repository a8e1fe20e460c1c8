"""A request's prompt with all that it names found: what is drawn by the seed, LoRAs, embeddings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator import embeddings, grammar, habits, wildcards
from generator.catalogue import Catalogue
from generator.embeddings import Embedding
from generator.entries import Extra
from generator.grammar import Pass, Prompt, Tag
from generator.headers import Header, Kind
from generator.loaded_model import LoadedModel
from generator.loras import Lora
from generator.messages import Note, NoteKind
from generator.request import ExtraFile, GenerationRequest

TOLD = 200  # characters of a prompt in a note


@dataclass(frozen=True, slots=True)
class Read:
    prompt: Prompt
    embeddings: tuple[Embedding, ...]
    loras: tuple[Lora, ...]
    notes: tuple[Note, ...]


def read(
    text: str,
    request: GenerationRequest,
    model: LoadedModel,
    catalogue: Catalogue,
    *,
    negative: bool = False,
) -> Read:
    """One of a request's prompts. What is not there is told in the notes. A negative prompt has one
    part and no LoRAs."""
    notes: list[Note] = []
    text = _drawn(text, request, catalogue, notes)
    translated = habits.weights(text, request.version, negative=negative)
    notes += [
        Note(NoteKind.PROMPT_TRANSLATED, {"typed": typed[:TOLD], "read": read[:TOLD]})
        for typed, read in translated.changes.items()
    ]
    text, used = _embeddings(translated.text, request, model, catalogue, notes)
    prompt = grammar.parse(text, together=negative)
    found = [] if negative else _loras(prompt.tags, request.version, model, catalogue, notes)
    if negative:
        notes += [Note(NoteKind.TAG_IGNORED, {"tag": tag.text}) for tag in prompt.tags]
    return Read(prompt, tuple(used), tuple(found), tuple(notes))


def plain(text: str, request: GenerationRequest, catalogue: Catalogue) -> tuple[str, list[Note]]:
    """The words alone of the first step, for pipelines that know no weights, schedules, LoRAs and
    embeddings."""
    notes: list[Note] = []
    typed = _drawn(text, request, catalogue, notes)
    text = habits.weights(typed, request.version).text
    names = dict.fromkeys(each.name for each in catalogue.extras(Kind.EMBEDDING))
    there = [name for name in names if grammar.stands(name, text)]
    notes += [Note(NoteKind.EMBEDDING_UNFIT, {"name": name}) for name in there]
    notes += _missing(text, there)
    if request.version > 3:
        text = habits.unmarked(text, request.version)
    prompt, during = grammar.parse(text), Pass(request.steps)
    notes += [Note(NoteKind.TAG_IGNORED, {"tag": tag.text}) for tag in prompt.tags]
    at_first = during if request.version > 3 else Pass(1)  # where a schedule was over at once
    sections = [section for part in prompt.parts for section in part.sections(1, at_first)]
    words = " ".join("".join(p.text for p in each).strip() for each in sections).strip()
    weighted = any(piece.weight != 1 for each in sections for piece in each)
    if weighted or len(prompt.parts) > 1 or len(grammar.readings(text, during)) > 1:
        facts = {"typed": typed.strip()[:TOLD], "read": words[:TOLD]}
        notes.append(Note(NoteKind.PROMPT_TRANSLATED, facts))
    return words, notes


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


def _drawn(text: str, request: GenerationRequest, catalogue: Catalogue, notes: list[Note]) -> str:
    drawn, missing = wildcards.draw(text, request.seed, catalogue.wildcard, request.version)
    notes += [Note(NoteKind.WILDCARD_MISSING, {"name": name}) for name in missing]
    if drawn != text:
        notes.append(Note(NoteKind.WORDS_DRAWN, {"words": drawn.strip()[:TOLD]}))
    return drawn


def _embeddings(
    text: str,
    request: GenerationRequest,
    model: LoadedModel,
    catalogue: Catalogue,
    notes: list[Note],
) -> tuple[str, list[Embedding]]:
    """The text without ComfyUI's mark, and the recipe's embeddings whose names stand in it."""
    typed, text = text, habits.unmarked(text, request.version)
    folded = text.casefold()
    named = [e for e in catalogue.extras(Kind.EMBEDDING) if e.name.casefold() in folded]
    # Of two with one name the one that fits.
    named = [e for e in named if catalogue.find_extra(Kind.EMBEDDING, e.name, model.family) == e]
    meant = [e for e in named if not e.fits(model.family) or _meant(e.name, request)]
    read = {extra: _read(extra, model) for extra in meant}
    notes += [  # one that fits is found by its tokens, which may be a part of a word
        Note(NoteKind.EMBEDDING_UNFIT, {"name": extra.name})
        for extra, embedding in read.items()
        if embedding is None and grammar.stands(extra.name, text)
    ]
    notes += _missing(typed, [extra.name for extra in named])
    return text, [embedding for embedding in read.values() if embedding]


def _meant(name: str, request: GenerationRequest) -> bool:
    """Whether the file of this name was there for the recipe: else it is a word like others.

    Recipes from before version 5 have the files that are typed, but not those that a seed draws.
    """
    used = {each.name.casefold() for each in request.extras if each.kind == Kind.EMBEDDING}
    typed = f"{request.prompt} {request.negative_prompt}"
    drawn = request.version < 5 and not grammar.stands(name, typed)
    return drawn or name.casefold() in used


def _missing(text: str, there: Iterable[str]) -> list[Note]:
    """Names of embeddings in a text that aren't among those that are there."""
    known = " ".join(there).casefold()
    return [
        Note(NoteKind.EMBEDDING_MISSING, {"name": name})
        for name in habits.embeddings(text)
        if name.casefold() not in known
    ]


def _read(extra: Extra, model: LoadedModel) -> Embedding | None:
    """None for one that doesn't fit, or is broken."""
    if not extra.fits(model.family):
        return None
    try:
        return embeddings.read(extra.name, extra.path, model.encoders)
    except embeddings.EmbeddingRefused:
        return None


def _loras(
    tags: Sequence[Tag],
    version: int,
    model: LoadedModel,
    catalogue: Catalogue,
    notes: list[Note],
) -> list[Lora]:
    found = []
    for tag in tags:
        if tag.kind not in ("lora", "lyco"):
            notes.append(Note(NoteKind.TAG_IGNORED, {"tag": tag.text}))
            continue
        extra = catalogue.find_extra(Kind.LORA, tag.name, model.family, aliases=version > 3)
        refused = version < 7 and extra is not None and _without_alphas(extra.path)
        if extra and extra.fits(model.family) and not refused:
            text, network = tag.weights(version)
            found.append(Lora(catalogue.hash_of(extra), text, network, extra.path))
            if not tag.clear:
                read = f"<{tag.kind}:{tag.name}:{text:g}:{network:g}>"
                facts = {"typed": tag.text, "read": read}
                notes.append(Note(NoteKind.PROMPT_TRANSLATED, facts))
        else:
            there = extra or _refused(tag.name, catalogue)
            kind = NoteKind.LORA_UNFIT if there else NoteKind.LORA_MISSING
            notes.append(Note(kind, {"name": tag.name}))
    return found


def _without_alphas(file: Path) -> bool:
    """Whether it tells none and is for the text encoders, too: once such a LoRA was unfit."""
    header = Header.read(file)
    return header.has("lora_te", "text_encoder") and not header.has(".alpha")


def _refused(name: str, catalogue: Catalogue) -> bool:
    """Whether there is such a file that can't be used by any model."""
    return any(each.name.casefold() == name.casefold() for each in catalogue.refused())
