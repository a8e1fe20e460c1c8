"""Calls: every line, button and form of the page goes through this one door."""

from __future__ import annotations

import secrets

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from bot.adapters.web import forms
from bot.adapters.web.pages import home_page
from bot.adapters.web.rendering import card_message, reply_card
from bot.adapters.web.site import Visit, enter, read_form
from bot.commands import door, line
from bot.commands.declaration import COMMANDS
from bot.conversation import Call, Refusal, Reply, Tone
from bot.refusals import refused
from db.models import Answer

NAME = "web"
ONCE = 64  # characters of the number used once that are kept


async def call(request: Request) -> Response:
    """Answers as JSON to the page's script, as a page to a browser without it."""
    visit = enter(request)
    form = await read_form(request, visit)
    reply = await _answer(visit, form)
    typed, parent = str(form.get("line", "")), str(form.get("answer", ""))
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(await _as_json(visit, reply, parent))
    if reply.answer is not None and reply.tone is Tone.ACCEPTED:
        return RedirectResponse(f"/#answer-{reply.answer}", status_code=303)
    kept = "" if typed.startswith("/") else typed
    return visit.keep(HTMLResponse(await home_page(visit, reply, kept, form if kept else {})))


async def _answer(visit: Visit, form: FormData) -> Reply:
    """What the door says; a line that it can't read is refused in the same words."""
    try:
        command, options = _read(form)
    except Refusal as refusal:
        return refused(visit.language, refusal)
    once = str(form.get("once", ""))[:ONCE] or secrets.token_urlsafe(9)
    return await door.run(
        visit.site.semilla,
        Call(
            origin=f"{NAME}:{visit.session.id}:{once}",
            adapter=NAME,
            guild=visit.guild,
            member=visit.member,
            language=visit.language,
            command=command,
            options=options,
            image=await _image(form),
        ),
    )


def _read(form: FormData) -> tuple[str, dict[str, str]]:
    """A typed line with the options chosen beside it, or a reply's form. Raises Refusal."""
    if named := str(form.get("command", "")):
        command = COMMANDS.get(named)
        return named, forms.changed(command, form) if command else {}
    name, options = line.parse(str(form.get("line", "")))
    return name, {**forms.changed(COMMANDS[name], form), **options}


async def _image(form: FormData) -> bytes | None:
    upload = form.get("image")
    if not isinstance(upload, UploadFile) or not upload.filename:
        return None
    return await upload.read()


async def _as_json(visit: Visit, reply: Reply, parent: str) -> dict[str, object]:
    """The card that is new, and the card that a button changed by being pressed."""
    answers = visit.site.semilla.database.answers
    if reply.answer is not None and reply.tone is Tone.ACCEPTED:
        accepted = await answers.get(reply.answer)
        if accepted is not None:
            return card_message(visit, accepted)
    found: dict[str, object] = {
        "html": reply_card(visit, reply, parent),
        "refused": reply.tone in (Tone.REFUSED, Tone.FAULT),
    }
    pressed = await answers.get(int(parent)) if parent.isdecimal() and len(parent) < 16 else None
    if pressed is not None and visible(visit, pressed):
        found["pressed"] = card_message(visit, pressed)
    return found


def visible(visit: Visit, answer: Answer) -> bool:
    if answer.guild != visit.guild.id:
        return False
    return not answer.private or visit.session.moderator or answer.member == visit.member.id
