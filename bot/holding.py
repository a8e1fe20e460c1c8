"""What becomes of a finished picture: shown, held until a moderator has seen it, or refused.

Moderators are told in their guild's log channel; where there is none, /review shows what waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from bot.conversation import Button, Reply, Shown
from bot.events import Events, Notice, Unjudged
from bot.limits import left_until
from bot.locales import escape, say, shortened
from bot.moderation import Rules, in_channel, mentions_minor, rules_of, said
from bot.showing import blurred
from db.models import (
    EVERYWHERE,
    Answer,
    Ban,
    Hold,
    Job,
    Picture,
    Record,
    RecordKind,
    Review,
    Visibility,
    now,
)
from db.session import Database
from generator.catalogue import Catalogue
from generator.messages import Drawn, Note
from generator.request import GenerationRequest

ATTEMPTS, WITHIN, PAUSED = 3, timedelta(days=1), timedelta(days=1)
TOLD_PROMPT = 300  # characters


class Verdict(StrEnum):
    SHOWN = "shown"
    APPROVAL = "approval"
    CHECK = "check"
    REFUSED = "refused"


HELD = {Verdict.APPROVAL: Hold.APPROVAL, Verdict.CHECK: Hold.CHECK}


class Holding:
    def __init__(self, database: Database, events: Events, catalogue: Catalogue) -> None:
        self._database = database
        self._events = events
        self._catalogue = catalogue

    async def hides(self, job: Job, checks: bool) -> bool:
        """Whether nobody may see a picture before it is finished and judged."""
        rules = await rules_of(self._database, job.guild)
        if rules.approve and not job.answer.trusted:
            return True
        here = in_channel(rules, job.answer.age_restricted, checks)
        looks = checks and not self._catalogue.harmless(job.request)
        return looks and (not here.nsfw or await self._may_be_a_child(job))

    async def judge(self, job: Job, exposed: bool | None) -> Verdict:
        """`exposed`: what the picture check found, None where there is none."""
        rules = await rules_of(self._database, job.guild)
        here = in_channel(rules, job.answer.age_restricted, exposed is not None)
        if exposed and await self._may_be_a_child(job):
            record = _record(job, RecordKind.UNDRAWN)
            language = rules.language or job.answer.language
            await never_drawn(self._database, self._events, rules, record, language)
            return Verdict.REFUSED
        if exposed and not here.nsfw:
            return Verdict.CHECK
        return Verdict.APPROVAL if rules.approve and not job.answer.trusted else Verdict.SHOWN

    async def _may_be_a_child(self, job: Job) -> bool:
        """By its words; who is on a member's own photo, and how old, nobody here knows."""
        texts = await asyncio.to_thread(said, job.request, self._catalogue.wildcard)
        return any(map(mentions_minor, texts)) or job.over_photo

    async def hold(self, picture: Picture, verdict: Verdict, png: bytes) -> None:
        """Puts a new picture aside, if that is the verdict. Raises DiskFull."""
        if verdict in HELD:
            picture.visibility = Visibility.HELD
            picture.held_for = HELD[verdict]
            blur = await asyncio.to_thread(blurred, png)
            picture.blurred = await self._database.storage.put(blur)

    async def tell(self, picture: Picture, answer: Answer) -> None:
        """Moderators hear of a held picture."""
        if picture.visibility is not Visibility.HELD:
            return
        rules = await rules_of(self._database, picture.guild)
        if picture.held_for == Hold.CHECK:
            job = await self._database.jobs.get(picture.job_id or 0)
            await self._database.moderation.write(_record(job, RecordKind.HELD))
        reply = held_reply(picture, rules.language or answer.language)
        tell_moderators(self._events, rules, picture.guild, reply)

    async def tell_stopped(self, ban: Ban, place: str, answers: Sequence[int]) -> None:
        """Whoever is banned or paused hears it once, when something of theirs waited. `place`: what
        the guild is called; `answers`: of each picture that isn't drawn any more."""
        answer = await self._database.answers.get(answers[0])
        if answer is None:  # its member has had everything erased
            return
        language, title = answer.language, f"**{escape(place)}**: " if place else ""
        time = "" if ban.until is None else left_until(ban.until, language)
        facts = {"time": time, "reason": ban.reason or say(language, "no-reason")}
        why = say(language, "refusal-paused" if ban.until else "refusal-banned", **facts)
        text = f"{title}{why} {say(language, 'line-emptied', count=len(answers))}"
        adapter, reply = ban.member.partition(":")[0], Reply(text=text, private=True)
        self._events.tell(adapter, ban.member, reply)


def picture_of(job: Job, request: GenerationRequest, drawn: Drawn, file: str) -> Picture:
    """The row of a finished picture."""
    notes = [*job.notes, *(note.to_json() for note in drawn.notes if _new(note, job))]
    return Picture(
        guild=job.guild,
        member=job.member,
        member_name=job.answer.member_name,
        visibility=Visibility.PRIVATE if job.answer.private else Visibility.PUBLIC,
        recipe=request.to_json(),
        prompt=request.prompt,
        file=file,
        pixel_hash=drawn.pixel_hash,
        width=request.width,
        height=request.height,
        key=dict(drawn.key),
        trace=drawn.trace,
        seconds=drawn.seconds,
        notes=notes,
        parent_id=job.parent_id,
        relation=job.relation,
        over_photo=job.over_photo,
        age_restricted=job.answer.age_restricted,
    )


def _new(note: Note, job: Job) -> bool:
    return note.to_json() not in job.notes


async def never_drawn(
    database: Database, events: Events, rules: Rules, record: Record, language: str
) -> Ban | None:
    """Records it and tells moderators; whoever goes on is paused everywhere, but not for words that
    may have meant something else, and no owner."""
    moderation = database.moderation
    await moderation.write(record)
    attempts = await moderation.attempts(record.member, now() - WITHIN)
    goes_on = record.kind is not RecordKind.UNSURE and attempts >= ATTEMPTS
    paused = None
    if goes_on and not await database.access.owns(record.member):
        paused = await _pause_everywhere(database, record)
    key = f"log-{record.kind}" if paused is None else "log-floor-paused"
    text = say(language, key, member=record.member_name)
    reply = Reply(text=text, buttons=(against(language, record.member),), private=True)
    tell_moderators(events, rules, record.guild, reply)
    return paused


async def _pause_everywhere(database: Database, record: Record) -> Ban:
    who = {"member": record.member, "member_name": record.member_name}
    ban = Ban(guild=EVERYWHERE, until=now() + PAUSED, **who)
    await database.moderation.ban(ban)
    pause = Record(guild=record.guild, kind=RecordKind.PAUSE, detail="", **who)
    await database.moderation.write(pause)
    return ban


def tell_moderators(events: Events, rules: Rules, guild: str, reply: Reply) -> None:
    """On an open page, and in the guild's log channel if it has one."""
    events.publish(Unjudged(guild=guild))
    if rules.log_channel:
        adapter = guild.partition(":")[0]
        notice = Notice(
            guild=guild, answer=0, adapter=adapter, channel=rules.log_channel, reply=reply
        )
        events.publish(notice)


def held_reply(picture: Picture, language: str) -> Reply:
    """A held picture as moderators first see it: blurred, with what can be done."""
    facts = {"member": picture.member_name, "prompt": _short(picture.prompt)}
    text = say(language, f"log-held-{picture.held_for}", code=picture.code, **facts)
    return Reply(
        text=text,
        pictures=(held_shown(picture, language),),
        buttons=(
            (
                _button(language, "publish", f"/approve {picture.code}"),
                _button(language, "delete", f"/delete {picture.code} sure:yes"),
                *against(language, picture.member),
            ),
            (_button(language, "look", f"/show {picture.code}"),),
        ),
        private=True,
    )


def held_shown(picture: Picture, language: str) -> Shown:
    return Shown(
        code=picture.code,
        file=picture.blurred,
        width=picture.width,
        height=picture.height,
        alt=say(language, "blurred-picture"),
        line=f"/review {picture.code}",
    )


def review_reply(review: Review, language: str) -> Reply:
    """A request that a word has stopped, with what moderators can do."""
    facts = {"member": review.member_name, "word": review.word}
    prompt = _short(str(review.options.get("prompt", "")))
    return Reply(
        text=say(language, "log-asked", prompt=prompt, **facts),
        buttons=(
            (
                _button(language, "allow", f"/review {review.code} allow:yes"),
                _button(language, "deny", f"/review {review.code} allow:no"),
                *against(language, review.member),
            ),
        ),
        private=True,
    )


def against(language: str, member: str) -> tuple[Button, ...]:
    """What can be done against a member, named by their id: a picture of theirs may be gone."""
    lines = (("pause", f"/pause {member}"), ("ban", f"/ban {member}"))
    buttons = (_button(language, name, line) for name, line in lines)
    return tuple(each for each in buttons if each.fits)


def _record(job: Job, kind: RecordKind) -> Record:
    return Record(
        guild=job.guild,
        kind=kind,
        member=job.member,
        member_name=job.answer.member_name,
        detail=_short(job.request.prompt),
    )


def _short(text: str) -> str:
    return shortened(text, TOLD_PROMPT)


def _button(language: str, key: str, line: str) -> Button:
    return Button(label=say(language, f"button-{key}"), line=line)
