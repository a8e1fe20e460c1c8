"""Inputs for options, from their declarations alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.commands.declaration import COMMANDS, Command, Option
from bot.commands.kinds import Type
from bot.commands.semilla import Semilla
from bot.conversation import Field, Form
from bot.locales import choice
from generator.headers import Kind
from generator.request import LANCZOS
from generator.sampler_names import SAMPLERS

PREFIX, BEFORE = "option.", "before."
SHAPES = {
    "en": ("square", "portrait", "landscape", "wide", "tall"),
    "es": ("cuadrado", "vertical", "horizontal", "ancho", "alto"),
}
# Said by others already (size), not for typing, or so seldom that a typed line does.
LEFT_OUT = frozenset({"width", "height", "draft", "clip_skip", "emphasis", "vae", "variations"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One control of a form.

    Args:
        kind: "text", "long", "number", "switch", "choice" or "hidden".
        choices: (value, label), the empty one being the usual; of a text, what it suggests.
        before: the value that the form was opened with.
    """

    name: str
    label: str
    help: str
    kind: str
    value: str = ""
    low: str = ""
    high: str = ""
    step: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    before: str | None = None


def declared_inputs(semilla: Semilla, command: Command, language: str, styled: bool) -> list[Input]:
    """All that a command takes besides the words of the line itself; styles for who has some."""
    shown = [o for o in command.options if not o.kind.free and o.name not in LEFT_OUT]
    inputs = [
        _input(semilla, option, language)
        for option in shown
        if styled or option.kind.type is not Type.STYLE
    ]
    return [each for each in inputs if each.kind != "choice" or len(each.choices) > 2]


def reply_inputs(semilla: Semilla, form: Form, language: str) -> list[Input]:
    """The fields of a reply's form, with the controls that their options have."""
    command = COMMANDS[form.command]
    return [_prefilled(semilla, command, field, language) for field in form.fields]


def changed(command: Command, form: Mapping[str, object]) -> dict[str, str]:
    """The options that a form sends, without those that were left as they were.

    An untouched seed isn't a new seed: variations hang on it. One that was emptied is sent empty.
    """
    options = {}
    for option in command.options:
        before = form.get(BEFORE + option.name, "")
        value = str(form.get(PREFIX + option.name, "")).strip()
        if before and option.kind.type is Type.SWITCH:
            value = value or "no"  # browsers say nothing of a box that isn't ticked
        if value != before or (value and option.required):
            options[option.name] = value
    return options


def _prefilled(semilla: Semilla, command: Command, field: Field, language: str) -> Input:
    option = command.option(field.name)
    if option is None or field.kind == "hidden":
        return Input(name=PREFIX + field.name, label="", help="", kind="hidden", value=field.value)
    found = _input(semilla, option, language)
    known = {value for value, _ in found.choices}
    more = () if field.value in known or found.kind != "choice" else ((field.value, field.value),)
    return Input(
        name=found.name,
        label=field.label,
        help=found.help,
        kind=found.kind,
        value=field.value,
        low=found.low,
        high=found.high,
        step=found.step,
        choices=(*found.choices, *more),
        before=field.value,
    )


def _input(semilla: Semilla, option: Option, language: str) -> Input:
    kind, choices = _control(semilla, option, language)
    number = kind == "number"
    return Input(
        name=PREFIX + option.name,
        label=option.label(language),
        help=option.description(language),
        kind=kind,
        low=f"{option.kind.low:.12g}" if number and option.kind.low is not None else "",
        high=f"{option.kind.high:.12g}" if number and option.kind.high is not None else "",
        step="1" if option.kind.type is Type.WHOLE else "any",
        choices=choices,
    )


def _control(
    semilla: Semilla, option: Option, language: str
) -> tuple[str, tuple[tuple[str, str], ...]]:
    match option.kind.type:
        case Type.WHOLE | Type.NUMBER:
            return "number", ()
        case Type.SWITCH:
            return "switch", ()
        case Type.SAMPLER:
            return "choice", (("", ""), *((each.name, each.label) for each in SAMPLERS))
        case Type.MODEL:
            names = [each.name for each in semilla.catalogue.models()]
            return "choice", (("", ""), *((name, name) for name in names))
        case Type.UPSCALER:
            names = [each.name for each in semilla.catalogue.extras(Kind.UPSCALER)]
            return "choice", (("", ""), *((name, name) for name in (*names, LANCZOS)))
        case Type.SIZE:
            return "text", tuple((shape, "") for shape in SHAPES[language])
        case Type.TEXT if option.kind.choices:
            return "choice", (
                ("", ""),
                *((each, choice(language, each)) for each in option.kind.choices),
            )
        case Type.TEXT if (option.kind.high or 0) > 200:
            return "long", ()
        case _:
            return "text", ()
