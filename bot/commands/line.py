"""The typed grammar: one line becomes a command and its options.

    un gato rojo negativo:borroso semilla:7        free text is imagine's prompt
    /vary K7QX strength:strong                     a slash names the command
    /imagina --pasos 12 "a red cat"                --name value, quotes for spaces

A button is such a line too. Names of both languages are understood in either.
"""

from __future__ import annotations

import re
from bisect import bisect
from difflib import get_close_matches
from functools import cache
from itertools import islice

from bot.commands.declaration import COMMANDS, Command, Option, fold
from bot.commands.kinds import Type, short
from bot.conversation import Refusal
from generator import habits

MARKER = re.compile(
    rf"(?:(?<=\s)|^)(?:{habits.DASHES}(?P<dashed>[^\W\d][\w-]*)(?:=|\s+|$)"
    rf"|(?P<named>{habits.NEGATIVE}|[^\W\d][\w-]*):\s*)"
)
# Telephones bend quotes. Not from one that is escaped: a line of nothing but those would be read
# from each of them.
QUOTED = re.compile(
    r"(?<!\\)"
    r'(?:"(?:\\.|[^"\\])*"|[“”„](?:\\.|[^“”„\\])*[“”]|«(?:\\.|[^«»\\])*»)'
    r"(?=\s|$)"
)
LINE_LIMIT = 10_000  # two prompts and all the rest
NAMED = {Type.SIZE, Type.MODEL, Type.STYLE, Type.EXTRA, Type.UPSCALER}  # which take any text
# Options whose values can't be taken for words of a prompt, and how near a name is to theirs.
MEASURED = {Type.WHOLE, Type.NUMBER, Type.SWITCH, Type.SAMPLER}
NEAR, LOOKED_AT = 0.8, 20
INFOTEXT = re.compile(r"\bSteps: \d+, ")


def parse(text: str) -> tuple[str, dict[str, str]]:
    """Canonical command and options of a typed line. Raises Refusal for an unknown command."""
    if len(text) > LINE_LIMIT:
        raise Refusal("line-too-long", length=len(text), limit=LINE_LIMIT)
    text = text.strip()
    if not text.startswith("/"):
        return "imagine", options(COMMANDS["imagine"], text)
    command, rest = _command(text[1:])
    return command.name, options(command, rest)


def find(name: str) -> Command | None:
    return _commands().get(fold(name))


@cache
def _commands() -> dict[str, Command]:
    """By all their names: a room that many look at reads each line for each of them."""
    return {name: each for each in reversed(COMMANDS.values()) for name in each.names()}


@cache
def _options(command: str) -> dict[str, Option]:
    options = COMMANDS[command].options
    return {name: each for each in reversed(options) for name in each.names()}


def options(command: Command, text: str) -> dict[str, str]:
    """The options in what follows a command's name."""
    if command.name == "imagine" and INFOTEXT.search(text):
        return {"prompt": text}
    found: dict[str, str] = {}
    free, markers = _markers(command, text)
    ends = [*(match.start() for _, match in markers[1:]), len(text)]
    for (option, start), end in zip(markers, ends, strict=False):
        behind = text[start.end() : end]
        tied = start[0].endswith(":") and bool(behind) and not behind[0].isspace()
        value, rest = _value(option, behind.strip(), tied)
        found[option.name] = value
        free = f"{free} {rest}".strip()
    _give_free_words(command, free, found)
    return found


def _command(text: str) -> tuple[Command, str]:
    # In groups Telegram sends /imagine@name_of_the_bot.
    text = re.sub(r"^(\S+?)@\S+", r"\1", text)
    words = text.split(maxsplit=2)
    for length in (2, 1):  # "style save" before "style"
        name = " ".join(words[:length])
        if len(words) >= length and (command := find(name)):
            return command, text.split(maxsplit=length)[length] if len(words) > length else ""
    typed = words[0] if words else ""
    names = sorted({name for each in COMMANDS.values() for name in each.names()})
    near = get_close_matches(fold(typed), names, n=1)
    lines = tuple(f"/{name}" for name in near) or ("/help",)
    raise Refusal("unknown-command", lines, command=short(typed))


def _markers(command: Command, text: str) -> tuple[str, list[tuple[Option, re.Match[str]]]]:
    """What stands before the first option, and each option with where its name stands."""
    quoted = [match.span() for match in QUOTED.finditer(text)]
    starts = [start for start, _ in quoted]
    options = _options(command.name)
    markers = []
    for match in MARKER.finditer(text):
        option = options.get(fold(match["dashed"] or match["named"]))
        before = bisect(starts, match.start()) - 1  # the last quotation that begins before it
        if option and (before < 0 or match.start() >= quoted[before][1]):
            markers.append((option, match))
    return text[: markers[0][1].start()].strip() if markers else text, markers


def _value(option: Option, text: str, tied: bool) -> tuple[str, str]:
    """An option's value at the start of `text`, and the free words after it.

    A text runs to the next option, the others are one word, but for a sampler's name:
    "sampler:euler a un gato" leaves "un gato". A switch may stand alone: "--private un gato".

    Args:
        tied: the value is written right after the option's colon.
    """
    if match := QUOTED.match(text):
        return _unquoted(match), text[match.end() :].strip()
    if option.kind.type is Type.TEXT:
        return text, ""
    words = text.split()
    longest = 4 if option.kind.type is Type.SAMPLER else 1  # "dpm++ 2m sde karras"
    for length in range(min(len(words), longest), 1, -1):
        if option.kind.accepts(" ".join(words[:length])):
            return " ".join(words[:length]), " ".join(words[length:])
    first = "".join(words[:1])
    if option.kind.type in NAMED or not option.kind.accepts(first):  # "pasos:12, semilla:7"
        first = first.rstrip(",;.")
    if option.kind.type is Type.SWITCH and not tied and not option.kind.accepts(first):
        return "yes", text
    return first, " ".join(words[1:])


def _unquoted(quoted: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[0][1:-1])


def _give_free_words(command: Command, free: str, found: dict[str, str]) -> None:
    """Words that belong to no option: first the id of a picture, then the free text."""
    picture = _leading_picture(command)
    if picture and picture.name not in found and (words := free.split(maxsplit=1)):
        found[picture.name], free = words[0], "".join(words[1:])
    if not (free := free.strip()):
        return
    _check_misspelt(command, free)
    taker = _taker(command, free, found)
    if taker is None:
        raise Refusal("too-many-words", words=short(free), command=command.name)
    if match := QUOTED.fullmatch(free):
        free = _unquoted(match)
    found[taker.name] = f"{free} {found[taker.name]}" if taker.name in found else free


def _check_misspelt(command: Command, free: str) -> None:
    """What is nearly an option's name before a value of its kind was meant as one, and so was one
    that only other commands have: none of it is drawn. Raises Refusal."""
    plain = QUOTED.sub("", free)  # what is quoted is meant as it stands
    if not (markers := [*islice(MARKER.finditer(plain), LOOKED_AT)]):
        return
    known = {
        name: option
        for option in (*COMMANDS["imagine"].options, *command.options)
        if option.kind.type in MEASURED
        for name in option.names()
    }
    for match in markers:
        typed, value = match["dashed"] or match["named"], plain[match.end() :].split(maxsplit=1)
        # "a man, weight: 180" is a sentence; "weight:180" is none.
        written = match["named"] and match[0][-1].isspace()
        near = get_close_matches(fold(typed), known, n=1, cutoff=1 if written else NEAR)
        if not near or not value or typed.lower() in habits.WITHOUT:
            continue
        option = known[near[0]]
        if option.kind.accepts(value[0].rstrip(",;.")):
            key = "misspelt-option" if command.option(option.name) else "unknown-option"
            raise Refusal(key, typed=short(typed), command=command.name, option=option.name)


def _taker(command: Command, free: str, found: dict[str, str]) -> Option | None:
    """The option that free words are for: the one that takes any, or one that has words of its own
    ("/vary K7QX strong")."""
    named = (o for o in command.options if o.kind.words and o.name not in found)
    fitting = (option for option in named if option.kind.accepts(free))
    return next((o for o in command.options if o.kind.free), None) or next(fitting, None)


def _leading_picture(command: Command) -> Option | None:
    """The option that the first free word is for, where a command is about a picture."""
    first = command.options[0] if command.options else None
    return first if first and first.kind.type is Type.PICTURE else None


def picture_in(line: str) -> str | None:
    """The picture that a line is about; None also for a line that can't be read."""
    try:
        name, given = parse(line)
    except Refusal:
        return None
    about = _leading_picture(COMMANDS[name])
    return given.get(about.name) if about else None


def typed(command: str, values: dict[str, str], language: str = "en") -> str:
    """The line that can be typed again for these options, with the names of a language."""
    declared = COMMANDS[command]
    words = [f"/{declared.label(language)}"]
    picture = _leading_picture(declared)
    if picture is not None and picture.name in values:
        words.append(values[picture.name])
    for name, value in values.items():
        option = declared.option(name)
        if option is None or option is not picture:
            label = name if option is None else option.typed(language)
            shown = value if option is None else option.kind.shown(value, language)
            words.append(f"{label}:{quote(shown)}")
    return " ".join(words)


def quote(value: str) -> str:
    """Quoted where the grammar needs it."""
    if value and not re.search(r'[\s":“”„«»]', value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
