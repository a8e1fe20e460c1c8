from __future__ import annotations

import random
from itertools import accumulate
from statistics import median

import pytest

from bot.estimate import Estimate, Running
from generator.batching import PATIENCE
from generator.request import GenerationRequest

SIZES = ((128, 128), (128, 192), (192, 128), (256, 256))


def true_seconds(width: int, height: int, calls: int) -> float:
    return width * height / 128**2 * (0.08 + 0.05 * calls)


def noisy(draw: random.Random, seconds: float) -> float:
    """A laptop that does other things beside: ±25 %, and one picture in 20 takes far longer."""
    return seconds * draw.uniform(0.8, 1.25) * (draw.uniform(2, 4) if draw.random() < 0.05 else 1)


def request(model: str = "small", size: tuple[int, int] = (128, 128), steps: int = 20):
    return GenerationRequest(
        model=model,
        model_hash="",
        prompt="",
        width=size[0],
        height=size[1],
        steps=steps,
        sampler="euler a",
        guidance_scale=7.0,
        seed=1,
    )


def learnt(*pictures: tuple[int, int, int, float], model: str = "small") -> Estimate:
    estimate = Estimate()
    for picture in pictures:
        estimate.learn(model, *picture)
    return estimate


@pytest.mark.parametrize("seed", range(5))
def test_on_a_steady_load_the_median_error_is_under_30_percent(seed):
    draw = random.Random(seed)
    estimate, errors = Estimate(), []
    for _ in range(200):
        (width, height), calls = draw.choice(SIZES), draw.choice((10, 20, 30, 50))
        seconds = noisy(draw, true_seconds(width, height, calls))
        told = estimate.seconds("small", width, height, calls)
        if told is not None:
            errors.append(abs(told - seconds) / seconds)
        estimate.learn("small", width, height, calls, seconds)
    assert len(errors) == 199
    assert median(errors) < 0.30


@pytest.mark.parametrize("seed", range(5))
def test_the_announced_time_of_a_long_line_is_right_within_30_percent(seed):
    draw = random.Random(seed)
    estimate = Estimate()
    for _ in range(30):
        estimate.learn("small", 128, 128, 20, noisy(draw, true_seconds(128, 128, 20)))
    told = list(estimate.announce([request()] * 40, loaded=("small",)))
    true = list(accumulate(noisy(draw, true_seconds(128, 128, 20)) for _ in told))
    assert median(abs(a - b) / b for a, b in zip(told, true, strict=True)) < 0.30


def test_a_model_that_has_drawn_nothing_has_no_estimate():
    assert learnt((128, 128, 20, 1.0)).seconds("large", 128, 128, 20) is None
    assert Estimate().loading("large") is None


def test_a_size_never_drawn_is_scaled_by_its_pixels_from_the_nearest():
    estimate = learnt((128, 128, 20, 1.0), (512, 512, 20, 20.0))
    assert estimate.seconds("small", 128, 256, 20) == pytest.approx(2.0)
    assert estimate.seconds("small", 512, 1024, 20) == pytest.approx(40.0)


def test_a_number_of_calls_never_asked_is_scaled_by_calls():
    assert learnt((64, 64, 20, 1.0)).seconds("small", 64, 64, 40) == pytest.approx(2.0)


def test_the_time_around_the_calls_is_told_from_the_time_of_the_calls():
    estimate = learnt(*((64, 64, calls, 3.0 + 0.1 * calls) for calls in (10, 20, 40)))
    assert estimate.seconds("small", 64, 64, 100) == pytest.approx(13.0)


def test_numbers_of_calls_that_are_almost_alike_are_not_taken_for_a_slope():
    estimate = learnt((64, 64, 20, 2.2), (64, 64, 21, 1.9), (64, 64, 22, 2.1))
    assert estimate.seconds("small", 64, 64, 80) == pytest.approx(7.6, rel=0.1)


def test_one_stray_picture_does_not_move_the_estimate():
    steady = [(64, 64, 20, 1.0)] * 5
    assert learnt(*steady, (64, 64, 20, 300.0)).seconds("small", 64, 64, 20) == pytest.approx(1.0)

    line = [(64, 64, calls, 1.0 + 0.1 * calls) for calls in (10, 20, 40)] * 4
    stray = learnt((64, 64, 9, 0.0), *line, (64, 64, 20, 300.0))
    assert stray.seconds("small", 64, 64, 60) == pytest.approx(7.0, rel=0.05)


def test_a_change_of_load_is_felt_within_a_few_pictures():
    estimate = learnt(*[(64, 64, 20, 1.0)] * 300, *[(64, 64, 20, 4.0)] * 9)
    assert estimate.seconds("small", 64, 64, 20) == pytest.approx(4.0)


def test_everybody_in_line_is_told_when_theirs_is_done():
    estimate = learnt((128, 128, 20, 1.0))
    line = [request(), request(size=(256, 128)), request()]
    assert estimate.announce(line, ("small",), [Running("small", 0.5)])[1:] == pytest.approx(
        [1.5, 3.5, 4.5]
    )


def test_a_short_picture_passes_a_long_one_unless_that_has_waited_long():
    estimate = learnt((128, 128, 20, 1.0))
    short, long = Running("small", 1.0, PATIENCE // 10), Running("small", 5.0, PATIENCE // 2)
    assert estimate.announce([], ("small",), [long, short]) == [6.0, 1.0]
    waited = Running("small", 5.0, PATIENCE // 2, came=-100 * PATIENCE)
    assert estimate.announce([], ("small",), [waited, short]) == [5.0, 6.0]


def test_loading_counts_at_each_change_of_model():
    estimate = learnt((128, 128, 20, 1.0))
    estimate.learn("large", 128, 128, 20, 10.0)
    estimate.learn_loading("large", 5.0)
    estimate.learn_loading("small", 2.0)
    line = [request("large"), request("large"), request("small")]
    assert list(estimate.announce(line, ("small",))) == pytest.approx([15, 25, 28])


def test_models_that_are_in_memory_together_are_not_loaded_at_each_change():
    estimate = learnt((128, 128, 20, 1.0))
    estimate.learn("large", 128, 128, 20, 10.0)
    estimate.learn_loading("large", 5.0)
    line = [request("large"), request("small"), request("large")]
    assert estimate.announce(line, ("small", "large")) == pytest.approx([10, 11, 21])


def test_behind_a_picture_of_unknown_duration_no_time_is_told():
    line = [request(), request("never drawn"), request()]
    assert list(learnt((128, 128, 20, 1.0)).announce(line, ("small",))) == [
        pytest.approx(1.0),
        None,
        None,
    ]
