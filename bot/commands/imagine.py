"""/imagine: from words to pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.commands.choices import Choices
from bot.commands.declaration import COMMANDS, Answers, command
from bot.commands.files import with_seeds
from bot.commands.kinds import Count, DraftCode, OrderCode, Switch
from bot.commands.line import typed
from bot.commands.recipe import find_picture, new_request, repeated
from bot.commands.screening import ALLOWED, check_standing, check_words
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Refusal, Reply
from bot.limits import check
from bot.locales import duration, say
from bot.replies import answer_reply
from db.history import Asker
from db.models import ATTACHED, Answer, Draft, Job, Picture, Relation, Visibility
from generator import metadata
from generator.messages import Note
from generator.request import GenerationRequest
from generator.sampler_names import calls

MANY_CALLS = 200  # of a network whose speed nobody knows: nine usual pictures have fewer
COMMAND = "command"  # beside the options of a request that is asked about; no option is called so


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
        typed_now = {name: text for name, text in call.options.items() if name != "draft"}
        options = {**(await _draft(semilla, call, draft)).options, **typed_now}
        return await COMMANDS["imagine"].run(semilla, replace(call, options=options))
    source = await source_of(semilla, call, choices)
    request, notes = await new_request(semilla, call, choices, source)
    of = (source, Relation.IMAGE) if source else (None, None)
    requests = await with_seeds(semilla, request, repeated(choices, count))
    jobs = [job(call, each, notes, *of) for each in requests]
    return await accept(semilla, call, jobs, private or is_private(source))


async def source_of(semilla: Semilla, call: Call, choices: Choices) -> Picture | None:
    """The picture of the history that was chosen to be drawn over. Raises Refusal."""
    return None if choices.image is None else await find_picture(semilla, call, choices.image)


def is_private(picture: Picture | None) -> bool:
    """Whether what comes of it is to be, too."""
    return picture is not None and picture.visibility is Visibility.PRIVATE


@command(answers=Answers.NEW)
async def order(semilla: Semilla, call: Call, draft: OrderCode) -> Reply:
    """A large request whose author has been told how long it takes."""
    found = await _draft(semilla, call, draft)
    options = {**found.options}
    name, attached = options.pop(COMMAND, "imagine"), options.pop(ATTACHED, None)
    # With its time, as a code is given again when its draft has been forgotten.
    origin = f"order:{call.guild.id}:{found.code}:{found.created.isoformat()}"
    if await semilla.database.answers.accepted(origin):  # its button was pressed before
        raise Refusal("order-made")
    image = await _kept(semilla, attached, draft) if attached else None
    call = replace(call, command=name, options=options, confirmed=True, origin=origin, image=image)
    return await COMMANDS[name].run(semilla, call)


def job(
    call: Call,
    request: GenerationRequest,
    notes: Sequence[Note] = (),
    parent: Picture | None = None,
    relation: Relation | None = None,
    trace: str | None = None,
) -> Job:
    brought = call.image is not None or (parent is not None and parent.over_photo)
    return Job(
        guild=call.guild.id,
        member=call.member.id,
        recipe=request.to_json(),
        notes=[note.to_json() for note in notes],
        parent_id=parent.id if parent else None,
        relation=relation,
        over_photo=brought and request.initial_image is not None,
        trace=trace,
    )


async def accept(semilla: Semilla, call: Call, jobs: Sequence[Job], private: bool = False) -> Reply:
    """Commits the jobs with the answer that waits for them; says place and time. A large order
    is asked about first."""
    if private and call.member.is_chat:
        raise Refusal("as-a-chat")
    for position, each in enumerate(jobs):
        each.position = position
    await _recognize(semilla, call, jobs)
    async with semilla.turn(call.member.id):
        await _check(semilla, call, jobs)
        if (question := await _asked_first(semilla, call, jobs)) is not None:
            return question
        accepted = await semilla.dispatch.accept(_answer(call, private), jobs)
    return answer_reply(accepted, call.language, semilla.dispatch.progress(accepted.id))


async def _recognize(semilla: Semilla, call: Call, jobs: Sequence[Job]) -> None:
    """A picture that came along and is one of this guild, pixel for pixel, is nobody's photo."""
    file = jobs[0].request.initial_image
    if call.image is None or file is None:
        return
    png = await semilla.database.storage.read(file)
    pixels = await asyncio.to_thread(metadata.pixel_hash_of, png)
    whoever = Asker(call.guild.id, call.member.id, moderator=True)
    if (own := await semilla.database.history.by_pixels(whoever, pixels)) is not None:
        for each in jobs:
            each.over_photo = own.over_photo


def _answer(call: Call, private: bool) -> Answer:
    return Answer(
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


async def _asked_first(semilla: Semilla, call: Call, jobs: Sequence[Job]) -> Reply | None:
    """But for what a moderator allows, which has been looked at. A picture that came along is kept
    as it came for as long as the draft."""
    if call.confirmed or call.origin.startswith(ALLOWED):
        return None
    text = _question(semilla, call.language, [each.request for each in jobs])
    if text is None:
        return None
    options = {COMMAND: call.command, **call.options}
    if call.image is not None:
        options[ATTACHED] = await semilla.database.storage.put(call.image)
    code = await semilla.database.drafts.save(call.guild.id, call.member.id, options)
    button = Button(say(call.language, "button-order"), f"/order {code}")
    return Reply(text=text, buttons=((button,),), private=True)


def _question(semilla: Semilla, language: str, requests: Sequence[GenerationRequest]) -> str | None:
    """What is asked about a large order: how long it takes, or where nobody knows yet how fast its
    network is, how often that is called."""
    each = [semilla.estimate.whole(request) for request in requests]
    seconds = [one for one in each if one is not None]
    if len(seconds) < len(requests):
        calls = sum(request.calls for request in requests)
        facts = {"count": len(requests), "calls": str(calls)}
        return say(language, "large-order-unknown", **facts) if calls > MANY_CALLS else None
    if sum(seconds) <= semilla.config.limits.ask_seconds:
        return None
    time = duration(sum(seconds), language)
    return say(language, "large-order", count=len(requests), time=time)


async def _check(semilla: Semilla, call: Call, jobs: Sequence[Job]) -> None:
    """Raises Refusal: who was stopped meanwhile, words, photos, limits."""
    await check_standing(semilla, call)
    await check_words(semilla, call, jobs)
    model = semilla.catalogue.default()
    usual = model.native[0] * model.native[1] * calls(model.sampler, model.steps)
    requests = [each.request for each in jobs]
    await check(semilla.database, semilla.config.limits, call, requests, usual)


async def _draft(semilla: Semilla, call: Call, code: str) -> Draft:
    found = await semilla.database.drafts.get(call.guild.id, code)
    if found is None:
        raise Refusal("unknown-draft", ("/help",), code=code)
    if found.member != call.member.id:
        raise Refusal("not-your-question")
    return found


async def _kept(semilla: Semilla, attached: str, code: str) -> bytes:
    """The picture that came with a draft's request; a backup has none."""
    try:
        return await semilla.database.storage.read(attached)
    except FileNotFoundError as gone:
        raise Refusal("unknown-draft", ("/help",), code=code) from gone
