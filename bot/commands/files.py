"""The files that a request is drawn with: LoRAs, embeddings, VAEs, lists of words, upscalers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from bot.commands.kinds import short
from bot.commands.semilla import Semilla
from bot.conversation import Refusal
from bot.locales import say
from generator import grammar, habits, metadata, wildcards
from generator.catalogue import Catalogue
from generator.entries import Extra, Model
from generator.headers import Kind
from generator.messages import Note, NoteKind
from generator.request import (
    LANCZOS,
    SEED_LIMIT,
    ExtraFile,
    GenerationRequest,
)

NAMES = 5  # told in a refusal


def with_extra(catalogue: Catalogue, model: Model, prompt: str, typed: str | None) -> str:
    """The prompt with a LoRA (name or name:weight) or an embedding, and with the first of the words
    that its makers say it answers to. A LoRA that is there already has the new weight.

    Raises Refusal for one that isn't installed, and for a weight that is no number.
    """
    if typed is None:
        return prompt
    name, _, weight = typed.partition(":")
    weight = weight.replace(",", ".")
    lora = catalogue.find_extra(Kind.LORA, name, model.family)
    found = lora or catalogue.find_extra(Kind.EMBEDDING, name, model.family)
    if found is None:
        extras = [*catalogue.extras(Kind.LORA, model.family)]
        extras += catalogue.extras(Kind.EMBEDDING, model.family)
        names = ", ".join([each.name for each in extras][:NAMES]) or "—"
        raise Refusal("unknown-extra", name=short(name), names=names)
    numbers = [each.rpartition("=")[2] for each in weight.split(":")]
    if lora and weight and not all(map(grammar.is_weight, numbers)):
        raise Refusal("not-a-weight", name=lora.name, value=short(weight))
    words = [found.name] if lora is None else [*found.triggers[:1]]
    joined = [prompt, *(word for word in words if word.casefold() not in prompt.casefold())]
    text = ", ".join(joined)
    return _tagged(text, found.name, f"<lora:{found.name}:{weight or 1}>") if lora else text


def _tagged(prompt: str, name: str, tag: str) -> str:
    """With this tag in the place of those that name the LoRA already, or at the end."""
    named = [
        each
        for each in grammar.TAG.finditer(prompt)
        if each[2].partition(":")[0].strip().casefold() == name.casefold()
    ]
    if not named:
        return f"{prompt} {tag}"
    for each in reversed(named):
        prompt = prompt[: each.start()] + (tag if each is named[0] else "") + prompt[each.end() :]
    return prompt


async def with_files(
    semilla: Semilla,
    model: Model,
    request: GenerationRequest,
    vae: str | None,
    language: str,
    base: GenerationRequest | None = None,
) -> tuple[GenerationRequest, list[Note]]:
    """The request with the hashes of its VAE and of all that its prompts name, and what of it the
    model has no use for. Raises Refusal.

    Args:
        base: what it is made of: words that stood in it stay words, whatever is called so by now.
    """
    catalogue = semilla.catalogue
    if model.own_sampler:
        request, notes = _only_words(model, request, vae)
        drawn_from = await asyncio.to_thread(_hashed, catalogue, _wildcards(catalogue, request))
        return replace(request, extras=drawn_from), notes
    given = catalogue, model, request, vae, language, base
    return await asyncio.to_thread(_with_files, *given), []


def _only_words(
    model: Model, request: GenerationRequest, vae: str | None
) -> tuple[GenerationRequest, list[Note]]:
    """As the model's own pipeline draws it. Raises Refusal."""
    if (
        request.initial_image
        or request.hires
        or request.tiling
        or request.masked
        or request.variations
    ):
        raise Refusal("words-only", model=model.name)
    drawn = replace(
        request,
        sampler=model.sampler,
        schedule=model.schedule,
        clip_skip=model.clip_skip,
        emphasis="original",
        vae=None,
        vae_hash=None,
        extras=(),
    )
    typed = [
        f"{name}:{getattr(request, name)}"
        for name in ("sampler", "schedule", "clip_skip", "emphasis")
        if getattr(request, name) != getattr(drawn, name)
    ]
    typed += [f"vae:{vae}"] if vae else []
    facts = {"typed": short(", ".join(typed), 200)}
    return drawn, [Note(NoteKind.OPTION_IGNORED, facts)] if typed else []


def _with_files(
    catalogue: Catalogue,
    model: Model,
    request: GenerationRequest,
    vae: str | None,
    language: str,
    base: GenerationRequest | None,
) -> GenerationRequest:
    decoder = _vae(catalogue, model, vae)
    _check_loras(catalogue, model, request, language)
    used = _extras(catalogue, model, request, base)
    return replace(
        request,
        vae=decoder.name if decoder else None,
        vae_hash=catalogue.hash_of(decoder) if decoder else None,
        extras=_hashed(catalogue, used),
    )


def _hashed(catalogue: Catalogue, used: Iterable[Extra]) -> tuple[ExtraFile, ...]:
    return tuple(
        ExtraFile(each.kind.value, each.name, catalogue.hash_of(each))
        for each in dict.fromkeys(used)
    )


def _wildcards(catalogue: Catalogue, request: GenerationRequest) -> list[Extra]:
    return catalogue.wildcards(f"{request.prompt} {request.negative_prompt}")


async def as_of_now(semilla: Semilla, request: GenerationRequest) -> GenerationRequest:
    """The request with the files that are here: any may have been replaced since it was written, and
    what its prompts name may have been installed."""
    return await asyncio.to_thread(_as_of_now, semilla.catalogue, request)


def _as_of_now(catalogue: Catalogue, request: GenerationRequest) -> GenerationRequest:
    model = catalogue.named(request.model, request.model_hash)
    family = model.family if model else None

    def hash_of(file: ExtraFile) -> str:
        found = catalogue.find_extra(Kind(file.kind), file.name, family)
        return catalogue.hash_of(found) if found else file.hash

    named = [replace(each, hash=hash_of(each)) for each in request.extras]
    if model is not None and not request.upscaler:
        known = {(each.kind, each.name) for each in named}
        there = _named_now(catalogue, model, request)
        named += [each for each in there if (each.kind, each.name) not in known]
    return replace(
        request,
        model=model.name if model else request.model,
        model_hash=model.hash if model else request.model_hash,
        vae_hash=next((hash_of(each) for each in _vae_file(request)), None),
        extras=tuple(named),
    )


def _named_now(
    catalogue: Catalogue, model: Model, request: GenerationRequest
) -> tuple[ExtraFile, ...]:
    """What its prompts name of what is there."""
    if model.own_sampler:
        return _hashed(catalogue, _wildcards(catalogue, request))
    return _hashed(catalogue, _extras(catalogue, model, request, request))


async def with_seeds(
    semilla: Semilla, request: GenerationRequest, count: int
) -> list[GenerationRequest]:
    """Picture i of n has the seed + i, so that each can be made again alone, and what that draws."""
    return await asyncio.to_thread(_with_seeds, semilla.catalogue, request, count)


def _with_seeds(
    catalogue: Catalogue, request: GenerationRequest, count: int
) -> list[GenerationRequest]:
    seeds = ((request.seed + i) % SEED_LIMIT for i in range(1, count))
    others = [replace(request, seed=seed) for seed in seeds]
    model = catalogue.named(request.model, request.model_hash)
    if model is not None and not (model.own_sampler or request.upscaler):
        others = [_with_loras(catalogue, model, each) for each in others]
    return [request, *others]


def _with_loras(
    catalogue: Catalogue, model: Model, request: GenerationRequest
) -> GenerationRequest:
    """With those of its own seed."""
    others = [each for each in request.extras if each.kind != Kind.LORA]
    return replace(
        request, extras=(*_hashed(catalogue, _loras(catalogue, model, request)), *others)
    )


def replaced(
    before: GenerationRequest, request: GenerationRequest, chosen: bool = False
) -> list[Note]:
    """Which files of a request were others when `before` was written, or not there; not its model,
    which the verdict names. `chosen`: it is no longer the same recipe, and new files are its own."""
    hashes = {(each.kind, each.name): each.hash for each in _files(before)}
    return [
        Note(NoteKind.EXTRA_CHANGED, {"name": each.name})
        for each in _files(request)
        if hashes.get((each.kind, each.name), each.hash if chosen else "") != each.hash
    ]


def _files(request: GenerationRequest) -> tuple[ExtraFile, ...]:
    return (*_vae_file(request), *request.extras)


def _vae_file(request: GenerationRequest) -> tuple[ExtraFile, ...]:
    if request.vae is None:
        return ()
    return (ExtraFile(Kind.VAE.value, request.vae, request.vae_hash or ""),)


def told_options(catalogue: Catalogue, told: metadata.Told) -> dict[str, str]:
    """What can be used of a recipe from outside: its model and its VAE may not be here."""
    options = dict(told.options)
    model = options.get("model", "")
    if catalogue.named(model) is None and not catalogue.being_read(model):
        options.pop("model", None)
    if catalogue.find_extra(Kind.VAE, options.get("vae", "")) is None:
        options.pop("vae", None)
    return options


def _vae(catalogue: Catalogue, model: Model, typed: str | None) -> Extra | None:
    """What was chosen, or what the model's makers put beside it."""
    wanted = typed or model.vae
    if wanted is None:
        return None
    found = catalogue.find_extra(Kind.VAE, wanted)
    if found is None and typed is not None:
        names = [each.name for each in catalogue.extras(Kind.VAE, model.family)]
        raise Refusal("unknown-vae", name=short(typed), names=", ".join(names[:NAMES]) or "—")
    return found


def _extras(
    catalogue: Catalogue,
    model: Model,
    request: GenerationRequest,
    base: GenerationRequest | None,
) -> Iterator[Extra]:
    yield from _loras(catalogue, model, request)
    yield from _wildcards(catalogue, request)
    words, before, meant = _said(catalogue, request), "", set[str]()
    if base is not None:  # what stood in it for no file, nor was meant to, is a word
        before = _said(catalogue, base)
        used = (each.name for each in base.extras if each.kind == Kind.EMBEDDING)
        named = (*used, *habits.embeddings(before), *habits.embeddings(words))
        meant = {each.casefold() for each in named}
    for extra in catalogue.extras(Kind.EMBEDDING, model.family):
        a_word = grammar.stands(extra.name, before) and extra.name.casefold() not in meant
        if grammar.stands(extra.name, words) and not a_word:
            yield extra


def _said(catalogue: Catalogue, request: GenerationRequest) -> str:
    """Its prompts, with all that its seed may draw for them."""
    lists = [
        catalogue.wildcard(each.name, request.version) for each in _wildcards(catalogue, request)
    ]
    return "\n".join([request.prompt, request.negative_prompt, *chain.from_iterable(lists)])


def _loras(catalogue: Catalogue, model: Model, request: GenerationRequest) -> Iterator[Extra]:
    """Those that are used: by now also of what its seed draws."""
    text = request.prompt
    if request.version > 5:
        text, _ = wildcards.draw(text, request.seed, catalogue.wildcard, request.version)
    found = (_lora(catalogue, model, tag, request) for tag in grammar.parse(text).loras)
    yield from (each for each in found if each and each.fits(model.family))


def _check_loras(
    catalogue: Catalogue, model: Model, request: GenerationRequest, language: str
) -> None:
    """Raises Refusal for one that is typed and can't be used. Which others are not there, or drawn
    by the seed and of no use, is told with the picture."""
    for tag in grammar.parse(request.prompt).loras:
        found = _lora(catalogue, model, tag, request)
        if found is None and (reason := _why_not(catalogue, tag.name, language)):
            raise Refusal("lora-unusable", name=short(tag.name), reason=reason)
        if found is not None and not found.fits(model.family):
            raise Refusal(
                "lora-unfit",
                name=short(tag.name),
                family=found.family,
                model=model.name,
                other=model.family,
            )


def _lora(
    catalogue: Catalogue, model: Model, tag: grammar.Tag, request: GenerationRequest
) -> Extra | None:
    aliases = request.version > 3
    return catalogue.find_extra(Kind.LORA, tag.name, model.family, aliases=aliases)


def _why_not(catalogue: Catalogue, name: str, language: str) -> str | None:
    """Why a file of this name that is there can't be used."""
    refused = {each.name.casefold(): each.reason for each in catalogue.refused()}
    reason = refused.get(name.strip().casefold())
    return reason and say(language, f"unusable-{reason.value}")


def enlarged_by(
    catalogue: Catalogue, request: GenerationRequest, typed: str, language: str
) -> tuple[GenerationRequest, int]:
    """The request with the upscaler of this name, and how many times as large that makes a picture.

    Raises Refusal.
    """
    others = tuple(each for each in request.extras if each.kind != Kind.UPSCALER)
    if typed.strip().casefold() == LANCZOS:
        return replace(request, upscaler=LANCZOS, extras=others), 2
    found = catalogue.find_extra(Kind.UPSCALER, typed)
    if found is None:
        if reason := _why_not(catalogue, typed, language):
            raise Refusal("upscaler-unusable", name=short(typed), reason=reason)
        names = [LANCZOS, *(each.name for each in catalogue.extras(Kind.UPSCALER))]
        raise Refusal("unknown-upscaler", name=short(typed), names=", ".join(names[:NAMES]))
    used = ExtraFile(found.kind.value, found.name, catalogue.hash_of(found))
    return replace(request, upscaler=found.name, extras=(*others, used)), found.scale
