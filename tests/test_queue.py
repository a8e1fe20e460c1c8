from __future__ import annotations

from collections import Counter, defaultdict
from itertools import count, islice

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.queue import LOOK_AHEAD, FairQueue, Waiting

GUILDS = st.sampled_from(["north", "south", "east", "west", "up", "down"])
MEMBERS = st.sampled_from(["ana", "ben", "cho", "dia"])
MODELS = st.sampled_from(["small", "large"])
COSTS = st.integers(1, 1000)

entries = st.lists(st.tuples(GUILDS, MEMBERS, MODELS, COSTS), max_size=60).map(
    lambda rows: [Waiting(job, *row) for job, row in enumerate(rows)]
)
loads = st.lists(st.sets(MODELS), min_size=60, max_size=60)


def queue_of(waiting: list[Waiting]) -> FairQueue[Waiting]:
    queue: FairQueue[Waiting] = FairQueue()
    for entry in waiting:
        queue.put(entry)
    return queue


def served(queue: FairQueue[Waiting], n: int) -> list[Waiting]:
    return [entry for entry in (queue.take() for _ in range(n)) if entry is not None]


@given(entries, loads)
def test_everything_is_served_exactly_once(waiting, loaded):
    queue = queue_of(waiting)
    taken = [queue.take(model) for model in loaded]
    assert Counter(filter(None, taken)) == Counter(waiting)
    assert len(queue) == 0


@given(entries)
def test_the_order_that_is_told_is_the_order_that_is_served(waiting):
    queue = queue_of(waiting)
    told = list(queue.order())
    assert served(queue, len(waiting) + 1) == told


@given(entries, loads)
def test_the_guild_that_was_served_least_is_next_even_after_overtaking(waiting, loaded):
    queue = queue_of(waiting)
    cost = Counter({entry.guild: 0 for entry in waiting})
    for model in loaded:
        least = min((cost[entry.guild] for entry in queue.order()), default=0)
        entry = queue.take(model)
        if entry is not None:
            assert model or cost[entry.guild] == least
            cost[entry.guild] += entry.cost


@given(entries, loads)
def test_a_members_own_order_is_kept_among_equal_models(waiting, loaded):
    queue = queue_of(waiting)
    lines = defaultdict(list)
    for entry in filter(None, map(queue.take, loaded)):
        lines[entry.guild, entry.member, entry.model].append(entry.job)
    assert all(line == sorted(line) for line in lines.values())


@given(entries)
def test_without_another_model_a_members_order_is_kept(waiting):
    queue = queue_of(waiting)
    lines = defaultdict(list)
    for entry in served(queue, len(waiting)):
        lines[entry.guild, entry.member].append(entry.job)
    assert all(line == sorted(line) for line in lines.values())


@given(st.integers(2, 200), st.lists(COSTS, min_size=1, max_size=5), COSTS)
def test_a_flooding_member_delays_another_by_one_job_per_turn(flood, costs, dear):
    jobs = count()
    queue = queue_of([Waiting(next(jobs), "g", "flood", "m", dear) for _ in range(flood)])
    for cost in costs:
        queue.put(Waiting(next(jobs), "g", "ana", "m", cost))
    turns = [entry.member for entry in served(queue, 2 * len(costs))]
    assert turns.count("ana") >= min(len(costs), len(turns) // 2)


@given(st.lists(COSTS, min_size=100, max_size=100), st.integers(1, 20_000))
def test_many_cheap_jobs_and_few_dear_ones_get_equal_cost(costs, dear):
    queue = queue_of([Waiting(job, "cheap", "ana", "m", cost) for job, cost in enumerate(costs)])
    for job in range(100):
        queue.put(Waiting(1000 + job, "dear", "ben", "m", dear))
    cost = Counter({"cheap": 0, "dear": 0})
    left = Counter({"cheap": 100, "dear": 100})
    while min(left.values()):
        entry = queue.take()
        cost[entry.guild] += entry.cost
        left[entry.guild] -= 1
        assert abs(cost["cheap"] - cost["dear"]) <= max(dear, *costs)


@given(st.integers(1, 100), st.integers(1, 100))
def test_an_idle_guild_saves_up_no_credit(before, cost):
    jobs = count()
    queue = queue_of([Waiting(next(jobs), "busy", "ana", "m", cost) for _ in range(before + 10)])
    served(queue, before)
    for _ in range(10):
        queue.put(Waiting(next(jobs), "idle", "ben", "m", cost))
    turns = [entry.guild for entry in served(queue, 20)]
    assert turns in (["idle", "busy"] * 10, ["busy", "idle"] * 10)


@given(st.integers(2, 20))
def test_a_guild_that_asks_one_dear_job_at_a_time_pays_for_each(times):
    jobs = count()
    queue = queue_of([Waiting(next(jobs), "cheap", "ana", "m", 1) for _ in range(times * times)])
    cost = Counter()
    for _ in range(times * 2):
        if not any(entry.guild == "dear" for entry in queue.order()):
            queue.put(Waiting(next(jobs), "dear", "ben", "m", times))
        entry = queue.take()
        cost[entry.guild] += entry.cost
    assert abs(cost["cheap"] - cost["dear"]) <= times


@given(st.integers(1, 40))
def test_a_job_for_the_loaded_model_overtakes_only_from_near(behind):
    waiting = [Waiting(job, "g", "ana", "other", 1) for job in range(behind)]
    queue = queue_of([*waiting, Waiting(99, "g", "ana", "loaded", 1)])
    assert (queue.take({"loaded"}).job == 99) == (behind < LOOK_AHEAD)


def test_nobody_is_passed_whose_model_is_in_memory_too():
    waiting = [Waiting(job, f"guild {job}", "ana", "ab"[job % 2], 1) for job in range(8)]
    queue = queue_of(waiting)
    assert [queue.take({"a", "b"}) for _ in waiting] == waiting


def test_a_busy_model_cannot_keep_another_model_waiting_for_ever():
    jobs = count()
    queue = queue_of([Waiting(next(jobs), "quiet", "ana", "rare", 5)])
    for turn in islice(count(), 10 * LOOK_AHEAD):
        queue.put(Waiting(next(jobs), f"new {turn}", "ben", "busy", 1))
        if queue.take({"busy"}).model == "rare":
            break
    assert turn == LOOK_AHEAD


def test_overtaking_is_charged_to_the_guild_that_overtook():
    waiting = [Waiting(job, "first", "ana", "other", 10) for job in range(4)]
    waiting += [Waiting(10 + job, "second", "ben", "loaded", 10) for job in range(4)]
    queue = queue_of(waiting)
    assert [queue.take({"loaded"}).guild for _ in range(2)] == ["second", "second"]
    assert [entry.guild for entry in served(queue, 2)] == ["first", "first"]


def test_a_guild_that_overtook_waits_until_all_others_had_as_much():
    guilds = ["a", "b", "c", "d", "e", "f", "g"]
    waiting = [Waiting(job, guild, "ana", guild, 1) for job, guild in enumerate(guilds * 4)]
    queue = queue_of(waiting)
    assert [queue.take({"b"}).guild for _ in range(2)] == ["b", "b"]
    assert "b" not in [entry.guild for entry in served(queue, 2 * (len(guilds) - 1))]


def test_a_job_that_is_put_twice_keeps_its_place():
    queue = queue_of([Waiting(1, "north", "ana", "m", 1), Waiting(2, "south", "ben", "m", 1)])
    queue.put(Waiting(1, "east", "cho", "m", 1))
    assert [entry.guild for entry in served(queue, 3)] == ["north", "south"]


class Changes(RuleBasedStateMachine):
    """Puts, takes and removals in any order: the line holds what went in and did not come out."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: FairQueue[Waiting] = FairQueue()
        self.inside: dict[int, Waiting] = {}
        self.jobs = count()

    @rule(guild=GUILDS, member=MEMBERS, model=MODELS, cost=COSTS)
    def put(self, guild, member, model, cost):
        entry = Waiting(next(self.jobs), guild, member, model, cost)
        self.queue.put(entry)
        self.queue.put(entry)
        self.inside[entry.job] = entry

    @rule(loaded=st.sets(MODELS))
    def take(self, loaded):
        first = next(self.queue.order(), None)
        entry = self.queue.take(loaded)
        assert (entry is None) == (not self.inside)
        if entry is not None:
            assert loaded or entry == first
            assert self.inside.pop(entry.job) == entry

    @rule(job=st.integers(0, 60))
    def remove(self, job):
        assert self.queue.remove(job) == (self.inside.pop(job, None) is not None)

    @invariant()
    def all_that_wait_are_in_the_order_once(self):
        assert len(self.queue) == len(self.inside)
        order = [entry.job for entry in self.queue.order()]
        assert sorted(order) == sorted(self.inside)
        assert [entry.job for entry in self.queue.order()] == order


TestAnyChanges = Changes.TestCase
TestAnyChanges.settings = settings(max_examples=50, stateful_step_count=40)
