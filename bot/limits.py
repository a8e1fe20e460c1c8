"""How much one member may ask for, so that nobody takes the generator for themselves."""

from __future__ import annotations

from collections.abc import Sequence

from bot.config import Limits
from bot.conversation import Call, Refusal
from db.session import Database
from generator.request import GenerationRequest


async def check(
    database: Database, limits: Limits, call: Call, requests: Sequence[GenerationRequest]
) -> None:
    """Raises Refusal: the limit, and what to do."""
    if len(requests) > limits.count:
        raise Refusal("too-many-pictures", count=len(requests), limit=limits.count)
    for request in requests:
        if request.steps > limits.steps:
            raise Refusal("too-many-steps", steps=request.steps, limit=limits.steps)
        if request.width * request.height > limits.picture_pixels:
            side = int(limits.picture_pixels**0.5)
            raise Refusal("too-large", size=f"{request.width}x{request.height}", side=str(side))
    waiting = await database.jobs.waiting_of(call.guild.id, call.member.id)
    if waiting + len(requests) > limits.waiting:
        raise Refusal("too-many-waiting", waiting=waiting, limit=limits.waiting)
