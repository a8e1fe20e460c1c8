"""/imagine: from words to pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.commands.declaration import COMMANDS, Answers, command
from bot.commands.kinds import Count, DraftCode, OrderCode, Switch
from bot.commands.line import typed
from bot.commands.recipe import Choices, new_request, read_choices
from bot.commands.screening import check_words
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Refusal, Reply
from bot.limits import check
from bot.locales import say
from bot.replies import answer_reply, duration
from db.models import Answer, Draft, Job, Relation
from generator.messages import Note
from generator.request import SEED_LIMIT, GenerationRequest
from generator.sampler_names import calls


@command(answers=Answers.NEW, listed=True)
async def imagine(
    semilla: Semilla,
    call: Call,
    choices: Choices,
    count: Count = 1,
    private: Switch = False,
    draft: DraftCode | None = None,
) -> Reply:
    jobs = await _jobs(semilla, call, choices, count, draft)
    if (question := await _asked_first(semilla, call, jobs)) is not None:
        return question
    return await accept(semilla, call, jobs, private)


@command(answers=Answers.NEW)
async def order(semilla: Semilla, call: Call, draft: OrderCode) -> Reply:
    """A large request whose author has been told how long it takes."""
    found = await _draft(semilla, call, draft)
    if found.member != call.member.id:
        raise Refusal("not-your-order")
    call = replace(call, command="imagine", options=found.options)
    asked = COMMANDS["imagine"].read(call)
    jobs = await _jobs(semilla, call, asked["choices"], asked["count"], asked["draft"])
    return await accept(semilla, call, jobs, asked["private"])


async def _jobs(
    semilla: Semilla, call: Call, choices: Choices, count: int, draft: str | None
) -> list[Job]:
    if draft is not None:
        choices = choices.over(read_choices((await _draft(semilla, call, draft)).options))
    request, notes = await new_request(semilla, call, choices)
    return [job(call, each, notes) for each in with_seeds(request, count)]


async def _asked_first(semilla: Semilla, call: Call, jobs: Sequence[Job]) -> Reply | None:
    """A large order tells its pictures and minutes first. A photo that came along can't wait."""
    if call.image is not None:
        return None
    each = [_seconds(semilla, one.request) for one in jobs]
    seconds = sum(one for one in each if one is not None)
    if seconds <= semilla.config.limits.ask_seconds:
        return None
    await _check(semilla, call, jobs)
    code = await semilla.database.drafts.save(call.guild.id, call.member.id, call.options)
    time = duration(seconds, call.language)
    text = say(call.language, "large-order", count=len(jobs), time=time)
    button = Button(say(call.language, "button-order"), f"/order {code}")
    return Reply(text=text, buttons=((button,),), private=True)


def _seconds(semilla: Semilla, request: GenerationRequest) -> float | None:
    size = (request.width, request.height)
    return semilla.estimate.seconds(request.model, *size, request.calls)


def with_seeds(request: GenerationRequest, count: int) -> list[GenerationRequest]:
    """Picture i of n has the seed + i, so that each can be made again alone."""
    return [replace(request, seed=(request.seed + i) % SEED_LIMIT) for i in range(count)]


def job(
    call: Call,
    request: GenerationRequest,
    notes: Sequence[Note] = (),
    parent: int | None = None,
    relation: Relation | None = None,
    trace: str | None = None,
) -> Job:
    return Job(
        guild=call.guild.id,
        member=call.member.id,
        recipe=request.to_json(),
        notes=[note.to_json() for note in notes],
        parent_id=parent,
        relation=relation,
        trace=trace,
    )


async def accept(semilla: Semilla, call: Call, jobs: Sequence[Job], private: bool = False) -> Reply:
    """Commits the jobs with the answer that waits for them; says place and time."""
    await _check(semilla, call, jobs)
    for position, each in enumerate(jobs):
        each.position = position
    answer = Answer(
        origin=call.origin,
        adapter=call.adapter,
        guild=call.guild.id,
        channel=call.channel,
        thread=call.thread,
        message=call.message,
        token=call.token or None,
        member=call.member.id,
        member_name=call.member.name,
        language=call.language,
        private=private or call.aside,
        age_restricted=call.age_restricted,
        trusted=call.member.moderator,
        line=typed(call.command, dict(call.options)),
    )
    accepted = await semilla.dispatch.accept(answer, jobs)
    return answer_reply(accepted, call.language, semilla.dispatch.progress(accepted.id))


async def _check(semilla: Semilla, call: Call, jobs: Sequence[Job]) -> None:
    """Raises Refusal: words, photos, limits."""
    await check_words(semilla, call, jobs)
    model = semilla.catalogue.default()
    usual = model.native[0] * model.native[1] * calls(model.sampler, model.steps)
    requests = [each.request for each in jobs]
    await check(semilla.database, semilla.config.limits, call, requests, usual)


async def _draft(semilla: Semilla, call: Call, code: str) -> Draft:
    found = await semilla.database.drafts.get(call.guild.id, code)
    if found is None:
        raise Refusal("unknown-draft", ("/help",), code=code)
    return found
