"""Discord's own description (OpenAPI), where it is at hand: whether a request is one that it knows."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FILE = Path(__file__).parents[3] / "shared" / "specs" / "discord-openapi.json"
IDS = {"id", "message_id", "channel_id", "guild_id", "recipient_id", "users"}


def faults_of(method: str, path: str, body: Any) -> list[str]:
    """What the description has against a request; nothing where there is no description."""
    if not FILE.exists():
        return []
    known = next((p for p, pattern in _paths() if pattern.fullmatch(path)), None)
    operation = _read()["paths"].get(known, {}).get(method.lower())
    if operation is None:
        return [f"{method} {path} is no route"]
    if "requestBody" not in operation:
        return []
    errors = _validator(known, method.lower()).iter_errors(_as_described(body))
    return [f"{method} {known}: {each.message[:300]} in {each.json_path}" for each in errors]


def _as_described(value: Any, name: str = "") -> Any:
    """discord.py has integers in some places where the description has texts of digits."""
    if isinstance(value, dict):
        return {key: _as_described(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_described(each, name) for each in value]
    number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if number and name in IDS else value


@cache
def _read() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text(encoding="utf-8")))


@cache
def _paths() -> list[tuple[str, re.Pattern[str]]]:
    """Fixed names before parameters: "/users/@me" is no "/users/{user_id}"."""
    paths = sorted(_read()["paths"], key=lambda each: each.count("{"))
    return [(each, re.compile(re.sub(r"\{\w+\}", r"[^/]+", each))) for each in paths]


@cache
def _validator(path: str, method: str) -> Draft202012Validator:
    content = _read()["paths"][path][method]["requestBody"]["content"]
    schema = content["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": _read()["components"]})
