"""The loop of a training stage: it saves, stops when told, goes on where it was, says how long."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import torch

SAVE_EVERY = 300.0  # seconds
SAY_EVERY = 50  # steps


class Stopped(Exception):
    """By a signal; what was reached is saved."""


class Loop:
    """Counts a stage's steps, from the last save on.

    Args:
        path: of the saved state.
        parts: what is saved and restored beside the step: it has state_dict and load_state_dict.
        leads: whether this process is the one that saves, prints and hears signals.
        agree: makes all processes stop at the same step: given this one's wish, returns theirs.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        steps: int,
        parts: Mapping[str, Any],
        leads: bool = True,
        agree: Callable[[bool], bool] = bool,
    ) -> None:
        self.name, self.path, self.total, self.parts = name, path, steps, parts
        self._leads, self._agree, self._stop = leads, agree, False
        self.step = 0
        self._losses: list[float] = []
        if path.exists():
            self._restore()

    def steps(self) -> Iterator[int]:
        """The steps that are left. After `Stopped` another loop goes on from here."""
        previous = self._listen()
        self._started = self._said = self._saved = time.monotonic()
        self._first = self.step
        try:
            while self.step < self.total:
                yield self.step
                self.step += 1
                self._after_step()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        self._save()

    def losses(self, value: float) -> None:
        self._losses.append(value)

    def _listen(self) -> dict[int, Any]:
        if not self._leads:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all
            return {}
        signals = (signal.SIGINT, signal.SIGTERM)
        return {number: signal.signal(number, self._told) for number in signals}

    def _told(self, number: int, frame: FrameType | None) -> None:
        self._stop = True

    def _after_step(self) -> None:
        now = time.monotonic()
        early = self.step - self._first == 10
        if self._leads and (early or self.step % SAY_EVERY == 0):
            self._say(now)
        if now - self._saved > SAVE_EVERY:
            self._save()
            self._saved = time.monotonic()
        if self._agree(self._stop) and self.step < self.total:
            self._save()
            raise Stopped(f"{self.name}: stopped after step {self.step} of {self.total}")

    def _say(self, now: float) -> None:
        a_step = (now - self._started) / (self.step - self._first)
        left = a_step * (self.total - self.step)
        loss = sum(self._losses) / max(len(self._losses), 1)
        self._losses.clear()
        print(
            f"{self.name}: step {self.step} of {self.total}, loss {loss:.4f}, "
            f"{a_step:.2f} s a step, {duration(left)} left",
            flush=True,
        )

    def _save(self) -> None:
        if not self._leads:
            return
        state = {name: part.state_dict() for name, part in self.parts.items()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".part")
        torch.save({"step": self.step, **state}, beside)
        beside.replace(self.path)

    def _restore(self) -> None:
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        self.step = state["step"]
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        if self._leads and 0 < self.step < self.total:
            print(f"{self.name}: goes on after step {self.step}", flush=True)


def duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
