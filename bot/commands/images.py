"""The picture that a request is drawn over: attached or of the history, whole or a part of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.commands.choices import Choices
from bot.commands.kinds import short
from bot.commands.semilla import Semilla
from bot.conversation import Call, Refusal
from db.models import Picture
from generator import areas, metadata
from generator.request import GenerationRequest

IMAGE_STRENGTH = 0.6
MASK_STRENGTH = 1.0  # what is drawn anew in a part owes nothing to what was there


async def with_image(
    semilla: Semilla,
    call: Call,
    request: GenerationRequest,
    choices: Choices,
    over: Picture | None,
) -> GenerationRequest:
    """The request drawn over the attached picture or over one of the history. Raises Refusal."""
    file, masked = await _initial(semilla, call, request, choices, over)
    if file is None:
        if choices.mask is not None:
            raise Refusal("mask-without-image")
        if choices.strength is not None:
            raise Refusal("strength-without-image")
        return request
    strength = choices.strength
    if strength is None:
        kept = request.initial_image and masked == request.masked
        usual = MASK_STRENGTH if masked else IMAGE_STRENGTH
        strength = request.strength if kept else usual
    return replace(request, initial_image=file, masked=masked, strength=strength)


async def _initial(
    semilla: Semilla,
    call: Call,
    request: GenerationRequest,
    choices: Choices,
    over: Picture | None,
) -> tuple[str | None, bool]:
    """The file to draw over, and whether only a part of it is drawn."""
    storage, file = semilla.database.storage, request.initial_image
    if call.image is not None:
        if masked := await masked_file(semilla, call.image, choices.mask):
            return masked, True
        return await storage.put(await clean_image(semilla, call.image)), False
    if over is not None:
        file = kept_file(over)
    if file is None or choices.mask is None:
        return file, request.masked and over is None
    return await masked_file(semilla, await storage.read(file), choices.mask), True


def kept_file(picture: Picture) -> str:
    """Raises Refusal where only the recipe is left."""
    if not picture.file:
        raise Refusal("retired", (f"/reroll {picture.code}",), code=picture.code)
    return picture.file


async def masked_file(semilla: Semilla, data: bytes, area: str | None) -> str | None:
    """The stored picture that is transparent where it is to be drawn anew, or None without a mask.

    Raises Refusal.
    """
    if area is not None and not areas.known(area):
        raise Refusal("not-an-area", value=short(area))
    limit = semilla.config.limits.image_pixels
    try:
        png = await asyncio.to_thread(areas.masked, data, area, limit)
    except metadata.ImageRefused as refused:
        raise unreadable(refused, limit) from refused
    return None if png is None else await semilla.database.storage.put(png)


async def clean_image(semilla: Semilla, data: bytes) -> bytes:
    """A picture from outside as a PNG of nothing but pixels. Raises Refusal."""
    limit = semilla.config.limits.image_pixels
    try:
        return await metadata.checked_png(data, limit)
    except metadata.ImageRefused as refused:
        raise unreadable(refused, limit) from refused


def unreadable(refused: metadata.ImageRefused, limit: int) -> Refusal:
    """`limit`: of its pixels."""
    return Refusal(f"image-{refused.reason.value}", limit=f"{limit / 1e6:g}")
