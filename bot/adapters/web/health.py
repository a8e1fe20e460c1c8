"""/health and /metrics, on the page's server, for programs of this computer."""

from __future__ import annotations

from dataclasses import asdict

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot import metrics
from bot.adapters.web.guard import LOOPBACK
from bot.commands.semilla import Semilla


def routes(semilla: Semilla) -> list[Route]:
    async def health(request: Request) -> Response:
        if not _local(request):
            return Response(status_code=404)
        found = await metrics.health(semilla)
        status = 200 if found.good else 503
        return JSONResponse({"good": found.good, **asdict(found)}, status_code=status)

    async def numbers(request: Request) -> Response:
        if not _local(request):
            return Response(status_code=404)
        text = await metrics.exposition(semilla)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [Route("/health", health), Route("/metrics", numbers)]


def _local(request: Request) -> bool:
    return request.client is not None and request.client.host in LOOPBACK
