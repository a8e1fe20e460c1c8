"""What is kept of a member, told in plain words, handed out and erased."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot import showing
from bot.commands.declaration import command
from bot.commands.kinds import Asker, Before, Switch
from bot.commands.lineage import again_line
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Refusal, Reply
from bot.locales import say
from bot.moderation import RECORDS_KEPT
from db.models import Picture
from db.privacy import Owned

PART_BYTES = 8_000_000  # what every chat takes as one file


@command("privacy", anywhere=True)
async def privacy(semilla: Semilla, call: Call) -> Reply:
    language = call.language
    pictures, requests = await semilla.database.privacy.counts(_owned(call))
    days = semilla.config.history.keep_days
    keys = ("privacy-kept", "privacy-seen", "privacy-rights")
    facts = {"days": days, "records": RECORDS_KEPT.days, "pictures": pictures, "requests": requests}
    lines = [say(language, key, **facts) for key in keys]
    buttons = (
        Button(say(language, "button-export"), "/privacy export"),
        Button(say(language, "button-erase"), "/privacy delete"),
    )
    text = "\n".join((say(language, "privacy-title"), *lines))
    return Reply(text=text, buttons=(buttons,), private=True)


@command("privacy export", anywhere=True)
async def privacy_export(semilla: Semilla, call: Call, before: Before | None = None) -> Reply:
    """A zip of pictures with their recipes; more than fits into one file comes in parts."""
    _need_person(call)
    language, owned = call.language, _owned(call)
    pictures = await semilla.database.privacy.pictures(owned, before)
    if not pictures:
        return Reply(text=say(language, "export-nothing"), private=True)
    storage = semilla.database.storage
    part = await asyncio.to_thread(_part, pictures, storage.path)
    styles = await semilla.database.privacy.styles(owned)
    data = await asyncio.to_thread(_zip, semilla, part, styles)
    buttons: tuple[tuple[Button, ...], ...] = ()
    if await semilla.database.privacy.pictures(owned, part[-1].id, 1):
        more = Button(say(language, "button-export-more"), f"/privacy export before:{part[-1].id}")
        buttons = ((more,),)
    text = say(language, "exported", count=len(part))
    return Reply(text=text, file=await storage.put(data), buttons=buttons, private=True)


@command("privacy delete", anywhere=True)
async def privacy_delete(
    semilla: Semilla,
    call: Call,
    sure: Switch = False,
    everywhere: Switch = False,
    asker: Asker = "",
) -> Reply:
    """`asker`: who was asked whether they are sure: others of a group see the question, too."""
    _need_person(call)
    if not sure:
        return _are_you_sure(call)
    if asker not in ("", _own_id(call)):
        raise Refusal("not-your-question")
    owned = Owned(call.member.id) if everywhere else _owned(call)
    await semilla.dispatch.forget(owned.member, owned.guild)
    erased = await semilla.database.privacy.erase(owned)
    cache = semilla.config.data / "cache" / "shown"
    await asyncio.to_thread(showing.forget, cache, erased.files)
    facts = {"pictures": erased.pictures, "requests": erased.requests}
    return Reply(text=say(call.language, "erased", **facts), private=True)


def _need_person(call: Call) -> None:
    """Several may speak as one group or channel: what one of them made isn't another's to erase.
    Raises Refusal."""
    if call.member.is_chat:
        raise Refusal("as-a-chat")


def _are_you_sure(call: Call) -> Reply:
    asker = f"asker:{_own_id(call)}"
    lines = [("button-erase-here", f"/privacy delete --sure {asker}")]
    lines.append(("button-erase-everywhere", f"/privacy delete --sure --everywhere {asker}"))
    if call.guild.private:
        lines = lines[:1]
    buttons = tuple((Button(say(call.language, key), line),) for key, line in lines)
    return Reply(text=say(call.language, "erase-sure"), buttons=buttons, private=True)


def _own_id(call: Call) -> str:
    """The member's id without its platform, so that a button can hold it."""
    return call.member.id.partition(":")[2]


def _owned(call: Call) -> Owned:
    """What is of this place alone; in a private chat there is nobody else to see it, so all."""
    return Owned(call.member.id, None if call.guild.private else call.guild.id)


def _part(pictures: Sequence[Picture], path: Callable[[str], Path]) -> list[Picture]:
    """As many of them as one file may hold, and at least one."""
    part: list[Picture] = []
    size = 0
    for picture in pictures:
        file = path(picture.file) if picture.file else None
        size += file.stat().st_size if file is not None and file.exists() else 0
        if part and size > PART_BYTES:
            break
        part.append(picture)
    return part


def _zip(semilla: Semilla, pictures: Sequence[Picture], styles: Mapping[str, Any]) -> bytes:
    path, buffer = semilla.database.storage.path, io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # PNGs don't get smaller
        told = []
        for picture, name in _named(pictures):
            file = path(picture.file) if picture.file else None
            if file is not None and file.exists():
                archive.write(file, name)
            told.append({"file": name if file else None, **_told(semilla, picture)})
        recipes = {"pictures": told, "styles": styles}
        archive.writestr("recipes.json", json.dumps(recipes, ensure_ascii=False, indent=1))
    return buffer.getvalue()


def _named(pictures: Sequence[Picture]) -> Iterator[tuple[Picture, str]]:
    """Two places may have given the same code."""
    given: Counter[str] = Counter()
    for picture in pictures:
        given[picture.code] += 1
        times = given[picture.code]
        yield picture, f"{picture.code}{f'-{times}' if times > 1 else ''}.png"


def _told(semilla: Semilla, picture: Picture) -> dict[str, Any]:
    return {
        "id": picture.code,
        "made": f"{picture.created:%Y-%m-%dT%H:%M:%SZ}",
        "line": again_line(semilla, picture),
        "recipe": picture.recipe,
        "key": picture.key,
    }
