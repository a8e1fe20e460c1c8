"""kill -9 at any moment loses no accepted request and makes none twice."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.test_house import ROOT

EACH = 4
PATIENCE_SECONDS = 120


def start(data: Path, log: Path, first: int, last: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.served", str(data), str(log), str(first), str(last)]
    return subprocess.Popen(command, cwd=ROOT)


def lines(log: Path, word: str) -> list[list[str]]:
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    return [line.split()[1:] for line in text.splitlines() if line.startswith(word)]


def wait_until(done) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_accepted_is_delivered_once_however_often_it_is_killed(tmp_path: Path, seed: int):
    data, log, chance = tmp_path / "data", tmp_path / "log", random.Random(seed)
    for round_ in range(2):
        process = start(data, log, round_ * EACH, round_ * EACH + EACH - 1)
        opened = round_ + 1
        wait_until(lambda opened=opened: log.exists() and log.read_text().count("open") >= opened)
        time.sleep(chance.uniform(0.05, 8))
        process.kill()
        process.wait()
    accepted = {number for number, _ in lines(log, "accepted")}
    process = start(data, log, 1, 0)
    wait_until(lambda: accepted <= {number for number, _ in lines(log, "delivered")})
    process.terminate()
    process.wait()
    delivered = Counter(number for number, _ in lines(log, "delivered"))
    assert all(pictures == "1" for _, pictures in lines(log, "delivered"))
    # Doubled only by a kill inside the sending itself, once for each kill at most.
    assert sum(times - 1 for times in delivered.values()) <= 2
    with sqlite3.connect(data / "semilla.db") as database:
        (jobs,) = database.execute("SELECT count(*) FROM jobs").fetchone()
        (pictures,) = database.execute("SELECT count(*) FROM pictures").fetchone()
        files = [name for (name,) in database.execute("SELECT file FROM pictures")]
    database.close()
    assert jobs == pictures >= len(accepted)
    assert all((data / "pictures" / name[:2] / name).exists() for name in files)
