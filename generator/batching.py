"""Which pictures share a network call, how wide it is, and whose turn it is. Without torch.

A call's width is a power of two, because a row's bits depend on the width of its call. What a wider
call brings is measured: where it is little, as on a CPU, pictures take turns instead.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from statistics import median

SLOTS = 8  # pictures in flight; each keeps its latents, its scheduler and its embeddings
WIDEST = 32  # rows of a call
GAIN = 1.15
PROBES = 4  # calls of a width before it is judged; the first warms up
REMEMBERED = 9  # calls of a width
JUDGED_AGAIN = 256  # calls after which a width that brought little is tried once more
SHARE = 0.8  # of the free memory that a call may take
EAGER, COMPILED = "e", "c"  # programs that answer a call; a row's bits depend on them, too
PATIENCE = 1 << 22  # pixels × calls that are given to others before waiting counts much


@dataclass(frozen=True, slots=True)
class Want:
    """What a picture in flight wants next.

    Args:
        key: pictures with equal keys can share a call; None wants no call but a turn of its own.
        rows: of its next call.
        place: who has the lowest is next: `Turns.place`.
        width, program: of the call that is replayed.
        alone: whether nobody may share its call.
        like: pictures with equal ones have calls that take as long; its key, if None.
    """

    job: int
    key: Hashable
    rows: int
    place: float
    width: int | None = None
    program: str | None = None
    alone: bool = False
    like: Hashable = None

    @property
    def measured(self) -> Hashable:
        """What `Widths` knows its calls by."""
        return self.key if self.like is None else self.like


@dataclass(frozen=True, slots=True)
class Call:
    jobs: tuple[int, ...]
    width: int
    program: str = EAGER


class Turns:
    """The shortest first; later who has waited longest for how little. All in pixels × calls.

    So a short picture waits a short time and a long one a long time, however much is waited for,
    and nobody waits for ever.
    """

    def __init__(self) -> None:
        self._given = 0

    def give(self, cost: int) -> None:
        self._given += cost

    def came(self, behind: int = 0) -> int:
        """When a picture that is ordered now begins to wait.

        Args:
            behind: cost of its member's own pictures that were ordered before.
        """
        return self._given + behind

    def place(self, left: int, came: int) -> float:
        """The lowest is next.

        Args:
            left: of the picture.
        """
        return place(left, self._given - came, PATIENCE)


def place(left: float, waited: float, patience: float) -> float:
    """Of a picture in line; all in one unit."""
    return (left - waited) / patience if waited < 0 else left / (patience + waited)


class Widths:
    """How wide calls may be: what was measured of their speed, and what memory allowed.

    Args:
        widest: rows of a call.
        gain: rows per second that twice the width has to bring.
        free: tells how many bytes calls may take at the moment.

    `taken`: bytes that calls took at most, by what had to be equal in them and by width.
    """

    def __init__(
        self,
        widest: int = WIDEST,
        gain: float = GAIN,
        free: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self._widest = widest
        self._gain = gain
        self._free = free
        self.taken: dict[Hashable, dict[int, int]] = defaultdict(dict)
        self._limits: dict[Hashable, int] = {}
        self._narrow: dict[Hashable, int] = {}  # calls for which the limit still holds
        recent = partial(deque[float], maxlen=REMEMBERED)
        self._seconds: dict[tuple[Hashable, int, str], deque[float]] = defaultdict(recent)
        self._counts: dict[tuple[Hashable, int], int] = defaultdict(int)
        self._tried: dict[tuple[Hashable, int], int] = defaultdict(int)

    def learn(
        self,
        key: Hashable,
        width: int,
        seconds: float,
        bytes: int | None = None,
        program: str = EAGER,
    ) -> None:
        if key in self._limits:
            self._narrow[key] -= 1
            if self._narrow[key] == 0:
                del self._limits[key]
        self._counts[key, width] += 1
        if self._counts[key, width] > 1:
            self._seconds[key, width, program].append(seconds)
        if bytes is not None:
            known = self.taken[key]
            known[width] = max(bytes, known.get(width, 0))

    def measured(self, key: Hashable, width: int) -> bool:
        """Whether enough is known of what such a call takes."""
        return self._counts[key, width] >= PROBES and width in self.taken[key]

    def limit(self, key: Hashable) -> int:
        return self._limits.get(key, self._widest)

    def fits(self, key: Hashable, width: int) -> bool:
        """Whether there is memory for a call so wide, as far as is known.

        What a call takes beside what is there grows with its width.
        """
        if width > self._limits.get(key, width):
            return False
        known = self.taken[key]
        if not known:
            return True
        nearest = max((each for each in known if each <= width), default=min(known))
        return known[nearest] * max(1.0, width / nearest) <= SHARE * self._free()

    def narrow(self, key: Hashable, width: int) -> None:
        """There was no memory for this width; after a while there may be again."""
        self._limits[key] = max(1, min(self.limit(key), width // 2))
        self._narrow[key] = JUDGED_AGAIN

    def bring(self, key: Hashable, width: int, rows: int, wider_rows: int) -> bool:
        """Whether twice this width is worth it, or isn't known yet and has to be tried.

        Args:
            rows, wider_rows: that would be used of the one and of the other.
        """
        wider = (key, width * 2)
        if self._counts[key, width] < PROBES:
            return False
        if self._counts[wider] < PROBES:
            return True
        calls = self._counts[key, width]
        if calls - self._tried[wider] >= JUDGED_AGAIN:
            self._tried[wider] = calls
            return True
        for program in (COMPILED, EAGER):  # like with like: a build may be twice as fast
            one, other = (self._seconds[key, each, program] for each in (width, width * 2))
            if one and other:
                return wider_rows / median(other) >= self._gain * rows / median(one)
        return True


def next_call(
    wants: Iterable[Want], widths: Widths, best: Callable[[Hashable, int], str] = lambda *_: EAGER
) -> Call:
    """Whose turn it is, with those that fit beside it.

    A call that is replayed has its width and program; others may fill it.

    Args:
        best: the program for calls of a key and width.
    """
    first, *others = sorted(wants, key=lambda want: (want.place, want.job))
    if first.key is None:
        return Call((first.job,), 0)
    together = [first]
    if not first.alone:
        together += [want for want in others if want.key == first.key and not want.alone]
    replayed = first.width if first.width and widths.fits(first.measured, first.width) else None
    width = replayed or _width(together, widths)
    program = (first.program if replayed else None) or best(first.key, width)
    together = [first, *(w for w in together[1:] if w.program in (None, program))]
    return Call(tuple(want.job for want in _fill(together, width)), width, program)


def own_width(rows: int) -> int:
    """The narrowest call for so many rows."""
    return int(1 << (rows - 1).bit_length())


def _width(together: Sequence[Want], widths: Widths) -> int:
    first = together[0]
    width = own_width(first.rows)
    while width * 2 <= widths.limit(first.measured):
        rows, wider_rows = (_rows(_fill(together, each)) for each in (width, width * 2))
        if wider_rows <= rows or not widths.bring(first.measured, width, rows, wider_rows):
            break
        if not widths.fits(first.measured, width * 2):
            break
        width *= 2
    return width


def _fill(together: Sequence[Want], width: int) -> list[Want]:
    """As many as find room, in order; the first always does."""
    chosen, rows = [together[0]], together[0].rows
    for want in together[1:]:
        if rows + want.rows <= width and want.width in (None, width):
            chosen.append(want)
            rows += want.rows
    return chosen


def _rows(wants: Sequence[Want]) -> int:
    return sum(want.rows for want in wants)


def run_lengths(calls: Iterable[tuple[int, str]]) -> str:
    """Widths and programs: [(2, "e"), (2, "e"), (1, "c")] → "2e2,1c1"."""
    return ",".join(
        f"{width}{program}{len(list(same))}" for (width, program), same in groupby(calls)
    )


def calls_of(trace: str) -> list[tuple[int, str]]:
    """The width and program of each call of a trace."""
    found = []
    for part in filter(None, trace.split(",")):
        program = COMPILED if COMPILED in part else EAGER
        width, count = part.split(program)
        found += [(int(width), program)] * int(count)
    return found
