"""Kills a Semilla under load at random moments, and looks at what is left each time."""

from __future__ import annotations

import hashlib
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.test_house import ROOT

PATIENCE_SECONDS = 120.0
KINDS = ("bot", "generator", "both")


@dataclass
class Siege:
    """One data folder through many kills.

    Args:
        each: requests that every new life is sent.
        longest_seconds: from the moment that a life is open to its kill, at most.
    """

    folder: Path
    chance: random.Random
    each: int = 4
    longest_seconds: float = 5.0
    kills: Counter[str] = field(default_factory=Counter)
    _lives: int = 0
    _asked: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def kill(self) -> None:
        """One more, of the bot, its generator or both; what is left must be whole."""
        process = self._process or self.start(self.each)
        kind = self.chance.choice(KINDS)
        time.sleep(self.chance.uniform(0, self.longest_seconds))
        workers = psutil.Process(process.pid).children()
        if kind != "bot":
            for worker in workers:
                worker.kill()
        if kind != "generator":
            process.kill()
            process.wait()
            self._process = None
            psutil.wait_procs(workers, timeout=PATIENCE_SECONDS)  # it ends when its input does
            check_rows(self.data)
        self.kills[kind] += 1

    def finish(self) -> None:
        """Lets a last life deliver everything that was ever accepted, then stops it politely."""
        if self._process is None:
            self.start(0)
        while missing := self.accepted - set(self.delivered):
            self._wait(lambda missing=missing: bool(missing & set(self.delivered)))
        self.stop()
        check_rows(self.data)
        check_files(self.data)

    def stop_under_load(self) -> float:
        """SIGTERM while pictures are being drawn; the seconds that the end took."""
        if self._process is None:
            self.start(self.each)
        self._wait(lambda: bool(self._lines("accepted")))
        return self.stop()

    def stop(self) -> float:
        process, self._process = self._process, None
        assert process is not None
        before = time.monotonic()
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        assert process.returncode == 0
        return time.monotonic() - before

    @property
    def accepted(self) -> set[str]:
        return {number for (number,) in self._lines("accepted")}

    @property
    def delivered(self) -> Counter[str]:
        """Requests by how often they were shown."""
        return Counter(number for number, _ in self._lines("delivered"))

    @property
    def sent_again(self) -> int:
        """How often a kill fell between showing and writing it down."""
        return len(self._lines("again"))

    @property
    def pictures_shown(self) -> set[str]:
        return {pictures for _, pictures in self._lines("delivered")}

    def start(self, requests: int) -> subprocess.Popen[bytes]:
        """A new life; returns once its chat is open."""
        first, self._asked = self._asked, self._asked + requests
        words = [str(self.data), str(self.folder / "log"), str(first), str(self._asked - 1)]
        process = subprocess.Popen([sys.executable, "-m", "tests.served", *words], cwd=ROOT)
        self._process, self._lives = process, self._lives + 1
        self._wait(lambda: len(self._lines("open")) >= self._lives)
        return process

    def _lines(self, word: str) -> list[list[str]]:
        log = self.folder / "log"
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        return [line.split()[1:] for line in text.splitlines() if line.startswith(word)]

    def _wait(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not done():
            assert time.monotonic() < end, "it took too long"
            assert self._process is not None
            assert self._process.poll() is None, "it ended by itself"
            time.sleep(0.1)


def check_rows(data: Path) -> None:
    """The database is whole, and every row's file is there with its hash."""
    with closing(sqlite3.connect(data / "semilla.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        for (name,) in database.execute(
            "SELECT file FROM pictures WHERE deleted IS NULL AND file != ''"
        ):
            content = (data / "pictures" / name[:2] / name).read_bytes()
            assert name.startswith(hashlib.sha256(content).hexdigest())
        done = "SELECT count(*) FROM jobs WHERE state = 'DONE'"
        pictures = "SELECT count(*) FROM pictures"
        assert database.execute(done).fetchone() == database.execute(pictures).fetchone()


def check_files(data: Path) -> None:
    """No file without a row that names it."""
    files = "SELECT file FROM pictures UNION SELECT recipe ->> 'initial_image' FROM jobs"
    with closing(sqlite3.connect(data / "semilla.db")) as database:
        named = {name for (name,) in database.execute(files)}
    stored = {path.name for path in (data / "pictures").rglob("*") if path.is_file()}
    assert stored <= named, f"orphans: {stored - named}"
