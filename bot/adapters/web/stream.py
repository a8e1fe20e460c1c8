"""What happens in the room, to an open page: server-sent events, one stream for each page."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import lru_cache

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from bot.adapters.web.calls import visible
from bot.adapters.web.pages import WELCOME, conversation, unjudged
from bot.adapters.web.rendering import card_message, fragment
from bot.adapters.web.rooms import Moved
from bot.adapters.web.site import Visit, enter
from bot.events import Changed, Delivered, Event, Follower, Unjudged
from bot.replies import Progress, answer_reply, progress_line
from db.models import Answer

MOVED = ServerSentEvent("{}", event="moved")
SECONDS_BETWEEN_PINGS = 20
STREAMS = 6  # of one browser; it connects no more than that by itself
SECONDS_TO_SEND = 30  # a page that takes no byte for so long is closed, and comes back by itself


class Replaced(Event):
    """Its browser has opened newer ones."""


async def events(request: Request) -> Response:
    """`room`: where the page was made; `since`: the newest answer that it has; `open`: those of
    them that were unfinished."""
    visit = enter(request)
    room = request.query_params.get("room", visit.guild.id)
    since = _number(request.query_params.get("since", ""))
    unfinished = {_number(each) for each in request.query_params.get("open", "").split(",")[:100]}
    return EventSourceResponse(
        _messages(visit, room, since, unfinished),
        ping=SECONDS_BETWEEN_PINGS,
        send_timeout=SECONDS_TO_SEND,
        headers={"X-Accel-Buffering": "no"},
    )


def moved() -> Response:
    """For a page that is to be loaded anew."""
    return EventSourceResponse(iter([MOVED]))


async def _messages(
    visit: Visit, room: str, since: int, unfinished: set[int]
) -> AsyncIterator[ServerSentEvent]:
    """First what the page has missed, then what happens in its room; until it is of another room
    than its browser: then it is to be loaded anew."""
    if room != visit.guild.id:
        yield MOVED
        return
    with (
        visit.site.semilla.events.follow(guild=visit.guild.id) as follower,
        _one_of_few(visit, follower),
    ):
        shown: set[int] = set()
        for answer in await _known(visit, unfinished):
            if answer.id > since or answer.id in unfinished:
                yield _card(visit, answer)
            shown.add(answer.id)
        if visit.session.moderator:
            yield await _unjudged(visit)
        quiet: set[int] = set()
        async for event in follower:
            if isinstance(event, Replaced):
                return
            if isinstance(event, Moved):
                yield MOVED
                return
            if message := await _told(visit, event, shown, quiet):
                yield message


@contextmanager
def _one_of_few(visit: Visit, follower: Follower) -> Iterator[None]:
    """A browser's newest streams replace its oldest: in a wifi that breaks, what is left of those
    may stay connected for a quarter of an hour."""
    own = visit.site.streams[visit.session.id]
    own.append(follower)
    for oldest in own[:-STREAMS]:
        oldest.queue.put_nowait(Replaced(guild=visit.guild.id, answer=0))
    try:
        yield
    finally:
        own.remove(follower)
        if not own:
            del visit.site.streams[visit.session.id]


async def _told(
    visit: Visit, event: Event, shown: set[int], quiet: set[int]
) -> ServerSentEvent | None:
    """What the page is told of an event. `shown`: answers that it has a card of; `quiet`: those
    that it is to have none of. Both grow."""
    if isinstance(event, Unjudged):
        return await _unjudged(visit) if visit.session.moderator else None
    if event.answer in quiet and not isinstance(event, Delivered | Changed):
        return None
    if (message := _progress(event, visit.language)) and event.answer in shown:
        return message
    found = await visit.site.semilla.database.answers.get(event.answer)
    if found is None or not visible(visit, found):
        quiet.add(event.answer)
        return None
    if found.origin.startswith(WELCOME):
        quiet.add(event.answer)
        return _thumb(visit, found) if isinstance(event, Delivered) else None
    quiet.discard(found.id)
    shown.add(found.id)
    return _card(visit, found)


async def _known(visit: Visit, unfinished: set[int]) -> list[Answer]:
    """The conversation, and before it what the page still waits for though the room went on."""
    recent = await conversation(visit)
    passed = sorted(unfinished - {answer.id for answer in recent})
    found = [await visit.site.semilla.database.answers.get(each) for each in passed]
    waited_for = [each for each in found if each is not None and visible(visit, each)]
    return [*waited_for, *reversed(recent)]


async def _unjudged(visit: Visit) -> ServerSentEvent:
    return ServerSentEvent(json.dumps({"text": await unjudged(visit)}), event="unjudged")


def _card(visit: Visit, answer: Answer) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(card_message(visit, answer)), event="card")


def _thumb(visit: Visit, answer: Answer) -> ServerSentEvent:
    """What Semilla drew by itself, for the strip under an empty conversation."""
    pictures = answer_reply(answer, visit.language).pictures
    html = "".join(fragment("thumb.html", visit, shown=shown) for shown in pictures)
    return ServerSentEvent(json.dumps({"html": html}), event="thumb")


@lru_cache(maxsize=256)  # all pages of a class ask for the same
def _progress(event: Event, language: str) -> ServerSentEvent | None:
    """A few bytes for what changes often; None when the whole card is to be made anew."""
    progress = Progress.of(event)
    if progress is None:
        return None
    content = {
        "answer": event.answer,
        "text": progress_line(progress, language),
        "call": progress.call,
        "calls": progress.calls,
    }
    if progress.preview:
        content["preview"] = "data:image/webp;base64," + b64encode(progress.preview).decode()
    return ServerSentEvent(json.dumps(content), event="progress")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 16 else 0
