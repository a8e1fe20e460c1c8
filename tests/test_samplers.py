"""Every sampler against a network whose right answer is known, and the noise that they start from."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from generator import noise, sampler_names
from generator.request import Variation
from generator.sampler_names import SAMPLERS, SCHEDULES, calls
from generator.samplers import Samplers, denoise, timesteps_from

NAMES = [each.name for each in SAMPLERS]
DISTILLED = ("lcm", "tcd")  # they want a network that was trained for them
MEAN, SPREAD = 0.7, 0.4  # of the pictures that the known network has learnt
SHAPE = (1, 4, 32, 32)


@pytest.fixture(scope="module")
def samplers():
    config = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    config |= {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}
    return Samplers(dict(DDIMScheduler.from_config(config).config))


@pytest.fixture(scope="module")
def known_network(samplers):
    """The best prediction of the noise when every number of a picture is N(MEAN, SPREAD²)."""
    alphas = samplers.make("ddim", "automatic", 1).alphas_cumprod.double()
    log_sigmas = ((1 - alphas) / alphas).sqrt().log().numpy()

    def predict(scaled, t):
        # Between two timesteps the schedulers interpolate the logarithm of sigma.
        sigma = float(np.exp(np.interp(float(t), np.arange(len(log_sigmas)), log_sigmas)))
        signal = (sigma**2 + 1) ** -0.5
        part, noisy = signal * SPREAD**2, signal**2 * SPREAD**2 + (signal * sigma) ** 2
        clean = MEAN + part / noisy * (scaled - signal * MEAN)
        return (scaled - signal * clean) / (signal * sigma)

    return predict


def drawn(samplers, network, sampler, steps, *, schedule="automatic", strength=1.0):
    """The latents at the end, and how often the network was called."""
    scheduler = samplers.make(sampler, schedule, steps)
    source = noise.generator(1)
    start = noise.draw(SHAPE, source)
    timesteps = timesteps_from(scheduler, steps, strength)
    clean = MEAN + SPREAD * noise.draw(SHAPE, noise.generator(2))
    if not len(timesteps):
        return clean, 0
    if strength == 1:
        latents = start * scheduler.init_noise_sigma
    else:
        latents = scheduler.add_noise(clean, start, timesteps[:1])
    run, count = denoise(scheduler, timesteps, latents, source), 0
    try:
        scaled, t = next(run)
        while True:
            count += 1
            scaled, t = run.send(network(scaled, t))
    except StopIteration as finished:
        return finished.value, count


@pytest.mark.parametrize("sampler", NAMES)
def test_every_sampler_ends_in_the_pictures_that_the_network_knows(
    samplers, known_network, sampler
):
    latents, _ = drawn(samplers, known_network, sampler, 36)
    assert latents.mean() == pytest.approx(MEAN, abs=0.03)
    if sampler not in DISTILLED:
        assert latents.std() == pytest.approx(SPREAD, rel=0.12)


@pytest.mark.parametrize("sampler", NAMES)
@pytest.mark.parametrize("strength", [0.3, 0.8])
def test_and_so_it_does_when_it_begins_in_the_middle(samplers, known_network, sampler, strength):
    latents, _ = drawn(samplers, known_network, sampler, 36, strength=strength)
    assert latents.mean() == pytest.approx(MEAN, abs=0.03)
    if sampler not in DISTILLED:
        assert latents.std() == pytest.approx(SPREAD, rel=0.12)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("sampler", ["euler", "dpm2 a", "dpm++ 2m", "dpm++ sde", "unipc"])
def test_every_schedule_leads_there_too(samplers, known_network, sampler, schedule):
    latents, count = drawn(samplers, known_network, sampler, 36, schedule=schedule)
    assert count == calls(sampler, 36)
    assert latents.mean() == pytest.approx(MEAN, abs=0.04)
    assert latents.std() == pytest.approx(SPREAD, rel=0.15)


@pytest.mark.parametrize("sampler", NAMES)
@pytest.mark.parametrize("steps", [1, 2, 3, 10, 20, 36, 150])
def test_the_network_is_called_as_often_as_was_announced(samplers, known_network, sampler, steps):
    for strength in (1.0, 0.6, 0.02):
        latents, count = drawn(samplers, known_network, sampler, steps, strength=strength)
        assert count == calls(sampler, steps, strength)
        assert latents.isfinite().all()


def test_two_pictures_do_not_share_a_scheduler(samplers, known_network):
    alone, _ = drawn(samplers, known_network, "dpm++ 2m", 5)
    begun = samplers.make("dpm++ 2m", "automatic", 9)
    begun.step(torch.ones(SHAPE), begun.timesteps[0], torch.ones(SHAPE))
    again, _ = drawn(samplers, known_network, "dpm++ 2m", 5)
    assert torch.equal(alone, again)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("EULER A", ("euler a", "automatic")),
        ("k_euler_a", ("euler a", "automatic")),
        ("euler ancestral", ("euler a", "automatic")),
        ("DPM++ 2M Karras", ("dpm++ 2m", "karras")),
        ("dpmpp_2m", ("dpm++ 2m", "automatic")),
        ("k_dpmpp_2m_sde", ("dpm++ 2m sde", "automatic")),
        ("DPM++ SDE Exponential", ("dpm++ sde", "exponential")),
        ("dpm2-a", ("dpm2 a", "automatic")),
        ("pmls", ("plms", "automatic")),
        ("Euler SGM Uniform", ("euler", "sgm uniform")),
        ("dpm fast", None),
        ("", None),
    ],
)
def test_samplers_are_found_by_the_names_that_people_type(typed, found):
    assert sampler_names.find(typed) == found


@pytest.mark.parametrize(("typed", "meant"), [("eulr", "euler"), ("DMP++ 2M", "dpm++ 2m")])
def test_the_nearest_name_is_offered_for_a_mistyped_one(typed, meant):
    assert sampler_names.nearest(typed) == meant


def test_every_label_is_found_as_itself():
    assert [sampler_names.find(each.label) for each in SAMPLERS] == [
        (each.name, "automatic") for each in SAMPLERS
    ]


def varied(*steps, seed=5):
    chain = tuple(Variation(*step) for step in steps)
    return noise.initial_noise((1, 4, 64, 64), noise.generator(seed), chain)


def likeness(one, other):
    return float(torch.cosine_similarity(one.flatten(), other.flatten(), dim=0))


@pytest.mark.parametrize(
    ("strength", "cosine"), [(0.05, 0.997), (0.15, 0.972), (0.5, 0.707), (1.0, 0.0)]
)
def test_the_strength_of_a_variation_is_an_angle(strength, cosine):
    assert likeness(varied(), varied((9, strength))) == pytest.approx(cosine, abs=0.03)
    assert varied((9, strength)).std() == pytest.approx(1, abs=0.03)


def test_a_variation_goes_from_the_original_to_the_other_seeds_noise():
    assert torch.equal(varied((9, 0.0)), varied())
    assert torch.allclose(varied((9, 1.0)), varied(seed=9), atol=1e-5)
    assert torch.allclose(varied((5, 0.4)), varied(), atol=1e-6)


def test_a_chain_of_variations_is_applied_in_order():
    there = varied((9, 0.3), (7, 0.2))
    assert torch.equal(there[0], noise.slerp(0.2, varied((9, 0.3))[0], varied(seed=7)[0]))
    assert not torch.equal(there, varied((7, 0.2), (9, 0.3)))


def test_a_variation_leaves_the_samplers_own_noise_alone():
    plain, other = noise.generator(5), noise.generator(5)
    noise.initial_noise(SHAPE, plain)
    noise.initial_noise(SHAPE, other, (Variation(9, 0.3),))
    assert torch.equal(noise.draw(SHAPE, plain), noise.draw(SHAPE, other))


def test_the_noise_of_a_seed_is_the_fields():
    """torch.randn of a CPU generator, so that AUTOMATIC1111 draws the same with RNG: CPU."""
    torch.manual_seed(5)
    assert torch.equal(varied(), torch.randn(1, 4, 64, 64))


def test_all_randomness_of_the_worker_comes_from_one_place():
    found = {
        path.name
        for path in Path(noise.__file__).parent.glob("*.py")
        if re.search(r"manual_seed\(|randn\(|torch\.Generator\(", path.read_text(encoding="utf-8"))
    }
    assert found == {"noise.py"}
