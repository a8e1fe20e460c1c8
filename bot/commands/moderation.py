"""What moderators do: bans and pauses, the record, held pictures and requests that wait."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.commands import door
from bot.commands.declaration import COMMANDS, command
from bot.commands.kinds import (
    Before,
    Name,
    PictureCode,
    Reason,
    Switch,
    Until,
    Who,
    without_accents,
)
from bot.commands.line import typed
from bot.commands.recipe import asker, find_picture
from bot.commands.screening import ALLOWED
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Guild, Member, Refusal, Reply, Role
from bot.events import Ended, Unjudged
from bot.holding import held_reply, review_reply
from bot.limits import left_until
from bot.locales import say, shortened
from bot.moderation import rules_of
from bot.replies import list_lines
from db.codes import readings
from db.models import EVERYWHERE, Ban, Record, RecordKind, Review, Visibility, now

SPAN = re.compile(r"(\d{1,4})\s*([a-z]+)")
TIME = (  # by the whole names: "3 malas palabras" are no three minutes
    r"\d{1,4}\s*(?:m|min(?:ut[eo])?s?|h|hs|hrs?|horas?|hours?|d|d[ií]as?|days?|w|weeks?"
    r"|sem(?:ana)?s?|mon(?:th)?s?|mes(?:es)?)(?!\S)"
)
TIME_FIRST = re.compile(TIME, re.IGNORECASE)
MEMBER_FIRST = re.compile(rf"(?P<member>.+?)\s+(?P<until>{TIME})\s*(?P<reason>.*)", re.IGNORECASE)
UNITS = {  # by how their names begin in both languages, the longer beginnings first
    "mon": timedelta(days=30),
    "mes": timedelta(days=30),
    "sem": timedelta(weeks=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
USUAL_PAUSE = "1d"
PAGE = 15
LIFTED_AT_ONCE = 5  # members with a button: as many rows as every chat shows
NAME_SHOWN = 40  # characters of a button


@command(role=Role.MODERATOR)
async def ban(
    semilla: Semilla, call: Call, member: Who, until: Until = "", reason: Reason = ""
) -> Reply:
    return await _stop(semilla, call, member, _time(until) if until else None, reason)


@command(role=Role.MODERATOR)
async def pause(
    semilla: Semilla, call: Call, member: Who = "", until: Until = USUAL_PAUSE, reason: Reason = ""
) -> Reply:
    """Without a member the drawing itself, for the owner: the card is wanted for something else."""
    if not member:
        if await semilla.access.role(call) is not Role.OWNER:
            raise Refusal("pause-whom")
        await semilla.dispatch.pause(True)
        waiting = len(semilla.dispatch) - len(semilla.dispatch.running())
        return Reply(text=say(call.language, "drawing-paused", waiting=waiting), private=True)
    return await _stop(semilla, call, member, _time(until), reason)


@command(role=Role.OWNER)
async def resume(semilla: Semilla, call: Call) -> Reply:
    await semilla.dispatch.pause(False)
    waiting = len(semilla.dispatch)
    return Reply(text=say(call.language, "drawing-again", waiting=waiting), private=True)


@command(role=Role.MODERATOR)
async def unban(semilla: Semilla, call: Call, member: Who = "") -> Reply:
    """Lifts bans and pauses of this guild; what stands everywhere, its owner may lift. Without a
    member there is a button for each."""
    guilds = [call.guild.id]
    if await semilla.access.role(call) is Role.OWNER:
        guilds.append(EVERYWHERE)
    if not member:
        return await _stopped(semilla, call.language, guilds)
    who, name = await _member(semilla, call, member, guilds)
    lifted = [await semilla.database.moderation.lift(guild, who) for guild in guilds]
    if not any(lifted):
        raise Refusal("not-banned", member=name)
    await _write(semilla, call, RecordKind.LIFT, (who, name))
    return Reply(text=say(call.language, "lifted", member=name), private=True)


async def _stopped(semilla: Semilla, language: str, guilds: Sequence[str]) -> Reply:
    """Who may not ask now; the newest of them each with a button."""
    found = [ban for guild in guilds for ban in await semilla.database.moderation.bans(guild)]
    if not found:
        return Reply(text=say(language, "nobody-stopped"), private=True)
    whom = {each.member: each.member_name or each.member for each in reversed(found)}
    buttons = [
        Button(f"↩ {shortened(name, NAME_SHOWN)}", f"/unban {who}")
        for who, name in reversed(whom.items())
    ]
    rows = tuple((each,) for each in buttons[:LIFTED_AT_ONCE] if each.fits)
    lines = list_lines([_standing(each, language) for each in found[:PAGE]])
    text = f"{say(language, 'unban-whom')}\n{lines}"
    return Reply(text=text, buttons=rows, private=True)


@command(role=Role.MODERATOR)
async def audit(
    semilla: Semilla, call: Call, member: Name = "", before: Before | None = None
) -> Reply:
    """What moderators did here and what was refused, newest first, and who may not ask now."""
    language = call.language
    who = (await _member(semilla, call, member))[0] if member else ""
    moderation = semilla.database.moderation
    records = await moderation.records(call.guild.id, who, before, PAGE)
    lines = [_line(each, language) for each in records]
    standing = [] if before else await moderation.bans(call.guild.id)
    stopped = [_standing(each, language) for each in standing if who in ("", each.member)]
    buttons: tuple[tuple[Button, ...], ...] = ()
    if len(records) == PAGE:
        older = {"member": member, "before": str(records[-1].id)}
        line = typed("audit", {name: value for name, value in older.items() if value})
        button = Button(label=say(language, "button-older"), line=line)
        buttons = ((button,),) if button.fits else ()
    text = list_lines(lines) if lines else say(language, "audit-empty")
    parts = (say(language, "audit-title"), list_lines(stopped), text)
    return Reply(text="\n".join(filter(None, parts)), buttons=buttons, private=True)


@command(role=Role.MODERATOR)
async def review(
    semilla: Semilla, call: Call, item: PictureCode = "", allow: Switch | None = None
) -> Reply:
    """What waits for a moderator: all of it, or one request or held picture."""
    await _need_moderator(semilla, call)
    if not item:
        waiting = await _waiting(semilla, call)
        if not (await rules_of(semilla.database, call.guild.id)).log_lost:
            return waiting
        return replace(waiting, text=f"{say(call.language, 'log-channel-lost')}\n{waiting.text}")
    found = await semilla.database.moderation.review(call.guild.id, item)
    if found is not None and found.asked is not None:
        if allow is None:
            return review_reply(found, call.language)
        async with semilla.turn(f"{ALLOWED}{found.id}"):  # two moderators may press at once
            return await _decide(semilla, call, found, allow)
    picture = await find_picture(semilla, call, item)
    if picture.visibility is not Visibility.HELD:
        raise Refusal("not-held", code=picture.code)
    return held_reply(picture, call.language)


@command(role=Role.MODERATOR)
async def approve(semilla: Semilla, call: Call, picture: PictureCode) -> Reply:
    """Frees a held picture; its answer is delivered again, now with it."""
    await _need_moderator(semilla, call)
    found = await find_picture(semilla, call, picture)
    answer = await semilla.database.moderation.publish(found)
    if answer is None:
        raise Refusal("not-held", code=found.code)
    await _write(semilla, call, RecordKind.APPROVE, (found.member, found.member_name), found.code)
    semilla.events.publish(Ended(guild=found.guild, answer=answer, job=found.job_id or 0))
    semilla.events.publish(Unjudged(guild=found.guild))
    text = say(call.language, "approved", code=found.code)
    return Reply(text=text, buttons=await _next(semilla, call), private=True)


async def _need_moderator(semilla: Semilla, call: Call) -> None:
    """In a private chat everybody is their own moderator, but nobody judges their own pictures."""
    if call.guild.private and await semilla.access.role(call) is not Role.OWNER:
        raise Refusal("for-moderators")


async def _waiting(semilla: Semilla, call: Call) -> Reply:
    language, moderation = call.language, semilla.database.moderation
    reviews = await moderation.asked(call.guild.id)
    pictures = await moderation.held(call.guild.id)
    if not reviews and not pictures:
        return Reply(text=say(language, "nothing-waits"), private=True)
    oldest = review_reply(reviews[0], language) if reviews else held_reply(pictures[0], language)
    title = say(language, "review-title", requests=len(reviews), pictures=len(pictures))
    return replace(oldest, text=f"{title}\n{oldest.text}")


async def _decide(semilla: Semilla, call: Call, found: Review, allow: bool) -> Reply:
    decided = Refusal("decided-already", member=found.member_name)
    current = await semilla.database.moderation.review(call.guild.id, found.code)
    if current is None or current.decided is not None:
        raise decided
    if allow:
        reply = await door.run(semilla, _asked_again(found, call.guild))
        if reply.answer is None:  # its picture is gone, or its author has too much in line
            return replace(reply, private=True)
    if not await semilla.database.moderation.decide(found):
        raise decided
    semilla.events.publish(Unjudged(guild=call.guild.id))
    kind = RecordKind.ALLOW if allow else RecordKind.DENY
    await _write(semilla, call, kind, (found.member, found.member_name), found.word)
    key = "review-allowed" if allow else "review-denied"
    text = say(call.language, key, member=found.member_name)
    return Reply(text=text, buttons=await _next(semilla, call), private=True)


async def _next(semilla: Semilla, call: Call) -> tuple[tuple[Button, ...], ...]:
    """To what waits besides, if something does."""
    moderation = semilla.database.moderation
    if not (await moderation.asked(call.guild.id, 1) or await moderation.held(call.guild.id, 1)):
        return ()
    return ((Button(say(call.language, "button-next"), "/review"),),)


def _asked_again(found: Review, guild: Guild) -> Call:
    """The request as its author made it, to be delivered where it was made."""
    return Call(
        origin=f"{ALLOWED}{found.id}",
        adapter=found.adapter,
        guild=guild,
        member=Member(found.member, found.member_name, found.moderator, tuple(found.roles)),
        language=found.language,
        command=found.command,
        options={name: str(value) for name, value in found.options.items()},
        channel=found.channel,
        thread=found.thread,
        age_restricted=found.age_restricted,
        aside=found.aside,
    )


async def _stop(
    semilla: Semilla, call: Call, text: str, until: datetime | None, reason: str
) -> Reply:
    """A ban, or with an end a pause. What the member has in line is cancelled, and what is just
    being accepted first. "Ana 2h spam" is Ana for two hours, unless somebody is called so."""
    await _need_moderator(semilla, call)
    try:
        who, name = await _member(semilla, call, text)
    except Refusal as refusal:
        parts = MEMBER_FIRST.fullmatch(text)
        if refusal.key != "unknown-member" or parts is None or len(call.options) > 1:
            raise
        options = {key: part for key, part in parts.groupdict().items() if part}
        return await COMMANDS[call.command].run(semilla, replace(call, options=options))
    if who == call.member.id or await semilla.database.access.owns(who):
        raise Refusal("not-against-owner")
    stopped = Ban(
        guild=call.guild.id,
        member=who,
        member_name=name,
        until=until,
        reason=reason,
    )
    async with semilla.turn(who):
        await semilla.database.moderation.ban(stopped)
        await semilla.dispatch.stop(stopped, call.guild.name)
    kind = RecordKind.BAN if until is None else RecordKind.PAUSE
    await _write(semilla, call, kind, (who, name), reason)
    if until is None:
        return Reply(text=say(call.language, "banned", member=name), private=True)
    time = left_until(until, call.language)
    return Reply(text=say(call.language, "paused", member=name, time=time), private=True)


async def _member(
    semilla: Semilla, call: Call, text: str, guilds: Sequence[str] = ()
) -> tuple[str, str]:
    """Id and name of whoever is meant by a mention, an id, a name, or a picture of theirs.

    Raises Refusal.
    """
    moderation = semilla.database.moderation
    mention = call.mentioned(text)
    typed_id = mention or text.lstrip("@")
    if not typed_id:
        raise Refusal("unknown-member", member=text)
    found = await moderation.members(guilds or [call.guild.id], typed_id)
    if len(found) > 1:
        each = [await _mark(semilla, call, who) for who, _ in found]
        lines = [typed(call.command, {**call.options, "member": mark}) for mark in each]
        fitting = tuple(line for line in lines if Button(line, line).fits)
        raise Refusal("several-members", fitting, member=text, each=", ".join(each))
    if found:
        who, name = found[0]
        return who, name or who
    if mention:  # somebody who hasn't asked for anything yet
        return mention, text.partition(" ")[2] or text
    if readings(text):
        picture = await semilla.database.history.get(asker(call), text)
        if picture is not None:
            return picture.member, picture.member_name
    raise Refusal("unknown-member", member=text)


async def _mark(semilla: Semilla, call: Call, member: str) -> str:
    """By which people know a member from another of the same name: their newest picture's id, or
    where there is none their own."""
    pictures = await semilla.database.history.search(asker(call), member=member, limit=1)
    return pictures[0].code if pictures else member


def time_first(text: str) -> str:
    """A number and a unit of time with which a text begins, "2h", "3 días"; else ""."""
    found = TIME_FIRST.match(text)
    return found[0] if found else ""


def _time(text: str) -> datetime:
    """ "2h", "3 days", "1 semana" from now, or a day or a time, without a zone as the clock of this
    computer has it: "2026-12-31", "2026-12-31 18:00". In UTC; raises Refusal."""
    if match := SPAN.fullmatch(without_accents(text)):
        unit = next((each for name, each in UNITS.items() if match[2].startswith(name)), None)
        if unit is not None and int(match[1]):
            return now() + int(match[1]) * unit
    try:
        day = datetime.fromisoformat(text.strip().upper()).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):  # OSError: Windows, before 1970
        day = now()
    if day <= now():
        raise Refusal("not-a-time", value=text)
    return day


async def _write(
    semilla: Semilla, call: Call, kind: RecordKind, about: tuple[str, str], detail: str = ""
) -> None:
    member, name = about
    await semilla.database.moderation.write(
        Record(
            guild=call.guild.id,
            kind=kind,
            member=member,
            member_name=name,
            by=call.member.id,
            by_name=call.member.name,
            detail=detail,
        )
    )


def _line(record: Record, language: str) -> str:
    name = record.member_name or say(language, "somebody")  # who has had theirs erased
    by = say(language, "somebody") if record.by else "Semilla"
    facts = {"member": name, "by": record.by_name or by}
    detail = f" · {record.detail}" if record.detail else ""
    return say(
        language,
        "audit-line",
        time=f"{record.created.replace(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M}",
        what=record.kind.value,
        detail=detail,
        **facts,
    )


def _standing(ban: Ban, language: str) -> str:
    """A ban or pause; whoever has had their name erased is known by their id."""
    time = say(language, "for-good") if ban.until is None else left_until(ban.until, language)
    return say(language, "audit-stopped", member=ban.member_name or ban.member, time=time)
