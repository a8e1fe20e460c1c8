"""How long a picture takes, learnt from those that were made."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from statistics import median

from generator.batching import PATIENCE, place
from generator.request import GenerationRequest

RECENT = 16  # pictures remembered for a model and size: few, so that a change of load is soon felt
SPREAD = 1.5  # factor between numbers of calls from which the time of one call can be told


@dataclass(frozen=True, slots=True)
class _Line:
    """seconds = overhead_seconds + call_seconds × calls."""

    overhead_seconds: float
    call_seconds: float

    def seconds(self, calls: int) -> float:
        return self.overhead_seconds + self.call_seconds * calls


def _fit(measured: Iterable[tuple[int, float]]) -> _Line:
    """Theil–Sen line through (calls, seconds): a few stray pictures don't move it.

    Where the numbers of calls are too alike to tell the slope, everything counts as calls: noise
    would otherwise be taken far beyond what was measured.
    """
    points = sorted(measured)
    whole = median(seconds / calls for calls, seconds in points)
    slopes = [
        (more_seconds - seconds) / (more_calls - calls)
        for (calls, seconds), (more_calls, more_seconds) in combinations(points, 2)
        if more_calls >= calls * SPREAD
    ]
    slope = min(max(median(slopes), 0.0), whole) if slopes else whole
    overhead = median(seconds - slope * calls for calls, seconds in points)
    return _Line(max(overhead, 0.0), slope)


@dataclass(frozen=True, slots=True)
class Running:
    """A picture in the worker.

    Args:
        left: seconds.
        cost: what is left of it, and
        came: when it came to the worker, in pixels × network calls, as in generator.batching.
    """

    model: str
    left: float
    cost: int = 0
    came: int = 0

    def place(self, given: int) -> float:
        """As in generator.batching: the lowest is next."""
        return place(self.cost, given - self.came, PATIENCE)


class Estimate:
    """Seconds per picture by model, size and network calls; seconds per load of a model."""

    def __init__(self) -> None:
        recent = partial(deque[tuple[int, float]], maxlen=RECENT)
        # model → pixels of a picture → what was measured
        self._measured: dict[str, dict[int, deque[tuple[int, float]]]] = defaultdict(
            partial(defaultdict, recent)
        )
        self._lines: dict[tuple[str, int], _Line] = {}
        self._loadings: dict[str, deque[float]] = defaultdict(partial(deque[float], maxlen=RECENT))

    def learn(self, model: str, width: int, height: int, calls: int, seconds: float) -> None:
        """One finished picture; the most recent one last."""
        if calls < 1:
            return
        pixels = width * height
        self._measured[model][pixels].append((calls, seconds))
        self._lines.pop((model, pixels), None)

    def learn_loading(self, model: str, seconds: float) -> None:
        self._loadings[model].append(seconds)

    def seconds(self, model: str, width: int, height: int, calls: int) -> float | None:
        """None when the model has drawn nothing yet.

        A size that was never drawn is scaled by its pixels from the nearest one that was.
        """
        sizes = self._measured.get(model)
        if not sizes:
            return None
        pixels = width * height
        nearest = min(sizes, key=lambda size: max(size, pixels) / min(size, pixels))
        return self._line(model, nearest).seconds(calls) * pixels / nearest

    def whole(self, request: GenerationRequest) -> float | None:
        """Seconds of a picture."""
        return self.seconds(*request.timed_by)

    def loading(self, model: str) -> float | None:
        loadings = self._loadings.get(model)
        return median(loadings) if loadings else None

    def announce(
        self,
        line: Iterable[GenerationRequest],
        loaded: Collection[str] = (),
        running: Sequence[Running] = (),
        *,
        slots: int = 1,
        given: int = 0,
    ) -> list[float | None]:
        """For each that is running and then each in line: seconds from now until it is done.

        Those in the worker go on as generator.batching has them take turns; when one is done, the
        next in line comes in. From the first one on for which nothing is known, None.

        Args:
            loaded: the models in memory. For how many more there is room isn't known before they
                are loaded: a load counts as if it drove out the others.
            slots: how many the worker takes at once.
            given: pixels × network calls that the worker has drawn, by which `running` came.
        """
        times: list[float | None] = [None] * len(running)
        waiting = deque(line)
        inside = dict(enumerate(running))
        now = 0.0
        while inside or waiting:
            while waiting and len(inside) < slots:
                entered = self._entering(waiting.popleft(), given)
                if entered is None:
                    times += [None] * (1 + len(waiting))
                    waiting.clear()
                    break
                inside[len(times)] = entered
                times.append(None)
            if not inside:
                break
            first = min(inside, key=lambda number: inside[number].place(given))
            each = inside.pop(first)
            if each.model not in loaded:
                now += self.loading(each.model) or 0.0
                loaded = (each.model,)
            now += each.left
            given += each.cost
            times[first] = now
        return times

    def _entering(self, request: GenerationRequest, given: int) -> Running | None:
        seconds = self.whole(request)
        return None if seconds is None else Running(request.model, seconds, request.cost, given)

    def _line(self, model: str, pixels: int) -> _Line:
        if (model, pixels) not in self._lines:
            self._lines[model, pixels] = _fit(self._measured[model][pixels])
        return self._lines[model, pixels]
