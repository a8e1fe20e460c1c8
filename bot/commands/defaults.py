"""What is taken where nothing was typed: styles, the defaults of guild, channel and member, the
model's own; all within what the place allows."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import NoReturn

from bot.commands.choices import Choices, read_choices
from bot.commands.kinds import Guidance, ModelName, Negative, SamplerName, Size, Steps, short
from bot.commands.semilla import Semilla
from bot.conversation import Call, Refusal
from bot.limits import Allowance, allowance_of
from bot.moderation import rules_of
from generator import habits
from generator.entries import Model
from generator.messages import Note, NoteKind
from generator.request import GenerationRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a guild, a channel and a member can set once for all."""

    negative: Negative | None = None
    steps: Steps | None = None
    sampler: SamplerName | None = None
    guidance: Guidance | None = None
    size: Size | None = None
    model: ModelName | None = None


PLACE = "{prompt}"  # of the words that are typed with a style (AUTOMATIC1111)
DEFAULTS = tuple(each.name for each in fields(Defaults))


async def defaults(semilla: Semilla, call: Call) -> Choices:
    """The defaults of guild, channel and member, the last being the strongest."""
    settings = semilla.database.settings
    values = await settings.get(call.guild.id, call.channel, call.member.id)
    model, catalogue = values.get("model", ""), semilla.catalogue
    if catalogue.named(model) is None and not catalogue.being_read(model):  # removed since then
        values = {name: value for name, value in values.items() if name != "model"}
    return read_choices({name: value for name, value in values.items() if name in DEFAULTS})


async def with_guilds_negative(semilla: Semilla, call: Call, choices: Choices) -> Choices:
    """The guild's negative joins whatever is left out besides; the recipe shows both."""
    negative = (await rules_of(semilla.database, call.guild.id)).negative
    own = choices.negative or ""
    if not negative or negative in own:
        return choices
    return replace(choices, negative=", ".join(filter(None, (own, negative))))


async def with_style(
    semilla: Semilla, call: Call, choices: Choices, base: GenerationRequest | None = None
) -> tuple[Choices, list[Note]]:
    """The options of the style that was chosen, under what was chosen besides; its words join
    those that were typed, or else those of `base`, or have a place for them."""
    if choices.style is None:
        return choices, []
    found = await semilla.database.settings.get_style(call.guild.id, call.member.id, choices.style)
    if found is None and choices.style.casefold() == habits.RAW:  # Midjourney's
        note = Note(NoteKind.OPTION_IGNORED, {"typed": f"--style {choices.style}"})
        return replace(choices, style=None), [note]
    if found is None:
        raise Refusal("unknown-style", ("/style",), style=short(choices.style))
    style = read_choices(found)
    if style.prompt and base is not None and choices.prompt is None:
        choices = replace(choices, prompt=base.prompt)
    words = habits.without_comments(style.prompt or "")
    if PLACE in words:
        prompt = words.replace(PLACE, choices.prompt or "")
    else:
        prompt = ", ".join(part for part in (choices.prompt, words) if part)
    return replace(choices, prompt=prompt or None).over(style), []


async def allowed_here(semilla: Semilla, call: Call) -> Allowance:
    """Moderators keep to no limits of the place."""
    if call.member.moderator:
        return Allowance()
    return await allowance_of(semilla.database, call)


def kept_within(
    semilla: Semilla, allowed: Allowance, typed: Choices, chosen: Choices
) -> tuple[Model, Choices]:
    """Model, steps and size. What was not typed is made to fit what the place allows; what was
    typed stays, and is refused where it doesn't fit. Raises Refusal."""
    model = model_called(semilla, chosen.model)
    if typed.model is None and allowed.models and model.name not in allowed.models:
        model = next(filter(None, (_there(semilla, name) for name in allowed.models)), model)
    steps = chosen.steps or model.steps
    if typed.steps is None and allowed.max_steps:
        steps = min(steps, allowed.max_steps)
    if not (typed.size or typed.width or typed.height) and allowed.max_side:
        width, height, _ = size_of(model, chosen)
        if (share := allowed.max_side / max(width, height)) < 1:
            sides = [int(side * share) // model.grid * model.grid for side in (width, height)]
            if min(sides) >= model.sides[0]:  # else what it makes is refused, as too large
                chosen = replace(chosen, size="x".join(map(str, sides)))
    return model, replace(chosen, steps=steps)


def model_called(semilla: Semilla, name: str | None) -> Model:
    """The usual one where none is named. Raises Refusal."""
    if name is None:
        return semilla.catalogue.default()
    return _there(semilla, name) or _missing(semilla, name)


def model_of(semilla: Semilla, request: GenerationRequest) -> Model:
    """That it was made with, by whatever name it is here, never another one. Raises Refusal."""
    model = semilla.catalogue.named(request.model, request.model_hash)
    if model is None:
        _check_read(semilla, request.model)
    return model or _missing(semilla, request.model)


def _missing(semilla: Semilla, name: str) -> NoReturn:
    names = [each.name for each in semilla.catalogue.models()]
    near = get_close_matches(name.lower(), names, n=1) or names[:1]
    raise Refusal("unknown-model", ("/models",), model=short(name), nearest=near[0])


def _there(semilla: Semilla, name: str) -> Model | None:
    _check_read(semilla, name)
    return semilla.catalogue.find(name)


def _check_read(semilla: Semilla, name: str) -> None:
    """Raises Refusal for one that is still being read: another one isn't what was meant."""
    if semilla.catalogue.being_read(name):
        raise Refusal("model-being-read", model=short(name))


def size_of(model: Model, chosen: Choices) -> tuple[int, int, list[Note]]:
    """Width and height as chosen, else the model's own. Raises Refusal."""
    if chosen.size and (chosen.width or chosen.height):
        raise Refusal("size-twice")
    asked = chosen.size
    if asked is None and (chosen.width or chosen.height):
        asked = f"{chosen.width or model.native[0]}x{chosen.height or model.native[1]}"
    if asked is None:
        return *model.native, []
    try:
        width, height, rounded = model.size(asked)
    except ValueError as error:
        low, high = model.sides
        raise Refusal("not-a-size", size=short(asked), low=str(low), high=str(high)) from error
    facts = {"asked": asked, "size": f"{width}x{height}"}
    return width, height, [Note(NoteKind.SIZE_ROUNDED, facts)] if rounded else []
