"""Samplers by the field's names, their counts of calls, and the noise that they start from."""

from __future__ import annotations

import json

import pytest
import torch

from generator import noise
from generator.catalogue import BUNDLED
from generator.request import Variation
from generator.sampler_names import (
    BY_NOISE,
    SAMPLERS,
    SCHEDULES,
    calls,
    find,
    follows,
    nearest,
)
from generator.samplers import Samplers, timesteps_from

NAMES = [sampler.name for sampler in SAMPLERS]
STEPS = [1, 2, 3, 20, 101, 150]


@pytest.fixture(scope="module")
def samplers() -> Samplers:
    config = (BUNDLED / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8")
    return Samplers(json.loads(config))


@pytest.mark.parametrize("sampler", NAMES)
def test_the_count_of_calls_is_what_the_scheduler_will_ask_for(samplers, sampler):
    for steps in STEPS:
        scheduler = samplers.make(sampler, "automatic", steps)
        assert len(scheduler.timesteps) == calls(sampler, steps), (sampler, steps)
        for run in {0, 1, steps // 4, steps}:
            again = samplers.make(sampler, "automatic", steps)
            assert len(timesteps_from(again, steps - run)) == calls(sampler, run)


def test_interpolated_noise_is_automatic1111s():
    """modules/rng.py: 0 is the original, 1 the other seed's, and between them it keeps its size."""
    shape = (1, 4, 16, 16)
    base, other = noise.draw(shape, noise.generator(1)), noise.draw(shape, noise.generator(2))
    for strength, expected in ((0.0, base), (1.0, other)):
        varied = noise.initial_noise(shape, noise.generator(1), [Variation(2, strength)])
        assert torch.allclose(varied, expected, atol=1e-6)
    half = noise.initial_noise(shape, noise.generator(1), [Variation(2, 0.5)])
    cosine = torch.nn.functional.cosine_similarity(half.flatten(), base.flatten(), dim=0)
    assert cosine == pytest.approx(0.707, abs=0.06)
    assert half.std() == pytest.approx(1.0, abs=0.05)


def test_the_same_seed_towards_itself_stays_finite():
    varied = noise.initial_noise((1, 4, 8, 8), noise.generator(1), [Variation(1, 0.3)])
    assert torch.isfinite(varied).all()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Euler a", ("euler a", "automatic")),
        ("k_euler_a", ("euler a", "automatic")),
        ("DPM++ 2M Karras", ("dpm++ 2m", "karras")),
        ("dpmpp_2m", ("dpm++ 2m", "automatic")),
        ("dpm++ 2m sde exponential", ("dpm++ 2m sde", "exponential")),
        ("pmls", ("plms", "automatic")),
        ("UniPC", ("unipc", "automatic")),
        ("k_euler_ancestral", ("euler a", "automatic")),
        ("k_dpmpp_2m_ka", ("dpm++ 2m", "karras")),
        ("k_dpm_2_a_ka", ("dpm2 a", "karras")),
        ("k_lms_ka", ("lms", "karras")),
        ("dpm_2", ("dpm2", "automatic")),
        ("dpm_2_ancestral", ("dpm2 a", "automatic")),
        ("dpm++ 2s a", None),
        ("eulr", None),
    ],
)
def test_names_are_understood_as_the_field_writes_them(typed, meant):
    assert find(typed) == meant


def test_a_mistyped_sampler_has_a_nearest():
    assert nearest("eulr") == "euler"
    assert nearest("") in NAMES


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda each: each.name)
def test_of_every_sampler_it_is_known_which_schedule_types_change_it(samplers, sampler):
    def noise_levels(schedule):
        scheduler = samplers.make(sampler.name, schedule, 10)
        return (
            scheduler.timesteps.tolist(),
            getattr(scheduler, "sigmas", scheduler.betas).tolist(),
        )

    config = dict(samplers.make("ddim", "automatic", 1).config)
    samplers = Samplers(config | {"timestep_spacing": "leading"})
    plain = noise_levels("automatic")
    for schedule in SCHEDULES[1:]:
        assert (noise_levels(schedule) != plain) == follows(sampler.name, schedule)


@pytest.mark.parametrize("schedule", BY_NOISE)
def test_euler_a_goes_by_eulers_noise_levels(samplers, schedule):
    euler, ancestral = (samplers.make(name, schedule, 10) for name in ("euler", "euler a"))
    assert torch.equal(ancestral.sigmas, euler.sigmas)
    assert torch.equal(ancestral.timesteps, euler.timesteps)
    assert ancestral.init_noise_sigma == euler.init_noise_sigma
