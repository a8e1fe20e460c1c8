"""What can be asked for: help, models, samplers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.commands import line
from bot.commands.declaration import COMMANDS, Option, command
from bot.commands.kinds import Words, short
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Refusal, Reply
from bot.locales import escape, say
from bot.replies import list_lines
from generator.entries import Extra, Model, Refused
from generator.headers import Kind
from generator.sampler_names import SAMPLERS

LISTED = 15  # of a kind
TRIGGERS, TOLD = 3, 60  # words and characters of them


@command(listed=True)
async def help(semilla: Semilla, call: Call, topic: Words = "") -> Reply:
    language = call.language
    if topic:
        return Reply(text=_help_on(topic, language), private=True)
    extra = ("setup", "review") if call.member.moderator else ()
    shown = (each for each in COMMANDS.values() if each.listed or each.name in extra)
    lines = [
        say(language, "help-line", name=each.label(language), text=each.description(language))
        for each in shown
    ]
    examples = semilla.catalogue.default().examples(language)
    buttons = tuple(Button(label=each, line=each) for each in examples)
    names = {name: COMMANDS[name].label(language) for name in ("imagine", "help")}
    names |= {name: say(language, f"option-{name}") for name in ("negative", "seed", "steps")}
    parts = (
        say(language, "help-title", **names),
        list_lines(lines),
        say(language, "help-more", example=examples[-1], **names),
        say(language, "help-examples"),
    )
    text = "\n".join(parts)
    more = tuple(
        Button(label=COMMANDS[name].label(language).capitalize(), line=f"/{name}")
        for name in ("models", "samplers", "style", "privacy")
    )
    return Reply(text=text, buttons=(buttons, more), private=True)


def _help_on(topic: str, language: str) -> str:
    """What a command takes, and what an option of a request does. Raises Refusal."""
    lines = []
    if found := line.find(topic.removeprefix("/")):
        text = found.description(language)
        lines.append(say(language, "help-of", name=found.label(language), text=text))
        options = (each for each in found.options if each.name != "draft")  # only buttons have it
        lines += [f"· {_help_line(each, language)}" for each in options]
    if option := COMMANDS["imagine"].option(topic):
        lines.append(_help_line(option, language))
    if not lines:
        raise Refusal("no-help", ("/help",), words=short(topic))
    return "\n".join(lines)


def _help_line(option: Option, language: str) -> str:
    return say(
        language, "help-option", name=option.typed(language), text=option.description(language)
    )


@command()
async def models(semilla: Semilla, call: Call) -> Reply:
    catalogue, language = semilla.catalogue, call.language
    parts = [say(language, "models-title")]
    parts.append(list_lines(_model_line(each, language) for each in catalogue.models()))
    for kind in (Kind.LORA, Kind.EMBEDDING, Kind.VAE, Kind.UPSCALER):
        if extras := catalogue.extras(kind):
            parts.append(say(language, f"models-{kind.value}"))
            parts.append(_shortened([_extra_line(each) for each in extras], language))
    if refused := catalogue.refused():
        parts.append(say(language, "models-refused"))
        lines = [f"{escape(each.name)}: {_why(each, language)}" for each in refused]
        parts.append(_shortened(lines, language))
    return Reply(text="\n".join(parts), private=True)


def _model_line(model: Model, language: str) -> str:
    """What it is, and what it does where nothing else is asked."""
    line = say(
        language,
        "model-line",
        name=model.name,
        about=model.description.get(language, ""),
        size=f"{model.native[0]}x{model.native[1]}",
        steps=str(model.steps),
        sampler=model.sampler,
        guidance=f"{model.guidance_scale:g}",
    )
    more = [
        ("clip_skip", str(model.clip_skip) if model.clip_skip > 1 else ""),
        ("prompt", f"{model.prefix}, …" if model.prefix else ""),
        ("negative", short(model.negative, TOLD)),
        ("vae", model.vae or ""),
    ]
    told = [f"{say(language, f'option-{name}')} {escape(text)}" for name, text in more if text]
    told += [escape(each) for each in model.triggers[:TRIGGERS]]
    return " · ".join((line, *told, *(["🔞"] if model.nsfw else [])))


def _extra_line(extra: Extra) -> str:
    """Its name with the kind of model that it fits or how much it enlarges, and the words that it
    answers to."""
    if extra.kind is Kind.UPSCALER:
        return escape(f"{extra.name} (×{extra.scale})")
    family = f" ({extra.family})" if extra.family else ""
    words = ", ".join(extra.triggers[:TRIGGERS])
    return escape(f"{extra.name}{family}" + (f": {short(words, TOLD)}" if words else ""))


def _why(refused: Refused, language: str) -> str:
    return say(language, f"unusable-{refused.reason.value}")


def _shortened(lines: Sequence[str], language: str) -> str:
    """As many as can be read, and how many there are besides."""
    left = len(lines) - LISTED
    more = [say(language, "models-more", count=str(left))] if left > 0 else []
    return list_lines([*lines[:LISTED], *more])


@command()
async def samplers(semilla: Semilla, call: Call) -> Reply:
    lines = [
        say(
            call.language,
            "sampler-line",
            name=each.label,
            cost=each.calls_per_step,
            low=str(each.good_steps[0]),
            high=str(each.good_steps[1]),
            noise="yes" if each.adds_noise else "no",
        )
        for each in SAMPLERS
    ]
    return Reply(text=f"{say(call.language, 'samplers-title')}\n{list_lines(lines)}", private=True)
