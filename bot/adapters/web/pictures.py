"""Picture files: as they are stored, and enlarged for showing."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from bot.adapters.web.site import Visit, enter
from bot.replies import shown_scale
from bot.showing import enlarged
from db.models import Picture

NAME = re.compile(r"[0-9a-f]{64}\.(png|jpg|webp)")
EXPORT = re.compile(r"[0-9a-f]{64}\.zip")
# A name is its content's hash; the browser keeps it, anything between must not.
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


async def file(request: Request) -> Response:
    """The stored bytes, with the recipe inside. With `?save`, to be kept as a file."""
    visit = enter(request)
    name = request.path_params["name"]
    if EXPORT.fullmatch(name):
        return _export(visit, name)
    picture = await _find(visit, name)
    if picture is None:
        return Response(status_code=404)
    path = visit.site.semilla.database.storage.path(name)
    save = f"semilla-{picture.code}{path.suffix}" if "save" in request.query_params else None
    return FileResponse(path, headers=FOREVER, filename=save)


def _export(visit: Visit, name: str) -> Response:
    """What /privacy export made: nobody else can know its name, which is its content's hash."""
    path = visit.site.semilla.database.storage.path(name)
    if not path.exists():
        return Response(status_code=404)
    return FileResponse(path, headers={"Cache-Control": "no-store"}, filename="semilla.zip")


async def shown(request: Request) -> Response:
    """As pages show it: a small picture enlarged by the whole number that its recipe tells."""
    visit = enter(request)
    name = request.path_params["name"]  # of the picture, or of what is shown blurred of it
    picture = await _find(visit, name)
    if picture is None:
        return Response(status_code=404)
    storage = visit.site.semilla.database.storage
    scale = shown_scale(picture.width, picture.height)
    if scale == 1:
        return FileResponse(storage.path(name), headers=FOREVER)
    cache = visit.site.semilla.config.data / "cache" / "shown"
    large = await asyncio.to_thread(enlarged, storage.path(name), cache, scale)
    return FileResponse(large, headers=FOREVER)


async def _find(visit: Visit, name: str) -> Picture | None:
    """Only what the asker may see; a file that isn't there looks the same."""
    if not NAME.fullmatch(name):
        return None
    picture = await visit.site.semilla.database.history.by_file(visit.asker, name)
    if picture is None or not visit.site.semilla.database.storage.path(name).exists():
        return None
    return picture
