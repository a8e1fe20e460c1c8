from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.session import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "semilla.db", tmp_path / "pictures")
    yield opened
    await opened.close()
