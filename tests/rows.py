"""Rows for tests: a recipe, an answer with jobs, a finished picture."""

from __future__ import annotations

from itertools import count
from typing import Any

from db.models import Answer, Job, Picture
from db.session import Database
from generator.request import GenerationRequest

GUILD, MEMBER = "web:room", "web:ana"
PNG = b"\x89PNG\r\n\x1a\n"
_numbers = count()


def request(prompt: str = "a red cat", **changes: Any) -> GenerationRequest:
    values: dict[str, Any] = {
        "model": "small",
        "model_hash": "ab" * 32,
        "prompt": prompt,
        "width": 64,
        "height": 64,
        "steps": 20,
        "sampler": "euler a",
        "guidance_scale": 5.0,
        "seed": 7,
    }
    return GenerationRequest(**(values | changes))


def answer(origin: str = "", **changes: Any) -> Answer:
    values: dict[str, Any] = {
        "origin": origin or f"origin:{next(_numbers)}",
        "adapter": "web",
        "guild": GUILD,
        "member": MEMBER,
        "member_name": "Ana",
        "language": "es",
        "line": "/imagine a red cat",
    }
    return Answer(**(values | changes))


def job(made: GenerationRequest | None = None, **changes: Any) -> Job:
    values = {"guild": GUILD, "member": MEMBER, "recipe": (made or request()).to_json()}
    return Job(**(values | changes))


def picture(made: GenerationRequest, file: str, **changes: Any) -> Picture:
    values: dict[str, Any] = {
        "guild": GUILD,
        "member": MEMBER,
        "member_name": "Ana",
        "recipe": made.to_json(),
        "prompt": made.prompt,
        "file": file,
        "pixel_hash": file[:64],
        "width": made.width,
        "height": made.height,
        "key": {"device": "cpu"},
        "trace": "1e20",
        "seconds": 1.5,
    }
    return Picture(**(values | changes))


async def draw(
    database: Database, prompt: str = "a red cat", content: bytes = b"", **changes: Any
) -> Picture:
    """A picture that went the whole way: accepted, stored, done."""
    made = request(prompt)
    owner = {name: changes[name] for name in ("guild", "member") if name in changes}
    accepted = await database.answers.accept(answer(**owner), [job(made, **owner)])
    file = await database.storage.put(PNG + (content or str(next(_numbers)).encode()))
    return await database.jobs.done(accepted.jobs[0].id, picture(made, file, **changes))
