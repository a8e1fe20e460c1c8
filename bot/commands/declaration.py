"""A signature becomes a Command: every chat, form, menu and help text is derived from it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from bot.commands.kinds import Kind, Type, without_accents
from bot.commands.semilla import Semilla
from bot.conversation import Call, Refusal, Reply, Role
from bot.locales import LANGUAGES, has, say

Handler = Callable[..., Awaitable[Reply]]


class Answers(StrEnum):
    """How a command answers; platforms must know before it runs."""

    NEW = "new"  # a message of its own, with pictures to come
    PRIVATE = "private"  # for its author only
    FORM = "form"  # something to fill in


@dataclass(frozen=True, slots=True)
class Option:
    """One value that a command takes. `required` when the signature has no default."""

    name: str
    kind: Kind
    required: bool
    default: Any
    group: str | None = None  # the dataclass parameter that it is a field of

    def label(self, language: str) -> str:
        return say(language, f"option-{self.name}")

    def typed(self, language: str) -> str:
        """Its label as a line has it, where names have no spaces."""
        return self.label(language).replace(" ", "-")

    def description(self, language: str) -> str:
        return say(language, f"option-{self.name}-help")

    def names(self) -> set[str]:
        """Every name by which it can be typed, folded."""
        own = {self.name, *self.kind.aliases, *(self.label(each) for each in LANGUAGES)}
        return {fold(name) for name in own}


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    answers: Answers
    listed: bool
    role: Role
    menu: bool
    anywhere: bool
    options: tuple[Option, ...]
    handler: Handler
    groups: Mapping[str, type]

    def label(self, language: str) -> str:
        return say(language, f"command-{self.name.replace(' ', '-')}")

    def description(self, language: str) -> str:
        return say(language, f"command-{self.name.replace(' ', '-')}-help")

    def names(self) -> set[str]:
        """Every name by which it can be called, folded."""
        key = f"command-{self.name.replace(' ', '-')}-aliases"
        aliases = say("en", key).split() if has("en", key) else []
        return {fold(name) for name in (self.name, *aliases, *map(self.label, LANGUAGES))}

    def option(self, typed: str) -> Option | None:
        folded = fold(typed)
        return next((each for each in self.options if folded in each.names()), None)

    def picture(self, options: Mapping[str, str]) -> str | None:
        """The one that options name: its id, or a link to it."""
        option = next((each for each in self.options if each.kind.type is Type.PICTURE), None)
        return options.get(option.name) if option else None

    async def run(self, semilla: Semilla, call: Call) -> Reply:
        """Reads the call's options and answers it. Raises Refusal."""
        return await self.handler(semilla, call, **self.read(call))

    def read(self, call: Call) -> dict[str, Any]:
        """The call's options as the handler's arguments. Raises Refusal."""
        arguments: dict[str, Any] = {group: {} for group in self.groups}
        for option in self.options:
            target = arguments[option.group] if option.group else arguments
            target[option.name] = self._value(option, call.options.get(option.name))
        for group, kind in self.groups.items():
            arguments[group] = kind(**arguments[group])
        return arguments

    def _value(self, option: Option, given: str | None) -> Any:
        text = (given or "").strip()
        if not text and option.required:
            if option.kind.type is Type.PICTURE:
                raise Refusal("picture-missing", ("/history",), command=self.name)
            raise Refusal("option-missing", command=self.name, option=option.name)
        if given is not None and not text and option.kind.emptied is not None:
            return option.kind.read(option.name, option.kind.emptied)
        return option.kind.read(option.name, text) if text else option.default


COMMANDS: dict[str, Command] = {}


def command(
    name: str | None = None,
    *,
    answers: Answers = Answers.PRIVATE,
    listed: bool = False,
    role: Role = Role.MEMBER,
    menu: bool = False,
    anywhere: bool = False,
) -> Callable[[Handler], Handler]:
    """Declares a command. Its first two parameters are Semilla and the Call; each other one is an
    option (annotated with a Kind) or a frozen dataclass whose fields are options. `role` is the
    least that somebody must be to use it; with `menu`, chats that have menus on their messages
    offer it on every picture; `anywhere`: also where Semilla is not switched on."""

    def declare(handler: Handler) -> Handler:
        called = name or handler.__name__
        options, groups = _read_signature(handler)
        COMMANDS[called] = Command(
            called, answers, listed, role, menu, anywhere, options, handler, groups
        )
        return handler

    return declare


def fold(name: str) -> str:
    """Names are compared without case, accents, hyphens and underscores."""
    return without_accents(name).replace("-", " ").replace("_", " ").strip()


def _read_signature(handler: Handler) -> tuple[tuple[Option, ...], dict[str, type]]:
    hints = get_type_hints(handler, include_extras=True)
    options: list[Option] = []
    groups: dict[str, type] = {}
    for parameter in list(inspect.signature(handler).parameters.values())[2:]:
        hint = hints[parameter.name]
        if is_dataclass(hint) and isinstance(hint, type):
            groups[parameter.name] = hint
            options += _read_fields(hint, parameter.name)
        else:
            options.append(_option(parameter.name, hint, parameter.default))
    return tuple(options), groups


def _read_fields(group: type, called: str) -> list[Option]:
    hints = get_type_hints(group, include_extras=True)
    return [
        _option(each.name, hints[each.name], each.default, called)
        for each in fields(group)
        if _kind(hints[each.name]) is not None
    ]


def _option(name: str, hint: Any, default: Any, group: str | None = None) -> Option:
    kind = _kind(hint)
    if kind is None:
        raise TypeError(f"{name} has no kind")
    required = default in (inspect.Parameter.empty, MISSING)
    return Option(name, kind, required, None if required else default, group)


def _kind(hint: Any) -> Kind | None:
    """The Kind in Annotated[…, Kind] or in a union with it."""
    if get_origin(hint) is Annotated:
        return next((each for each in get_args(hint)[1:] if isinstance(each, Kind)), None)
    return next((found for each in get_args(hint) if (found := _kind(each))), None)
