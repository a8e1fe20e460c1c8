"""What can be asked for: help, models, samplers."""

from __future__ import annotations

from bot.commands.declaration import COMMANDS, command
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Reply
from bot.locales import say
from bot.replies import list_lines
from generator.sampler_names import SAMPLERS


@command(listed=True)
async def help(semilla: Semilla, call: Call) -> Reply:
    language = call.language
    lines = [
        say(language, "help-line", name=each.label(language), text=each.description(language))
        for each in COMMANDS.values()
        if each.listed
    ]
    examples = semilla.catalogue.default().examples(language)
    buttons = tuple(Button(label=each, line=each) for each in examples)
    text = f"{say(language, 'help-title')}\n{list_lines(lines)}\n{say(language, 'help-examples')}"
    private = Button(label=COMMANDS["privacy"].label(language).capitalize(), line="/privacy")
    return Reply(text=text, buttons=(buttons, (private,)), private=True)


@command()
async def models(semilla: Semilla, call: Call) -> Reply:
    lines = [
        say(
            call.language,
            "model-line",
            name=model.name,
            about=model.description.get(call.language, ""),
            size=f"{model.native[0]}x{model.native[1]}",
            steps=str(model.steps),
            sampler=model.sampler,
            guidance=f"{model.guidance_scale:g}",
        )
        for model in semilla.catalogue.models()
    ]
    return Reply(text=f"{say(call.language, 'models-title')}\n{list_lines(lines)}", private=True)


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
