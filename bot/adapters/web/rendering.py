"""From replies and rows to HTML. Users' words reach a page only through Jinja's escaping."""

from __future__ import annotations

import re
import secrets
import time
from base64 import b64encode
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bot.adapters.web import forms
from bot.adapters.web.site import Visit
from bot.commands import line
from bot.commands.declaration import COMMANDS
from bot.commands.kinds import Type
from bot.conversation import Refusal, Reply, Tone
from bot.locales import LANGUAGES, say
from bot.replies import ENDED, Progress, answer_reply, picture_buttons, shown_scale
from db.models import Answer
from generator.request import GenerationRequest

FOLDER = Path(__file__).parent
TOKENS = re.compile(r"\\([\\*`])|(\*\*)|`((?:\\.|[^`\\])*)`|(\n)")
LABELLED = re.compile(r"\*\*(.+?)\*\* (.+)", re.DOTALL)
CODE = re.compile(r"[2-9BCDFGHJKMNPQRSTVWXYZ]{4,6}")
NAMES = {"en": "English", "es": "Español"}


def page(template: str, visit: Visit, **values: Any) -> str:
    """A whole page, in the visit's language."""
    return _environment().get_template(template).render(_common(visit) | values)


def fragment(template: str, visit: Visit, **values: Any) -> str:
    """A part of a page, to be put into one that is open."""
    return _environment().get_template(f"parts/{template}").render(_common(visit) | values).strip()


def answer_card(visit: Visit, answer: Answer) -> str:
    """An answer as it stands, with the words that it answers."""
    open_jobs = [job for job in answer.jobs if job.state not in ENDED]
    progress = visit.site.semilla.dispatch.progress(answer.id) if open_jobs else Progress()
    first = open_jobs[0].request if open_jobs else None
    return fragment(
        "answer.html",
        visit,
        answer=answer,
        reply=answer_reply(answer, visit.language, progress),
        said=said(answer, visit.language),
        mine=answer.member == visit.member.id,
        pending=first,
        pending_scale=shown_scale(first.width, first.height) if first else 1,
        preview=_preview(progress.preview, first) if first else "",
        progress=progress,
        more=max(0, len(open_jobs) - 1),
    )


def card_message(visit: Visit, answer: Answer) -> dict[str, object]:
    """A card for an open page. `made`: when, as two ways lead there and one may be slower."""
    return {"answer": answer.id, "html": answer_card(visit, answer), "made": time.monotonic()}


def _preview(webp: bytes | None, request: GenerationRequest) -> str:
    """As a data URL; before there is one, nothing in the picture's shape."""
    if webp:
        return "data:image/webp;base64," + b64encode(webp).decode()
    size = f"width='{request.width}' height='{request.height}'"
    return "data:image/svg+xml," + quote(f"<svg xmlns='http://www.w3.org/2000/svg' {size}/>")


def reply_card(visit: Visit, reply: Reply, answer: str = "") -> str:
    """A reply that only this browser sees. `answer`: the card that its buttons belong to."""
    inputs = []
    if reply.form is not None:
        inputs = forms.reply_inputs(visit.site.semilla, reply.form, visit.language)
    return fragment(
        "reply.html",
        visit,
        reply=reply,
        inputs=inputs,
        parent=answer,
        serious=reply.tone in (Tone.REFUSED, Tone.FAULT),
    )


def said(answer: Answer, language: str) -> tuple[str, list[tuple[str, str]]]:
    """What a member asked for, as people say it: the words, and the options with their labels."""
    parents = [job.parent for job in answer.jobs if job.parent is not None]
    for button in (
        b for each in parents[:1] for row in picture_buttons(each, language) for b in row
    ):
        if button.line == answer.line:
            return f"{button.label} · {parents[0].code}", []
    try:
        name, options = line.parse(answer.line)
    except Refusal:  # a line of another version
        return answer.line, []
    command = COMMANDS[name]
    free = [o.name for o in command.options if o.kind.free]
    codes = [o.name for o in command.options if o.required and o.kind.type is Type.PICTURE]
    words = [options.pop(each) for each in (*codes, *free) if each in options]
    if codes or not words:
        words.insert(0, command.label(language))
    return " ".join(words), [
        (option.label(language), options[option.name])
        for option in command.options
        if option.name in options
    ]


def markup(text: str) -> Markup:
    """Semilla's markup as HTML: ids of pictures and command lines become links."""
    parts: list[Markup] = []
    position, bold = 0, False
    for match in TOKENS.finditer(text):
        parts.append(escape(text[position : match.start()]))
        literal, star, code, newline = match.groups()
        if literal:
            parts.append(escape(literal))
        elif star:
            parts.append(Markup("</b>") if bold else Markup("<b>"))
            bold = not bold
        elif newline:
            parts.append(Markup("<br>"))
        else:
            parts.append(_code(re.sub(r"\\(.)", r"\1", code)))
        position = match.end()
    parts.append(escape(text[position:]))
    if bold:
        parts.append(Markup("</b>"))
    return Markup("").join(parts)


def rows(text: str) -> list[tuple[str, str]]:
    """Lines of a recipe: (label, value), or ("", line) for those without a label."""
    found = []
    for each in text.split("\n"):
        match = LABELLED.fullmatch(each)
        found.append((match[1], match[2]) if match else ("", each))
    return found


def _code(code: str) -> Markup:
    if CODE.fullmatch(code) and not code.isdecimal():
        return Markup('<a class="code" href="/p/{}">{}</a>').format(code, code)
    if code.startswith("/"):
        return Markup('<a class="code line" href="/?{}" data-line="{}">{}</a>').format(
            urlencode({"line": code}), code, code
        )
    return Markup("<code>{}</code>").format(code)


def _common(visit: Visit) -> dict[str, Any]:
    other = next(each for each in LANGUAGES if each != visit.language)
    return {
        "say": partial(say, visit.language),
        "visit": visit,
        "other_language": other,
        "other_name": NAMES[other],
        "once": partial(secrets.token_urlsafe, 9),
    }


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"markup": markup, "rows": rows}
    return environment
