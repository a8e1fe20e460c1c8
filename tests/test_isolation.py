"""Guilds are separate: nothing that happens in one changes a letter of an answer in another.

The same commands are run in one guild twice, with others busy beside it and without; the answers
must be equal but for what is random (ids of pictures) or only names a request (its number).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bot.commands  # noqa: F401  declares them
from bot.app import App
from bot.commands.declaration import COMMANDS, Command
from bot.commands.kinds import Type
from bot.conversation import Call, Guild, Member, Reply, Role, Tone
from db.codes import random_code
from db.models import Job, Picture
from tests import chat as chats
from tests.rows import PNG, picture

GUILDS, WATCHED = 3, 0
MEMBERS = ("ana", "bea")
DRAWN = "its jobs are drawn"  # an act of the generator, not a command
WORDS = ("a red cat", "blue house", "zinnia", "watercolour")
NAMES = ("soft", "sketch")
FACTS = re.compile(  # a zip has the codes in it
    r"answer=\d+|/(?:cancel|retry) \d+|before:\d+|request \d+|\d\d:\d\d|code \w{4}|\w{64}\.zip"
)
_worlds = itertools.count()


@dataclass(frozen=True)
class Act:
    """Something done in a guild. `{own}` and `{other}` in options stand for ids of pictures."""

    guild: int
    member: str
    moderator: bool
    command: str
    options: dict[str, str]


@dataclass
class World:
    """Some guilds, new to the database, and what their members read."""

    app: App
    name: str = field(default_factory=lambda: f"w{next(_worlds)}w")
    pictures: dict[int, list[Picture]] = field(default_factory=dict)
    answers: list[Reply] = field(default_factory=list)
    typed: set[str] = field(default_factory=set)

    async def act(self, act: Act, n: int) -> None:
        guild = Guild(f"chat:{self.name}{act.guild}", self.name)
        if act.command == DRAWN:
            await self._draw(act.guild, guild.id)
            return
        call = Call(
            origin=f"{self.name}:{n}",
            adapter="chat",
            guild=guild,
            member=Member(f"chat:{self.name}{act.guild}{act.member}", act.member, act.moderator),
            language="en",
            command=act.command,
            options={name: self._filled(value, act) for name, value in act.options.items()},
        )
        reply = await chats.door.run(self.app.semilla, call)
        if act.guild == WATCHED:
            assert reply.tone is not Tone.FAULT, (call, reply)
            self.answers.append(reply)

    async def _draw(self, number: int, guild: str) -> None:
        """All that waits there becomes pictures."""
        semilla = self.app.semilla
        for job in await self._waiting(guild):
            semilla.dispatch._queue.remove(job.id)
            made = await semilla.database.jobs.get(job.id)
            drawn = self.pictures.setdefault(number, [])
            file = await semilla.database.storage.put(PNG + f"{guild}:{len(drawn)}".encode())
            row = picture(
                made.request, file, guild=guild, member=made.member, parent_id=made.parent_id
            )
            drawn.append(await semilla.database.jobs.done(job.id, row))

    async def _waiting(self, guild: str) -> list[Job]:
        return [job for job in await self.app.semilla.database.jobs.waiting() if job.guild == guild]

    def _filled(self, value: str, act: Act) -> str:
        own = [each.code for each in self.pictures.get(act.guild, ())]
        others = [p.code for g, each in self.pictures.items() if g != act.guild for p in each]
        code = (own if value == "{own}" else others if value == "{other}" else [value])[-1:]
        chosen = code[0] if code else random_code()
        if act.guild == WATCHED and chosen not in own:
            self.typed.add(chosen) if value.startswith("{") else None
        return chosen

    async def end(self) -> None:
        for guild in range(GUILDS):
            for job in await self._waiting(f"chat:{self.name}{guild}"):
                await self.app.semilla.dispatch.cancel(job.id)

    def read(self) -> list[str]:
        """What the watched guild was answered, without what is random."""
        text = "\n\n".join(map(repr, self.answers))
        for number, each in enumerate(self.pictures.get(WATCHED, ())):
            for random, name in (
                (each.code, "CODE"),
                (each.file, "FILE"),
                (each.pixel_hash, "PIXELS"),
            ):
                text = text.replace(random, f"{name}{number}")
        for code in self.typed:
            text = text.replace(code, "TYPED")
        return FACTS.sub("FACT", text.replace(self.name, "")).split("\n\n")

    def secrets(self) -> set[str]:
        """What stands in other guilds only: their pictures, and a mark in all their words."""
        foreign = {p.file for g, each in self.pictures.items() if g != WATCHED for p in each}
        return foreign | {secret(guild) for guild in range(GUILDS) if guild != WATCHED}


def secret(guild: int) -> str:
    return f"xq{guild}zecreto"


def values(kind: Type, guild: int) -> st.SearchStrategy[str]:
    words = st.sampled_from([*WORDS, secret(guild)])
    numbers = st.integers(0, 40).map(str)
    known = {
        Type.TEXT: words,
        Type.PICTURE: st.sampled_from(["{own}", "{own}", "{other}", "K7QX"]),
        Type.STYLE: st.sampled_from([*NAMES, secret(guild)]),
        Type.SWITCH: st.sampled_from(["yes", "no"]),
        Type.SIZE: st.sampled_from(["64x64", "portrait"]),
        Type.SAMPLER: st.sampled_from(["euler", "ddim"]),
        Type.MODEL: st.sampled_from(["semilla", secret(guild)]),
    }
    return known.get(kind, numbers)


@st.composite
def acts(draw: st.DrawFn) -> Act:
    guild = draw(st.integers(0, GUILDS - 1))
    name = draw(st.sampled_from([DRAWN, DRAWN, "imagine", "imagine", *commands()]))
    options = draw(chosen(COMMANDS[name], guild)) if name != DRAWN else {}
    return Act(guild, draw(st.sampled_from(MEMBERS)), draw(st.booleans()), name, options)


def begun(guild: int) -> Act:
    words = {"prompt": f"{WORDS[0]} {secret(guild)}", "seed": "1"}
    return Act(guild, MEMBERS[0], False, "imagine", words)


def commands() -> list[str]:
    """All but the owner's, who sees over the guilds."""
    return sorted(each.name for each in COMMANDS.values() if each.role is not Role.OWNER)


@st.composite
def chosen(draw: st.DrawFn, command: Command, guild: int) -> dict[str, str]:
    options = {}
    for option in command.options:
        # A seed that isn't given is random, and would stand in the recipe.
        if option.required or option.name in ("prompt", "seed") or draw(st.integers(0, 7)) == 0:
            options[option.name] = draw(values(option.kind.type, guild))
    return options


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guilds")


@pytest.fixture
async def app(folder: Path) -> AsyncIterator[App]:
    """Nothing is drawn here: the worker isn't started."""
    async with App.open(chats.settings(folder)) as opened:
        yield opened


@settings(
    deadline=None,
    max_examples=settings.default.max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(script=st.lists(acts(), min_size=4, max_size=24))
async def test_what_others_do_changes_no_letter_of_an_answer(app: App, script: list[Act]) -> None:
    busy, quiet = World(app), World(app)
    script = [*(begun(guild) for guild in range(GUILDS)), *script]
    for n, act in enumerate(script):
        await busy.act(act, n)
    await busy.end()
    for n, act in enumerate(script):
        if act.guild == WATCHED:
            await quiet.act(act, n)
    await quiet.end()
    assert busy.read() == quiet.read()
    text = repr(busy.answers)
    assert not [each for each in busy.secrets() if each in text]
