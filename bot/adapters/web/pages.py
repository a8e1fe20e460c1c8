"""The pages: the conversation, the gallery, a picture, the language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.adapters.web import forms
from bot.adapters.web.rendering import answer_card, page, reply_card
from bot.adapters.web.site import Visit, arrive, enter, read_form
from bot.commands.declaration import COMMANDS
from bot.commands.line import parse
from bot.commands.lineage import again_line
from bot.conversation import Reply
from bot.locales import LANGUAGES, say
from bot.replies import picture_shown, recipe_text, retired_line
from db.models import Answer

RECENT, OWN, THUMBNAILS, STRIP = 12, 6, 24, 6
WELCOME = "welcome:"  # what Semilla drew by itself stands in the gallery, not in the conversation
TYPED_LIMIT = 4000


async def home(request: Request) -> Response:
    """The conversation. `?key=` makes this browser the moderator's, `?line=` fills the box."""
    if key := request.query_params.get("key"):
        return _redeem(request, key)
    visit = enter(request)
    typed = request.query_params.get("line", "")[:TYPED_LIMIT]
    return visit.keep(HTMLResponse(await home_page(visit, None, typed, {})))


def _redeem(request: Request, key: str) -> Response:
    """The key leaves the address bar, and so the browser's history, at once."""
    visit = arrive(request)
    session = visit.site.sessions.redeem(visit.session, key) or visit.session
    if not session.moderator:
        return missing(visit, say(visit.language, "web-key-spent"), 403)
    return replace(visit, session=session).keep(RedirectResponse("/", status_code=303))


async def home_page(
    visit: Visit,
    reply: Reply | None,
    typed: str,
    chosen: Mapping[str, object],
) -> str:
    """The page with the conversation; a reply for this browser only stands on top.

    Args:
        typed, chosen: what is in the box, and the options beside it.
    """
    semilla = visit.site.semilla
    answers = await conversation(visit)
    styles = await semilla.database.settings.styles(visit.guild.id, visit.member.id)
    first, _ = parse("")
    inputs = forms.declared_inputs(semilla, COMMANDS[first], visit.language, bool(styles))
    shown = [] if answers else await semilla.database.history.latest(visit.asker, STRIP)
    return page(
        "home.html",
        visit,
        cards=[answer_card(visit, answer) for answer in answers],
        newest=answers[0].id if answers else 0,
        more=len(answers) >= RECENT,
        strip=[picture_shown(picture, visit.language) for picture in shown],
        reply=reply_card(visit, reply) if reply else "",
        troubles=await _troubles(visit),
        unjudged=await unjudged(visit),
        typed=typed,
        examples=semilla.catalogue.default().examples(visit.language),
        inputs=[replace(each, value=str(chosen.get(each.name, ""))) for each in inputs],
    )


async def _troubles(visit: Visit) -> list[str]:
    """For moderators: what keeps the other chats from answering."""
    chats = visit.site.chats
    if chats is None or not visit.session.moderator:
        return []
    address = {"address": visit.site.semilla.config.web.address}
    return [say(visit.language, key, **address, **facts) for key, facts in await chats.troubles()]


async def unjudged(visit: Visit) -> str:
    """For moderators: how much waits for them."""
    if not visit.session.moderator:
        return ""
    count = await visit.site.semilla.database.moderation.unjudged(visit.guild.id)
    return say(visit.language, "web-unjudged", count=count) if count else ""


async def conversation(visit: Visit) -> list[Answer]:
    """What this browser may see of the room, newest first; its own are in it, however fast the
    others of a class go on."""
    answers = visit.site.semilla.database.answers
    guild, member = visit.guild.id, visit.member.id
    room = await answers.recent(guild, member, visit.session.moderator, limit=RECENT)
    own = await answers.recent(guild, member, author=member, limit=OWN)
    found = {answer.id: answer for answer in (*room, *own)}
    newest_first = sorted(found.values(), key=lambda answer: -answer.id)
    return [answer for answer in newest_first if not answer.origin.startswith(WELCOME)]


async def gallery(request: Request) -> Response:
    visit = enter(request)
    text = request.query_params.get("q", "")[:200]
    before = request.query_params.get("before", "")
    found = await visit.site.semilla.database.history.search(
        visit.asker,
        text=text,
        before=int(before) if before.isdecimal() and len(before) < 16 else None,
        limit=THUMBNAILS + 1,
    )
    pictures, more = found[:THUMBNAILS], found[THUMBNAILS:]
    content = page(
        "gallery.html",
        visit,
        text=text,
        pictures=[picture_shown(picture, visit.language) for picture in pictures],
        older=pictures[-1].id if more else None,
        later=bool(before),
    )
    return visit.keep(HTMLResponse(content))


async def picture(request: Request) -> Response:
    visit = enter(request)
    history = visit.site.semilla.database.history
    code = request.path_params["code"][:12]
    found = await history.get(visit.asker, code)
    if found is None:
        return missing(visit, say(visit.language, "web-no-picture", code=code))
    parent = await history.parent(visit.asker, found)
    children = await history.children(visit.asker, found)
    family = [
        (
            say(visit.language, key),
            [picture_shown(each, visit.language) for each in pictures if each.file],
        )
        for key, pictures in (
            ("web-parent", [parent] if parent else []),
            ("web-children", children[:THUMBNAILS]),
        )
        if pictures
    ]
    content = page(
        "picture.html",
        visit,
        shown=picture_shown(found, visit.language),
        prompt=found.prompt,
        recipe=recipe_text(
            found, visit.language, again_line(visit.site.semilla, found, visit.language)
        ),
        family=family,
        retired="" if found.file else retired_line(found, visit.language),
    )
    return visit.keep(HTMLResponse(content))


async def choose_language(request: Request) -> Response:
    """The switch between the languages; it goes back to where it was pressed."""
    visit = arrive(request)
    form = await read_form(request, visit)
    chosen = str(form.get("language", ""))
    if chosen in LANGUAGES:
        visit = replace(visit, session=replace(visit.session, language=chosen))
    back = str(form.get("back", "/"))
    safe = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
    return visit.keep(RedirectResponse(safe, status_code=303))


def missing(visit: Visit, text: str, status: int = 404) -> Response:
    """Something isn't there, or isn't for this browser: the same page for both."""
    return visit.keep(HTMLResponse(page("message.html", visit, text=text), status_code=status))
