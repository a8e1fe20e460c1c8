from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from db.session import Database

# The tests run side by side: threads of torch would only stand in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("soak", max_examples=4000, deadline=None)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "semilla.db", tmp_path / "pictures")
    yield opened
    await opened.close()
