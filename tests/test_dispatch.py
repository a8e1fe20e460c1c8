"""Who is drawn when, and what those who wait are told meanwhile."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import watch
from bot.conversation import Guild, Member
from bot.events import Ended, Running, Waiting
from generator import client
from generator.catalogue import BUNDLED
from tests.chat import ANA, open_chat

BEA = Member("chat:bea", "Bea")
OTHER = Guild("chat:other", "Another class")


async def test_nobody_is_passed_whose_model_is_in_memory_beside_another(tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(BUNDLED, models / "second")
    (models / "second" / "semilla.toml").unlink()
    async with open_chat(tmp_path, SEMILLA_GENERATOR__MODELS_FOLDERS=str(models)) as chat:
        await chat.ask("a cat steps:1 model:second")
        await chat.ask("a cat steps:1")
        await chat.semilla.dispatch.pause(True)
        for _ in range(2):
            await chat.type("a dog steps:4 count:9")
        await chat.type("a dog steps:4 model:second", guild=OTHER, member=BEA)
        await chat.semilla.dispatch.pause(False)
        assert BEA.id in {task.member for task in chat.semilla.dispatch.running()}


async def test_who_is_drawn_already_is_not_sent_back_into_the_line(tmp_path: Path) -> None:
    async with open_chat(tmp_path) as chat:
        await chat.type("a cat steps:20 count:6 size:64x64", member=BEA)
        with chat.semilla.events.follow() as events:
            asked = await chat.type("a dog steps:20 count:9 size:64x64")
            told = []
            async for event in events:
                told += [type(event)] if event.answer == asked.answer else []
                if told.count(Ended) == 9:
                    break
    assert Waiting not in told[told.index(Running) :]


@pytest.mark.skipif(os.name == "nt", reason="the worker is a script of the shell first")
async def test_while_the_generator_does_not_start_requests_wait_and_its_owner_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LAST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(watch, "LOOK_EVERY_SECONDS", 0.1)
    script, mended = tmp_path / "python", tmp_path / "mended"
    script.write_text(f'#!/bin/sh\ntest -e {mended} || exit 3\nexec {sys.executable} "$@"\n')
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    async with open_chat(tmp_path / "data") as chat:
        await chat.semilla.database.access.add_owner(ANA.id, "chat")
        asked = await chat.type("a cat steps:1", member=BEA)
        assert "doesn't start" in (await chat.hear(1))[0][1].text
        await asyncio.sleep(1)  # and it fails some more times
        assert "doesn't start" in (await chat.type("/queue")).text
        mended.touch()
        assert asked.answer is not None
        assert (await chat.wait_for(asked.answer)).pictures
        assert "has started" in (await chat.hear(2))[1][1].text
        assert "Nobody waits" in (await chat.type("/queue")).text


@pytest.mark.skipif(os.name == "nt", reason="the worker is a script of the shell first")
async def test_a_generator_that_ends_before_it_is_ready_changes_nobodys_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o700)
    async with open_chat(tmp_path / "data") as chat:
        line, dispatch = "a cat steps:4 size:64x64", chat.semilla.dispatch
        await chat.ask(line)
        await dispatch.pause(True)  # it rests
        await once(lambda: dispatch.worker is None)
        monkeypatch.setattr(sys, "executable", str(script))
        await dispatch.pause(False)
        first = await chat.type(line)
        await once(lambda: not dispatch.starts)
        second = await chat.type(line, member=BEA)
        times = [dispatch.progress(each.answer).seconds for each in (first, second)]
    assert times[0] < times[1]


async def once(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not so():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
