"""Who shares a network call, how wide it is and whose turn it is: the policy alone, without a model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from generator.batching import (
    COMPILED,
    EAGER,
    JUDGED_AGAIN,
    PROBES,
    Turns,
    Want,
    Widths,
    calls_of,
    next_call,
    own_width,
    run_lengths,
)


def want(job: int, rows: int = 2, place: float = 0.0, key: str = "k", **more) -> Want:
    return Want(job, key, rows, place, **more)


def measured(seconds: dict[int, float], **settings) -> Widths:
    widths = Widths(**settings)
    for width, each in seconds.items():
        for _ in range(PROBES):
            widths.learn("k", width, each)
    return widths


GPU = {1: 1.0, 2: 1.0, 4: 1.1, 8: 1.5, 16: 2.9}
CPU = {1: 0.55, 2: 1.0, 4: 1.95, 8: 3.9, 16: 8.0}


def test_where_a_wider_call_brings_much_pictures_are_drawn_together():
    call = next_call([want(n) for n in range(8)], measured(GPU))
    assert (len(call.jobs), call.width) == (4, 8)


def test_where_it_brings_little_they_take_turns():
    call = next_call([want(n) for n in range(8)], measured(CPU))
    assert (call.jobs, call.width) == ((0,), 2)


def test_a_width_is_tried_before_it_is_judged_and_again_after_a_while():
    widths = measured({2: 1.0})
    assert next_call([want(1), want(2)], widths).width == 4
    for _ in range(PROBES):
        widths.learn("k", 4, 2.0)
    assert next_call([want(1), want(2)], widths).width == 2
    for _ in range(JUDGED_AGAIN):
        widths.learn("k", 2, 1.0)
    assert [next_call([want(1), want(2)], widths).width for _ in range(2)] == [4, 2]


def test_a_build_of_one_width_is_not_compared_with_the_eager_program_of_another():
    widths = measured({2: 1.0, 4: 1.0})
    for _ in range(PROBES):
        widths.learn("k", 2, 0.4, program=COMPILED)
    assert next_call([want(1), want(2)], widths).width == 4
    for _ in range(PROBES):
        widths.learn("k", 4, 0.9, program=COMPILED)
    assert next_call([want(1), want(2)], widths).width == 2
    known_by_builds_alone = Widths()
    for program, width in ((COMPILED, 2), (EAGER, 4)):
        for _ in range(PROBES):
            known_by_builds_alone.learn("k", width, 1.0, program=program)
    assert next_call([want(1), want(2)], known_by_builds_alone).width == 4


def test_a_width_is_measured_until_it_is_known_what_memory_it_takes():
    """While a model is loaded nobody can tell."""
    widths = measured({2: 1.0})
    assert not widths.measured("k", 2)
    widths.learn("k", 2, 1.0, 100)
    assert widths.measured("k", 2)


def test_nothing_is_widened_for_pictures_that_are_not_there():
    assert next_call([want(1)], measured(GPU)) == next_call([want(1)], Widths())
    assert next_call([want(1)], measured(GPU)).width == 2


def test_odd_rows_are_padded_and_others_may_fill_the_padding():
    assert next_call([want(1, rows=3)], Widths()).width == 4
    call = next_call([want(1, rows=3), want(2, rows=2), want(3, rows=1)], Widths())
    assert (call.jobs, call.width) == ((1, 3), 4)


def test_only_equal_ones_share_a_call():
    call = next_call([want(1), want(2, key="other"), want(3)], measured(GPU))
    assert call.jobs == (1, 3)


def test_a_replay_fixes_its_width_and_others_fill_it():
    call = next_call([want(1, width=8, place=-1), want(2), want(3, width=2), want(4)], Widths())
    assert (call.jobs, call.width) == ((1, 2, 4), 8)


def test_a_replay_fixes_its_program_and_those_of_the_other_one_stay_away():
    compiled = want(1, width=8, program=COMPILED, place=-1)
    others = [want(2), want(3, width=8, program=EAGER), want(4, width=8, program=COMPILED)]
    call = next_call([compiled, *others], Widths())
    assert (call.jobs, call.width, call.program) == ((1, 2, 4), 8, COMPILED)
    call = next_call([want(0, place=-2), compiled, *others], measured(GPU))
    assert (call.jobs, call.width, call.program) == ((0, 2, 3), 8, EAGER)
    call = next_call([want(0, place=-2), compiled], measured(GPU), lambda *_: COMPILED)
    assert (call.jobs, call.program) == ((0,), COMPILED), "its width is another"


def test_what_went_wrong_together_is_tried_alone():
    call = next_call([want(1, alone=True), want(2)], measured(GPU))
    assert call.jobs == (1,)
    assert next_call([want(1), want(2, alone=True)], measured(GPU)).jobs == (1,)


def test_without_memory_calls_become_narrower_for_a_while():
    widths = measured(GPU)
    widths.narrow("k", 8)
    assert next_call([want(n) for n in range(8)], widths).width == 4
    widths.narrow("k", 4)
    for _ in range(JUDGED_AGAIN):
        assert next_call([want(n) for n in range(8)], widths).width == 2
        widths.learn("k", 2, 1.0)
    assert next_call([want(n) for n in range(8)], widths).width == 8


def test_calls_take_no_more_memory_than_is_free():
    free = [1000]
    widths = Widths(gain=0, free=lambda: free[0])
    for width, taken in ((2, 100), (4, 180)):
        for _ in range(PROBES):
            widths.learn("k", width, 1.0, taken)
    wants = [want(n) for n in range(8)]
    assert next_call(wants, widths).width == 8
    free[0] = 400
    assert next_call(wants, widths).width == 4
    assert next_call([want(0, width=16), *wants[1:]], widths).width == 4
    free[0] = 50
    assert next_call(wants, widths).width == 2, "no picture can have less than its own rows"


def test_a_replay_gives_its_width_up_when_there_is_no_memory_for_it():
    widths = Widths()
    widths.narrow("k", 8)
    assert next_call([want(1, width=8)], widths).width == 2


PIXELS = 128 * 128


def finished(arrivals: dict[int, tuple[int, int]]) -> dict[int, int]:
    """job → the turn in which it was done; arrivals: job → (turn, calls)."""
    turns, left, came, ends, now = Turns(), {}, {}, {}, 0
    while len(ends) < len(arrivals):
        for job, (turn, calls) in arrivals.items():
            if turn == now:
                left[job], came[job] = calls, turns.came()
        now += 1
        if left:
            wants = [want(job, place=turns.place(left[job] * PIXELS, came[job])) for job in left]
            (job,) = next_call(wants, Widths(widest=2)).jobs
            turns.give(PIXELS)
            left[job] -= 1
            if not left[job]:
                ends[job] = now
                del left[job]
    return ends


def test_a_short_one_does_not_wait_for_a_long_one():
    assert finished({1: (0, 50), 2: (5, 10)}) == {2: 15, 1: 60}


def test_a_short_one_that_comes_late_does_not_wait_for_many_long_ones():
    ends = finished({**dict.fromkeys(range(20), (0, 50)), 20: (600, 10)})
    assert ends[20] < 620


def test_equal_ones_are_done_in_the_order_that_they_came():
    ends = finished({1: (0, 20), 2: (0, 20), 3: (3, 20)})
    assert ends == {1: 20, 2: 40, 3: 60}


def test_a_long_one_is_not_held_up_for_ever_by_short_ones():
    arrivals = {0: (0, 50), **{n: (5 * n, 5) for n in range(1, 800)}}
    assert finished(arrivals)[0] < 3000, "short ones alone would keep everything busy for longer"


def test_a_members_own_pictures_stand_behind_each_other():
    turns = Turns()
    flood = [turns.came(behind=20 * n) for n in range(10)]
    turns.give(20)
    somebody_else = turns.came()
    turns.give(1)
    places = [turns.place(20, came) for came in [*flood, somebody_else]]
    assert sorted(places).index(places[-1]) <= 2


@given(
    some.lists(some.tuples(some.integers(1, 9), some.sampled_from([None, 2, 4, 16])), min_size=1)
)
def test_every_call_is_a_power_of_two_that_holds_its_rows(pictures):
    wants = [
        want(n, rows, place=n, width=width if width and width >= rows else None)
        for n, (rows, width) in enumerate(pictures)
    ]
    call = next_call(wants, measured(GPU))
    rows = sum(wants[job].rows for job in call.jobs)
    assert call.jobs[0] == 0
    assert rows <= call.width
    assert call.width == own_width(call.width)
    assert all(wants[job].width in (None, call.width) for job in call.jobs)


@given(
    some.lists(
        some.tuples(some.sampled_from([1, 2, 4, 8]), some.sampled_from([EAGER, COMPILED])),
        max_size=30,
    )
)
def test_a_trace_is_read_as_it_was_written(calls):
    assert calls_of(run_lengths(calls)) == calls


def test_a_trace_is_short():
    calls = [(8, EAGER), (8, EAGER), (4, EAGER), (4, COMPILED), (4, COMPILED)]
    assert run_lengths(calls) == "8e2,4e1,4c2"


def test_a_trace_that_is_none_is_refused():
    with pytest.raises(ValueError, match="x"):
        calls_of("2ex")
