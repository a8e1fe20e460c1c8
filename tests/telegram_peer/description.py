"""The Bot API's own description, where it is at hand: whether a call is one that it knows.

It is of an earlier version than what Semilla asks for; the newer parameters are named here.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[3] / "shared" / "specs" / "telegram-api.json"
NEWER = {"ephemeral_message_parameters"}
NEWER_METHODS = {"editEphemeralMessageReplyMarkup"}
SCALARS = {
    "Integer": int,
    "Float": (int, float),
    "Boolean": bool,
    "True": bool,
    "String": (str, int, float, bool),  # a form has texts only, and they look like numbers
    "InputFile": str,
}


def faults_of(method: str, asked: dict[str, Any]) -> list[str]:
    """What the description has against a call; nothing where there is no description."""
    if not FILE.exists() or method in NEWER_METHODS:
        return []
    known = _read()["methods"].get(method)
    if known is None:
        return [f"{method} is no method"]
    given = {name: value for name, value in asked.items() if name not in NEWER}
    given = {name: value for name, value in given.items() if not name.startswith("attached")}
    return [f"{method}: {each}" for each in _faults_of_fields(known.get("fields", []), given)]


def _faults_of_fields(fields: list[dict[str, Any]], given: dict[str, Any]) -> list[str]:
    names = {each["name"]: each for each in fields}
    faults = [f"{name} is no field" for name in given if name not in names]
    faults += [n for n, each in names.items() if each["required"] and n not in given]
    for name, value in given.items():
        if name in names and not any(_fits(kind, value) for kind in names[name]["types"]):
            faults.append(f"{name} is no {' or '.join(names[name]['types'])}: {value!r:.80}")
    return faults


def _fits(kind: str, value: Any) -> bool:
    if kind.startswith("Array of "):
        inner = kind.removeprefix("Array of ").split(" and ")
        each_fits = (any(_fits(one, each) for one in inner) for each in value)
        return isinstance(value, list) and all(each_fits)
    if kind in SCALARS:
        return isinstance(value, SCALARS[kind])
    declared = _read()["types"][kind]
    if subtypes := declared.get("subtypes"):
        return any(_fits(each, value) for each in subtypes)
    return isinstance(value, dict) and not _faults_of_fields(declared.get("fields", []), value)


@cache
def _read() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text(encoding="utf-8")))
