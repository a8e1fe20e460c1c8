"""/setup: a guild's own rules, in one short conversation of buttons or in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from bot.commands.declaration import COMMANDS, command
from bot.commands.kinds import (
    Audience,
    Many,
    ModelName,
    ModelNames,
    Place,
    Places,
    Roles,
    Step,
    Switch,
    Tongue,
    YesNo,
    chosen,
    short,
)
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Refusal, Reply, Role, Unreachable
from bot.limits import language_of
from bot.locales import choice, say
from bot.moderation import LOST, NO, YES, Rules, read_rules
from bot.replies import list_lines

HERE, ALL, NONE = "here", "all", "none"
ANY = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a guild's moderators can set; None leaves it as it is."""

    language: Tongue | None = None
    channels: Places | None = None
    roles: Roles | None = None
    model: ModelName | None = None
    models: ModelNames | None = None
    waiting: Many | None = None
    per_hour: Many | None = None
    per_day: Many | None = None
    max_steps: Many | None = None
    max_count: Many | None = None
    max_side: Many | None = None
    words: Audience | None = None
    photos: YesNo | None = None
    others: YesNo | None = None
    approve: YesNo | None = None
    nsfw: YesNo | None = None
    log_channel: Place | None = None


WISHES = [each.name for each in fields(Wishes)]
LIMITS = ("waiting", "per_hour", "per_day", "max_steps", "max_count", "max_side", "models")
Choice = tuple[str, str]  # the name of its sentence, and what it sets


@command(role=Role.MODERATOR)
async def setup(
    semilla: Semilla,
    call: Call,
    wishes: Wishes,
    step: Step | None = None,
    role: Roles = "",
    reset: Switch = False,
) -> Reply:
    """Without options the first question; `role` sets limits for those who have it."""
    if call.guild.private:
        raise Refusal("setup-in-a-group")
    wished = {f.name: v for f in fields(wishes) if (v := getattr(wishes, f.name)) is not None}
    if "model" in wished:
        wished["model"] = _model(semilla, wished["model"])
    if "models" in wished:
        wished["models"] = _models(semilla, wished["models"])
    if role:
        return await _for_role(semilla, call, role, wished, reset)
    forgotten = dict.fromkeys(WISHES, "") if reset else {}
    meant = [_meant(call, name, value) for name, value in (forgotten | wished).items()]
    await _store(semilla, call, {name: text for each in meant for name, text in each.items()})
    values = await semilla.database.settings.of_guild(call.guild.id)
    call = replace(call, language=language_of(values) or call.language)  # which it may have changed
    if step is None:
        step = len(QUESTIONS) if wished or reset else 0
    while step < len(QUESTIONS) and not _applies(call, QUESTIONS[step][0]):
        step += 1
    if step < len(QUESTIONS):
        return _question(semilla, call, step, values)
    return _preview(semilla, call, values)


def _meant(call: Call, name: str, value: Any) -> dict[str, str | None]:
    """What one wish stores. What is read as "no limit", "everywhere" or "as it was" is forgotten.
    Raises Refusal."""
    text = str(value).strip()
    meant = chosen(text, (HERE, ALL, NONE))
    stored: dict[str, str | None] = {}
    if name in ("channels", "log_channel"):
        text = (call.thread or call.channel) if meant == HERE else "" if meant else _ids(text)
        shown = call.here if meant == HERE else str(value)
        stored[f"{name}_shown"] = shown if text else None
    elif name == "roles":
        text = "" if meant == ALL else _ids(text)
        stored["roles_shown"] = str(value) if text else None
    empty = text in ("", "0", ANY, ALL, NONE)
    return {**stored, name: None if empty else text}


async def _store(semilla: Semilla, call: Call, meant: Mapping[str, str | None]) -> None:
    """All of it or nothing. Raises Refusal."""
    if channel := meant.get("log_channel"):
        await _try_log_channel(semilla, call, channel)
        meant = {**meant, LOST: None}
    for name, text in meant.items():
        await semilla.database.settings.set(call.guild.id, "guild", "", name, text)


async def _try_log_channel(semilla: Semilla, call: Call, channel: str) -> None:
    """Says there what it will be for. Raises Refusal where that can't be said."""
    reply = Reply(text=say(call.language, "log-channel"))
    try:
        await semilla.chats[call.adapter].post(call.guild.id, channel, reply)
    except (KeyError, Unreachable) as unreachable:
        raise Refusal("log-channel-unreachable") from unreachable


async def _for_role(
    semilla: Semilla, call: Call, role: str, wished: dict[str, Any], reset: bool
) -> Reply:
    """Limits of a role: they count where they allow more than the guild's."""
    if set(wished) - set(LIMITS) or not (wished or reset):
        raise Refusal("role-limits-only")
    settings, roles = semilla.database.settings, _ids(role).split(",")
    forgotten = dict.fromkeys(LIMITS, NONE) if reset else {}
    for one in roles:
        for name, value in (forgotten | wished).items():
            stored = None if value == NONE else "" if value == ALL else str(value)
            await settings.set(call.guild.id, "role", one, name, stored)
    own = await settings.of_roles(call.guild.id, roles[:1])
    lines = [
        f"{_typed(name, call.language)}: {value or choice(call.language, ALL)}"
        for each in own
        for name, value in each.items()
    ]
    title = say(call.language, "setup-role", role=role)
    text = list_lines(lines) or say(call.language, "setup-role-none")
    return Reply(text=f"{title}\n{text}", private=True)


def _models(semilla: Semilla, text: str) -> str:
    """Their names with commas between; all or none. Raises Refusal."""
    if meant := chosen(text, (ALL, NONE)):
        return meant
    return ", ".join(_model(semilla, each) for each in text.split(",") if each.strip())


def _model(semilla: Semilla, text: str) -> str:
    """Its name. Raises Refusal, with those that are there."""
    if semilla.catalogue.being_read(text):
        raise Refusal("model-being-read", model=short(text))
    found = semilla.catalogue.find(text)
    if found is None:
        names = ", ".join(each.name for each in semilla.catalogue.models())
        raise Refusal("unknown-models", ("/models",), model=short(text), names=short(names, 200))
    return found.name


def _ids(text: str) -> str:
    """Mentions (<#123>, <@&456>) and ids as ids, with commas between. Raises Refusal."""
    parts = text.replace(",", " ").split()
    ids = [part.strip("<#@&>") for part in parts]
    for part, each in zip(parts, ids, strict=True):
        if not each.lstrip("-").isdecimal():
            raise Refusal("not-ids", value=short(part))
    return ",".join(ids)


def _typed(name: str, language: str) -> str:
    option = COMMANDS["setup"].option(name)
    return option.typed(language) if option else name


def _first(semilla: Semilla) -> str:
    return semilla.catalogue.default().name


def _nsfw(rules: Rules, values: Mapping[str, str], language: str) -> str:
    if values.get("nsfw") == YES and not rules.nsfw:
        return say(language, "setup-nsfw-children")
    return choice(language, YES if rules.nsfw else NO)


# --- the conversation


def _languages(_semilla: Semilla) -> Sequence[Choice]:
    return (("setup-spanish", "language:es"), ("setup-english", "language:en"),
            ("setup-own-language", f"language:{ANY}"))  # fmt: skip


def _where(_semilla: Semilla) -> Sequence[Choice]:
    return (("setup-here", f"channels:{HERE}"), ("setup-everywhere", f"channels:{ALL}"))


def _who(_semilla: Semilla) -> Sequence[Choice]:
    return (("setup-everybody", f"roles:{ALL}"),)


def _how_much(_semilla: Semilla) -> Sequence[Choice]:
    return (
        ("setup-few", "per_hour:10 per_day:30"),
        ("setup-many", "per_hour:60 per_day:200"),
        ("setup-no-limit", "per_hour:0 per_day:0"),
    )


def _rules(_semilla: Semilla) -> Sequence[Choice]:
    return (
        ("setup-children", "words:children photos:no"),
        ("setup-general", "words:general photos:yes"),
        ("setup-adults", "words:adults photos:yes"),
    )


def _approval(_semilla: Semilla) -> Sequence[Choice]:
    return (("setup-at-once", "approve:no"), ("setup-approve", "approve:yes"))


def _log(_semilla: Semilla) -> Sequence[Choice]:
    return (("setup-log-here", f"log_channel:{HERE}"), ("setup-log-none", f"log_channel:{NONE}"))


QUESTIONS: tuple[tuple[str, Callable[[Semilla], Sequence[Choice]]], ...] = (
    ("language", _languages),
    ("channels", _where),
    ("roles", _who),
    ("model", lambda _semilla: ()),
    ("limits", _how_much),
    ("words", _rules),
    ("approve", _approval),
    ("log", _log),
)


def _applies(call: Call, question: str) -> bool:
    """Not every chat has roles or channels."""
    if question == "roles":
        return bool(call.member.roles)
    return question not in ("channels", "log") or bool(call.channel)


def _question(semilla: Semilla, call: Call, step: int, values: Mapping[str, str]) -> Reply:
    language = call.language
    name, choices = QUESTIONS[step]
    buttons = [
        Button(say(language, key), f"/setup step:{step + 1} {sets}")
        for key, sets in choices(semilla)
    ]
    if name == "model":
        buttons = [
            Button(short(model.name, 20), f"/setup step:{step + 1} model:{_quoted(model.name)}")
            for model in semilla.catalogue.models()[:3]
        ]
    fitting = tuple(each for each in buttons if each.fits)
    skip = Button(say(language, "setup-keep"), f"/setup step:{step + 1}")
    asked = [place for place, (each, _) in enumerate(QUESTIONS) if _applies(call, each)]
    number = say(language, "setup-step", step=asked.index(step) + 1, steps=len(asked))
    text = f"**{number}** {say(language, f'setup-ask-{name}')}"
    return Reply(text=text, buttons=(fitting, (skip,)), private=True)


def _preview(semilla: Semilla, call: Call, values: Mapping[str, str]) -> Reply:
    """What members will see and may do."""
    language = call.language
    rules = read_rules(call.guild.id, values)
    none, nowhere = say(language, "setup-none"), say(language, "setup-log-none")
    model, tongue = values.get("model") or _first(semilla), values.get("language")
    facts = [
        ("language", choice(language, tongue) if tongue else say(language, "setup-own-language")),
        ("channels", values.get("channels_shown") or values.get("channels") or none),
        ("roles", values.get("roles_shown") or values.get("roles") or none),
        ("model", model),
        *((name, values[name]) for name in LIMITS if values.get(name)),
        ("words", choice(language, rules.words.value)),
        ("photos", choice(language, "yes" if rules.photos else "no")),
        ("others", choice(language, values.get("others") or "no")),
        ("approve", choice(language, "yes" if rules.approve else "no")),
        ("nsfw", _nsfw(rules, values, language)),
        ("log_channel", values.get("log_channel_shown") or rules.log_channel or nowhere),
    ]
    lines = [
        f"**{_typed(name, language)}** {say(language, 'value', value=value)}"
        for name, value in facts
    ]
    examples = semilla.catalogue.default().examples(language)[:3]
    imagine = COMMANDS["imagine"].label(language)
    hello = "\n".join([say(language, "hello"), *(f"`/{imagine} {each}`" for each in examples)])
    text = "\n".join([say(language, "setup-done"), list_lines(lines), "",
                      say(language, "setup-members-see"), hello])  # fmt: skip
    again = Button(say(language, "setup-again"), "/setup")
    return Reply(text=text, buttons=((again,),), private=True)


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
