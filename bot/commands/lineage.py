"""What can be done with a picture: make it again, vary, change, show and delete it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import replace

from bot import showing
from bot.commands.choices import Choices
from bot.commands.declaration import COMMANDS, Answers, command
from bot.commands.defaults import model_of
from bot.commands.files import as_of_now, replaced, told_options, with_seeds
from bot.commands.images import IMAGE_STRENGTH, kept_file
from bot.commands.imagine import accept, is_private, job, source_of
from bot.commands.kinds import (
    ANY_SEED,
    Before,
    Count,
    Name,
    PictureCode,
    Seed,
    Switch,
    VariationStrength,
    Words,
)
from bot.commands.line import typed
from bot.commands.recipe import (
    asker,
    changed_request,
    find_anywhere,
    find_picture,
    find_shown,
    new_request,
    recipe_inside,
    repeated,
    to_be_seen,
)
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Field, Form, Refusal, Reply, Shown
from bot.events import Changed, Unjudged
from bot.locales import escape, say
from bot.moderation import rules_of
from bot.replies import picture_shown, recipe_text, retired_line
from bot.sheets import SHEET_PICTURES
from db.models import Picture, Record, RecordKind, Relation, Visibility
from generator import metadata
from generator.request import SEED_LIMIT, GenerationRequest, Variation

MEDIUM = 0.15
# Shown for changing only where they are something else than usual.
SELDOM = {"hires", "tiling", "clip_skip", "emphasis", "vae", "variations"}
RECIPE_CHARACTERS, RECIPE_WORDS = 1800, 400  # so that every chat shows all of it
PAGE = SHEET_PICTURES  # no chat shows fewer


@command(answers=Answers.NEW, listed=True)
async def reroll(
    semilla: Semilla, call: Call, picture: PictureCode, choices: Choices, count: Count = 1
) -> Reply:
    parent = await find_picture(semilla, call, picture)
    relation = _relation(choices, call)
    if relation is not Relation.REROLL:
        parent = await _drawn(semilla, call, parent)
    source = await source_of(semilla, call, choices)
    request, notes = await changed_request(semilla, call, parent.request, choices, source)
    of = source or parent
    first, *others = await with_seeds(semilla, request, repeated(choices, count))
    # Only the same recipe is replayed call for call; with other seeds it is another one.
    again = relation is Relation.REROLL
    jobs = [job(call, first, notes, of, relation, parent.trace if again else None)]
    beside = Relation.ANOTHER if again else relation
    jobs += [job(call, each, notes, of, beside) for each in others]
    return await accept(semilla, call, jobs, is_private(parent) or is_private(source))


def _relation(choices: Choices, call: Call) -> Relation:
    if choices.image is not None:
        return Relation.IMAGE
    if call.image is not None:
        return Relation.CHANGED
    if choices.empty:
        return Relation.REROLL
    only_seed = replace(choices, seed=None).empty
    return Relation.ANOTHER if only_seed and choices.seed == ANY_SEED else Relation.CHANGED


@command(answers=Answers.NEW, listed=True, menu=True)
async def vary(
    semilla: Semilla,
    call: Call,
    picture: PictureCode | None = None,
    strength: VariationStrength = MEDIUM,
    seed: Seed | None = None,
    count: Count = 1,
) -> Reply:
    parent = await _meant(semilla, call, picture)
    if parent is None:
        request, notes = await new_request(semilla, call, Choices())
    else:
        parent = await _drawn(semilla, call, parent)
        request = await as_of_now(semilla, parent.request)
        notes = replaced(parent.request, request)
    model = model_of(semilla, request)
    if model.own_sampler:
        raise Refusal("words-only", model=model.name)
    first = secrets.randbelow(SEED_LIMIT) if seed in (None, ANY_SEED) else int(seed or 0)
    requests = [_varied(request, (first + i) % SEED_LIMIT, strength) for i in range(count)]
    of = (parent, Relation.VARIATION) if parent else (None, None)
    jobs = [job(call, each, notes, *of) for each in requests]
    return await accept(semilla, call, jobs, is_private(parent))


def _varied(request: GenerationRequest, seed: int, strength: float) -> GenerationRequest:
    return replace(request, variations=(*request.variations, Variation(seed, strength)))


async def _drawn(semilla: Semilla, call: Call, picture: Picture) -> Picture:
    """The picture, or the one that it was enlarged from without being drawn. Raises Refusal."""
    found: Picture | None = picture
    while found is not None and found.request.upscaler:
        found = await semilla.database.history.parent(asker(call), found)
    if found is None:
        offer = ("use", f"/use {picture.code}")
        raise Refusal("enlarged-only", offers=(offer,), code=picture.code)
    return to_be_seen(call, found)


@command(answers=Answers.PRIVATE, listed=True)
async def show(
    semilla: Semilla, call: Call, picture: PictureCode | None = None, png: Switch = False
) -> Reply:
    found = await _meant(semilla, call, picture)
    if found is None:
        raise Refusal("not-made-here")
    private = is_private(found)
    if png:
        text, file = say(call.language, "here-png", code=found.code), kept_file(found)
        return Reply(text=text, file=file, called=found.code, private=private)
    text = await _recipe(semilla, call, found)
    if not found.file:
        return Reply(text=f"{retired_line(found, call.language)}\n{text}", private=private)
    return Reply(text=text, pictures=(_shown(found, call),), private=private)


@command(answers=Answers.PRIVATE, menu=True)
async def recipe(semilla: Semilla, call: Call, picture: PictureCode | None = None) -> Reply:
    """Of a picture of the history, or the one that an attached file tells."""
    found = await _meant(semilla, call, picture)
    if found is not None:
        keep = Button(say(call.language, "button-style"), f"/style new {found.code}")
        return Reply(text=await _recipe(semilla, call, found), buttons=((keep,),), private=True)
    told = await recipe_inside(call.image or b"")
    lines = [
        f"**{say(call.language, f'option-{name}')}** {escape(value)}"
        for name, value in told.options.items()
    ]
    usable = told_options(semilla.catalogue, told)
    again = say(call.language, "recipe-again", line=_imagined(semilla, usable, call.language))
    return Reply(text="\n".join((*lines, again)), private=True)


@command(answers=Answers.FORM, menu=True)
async def edit(semilla: Semilla, call: Call, picture: PictureCode | None = None) -> Reply:
    found = await _meant(semilla, call, picture)
    if found is None:
        told = await recipe_inside(call.image or b"")
        values, code = told_options(semilla.catalogue, told), ""
    else:
        values, code = {"picture": found.code, **metadata.options(found.request)}, found.code
    values = {name: value for name, value in values.items() if value or name not in SELDOM}
    fields = _fields(values, "picture", call.language)
    title = say(call.language, "edit-title", code=code).strip()
    command = "reroll" if code else "imagine"
    return Reply(form=Form(title=title, command=command, fields=fields), private=True)


def _fields(values: Mapping[str, str], hidden: str, language: str) -> tuple[Field, ...]:
    return tuple(
        Field(
            name=name,
            label=say(language, f"option-{name}"),
            value=value,
            kind="hidden" if name == hidden else "text",
        )
        for name, value in values.items()
    )


@command(answers=Answers.FORM, menu=True)
async def use(semilla: Semilla, call: Call, picture: PictureCode | None = None) -> Reply:
    """A picture as the image that another one is drawn over; an attached one stays attached."""
    found = await _meant(semilla, call, picture)
    if found is not None:
        kept_file(found)
    code = found.code if found else ""
    values = {"prompt": "", "strength": f"{IMAGE_STRENGTH:g}", "image": code}
    fields = _fields(values, "image", call.language)
    title = say(call.language, "use-title", code=code).strip()
    return Reply(form=Form(title=title, command="imagine", fields=fields), private=True)


@command(answers=Answers.NEW)
async def publish(semilla: Semilla, call: Call, picture: PictureCode) -> Reply:
    """What its author has kept to themselves, shown to everybody."""
    found = await find_picture(semilla, call, picture)
    if found.member != call.member.id:
        raise Refusal("publish-own", code=found.code, author=found.member_name)
    if not is_private(found):
        raise Refusal("not-private", code=found.code)
    await _check_public(semilla, call)
    history = semilla.database.history
    await history.set_visibility(asker(call), found.code, Visibility.PUBLIC)
    await _tell_pages(semilla, found)
    return Reply(pictures=(_shown(await find_picture(semilla, call, found.code), call),))


@command(answers=Answers.PRIVATE, listed=True)
async def history(
    semilla: Semilla,
    call: Call,
    text: Words = "",
    member: Name = "",
    before: Before | None = None,
) -> Reply:
    pictures = await semilla.database.history.search(
        asker(call),
        text=text,
        member=call.mentioned(member) or member.lstrip("@"),
        before=before,
        limit=PAGE,
        retired=True,
    )
    if not pictures:
        return Reply(
            text=say(
                call.language, "history-empty", imagine=COMMANDS["imagine"].label(call.language)
            ),
            private=True,
        )
    buttons: tuple[tuple[Button, ...], ...] = ()
    if len(pictures) == PAGE:
        older = {"text": text, "member": member, "before": str(pictures[-1].id)}
        line = typed("history", {name: value for name, value in older.items() if value})
        button = Button(label=say(call.language, "button-older"), line=line)
        buttons = ((button,),) if button.fits else ()
    shown = tuple(_shown(picture, call) for picture in pictures if picture.file)
    retired = [retired_line(picture, call.language) for picture in pictures if not picture.file]
    text = "\n".join((say(call.language, "history-title"), *retired))
    pick = say(call.language, "pick", count=len(shown))
    return Reply(text=text, pictures=shown, pick=pick, buttons=buttons, private=True)


@command(answers=Answers.PRIVATE)
async def delete(semilla: Semilla, call: Call, picture: PictureCode, sure: Switch = False) -> Reply:
    found = await find_anywhere(semilla, call, picture)
    if found.member != call.member.id and not call.member.moderator:
        raise Refusal("not-yours", code=found.code, author=found.member_name)
    if not sure:
        yes = Button(
            label=say(call.language, "button-delete-sure"), line=f"/delete {found.code} sure:yes"
        )
        text = say(call.language, "delete-sure", code=found.code)
        return Reply(text=text, buttons=((yes,),), private=True)
    await semilla.database.history.delete(asker(call), found.code)
    await _tell_pages(semilla, found)
    cache = semilla.config.data / "cache" / "shown"
    await asyncio.to_thread(showing.forget, cache, [found.file, found.blurred])
    if found.member != call.member.id:
        await semilla.database.moderation.write(
            Record(
                guild=found.guild,
                kind=RecordKind.DELETE,
                member=found.member,
                member_name=found.member_name,
                by=call.member.id,
                by_name=call.member.name,
                detail=found.code,
            )
        )
    return Reply(text=say(call.language, "deleted", code=found.code), private=True)


async def _tell_pages(semilla: Semilla, picture: Picture) -> None:
    """Whoever has its answer before their eyes sees it as it is now."""
    made = await semilla.database.answers.of_picture(picture.id)
    if made is not None:
        semilla.events.publish(Changed(guild=made.guild, answer=made.id))
    if picture.visibility is Visibility.HELD:
        semilla.events.publish(Unjudged(guild=picture.guild))


async def _meant(semilla: Semilla, call: Call, code: str | None) -> Picture | None:
    """The picture with this id, or the one whose file is attached; None for a file of elsewhere.

    Raises Refusal.
    """
    if code is not None:
        return await find_picture(semilla, call, code)
    if call.image is None:
        raise Refusal("picture-missing", ("/history",), command=call.command)
    return await find_shown(semilla, call, call.image)


async def _check_public(semilla: Semilla, call: Call) -> None:
    """Raises Refusal where a moderator sees everything first."""
    rules = await rules_of(semilla.database, call.guild.id)
    if rules.approve and not call.member.moderator:
        raise Refusal("publish-approval")


def again_line(semilla: Semilla, picture: Picture, language: str = "en") -> str:
    """The line that can be typed again for this very picture."""
    request = picture.request
    if request.initial_image:  # an imagine line has no words for it
        return typed("reroll", {"picture": picture.code}, language)
    return _imagined(semilla, metadata.options(request), language)


def _imagined(semilla: Semilla, options: Mapping[str, str], language: str) -> str:
    """The line; what the picture hasn't is written out where a default would fill it: the negative
    prompt of whoever types it, the model's own clip skip."""
    model = semilla.catalogue.named(options.get("model", "")) or semilla.catalogue.default()
    said = {"prompt": "", "negative": "", **options}
    values = {name: value for name, value in said.items() if value or name == "negative"}
    if model.clip_skip > 1:
        values.setdefault("clip_skip", "1")
    return typed("imagine", values, language)


def _shown(picture: Picture, call: Call) -> Shown:
    return picture_shown(picture, call.language)


async def _recipe(semilla: Semilla, call: Call, picture: Picture) -> str:
    family, language = await _family(semilla, call, picture), call.language
    text = recipe_text(picture, language, again_line(semilla, picture, language), family)
    if len(text) <= RECIPE_CHARACTERS:
        return text
    again = typed("reroll", {"picture": picture.code}, language)
    return recipe_text(picture, language, again, family, RECIPE_WORDS)


async def _family(semilla: Semilla, call: Call, picture: Picture) -> str:
    history = semilla.database.history
    parent = await history.parent(asker(call), picture)
    children = await history.children(asker(call), picture)
    lines = []
    if parent is not None:
        lines.append(say(call.language, "family-parent", code=parent.code))
    if children:
        codes = " ".join(child.code for child in children[:PAGE])
        lines.append(say(call.language, "family-children", codes=codes))
    return "\n".join(lines)
