"""From what a member chose to a frozen request: the one place where defaults are resolved."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import Any

from bot.commands.choices import Choices, read_choices
from bot.commands.defaults import (
    allowed_here,
    defaults,
    kept_within,
    model_called,
    model_of,
    size_of,
    with_guilds_negative,
    with_style,
)
from bot.commands.files import as_of_now, replaced, told_options, with_extra, with_files
from bot.commands.images import clean_image, with_image
from bot.commands.kinds import ANY_SEED, short
from bot.commands.semilla import Semilla
from bot.conversation import Call, Refusal
from db.history import Asker
from db.models import Picture, Visibility
from generator import habits, metadata, wildcards
from generator.catalogue import Catalogue
from generator.entries import Model
from generator.messages import Note, NoteKind
from generator.request import SEED_LIMIT, GenerationRequest, Hires, enlarged
from generator.vocabulary import Vocabulary

REDRAWN = 0.5  # by the second pass


def asker(call: Call) -> Asker:
    return Asker(call.guild.id, call.member.id, call.member.moderator, call.age_restricted)


async def find_picture(semilla: Semilla, call: Call, code: str) -> Picture:
    """The picture with this id, or with the id that a link ends with, which may be that of a
    message that shows it: to be shown or drawn from here. Raises Refusal."""
    return to_be_seen(call, await find_anywhere(semilla, call, code))


def to_be_seen(call: Call, picture: Picture) -> Picture:
    """Raises Refusal outside of channels for adults for what was made in one. What is held is for
    moderators alone, who judge it wherever they are."""
    held = picture.visibility is Visibility.HELD
    if picture.age_restricted and not call.age_restricted and not held:
        raise Refusal("for-adults", code=picture.code)
    return picture


async def find_anywhere(semilla: Semilla, call: Call, code: str) -> Picture:
    """Also one that isn't to be seen in this channel. Raises Refusal."""
    code = code.rstrip("/").rsplit("/", 1)[-1].split("?")[0]
    history = semilla.database.history
    picture = await history.get(asker(call), code)
    if picture is None and code.isdecimal():
        picture = await history.by_message(asker(call), call.adapter, code)
    if picture is None:
        raise Refusal("unknown-picture", ("/history",), code=short(code, 12))
    return picture


async def new_request(
    semilla: Semilla, call: Call, choices: Choices, over: Picture | None = None
) -> tuple[GenerationRequest, list[Note]]:
    """A request from nothing but choices and defaults, drawn over a picture of the history if one is
    given. Raises Refusal."""
    told, chosen = metadata.parse_infotext(choices.prompt or ""), choices
    if call.image is not None and not choices.prompt:
        # A picture without words is not to be drawn over but to be made again.
        told, call = await recipe_inside(call.image), replace(call, image=None)
    if told is not None:
        chosen = replace(choices, prompt=None).over(told_choices(semilla.catalogue, told))
    chosen, translated = unpack_habits(chosen)
    typed, unused = await with_style(semilla, call, chosen)
    chosen = typed.over(await defaults(semilla, call))
    chosen = await with_guilds_negative(semilla, call, chosen)
    if not (chosen.prompt or "").strip():
        examples = semilla.catalogue.default().examples(call.language)
        raise Refusal("prompt-missing", examples, (("guide", "/guide"),))
    allowed = await allowed_here(semilla, call)
    model, chosen = kept_within(semilla, allowed, typed, chosen)
    prompt = with_extra(semilla.catalogue, model, str(chosen.prompt), chosen.lora)
    width, height, notes = size_of(model, chosen)
    sampler, schedule = chosen.sampler or (model.sampler, model.schedule)
    guidance = model.guidance_scale if chosen.guidance is None else chosen.guidance
    negative = model.negative if chosen.negative is None else chosen.negative
    request = GenerationRequest(
        model=model.name,
        model_hash=model.hash,
        prompt=_prefixed(model, prompt.strip()),
        negative_prompt=negative.strip(),
        width=width,
        height=height,
        steps=chosen.steps or model.steps,
        sampler=sampler,
        schedule=schedule,
        guidance_scale=guidance,
        seed=_seed(chosen.seed),
        variations=chosen.variations or (),
        clip_skip=chosen.clip_skip or model.clip_skip,
        emphasis=chosen.emphasis or "original",
        tiling=bool(chosen.tiling),
    )
    request = with_hires(request, model, chosen.hires or 1)
    request = await with_image(semilla, call, request, choices, over)
    request, ignored = await with_files(semilla, model, request, chosen.vae, call.language)
    notes += ignored
    if told is not None and (left_out := told.left_out(request)):
        notes.insert(0, Note(NoteKind.OPTION_IGNORED, {"typed": short(", ".join(left_out), 200)}))
    unknown = check_words(model, request.prompt, call.language)
    return request, [*translated, *unused, *notes, *unknown]


def _prefixed(model: Model, prompt: str) -> str:
    known = not model.prefix or prompt.casefold().startswith(model.prefix.casefold())
    return prompt if known else f"{model.prefix}, {prompt}"


async def changed_request(
    semilla: Semilla,
    call: Call,
    base: GenerationRequest,
    choices: Choices,
    over: Picture | None = None,
) -> tuple[GenerationRequest, list[Note]]:
    """`base` with the choices in it and all else kept, drawn over a picture of the history if one is
    given. Raises Refusal."""
    choices, translated = unpack_habits(choices)
    chosen, unused = await with_style(semilla, call, choices, base)
    if chosen.negative is not None:
        chosen = await with_guilds_negative(semilla, call, chosen)
    model = model_called(semilla, chosen.model) if chosen.model else model_of(semilla, base)
    if chosen.lora:
        prompt = base.prompt if chosen.prompt is None else chosen.prompt
        joined = with_extra(semilla.catalogue, model, prompt, chosen.lora)
        chosen = replace(chosen, prompt=joined)
    changes: dict[str, Any] = {"model": model.name, "model_hash": model.hash}
    notes: list[Note] = []
    first = without_hires(base)
    if chosen.size or chosen.width or chosen.height or chosen.model:
        asked = chosen
        if not chosen.size:  # a side that isn't named stays
            width, height = chosen.width or first.width, chosen.height or first.height
            asked = replace(chosen, width=width, height=height)
        changes["width"], changes["height"], notes = size_of(model, asked)
    if chosen.sampler:
        changes["sampler"], changes["schedule"] = chosen.sampler
    if chosen.seed is not None and chosen.seed != base.seed:
        # Variations belong to the seed that they start from.
        changes |= {"seed": _seed(chosen.seed), "variations": ()}
    if chosen.variations is not None:
        changes["variations"] = chosen.variations
    if chosen.prompt is not None:
        changes["prompt"] = chosen.prompt.strip()
        notes += check_words(model, chosen.prompt, call.language)
    plain = {new: getattr(chosen, typed) for typed, new in PLAIN.items()}
    changes |= {name: value for name, value in plain.items() if value is not None}
    request = with_hires(replace(first, **changes), model, chosen.hires or base.factor)
    request = await with_image(semilla, call, request, choices, over)
    if choices.empty:
        request = await as_of_now(semilla, request)
    else:
        kept = None if chosen.model else base.vae
        vae = kept if chosen.vae is None else chosen.vae
        files = vae, call.language, None if chosen.model else base
        request, ignored = await with_files(semilla, model, request, *files)
        notes += ignored
    return request, [*translated, *unused, *replaced(base, request, not choices.empty), *notes]


# Choices that replace what a request has, and what it calls them.
PLAIN = {
    **{"negative": "negative_prompt", "steps": "steps", "guidance": "guidance_scale"},
    **{"clip_skip": "clip_skip", "emphasis": "emphasis", "tiling": "tiling"},
}


def with_hires(request: GenerationRequest, model: Model, factor: float) -> GenerationRequest:
    """The request of this size drawn so many times as large, in two passes."""
    small = (request.width, request.height)
    width, height = (enlarged(side, factor, model.grid) for side in small)
    if (width, height) == small:
        return request
    hires = Hires(*small, steps=request.steps, strength=REDRAWN)
    return replace(request, width=width, height=height, hires=hires)


def without_hires(request: GenerationRequest) -> GenerationRequest:
    """The first pass alone."""
    small = request.hires
    return (
        replace(request, width=small.width, height=small.height, hires=None) if small else request
    )


def told_choices(catalogue: Catalogue, told: metadata.Told) -> Choices:
    """A recipe from outside; what it doesn't tell it had not, whatever the defaults here are."""
    return read_choices(told_options(catalogue, told)).over(Choices(negative="", clip_skip=1))


def unpack_habits(choices: Choices) -> tuple[Choices, list[Note]]:
    """What other programs have in the prompt, read as ours: a line with the negative prompt, lines
    of comments, Midjourney's options; what was chosen besides is stronger."""
    prompt, *negatives = _lines(choices)
    words = habits.without_comments(prompt)
    found = habits.options(words)
    if found.text == (choices.prompt or "").strip():
        return choices, []
    notes = [
        Note(NoteKind.PROMPT_TRANSLATED, {"typed": typed, "read": read})
        for typed, read in found.changes.items()
    ]
    notes += [Note(NoteKind.OPTION_IGNORED, {"typed": typed}) for typed in found.ignored]
    if words != prompt:
        notes.append(Note(NoteKind.COMMENT_IGNORED))
    read = read_choices(found.options)
    parts = (choices.negative, read.negative, *map(habits.without_comments, negatives))
    negative = ", ".join(filter(None, parts))
    kept = replace(choices, prompt=found.text or None, negative=negative or choices.negative)
    return kept.over(read), notes


def repeated(choices: Choices, count: int) -> int:
    """How many pictures are wanted: Midjourney's --repeat counts where nothing else was chosen."""
    told = habits.options(_lines(choices)[0]).options.get("count")
    return int(told) if told and count == 1 else count


def _lines(choices: Choices) -> list[str]:
    """The words of the prompt and then, where they are in it, of the negative one."""
    return [text.strip() for text in habits.NEGATIVE_LINE.split(choices.prompt or "")]


def check_words(model: Model, prompt: str, language: str) -> list[Note]:
    """What a model with a vocabulary doesn't know. Raises Refusal when nothing is left to draw."""
    if model.vocabulary is None:
        return []
    vocabulary = Vocabulary.load(model.vocabulary)
    unknown, known = vocabulary.unknown(prompt), vocabulary.known(prompt)
    words = ", ".join(unknown[:5]) or short(prompt)
    if not known.strip() and not wildcards.WILDCARD.search(prompt):
        suggestions = vocabulary.suggestions(prompt, language)
        raise Refusal("nothing-known", suggestions, words=words, things=vocabulary.things)
    if not unknown:
        return []
    return [Note(NoteKind.UNKNOWN_WORDS, {"words": words, "drawn": short(known, 80)})]


async def recipe_inside(data: bytes) -> metadata.Told:
    """The recipe that a picture's file tells. Raises Refusal."""
    told = await asyncio.to_thread(metadata.read_told, data)
    if told is None:
        raise Refusal("no-recipe-inside")
    return told


async def find_shown(semilla: Semilla, call: Call, data: bytes) -> Picture | None:
    """The picture that a file shows, by its pixels or by those that it says it was made with.

    Raises Refusal.
    """
    png = await clean_image(semilla, data)
    own = await asyncio.to_thread(metadata.pixel_hash_of, png)
    told = await asyncio.to_thread(metadata.read_pixels, data)
    history = semilla.database.history
    found = await history.by_pixels(asker(call), own)
    if found is None and told:
        found = await history.by_pixels(asker(call), told)
    return found and to_be_seen(call, found)


def _seed(chosen: int | None) -> int:
    return secrets.randbelow(SEED_LIMIT) if chosen in (None, ANY_SEED) else int(chosen)
