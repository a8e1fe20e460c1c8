"""Before a request is accepted: who may ask at all, and which words and photos a place takes."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence

from bot.commands.declaration import COMMANDS
from bot.commands.semilla import Semilla
from bot.conversation import Call, Refusal, Role
from bot.holding import never_drawn
from bot.limits import left_until
from bot.locales import say
from bot.moderation import (
    ADULTS,
    CLOTHES,
    Rules,
    below_floor,
    blocked_word,
    in_channel,
    kept_out,
    mentions_minor,
    rules_for,
    said,
)
from db.models import Job, Record, RecordKind, Review

log = logging.getLogger(__name__)

ALLOWED = "review:"  # begins the origin of a request that a moderator has allowed


async def check_standing(semilla: Semilla, call: Call) -> None:
    """Raises Refusal for whoever may not ask now; in private also what stands in shared guilds."""
    moderation = semilla.database.moderation
    guilds = [call.guild.id]
    if call.guild.private:
        guilds += await moderation.shared_guilds(call.member.id, call.guild.id)
    ban = await moderation.banned(guilds, call.member.id)
    if ban is None or await semilla.access.role(call) is Role.OWNER:
        return
    reason = ban.reason or say(call.language, "no-reason")
    if ban.until is None:
        raise Refusal("banned", reason=reason)
    raise Refusal("paused", time=left_until(ban.until, call.language), reason=reason)


async def check_words(semilla: Semilla, call: Call, jobs: Sequence[Job]) -> None:
    """Raises Refusal for words and photos that the place doesn't take."""
    rules = in_channel(
        await rules_for(semilla.database, call), call.age_restricted, semilla.dispatch.checks
    )
    # In a thread: a long schedule has a text for each of its steps.
    texts = await asyncio.to_thread(_texts, jobs, semilla.catalogue.wildcard)
    clothes, adults = await asyncio.to_thread(_kept_out, jobs, semilla.catalogue.wildcard)
    below = await asyncio.to_thread(_below_floor, texts, bool(clothes), bool(adults))
    if below is not None:
        await _refuse_for_good(semilla, call, rules, _record(call, *below))
    brought = call.image is not None and any(job.request.initial_image for job in jobs)
    if brought and not (rules.photos or call.member.moderator):
        raise Refusal("photos-off")
    if call.origin.startswith(ALLOWED):
        return
    found = await asyncio.to_thread(_blocked, rules, texts)
    if found is not None:
        await _block(semilla, call, *found)
    if clothes and not rules.nsfw:
        await semilla.database.moderation.write(_record(call, RecordKind.WORD, clothes))
        raise Refusal("negative-word", word=clothes)


def _texts(jobs: Sequence[Job], wildcard: Callable[[str, int], Sequence[str]]) -> dict[str, str]:
    """What is to be looked at, each with the prompt that says it; as typed comes first."""
    requests = [job.request for job in jobs]
    texts = {request.prompt: request.prompt for request in requests}
    for request in requests:
        for text in said(request, wildcard):
            texts.setdefault(text, request.prompt)
    return texts


def _kept_out(
    jobs: Sequence[Job], wildcard: Callable[[str, int], Sequence[str]]
) -> tuple[str, str]:
    """The words by which clothes and adults are."""

    def first(what: re.Pattern[str]) -> str:
        return next(filter(None, (kept_out(each.request, wildcard, what) for each in jobs)), "")

    return first(CLOTHES), first(ADULTS)


def _below_floor(
    texts: Mapping[str, str], undressed: bool, young: bool
) -> tuple[RecordKind, str] | None:
    """The prompt that asks for what is never drawn, and whether it may mean something else.

    Args:
        undressed: clothes are kept out of it, and
        young: adults are.
    """

    def asks(text: str) -> bool:
        minor = f"child, {text}" if young else text
        return below_floor(minor) or (undressed and mentions_minor(minor))

    below = [text for text in texts if asks(text)]
    if not below:
        return None
    plain = next((text for text in below if below_floor(text, plainly=True)), None)
    kind = RecordKind.FLOOR if plain is not None else RecordKind.UNSURE
    return kind, texts[below[0] if plain is None else plain]


def _blocked(rules: Rules, texts: Mapping[str, str]) -> tuple[str, str] | None:
    """The first listed word, and the prompt that has it."""
    for text, prompt in texts.items():
        if (word := blocked_word(rules, text)) is not None:
            return word, prompt
    return None


async def _block(semilla: Semilla, call: Call, word: str, prompt: str) -> None:
    """Keeps the request, so that its author can change it or have it looked at."""
    moderation = semilla.database.moderation
    await moderation.write(_record(call, RecordKind.WORD, word))
    if call.image is not None:  # the photo isn't kept
        raise Refusal("word", word=word)
    takes_prompt = COMMANDS[call.command].option("prompt") is not None
    options = {"prompt": prompt, **call.options} if takes_prompt else dict(call.options)
    review = await moderation.keep(
        Review(
            guild=call.guild.id,
            adapter=call.adapter,
            channel=call.channel,
            thread=call.thread,
            age_restricted=call.age_restricted,
            aside=call.aside,
            member=call.member.id,
            member_name=call.member.name,
            moderator=call.member.moderator,
            roles=list(call.member.roles),
            language=call.language,
            command=call.command,
            options=options,
            word=word,
        )
    )
    edit = (("edit", f"/rewrite {review.code}"),) if takes_prompt else ()
    appeal = () if call.guild.private else (("appeal", f"/appeal {review.code}"),)
    raise Refusal("word", offers=(*edit, *appeal), word=word)


async def _refuse_for_good(semilla: Semilla, call: Call, rules: Rules, record: Record) -> None:
    """Neutrally, to its author only; it is recorded, and whoever goes on is paused everywhere."""
    log.warning("refused below the floor: %s in %s", call.member.id, call.guild.id)
    language = rules.language or call.language
    ban = await never_drawn(semilla.database, semilla.events, rules, record, language)
    if ban is not None:
        await semilla.dispatch.stop(ban)
    raise Refusal("floor")


def _record(call: Call, kind: RecordKind, detail: str) -> Record:
    return Record(
        guild=call.guild.id,
        kind=kind,
        member=call.member.id,
        member_name=call.member.name,
        detail=detail[:300],
    )
