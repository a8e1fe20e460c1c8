"""How much may be asked for, where and by whom, so that nobody takes the generator for themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.config import Limits
from bot.conversation import Call, Refusal
from bot.locales import LANGUAGES, duration
from db.models import now
from db.session import Database
from generator.request import GenerationRequest

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NUMBERS = ("waiting", "per_hour", "per_day", "max_steps", "max_count", "max_side")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one member may ask for in a guild; 0 and () are "no limit".

    `waiting`, `per_hour` and `per_day` count a member's pictures over all places together. A
    picture that costs (pixels × network calls) as much as n usual ones counts as n.
    """

    waiting: int = 0
    per_hour: int = 0
    per_day: int = 0
    max_steps: int = 0
    max_count: int = 0
    max_side: int = 0
    models: tuple[str, ...] = ()


def allowance(values: Mapping[str, str], roles: Iterable[Mapping[str, str]]) -> Allowance:
    """The guild's, and where a member's roles allow more, theirs."""
    guild = _read(values)
    own = [_read({**values, **role}) for role in roles]
    if not own:
        return guild
    most = {name: _most([getattr(each, name) for each in own]) for name in NUMBERS}
    models = () if any(not each.models for each in own) else sum((e.models for e in own), ())
    return Allowance(**most, models=models)


async def check(
    database: Database,
    limits: Limits,
    call: Call,
    requests: Sequence[GenerationRequest],
    usual_cost: int,
) -> None:
    """Raises Refusal: the limit, when it frees, and what to do.

    `usual_cost`: pixels × network calls of a picture as the default model makes it.
    """
    _check_host(limits, requests)
    if not call.member.moderator:
        allowed = await allowance_of(database, call)
        _check_guild(allowed, requests)
        asked = [_units(each.cost, usual_cost) for each in requests]
        await _check_time(database, call, "hour", HOUR, allowed.per_hour, asked, usual_cost)
        await _check_time(database, call, "day", DAY, allowed.per_day, asked, usual_cost)
        limits = limits.model_copy(
            update={"waiting": min(limits.waiting, allowed.waiting or limits.waiting)}
        )
    if len(requests) > limits.waiting:
        raise Refusal("too-many-pictures", count=len(requests), limit=limits.waiting)
    waiting = await database.jobs.waiting_of(call.member.id)
    if waiting + len(requests) > limits.waiting:
        raise Refusal("too-many-waiting", ("/cancel",), waiting=waiting, limit=limits.waiting)
    together = await database.jobs.waiting_in(call.guild.id)
    if together + len(requests) > limits.guild_waiting:
        raise Refusal("guild-too-many-waiting", waiting=together, limit=limits.guild_waiting)


def strictest(all_: Sequence[Allowance]) -> Allowance:
    """For a private chat: the least that any place of its member allows."""
    least = {n: min(filter(None, (getattr(each, n) for each in all_)), default=0) for n in NUMBERS}
    lists = [each.models for each in all_ if each.models]
    models = tuple(m for m in lists[0] if all(m in each for each in lists)) if lists else ()
    return Allowance(**least, models=models or (lists[0] if lists else ()))


async def allowance_of(database: Database, call: Call) -> Allowance:
    if call.guild.private:
        shared = await database.moderation.shared_guilds(call.member.id, call.guild.id)
        return strictest([allowance(await database.settings.of_guild(g), ()) for g in shared])
    values = await database.settings.of_guild(call.guild.id)
    roles = await database.settings.of_roles(call.guild.id, call.member.roles)
    return allowance(values, roles)


def language_of(values: Mapping[str, str]) -> str:
    """In which a guild is spoken to; "" for each member's own."""
    language = values.get("language", "")
    return language if language in LANGUAGES else ""


def check_place(call: Call, values: Mapping[str, str]) -> None:
    """Whether Semilla draws in this channel, and for this member. Raises Refusal."""
    if call.member.moderator or call.aside:
        return
    channels = _list(values, "channels")
    if channels and call.channel not in channels and call.thread not in channels:
        raise Refusal("wrong-channel", channels=values.get("channels_shown") or ", ".join(channels))
    roles = _list(values, "roles")
    if roles and not set(roles) & set(call.member.roles):
        raise Refusal("role-needed", roles=values.get("roles_shown") or ", ".join(roles))


def _units(cost: int, usual_cost: int) -> int:
    """As how many usual pictures it counts."""
    return max(1, round(cost / usual_cost))


def _check_host(limits: Limits, requests: Sequence[GenerationRequest]) -> None:
    if len(requests) > limits.count:
        raise Refusal("too-many-pictures", count=len(requests), limit=limits.count)
    for request in requests:
        if request.steps > limits.steps:
            raise Refusal("too-many-steps", steps=request.steps, limit=limits.steps)
        if request.width * request.height > limits.picture_pixels:
            side = int(limits.picture_pixels**0.5)
            raise Refusal("too-large", size=f"{request.width}x{request.height}", side=str(side))


def _check_guild(allowed: Allowance, requests: Sequence[GenerationRequest]) -> None:
    if allowed.max_count and len(requests) > allowed.max_count:
        raise Refusal("too-many-pictures", count=len(requests), limit=allowed.max_count)
    for request in requests:
        if allowed.max_steps and request.steps > allowed.max_steps:
            raise Refusal("too-many-steps", steps=request.steps, limit=allowed.max_steps)
        if allowed.max_side and max(request.width, request.height) > allowed.max_side:
            size = f"{request.width}x{request.height}"
            raise Refusal("too-large", size=size, side=str(allowed.max_side))
        if allowed.models and request.model not in allowed.models:
            models = ", ".join(allowed.models)
            raise Refusal("model-not-here", model=request.model, models=models)


async def _check_time(
    database: Database,
    call: Call,
    name: str,
    window: timedelta,
    limit: int,
    asked: Sequence[int],
    usual_cost: int,
) -> None:
    """`asked`: as how many usual pictures each counts."""
    if not limit:
        return
    units = sum(asked)
    if units > limit:
        raise Refusal(f"order-over-{name}", units=units, limit=limit)
    made = [
        (created, _units(cost, usual_cost))
        for created, cost in await database.jobs.ordered_since(call.member.id, now() - window)
    ]
    used = sum(each for _, each in made)
    over, frees = used + units - limit, now()
    for created, each in made:  # the oldest frees first
        if over <= 0:
            break
        over, frees = over - each, created + window
    if used + units > limit:
        left = 0 if units > len(asked) else max(0, limit - used)  # as many usual ones
        time = left_until(frees, call.language)
        raise Refusal(f"limit-{name}", made=used, limit=limit, left=left, time=time)


def left_until(moment: datetime, language: str) -> str:
    """How long it is until then, in words."""
    return duration((moment - now()).total_seconds(), language)


def _read(values: Mapping[str, str]) -> Allowance:
    numbers = {n: int(values[n]) for n in NUMBERS if values.get(n, "").isdecimal()}
    return Allowance(**numbers, models=tuple(_list(values, "models")))


def _most(numbers: Sequence[int]) -> int:
    """0 is no limit, so nothing is more."""
    return 0 if 0 in numbers else max(numbers)


def _list(values: Mapping[str, str], name: str) -> list[str]:
    return [part for each in values.get(name, "").split(",") if (part := each.strip())]
