from __future__ import annotations

import gc
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from db.migrations import upgrade
from db.session import Database
from tests import seedbed

# The tests run side by side: threads of torch would only stand in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SEEDBED = "TESTS_SEEDBED"
LONGEST = tuple(
    f"test_{name}"
    for name in (
        *("telegram_troubles", "browser", "telegram", "durability", "models_asked", "terminal"),
        *("families", "generator", "engine", "discord_faults", "picture_check", "moderation"),
        *("upscale", "web", "operation", "pictures", "loading", "upscalers", "training", "stock"),
    )
)

settings.register_profile("soak", max_examples=4000, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    """One seedbed for all tests, those that run side by side too."""
    gc.disable()
    if os.name == "nt" or hasattr(config, "workerinput"):  # nothing is forked; it is there
        return
    until_the_end = ExitStack()
    os.environ[SEEDBED] = str(until_the_end.enter_context(seedbed.prepared()))
    config.add_cleanup(until_the_end.close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: one that is begun last would be waited for alone."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


def pytest_collection_finish() -> None:
    """What was imported stays: a search for garbage went through all of it, half a second each."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _workers() -> Iterator[None]:
    """The workers of tests needn't import their libraries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", os.environ.get(SEEDBED, sys.executable))
        yield


@pytest.fixture(scope="session", autouse=True)
def _databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """New ones are copies of one that the migrations have made: they take longer than most tests."""
    migrate = upgrade.upgrade

    @cache
    def migrated() -> bytes:
        file = tmp_path_factory.mktemp("migrated") / "semilla.db"
        migrate(file)
        return file.read_bytes()

    def make(path: Path) -> None:
        if path.stat().st_size:
            migrate(path)
        else:
            path.write_bytes(migrated())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upgrade, "upgrade", make)
        yield


@pytest.fixture
def unprepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a worker starts as it does at a user's."""
    monkeypatch.setattr(sys, "executable", seedbed.PYTHON)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "semilla.db", tmp_path / "pictures")
    yield opened
    await opened.close()
