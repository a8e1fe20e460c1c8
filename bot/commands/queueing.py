"""The line: who waits, and leaving it."""

from __future__ import annotations

from itertools import groupby

from bot.commands.declaration import COMMANDS, command
from bot.commands.files import as_of_now, replaced
from bot.commands.kinds import EVERY, Number, RequestNumber
from bot.commands.screening import check_standing
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Refusal, Reply
from bot.locales import duration, say
from bot.replies import ENDED, list_lines
from db.models import Answer, JobState

FAR, NEAR = 1000, 50  # places looked at, and at most shown


@command(listed=True)
async def queue(semilla: Semilla, call: Call) -> Reply:
    """Others' words are not shown: only how many pictures wait before one's own. What other guilds
    have in line can be felt in the times, and is seen nowhere."""
    language, guild = call.language, call.guild.id
    here = [task for task in semilla.dispatch.tasks() if task.guild == guild]
    running = sum(task.guild == guild for task in semilla.dispatch.running())
    waiting = [each for each in semilla.dispatch.line(FAR) if each[0].guild == guild][:NEAR]
    if not here:
        return Reply(
            text=say(language, "queue-empty", imagine=COMMANDS["imagine"].label(language)),
            private=True,
        )
    lines = []
    for mine, group in groupby(waiting, key=lambda each: each[0].member == call.member.id):
        tasks = list(group)
        key = "queue-yours" if mine else "queue-others"
        seconds = tasks[-1][1]
        about = "" if seconds is None else say(language, "about", time=duration(seconds, language))
        lines.append(say(language, key, count=len(tasks)) + (f" · {about}" if about else ""))
    text = say(language, "queue-title", running=running, waiting=len(here) - running)
    if semilla.dispatch.paused:
        text = f"{say(language, 'drawing-later')}\n{text}"
    elif not semilla.dispatch.starts:
        text = f"{say(language, 'queue-no-generator')}\n{text}"
    own = any(task.member == call.member.id for task in here)
    cancel = Button(label=say(language, "button-cancel-mine"), line="/cancel")
    return Reply(
        text="\n".join(part for part in (text, list_lines(lines)) if part),
        buttons=((cancel,),) if own else (),
        private=True,
    )


@command()
async def cancel(semilla: Semilla, call: Call, request: RequestNumber = EVERY) -> Reply:
    answers = await _own_answers(semilla, call, request)
    jobs = [job.id for answer in answers for job in answer.jobs if job.state not in ENDED]
    stopped = [job for job in jobs if await semilla.dispatch.cancel(job)]
    if not stopped:
        return Reply(text=say(call.language, "nothing-to-cancel"), private=True)
    return Reply(text=say(call.language, "cancelling", count=len(stopped)), private=True)


@command()
async def retry(semilla: Semilla, call: Call, request: Number) -> Reply:
    (answer,) = await _own_answers(semilla, call, request)
    again = 0
    for job in answer.jobs:
        if job.state is not JobState.FAILED:
            continue
        now = await as_of_now(semilla, job.request)
        told = [note.to_json() for note in replaced(job.request, now)]
        job.recipe, job.notes = now.to_json(), [*job.notes, *told]
        async with semilla.turn(call.member.id):
            await check_standing(semilla, call)  # they may have been stopped meanwhile
            again += await semilla.dispatch.retry(job)
    key = "trying-again" if again else "nothing-to-retry"
    return Reply(text=say(call.language, key, count=again), private=True)


async def _own_answers(semilla: Semilla, call: Call, request: int) -> list[Answer]:
    """The answer that is meant, or all of the member's that are open. Raises Refusal."""
    answers = semilla.database.answers
    if request == EVERY:
        tasks = semilla.dispatch.tasks()
        mine = {t.answer for t in tasks if (t.guild, t.member) == (call.guild.id, call.member.id)}
        return [found for each in sorted(mine) if (found := await answers.get(each))]
    answer = await answers.get(request)
    if answer is None or answer.guild != call.guild.id:
        raise Refusal("unknown-request", ("/queue",), request=str(request))
    if answer.member != call.member.id and not call.member.moderator:
        raise Refusal("not-your-request", author=answer.member_name)
    return [answer]
