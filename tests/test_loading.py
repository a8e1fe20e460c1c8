"""Models that come into memory and go: while others draw, and as many as there is room for."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from generator.catalogue import BUNDLED
from generator.engine import Engine
from generator.messages import Cancelled, Drawn, Failed, Failure, Submit
from tests.micro_models import Studio, studio

SMALL = {"width": 64, "height": 64, "steps": 2}


def put(folder: Path, *names: str) -> None:
    """The model that ships, under other names."""
    for name in names:
        shutil.copytree(BUNDLED, folder / name)
        (folder / name / "semilla.toml").unlink()


@pytest.fixture
def shelf(tmp_path) -> Path:
    put(tmp_path / "models", "one", "other", "third")
    return tmp_path / "models"


@pytest.fixture
def room(shelf, tmp_path) -> Studio:
    return studio(tmp_path / "cache", shelf)


def test_what_became_of_a_load_that_nobody_waits_for_is_nobodys_later(room, shelf):
    order = Submit(1, room.recipe("one", **SMALL))
    shutil.move(shelf / "one", shelf.parent)
    engine = Engine(room.models, {}, 0)
    engine.submit(order)
    events = [*engine.turn(), *engine.cancel(1), *room.run(engine=engine)]
    assert [type(each) for each in events if isinstance(each, Drawn | Failed | Cancelled)] == [
        Cancelled
    ]
    shutil.move(shelf.parent / "one", shelf)
    assert any(isinstance(each, Drawn) for each in room.run(order, engine=engine))


def test_who_comes_while_a_load_fails_has_a_try_of_their_own(room, monkeypatch):
    recipe, read = room.recipe("one", **SMALL), type(room.models)._read
    reading, came, tries = threading.Event(), threading.Event(), []

    def torn_once(*given):
        tries.append(given)
        if len(tries) > 1:
            return read(*given)
        reading.set()
        assert came.wait(60)
        raise OSError("a file that is still being copied")

    monkeypatch.setattr(type(room.models), "_read", torn_once)
    engine = Engine(room.models, {}, 0)
    engine.submit(Submit(1, recipe))
    events = [*engine.turn()]
    assert reading.wait(60)
    engine.submit(Submit(2, recipe))
    came.set()
    events += room.run(engine=engine)
    assert [each.failure for each in events if isinstance(each, Failed)] == [Failure.MODEL_BROKEN]
    assert [each.job for each in events if isinstance(each, Drawn)] == [2]
