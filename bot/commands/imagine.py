"""/imagine: from words to pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.commands.declaration import Answers, command
from bot.commands.kinds import Count, DraftCode, Switch
from bot.commands.line import typed
from bot.commands.recipe import Choices, new_request, read_choices
from bot.commands.screening import check_words
from bot.commands.semilla import Semilla
from bot.conversation import Call, Refusal, Reply
from bot.limits import check
from bot.replies import answer_reply
from db.models import Answer, Job, Relation
from generator.messages import Note
from generator.request import SEED_LIMIT, GenerationRequest


@command(answers=Answers.NEW, listed=True)
async def imagine(
    semilla: Semilla,
    call: Call,
    choices: Choices,
    count: Count = 1,
    private: Switch = False,
    draft: DraftCode | None = None,
) -> Reply:
    if draft is not None:
        choices = choices.over(await _draft(semilla, call, draft))
    request, notes = await new_request(semilla, call, choices)
    jobs = [job(call, each, notes) for each in with_seeds(request, count)]
    return await accept(semilla, call, jobs, private)


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
    requests = [each.request for each in jobs]
    await check_words(semilla, call, jobs)
    await check(semilla.database, semilla.config.limits, call, requests)
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
        private=private,
        age_restricted=call.age_restricted,
        trusted=call.member.moderator,
        line=typed(call.command, dict(call.options)),
    )
    accepted = await semilla.dispatch.accept(answer, jobs)
    return answer_reply(accepted, call.language, semilla.dispatch.progress(accepted.id))


async def _draft(semilla: Semilla, call: Call, code: str) -> Choices:
    found = await semilla.database.drafts.get(call.guild.id, code)
    if found is None:
        raise Refusal("unknown-draft", ("/help",), code=code)
    return read_choices(found.options)
