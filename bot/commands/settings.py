"""Defaults (member over channel over guild) and a member's own styles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from bot.commands.choices import Choices
from bot.commands.declaration import Answers, command
from bot.commands.defaults import DEFAULTS, Defaults, defaults, model_called, size_of
from bot.commands.kinds import (
    NewStyleName,
    PictureCode,
    Scope,
    Switch,
)
from bot.commands.line import typed
from bot.commands.recipe import find_picture
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Field, Form, Refusal, Reply
from bot.locales import say
from bot.replies import list_lines
from generator import metadata

OF_ONE_PICTURE = ("seed", "variations", "prompt")
NOT_IN_STYLES = {"seed", "variations", "image", "strength", "mask", "style"}
ROWS, A_ROW = 4, 4  # of buttons that every chat has room for


@command(listed=True)
async def settings(
    semilla: Semilla, call: Call, choices: Defaults, scope: Scope = "me", reset: Switch = False
) -> Reply:
    stored = semilla.database.settings
    if scope != "me" and not call.member.moderator:
        raise Refusal("moderators-only", ("/settings",))
    await _check(semilla, call, choices.model, Choices(size=choices.size))
    kind = {"me": "member"}.get(scope, scope)
    owner = {"member": call.member.id, "channel": call.channel, "guild": ""}[kind]
    chosen = {name: call.options[name] for name in DEFAULTS if name in call.options}
    for name in DEFAULTS if reset else ():
        await stored.set(call.guild.id, kind, owner, name, None)
    for name, value in chosen.items():
        await stored.set(call.guild.id, kind, owner, name, value)
    values = await stored.get(call.guild.id, call.channel, call.member.id)
    lines = [
        f"{say(call.language, f'option-{name}')}: {say(call.language, 'value', value=values[name])}"
        for name in DEFAULTS
        if name in values
    ]
    title = "settings-changed" if chosen or reset else "settings-title"
    text = list_lines(lines) if lines else say(call.language, "settings-none")
    return Reply(text=f"{say(call.language, title)}\n{text}", private=True)


async def _check(semilla: Semilla, call: Call, model: str | None, choices: Choices) -> None:
    """Whether there is such a model, or the one that is used here, and it makes such a size.
    Raises Refusal."""
    used = model or (await defaults(semilla, call)).model
    size_of(model_called(semilla, used), choices)


@command("style save")
async def style_save(
    semilla: Semilla,
    call: Call,
    name: NewStyleName,
    choices: Choices,
    picture: PictureCode | None = None,
) -> Reply:
    await _check(semilla, call, choices.model, choices)
    kept = (f.name for f in fields(choices) if f.name not in NOT_IN_STYLES)
    options = {each: call.options[each] for each in kept if each in call.options}
    if picture is not None:
        found = metadata.options((await find_picture(semilla, call, picture)).request)
        options = {n: v for n, v in found.items() if n not in OF_ONE_PICTURE} | options
    if not options:
        raise Refusal("style-empty")
    await semilla.database.settings.save_style(call.guild.id, call.member.id, name, options)
    return Reply(text=say(call.language, "style-saved", name=name), private=True)


@command("style new", answers=Answers.FORM)
async def style_new(semilla: Semilla, call: Call, picture: PictureCode) -> Reply:
    """Asks how a picture's options are to be called, where no line can be typed for it."""
    found = await find_picture(semilla, call, picture)
    fields = (
        Field("name", say(call.language, "option-name")),
        Field("picture", "", found.code, kind="hidden"),
    )
    form = Form(say(call.language, "style-title", code=found.code), "style save", fields)
    return Reply(form=form, private=True)


@command("style delete")
async def style_delete(semilla: Semilla, call: Call, name: NewStyleName) -> Reply:
    settings = semilla.database.settings
    if not await settings.delete_style(call.guild.id, call.member.id, name):
        raise Refusal("unknown-style", ("/style",), style=name)
    return Reply(text=say(call.language, "style-deleted", name=name), private=True)


@command("style")
async def style(semilla: Semilla, call: Call) -> Reply:
    styles = await semilla.database.settings.styles(call.guild.id, call.member.id)
    if not styles:
        return Reply(text=say(call.language, "styles-none"), private=True)
    lines = [
        say(call.language, "style-line", name=name, options=_in_words(options, call.language))
        for name, options in styles.items()
    ]
    buttons = [Button(f"🗑 {name}", typed("style delete", {"name": name})) for name in styles]
    fitting = [each for each in buttons if each.fits][: ROWS * A_ROW]
    rows = tuple(tuple(fitting[i : i + A_ROW]) for i in range(0, len(fitting), A_ROW))
    text = f"{say(call.language, 'styles-title')}\n{list_lines(lines)}"
    return Reply(text=text, buttons=rows, private=True)


def _in_words(options: Mapping[str, str], language: str) -> str:
    return " ".join(f"{say(language, f'option-{name}')}:{value}" for name, value in options.items())
