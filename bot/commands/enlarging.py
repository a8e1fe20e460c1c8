"""A picture made larger: as it is, by a network, or with detail that the model draws."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.commands.declaration import Answers, command
from bot.commands.files import as_of_now, enlarged_by, replaced
from bot.commands.images import kept_file
from bot.commands.imagine import accept, is_private, job
from bot.commands.kinds import PictureCode, Switch, UpscalerName
from bot.commands.recipe import find_picture
from bot.commands.semilla import Semilla
from bot.conversation import Call, Reply
from db.models import Picture, Relation
from generator.messages import Note, NoteKind
from generator.request import LANCZOS, GenerationRequest

DETAIL = 0.35  # how much of an enlarged picture is drawn anew


@command(answers=Answers.NEW)
async def upscale(
    semilla: Semilla,
    call: Call,
    picture: PictureCode,
    detail: Switch = True,
    upscaler: UpscalerName | None = None,
) -> Reply:
    parent = await find_picture(semilla, call, picture)
    request = replace(
        parent.request,
        width=parent.width * 2,
        height=parent.height * 2,
        initial_image=kept_file(parent),
        strength=1.0,
        variations=(),
        hires=None,
        masked=False,
    )
    named = upscaler or LANCZOS
    plain, scale = await asyncio.to_thread(  # a file is hashed
        enlarged_by, semilla.catalogue, request, named, call.language
    )
    if upscaler is None and detail:
        request, notes = await _redrawn(semilla, plain)
    else:
        request, notes = _sized(plain, parent, scale, semilla.config.limits.picture_pixels)
    jobs = [job(call, request, notes, parent, Relation.UPSCALE)]
    return await accept(semilla, call, jobs, is_private(parent))


async def _redrawn(
    semilla: Semilla, plain: GenerationRequest
) -> tuple[GenerationRequest, list[Note]]:
    """With detail that the model draws, if it can draw as large."""
    model = semilla.catalogue.named(plain.model, plain.model_hash)
    if model is None or model.own_sampler:
        return plain, []
    if max(plain.width, plain.height) > model.sides[1]:
        facts = {"size": f"{plain.width}x{plain.height}", "side": str(model.sides[1])}
        return plain, [Note(NoteKind.ONLY_ENLARGED, facts)]
    request = await as_of_now(semilla, replace(plain, upscaler=None, strength=DETAIL))
    return request, replaced(plain, request)


def _sized(
    plain: GenerationRequest, parent: Picture, scale: int, most_pixels: int
) -> tuple[GenerationRequest, list[Note]]:
    """As large as its upscaler makes it; where that is too large twice as large, as usual."""
    width, height = parent.width * scale, parent.height * scale
    if scale <= 2 or width * height <= most_pixels:
        return replace(plain, width=width, height=height), []
    facts = {"asked": f"{width}x{height}", "size": f"{plain.width}x{plain.height}"}
    return plain, [Note(NoteKind.LESS_ENLARGED, {"name": str(plain.upscaler), **facts})]
