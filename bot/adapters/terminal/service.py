"""The owner's side: answers command lines, those of its own process and those handed over."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator
from difflib import get_close_matches

from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bot import processes
from bot.adapters.terminal.messages import (
    KEY,
    PATH,
    Drawing,
    Message,
    Progress,
    Request,
    Result,
    encode,
)
from bot.commands import door, line
from bot.commands.declaration import Command
from bot.commands.kinds import Type, short
from bot.commands.semilla import Semilla
from bot.conversation import Call, Guild, Member, Refusal, Reply, Shown, Tone, Unreachable
from bot.events import Delivered, Ended, Event
from bot.locales import plain
from bot.refusals import refused
from bot.replies import Progress as Stage
from bot.replies import answer_reply, progress_line
from db.models import Answer

NAME = "terminal"
HOME = Guild("web:home")  # the page's own room: one history for both


class Terminal:
    """The adapter. Whoever waits for an answer follows its events; nobody else has to be told."""

    name = NAME

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def deliver(self, answer: Answer, reply: Reply) -> None:
        """A command line that was left has its pictures in the history."""

    async def tell(self, member: str, reply: Reply) -> None:
        """A command line is not there for longer than its answer."""
        raise Unreachable(member)

    async def post(self, guild: str, channel: str, reply: Reply) -> None:
        raise Unreachable(channel)


def routes(semilla: Semilla) -> list[Route]:
    """For the page's server: command lines of this user's other processes."""

    async def terminal(http: HttpRequest) -> Response:
        owner = processes.find_owner(semilla.config.data)
        given = http.headers.get(KEY, "")
        if owner is None or not secrets.compare_digest(given.encode(), owner.key.encode()):
            return Response(status_code=403)
        try:
            request = Request.from_bytes(await http.body())
        except (ValueError, TypeError, KeyError):
            return Response(status_code=400)
        lines = (encode(message) async for message in converse(semilla, request))
        return StreamingResponse(lines, media_type="application/x-ndjson")

    return [Route(PATH, terminal, methods=["POST"])]


async def converse(semilla: Semilla, request: Request) -> AsyncIterator[Message]:
    """Answers a command line: progress, then the result."""
    try:
        command, options = read(request.words)
    except Refusal as refusal:
        yield _result(semilla, refused(request.language, refusal))
        return
    call = Call(
        origin=f"{NAME}:{secrets.token_hex(16)}",
        adapter=NAME,
        guild=HOME,
        member=Member(request.member, request.name, moderator=True),
        language=request.language,
        command=command,
        options=options,
        image=request.image,
    )
    with semilla.events.follow(guild=HOME.id) as events:
        reply = await door.run(semilla, call)
        if reply.answer is None or reply.tone is not Tone.ACCEPTED:
            yield _result(semilla, reply)
            return
        yield Progress(reply.answer, plain(reply.text))
        answer = await semilla.database.answers.get(reply.answer)
        owed = len(answer.jobs) if answer else 0
        async for progress in _progress(aiter(events), reply.answer, owed, request.language):
            yield progress
    answer = await semilla.database.answers.get(reply.answer)
    if answer is not None:
        yield _result(semilla, answer_reply(answer, request.language), owed)


async def cancel(semilla: Semilla, answer: int) -> None:
    """Leaves nothing of an answer behind for the next owner to draw."""
    found = await semilla.database.answers.get(answer)
    for job in found.jobs if found else ():
        await semilla.dispatch.cancel(job.id)
        await semilla.database.jobs.cancel(job.id)


def read(words: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """Canonical command and options of a command line. Raises Refusal.

    `--name value` is taken as the shell has cut it; the other words follow the typed grammar.
    """
    command, rest = find_command(words)
    options: dict[str, str] = {}
    free: list[str] = []
    left = deque(rest)
    while left:
        word = left.popleft()
        if word == "--":
            free += left
            left.clear()
        elif word.startswith("-") and word.lstrip("-")[:1].isalpha():
            name, value = _flag(command, word, left)
            options[name] = value
        else:
            free.append(word)
    return command.name, {**line.options(command, " ".join(free)), **options}


def find_command(words: tuple[str, ...]) -> tuple[Command, tuple[str, ...]]:
    """The command that the first words name, and the words after it. Raises Refusal."""
    words = (words[0].removeprefix("/"), *words[1:])
    for length in (2, 1):  # "style save" before "style"
        if len(words) >= length and (command := line.find(" ".join(words[:length]))):
            return command, words[length:]
    line.parse(f"/{words[0]}")  # refuses, with the nearest name
    raise Refusal("unknown-command", ("/help",), command=short(words[0]))


def _flag(command: Command, word: str, left: deque[str]) -> tuple[str, str]:
    """The option that a flag means, and its value: after "=", or the next word, which a switch may
    do without."""
    name, equals, value = word.lstrip("-").partition("=")
    option = command.option(name)
    if option is None:
        known = sorted({each.replace(" ", "-") for o in command.options for each in o.names()})
        near = get_close_matches(name.lower(), known, n=1, cutoff=0.0)
        key = "unknown-flag" if near else "no-flags"
        nearest = f"--{near[0]}" if near else ""
        raise Refusal(key, command=command.name, flag=short(word), nearest=nearest)
    alone = option.kind.type is Type.SWITCH and not (left and option.kind.accepts(left[0]))
    if not equals:
        value = "yes" if alone else left.popleft() if left else ""
    if not value:
        raise Refusal("flag-empty", flag=short(word))
    return option.name, value


async def _progress(
    events: AsyncIterator[Event], answer: int, owed: int, language: str
) -> AsyncIterator[Progress]:
    """What happens to an answer until it is delivered."""
    ended = 0
    async for event in events:
        if event.answer != answer:
            continue
        if isinstance(event, Delivered):
            return
        if isinstance(event, Ended):
            ended += 1
        if (stage := Stage.of(event)) is not None:
            text = plain(progress_line(stage, language))
            which = f"{ended + 1}/{owed} · " if owed > 1 and stage.calls else ""
            yield Progress(answer, which + text, stage.call, stage.calls)


def _result(semilla: Semilla, reply: Reply, owed: int = 0) -> Result:
    path = semilla.database.storage.path
    buttons = [button for row in reply.buttons for button in row]
    form = reply.form
    text, lines = reply.text, [(button.label, button.line) for button in buttons]
    fields: tuple[tuple[str, str], ...] = ()
    if form is not None:
        text = "\n".join(part for part in (text, form.title) if part)
        fields = tuple((field.label, field.value) for field in form.fields)
        values = {field.name: field.value for field in form.fields if field.value}
        lines.append((form.title, line.typed(form.command, values)))
    return Result(
        text=text,
        tone=reply.tone.value,
        complete=len(reply.pictures) >= owed,
        table=not owed and len(reply.pictures) > 1,
        pictures=tuple(_drawing(each, str(path(each.file))) for each in reply.pictures),
        lines=tuple(lines),
        fields=fields,
        file=str(path(reply.file)) if reply.file else None,
    )


def _drawing(shown: Shown, path: str) -> Drawing:
    size = f"{shown.width}x{shown.height}"
    return Drawing(shown.code, shown.alt, shown.caption, size, path)
