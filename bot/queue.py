"""Who is next: fair between guilds, then between members, then in order.

Between guilds this is deficit round-robin (Shreedhar and Varghese, 1995) taken to the limit of a
vanishing quantum, where it becomes start-time fair queueing (Goyal, Vin and Cheng, 1996): a guild's
turn comes when what it has been served is no more than what the others have. A heap stands for the
rounds, so dear jobs cost no empty rounds and cheap ones come in no bursts.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

LOOK_AHEAD = 32
"""How far back a loaded model is looked for, and how often in a row the first may be passed.

Loading a model takes longer than a picture, so passing saves time for all; but were it unbounded,
one busy model would keep everybody who asked for another waiting for ever."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job in line. `cost`: pixels × network calls, above 0."""

    job: int
    guild: str
    member: str
    model: str
    cost: int


Entry = TypeVar("Entry", bound=Waiting)


@dataclass(slots=True)
class _Guild(Generic[Entry]):
    """The lines of a guild's members, by job; the first member is the next one served."""

    members: OrderedDict[str, OrderedDict[int, Entry]] = field(default_factory=OrderedDict)

    def put(self, entry: Entry) -> None:
        self.members.setdefault(entry.member, OrderedDict())[entry.job] = entry

    def remove(self, entry: Entry) -> None:
        line = self.members[entry.member]
        del line[entry.job]
        if not line:
            del self.members[entry.member]

    def serve(self, entry: Entry) -> None:
        """Takes it out and makes its member the last in turn."""
        self.members.move_to_end(entry.member)
        self.remove(entry)

    def order(self) -> Iterator[Entry]:
        turns: deque[Iterator[Entry]] = deque()
        for line in self.members.values():
            jobs = iter(line.values())
            yield next(jobs)
            turns.append(jobs)
        while turns:
            jobs = turns.popleft()
            for entry in islice(jobs, 1):
                yield entry
                turns.append(jobs)


class FairQueue(Generic[Entry]):
    """The jobs in line. A guild that has nothing in line keeps its debt, never a credit."""

    def __init__(self) -> None:
        self._jobs: dict[int, Entry] = {}
        self._guilds: dict[str, _Guild[Entry]] = {}
        # (cost served so far, ticket, guild), one for each of _guilds. An empty guild stays until
        # its turn comes: by then its debt is paid, and it can be forgotten.
        self._turns: list[tuple[int, int, str]] = []
        self._ticket = 0  # between equals, who came to the heap first
        self._now = 0  # the cost served to the guild whose turn it was last
        self._passed = 0  # how often in a row somebody was served before the first

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, entry: Entry) -> None:
        """Joins the line. A job that is in it already keeps its place."""
        if entry.job in self._jobs:
            return
        self._jobs[entry.job] = entry
        if entry.guild not in self._guilds:
            self._guilds[entry.guild] = _Guild()
            heapq.heappush(self._turns, (self._now, self._next_ticket(), entry.guild))
        self._guilds[entry.guild].put(entry)

    def take(self, loaded: Collection[str] = ()) -> Entry | None:
        """Serves the next; one for a `loaded` model may pass the first (see LOOK_AHEAD)."""
        first = next(self.order(), None)
        if first is None:
            return None
        chosen = self._first_for(loaded, first)
        self._passed = 0 if chosen is first else self._passed + 1
        self._serve(chosen)
        return chosen

    def remove(self, job: int) -> bool:
        """Leaves the line unserved; False when the job was not in it."""
        entry = self._jobs.pop(job, None)
        if entry is None:
            return False
        self._guilds[entry.guild].remove(entry)
        return True

    def order(self) -> Iterator[Entry]:
        """What successive `take()` would serve. Not to be used across a change of the line."""
        turns = self._turns.copy()
        orders = {}
        ticket = self._ticket
        while turns:
            served, _, guild = turns[0]
            if guild not in orders:
                orders[guild] = self._guilds[guild].order()
            entry = next(orders[guild], None)
            if entry is None:
                heapq.heappop(turns)
                continue
            yield entry
            ticket += 1
            heapq.heapreplace(turns, (served + entry.cost, ticket, guild))

    def _first_for(self, loaded: Collection[str], first: Entry) -> Entry:
        if not loaded or first.model in loaded or self._passed >= LOOK_AHEAD:
            return first
        near = islice(self.order(), LOOK_AHEAD)
        return next((entry for entry in near if entry.model in loaded), first)

    def _serve(self, entry: Entry) -> None:
        while not self._guilds[self._turns[0][2]].members:
            _, _, forgotten = heapq.heappop(self._turns)
            del self._guilds[forgotten]
        self._now = self._turns[0][0]
        del self._jobs[entry.job]
        self._guilds[entry.guild].serve(entry)
        self._charge(entry)

    def _charge(self, entry: Entry) -> None:
        index = 0
        if self._turns[0][2] != entry.guild:  # it passed the first
            index = next(i for i, (_, _, guild) in enumerate(self._turns) if guild == entry.guild)
        turn = (self._turns[index][0] + entry.cost, self._next_ticket(), entry.guild)
        if index == 0:
            heapq.heapreplace(self._turns, turn)
        else:
            self._turns[index] = turn
            heapq.heapify(self._turns)

    def _next_ticket(self) -> int:
        self._ticket += 1
        return self._ticket
