from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from db.migrations import upgrade
from db.session import Database
from tests import seedbed

# The tests run side by side: threads of torch would only stand in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("soak", max_examples=4000, deadline=None)


@pytest.fixture(scope="session", autouse=True)
def _workers() -> Iterator[None]:
    """The workers of tests needn't import their libraries."""
    if os.name == "nt":  # where nothing is forked
        yield
        return
    with seedbed.prepared() as script, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(script))
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
