"""Every sampler against a network whose right answer is known, and the noise that they start from."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from generator import noise, sampler_names
from generator.request import VERSION, Variation
from generator.sampler_names import SAMPLERS, SCHEDULES, calls
from generator.samplers import Samplers, denoise, timesteps_from

# diffusers' schedulers with numpy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")

NAMES = [each.name for each in SAMPLERS]
DISTILLED = ("lcm", "tcd")  # they want a network that was trained for them
MEAN, SPREAD = 0.7, 0.4  # of the pictures that the known network has learnt
MOST = 150  # steps that members can ask for
MANY = 100  # steps, of which all but the distilled come near the truth
SHAPE = (1, 4, 32, 32)
CONFIG = {  # Stable Diffusion 1.5's
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "skip_prk_steps": True,
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "timestep_spacing": "leading",
}


@pytest.fixture(scope="module")
def samplers():
    return Samplers(CONFIG)


@pytest.fixture(scope="module")
def known_network(samplers):
    """The best prediction of the noise when every number of a picture is N(MEAN, SPREAD²)."""
    alphas = samplers.make("ddim", "automatic", 1).alphas_cumprod.double()
    log_sigmas = ((1 - alphas) / alphas).sqrt().log().numpy()

    def predict(scaled, t):
        # Between two timesteps the schedulers interpolate the logarithm of sigma.
        sigma = float(np.exp(np.interp(float(t), np.arange(len(log_sigmas)), log_sigmas)))
        signal = (sigma**2 + 1) ** -0.5
        part, whole = signal * SPREAD**2, signal**2 * (SPREAD**2 + sigma**2)
        clean = MEAN + part / whole * (scaled - signal * MEAN)
        return (scaled - signal * clean) / (signal * sigma)

    return predict


def drawn(
    samplers, network, sampler, steps, *, schedule="automatic", strength=1.0, version=VERSION
):
    """The latents at the end, and how often the network was called."""
    scheduler = samplers.make(sampler, schedule, steps, version)
    source = noise.generator(1)
    start = noise.draw(SHAPE, source)
    timesteps = timesteps_from(scheduler, steps - int(steps * strength))
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


@pytest.mark.parametrize("strength", [1.0, 0.8, 0.3])
@pytest.mark.parametrize("sampler", NAMES)
def test_every_sampler_ends_in_what_the_network_knows_wherever_it_begins(
    samplers, known_network, sampler, strength
):
    latents, count = drawn(samplers, known_network, sampler, MANY, strength=strength)
    assert count == calls(sampler, int(MANY * strength))
    assert latents.mean() == pytest.approx(MEAN, abs=0.04)
    if sampler not in DISTILLED:
        assert latents.std() == pytest.approx(SPREAD, rel=0.15)


@pytest.mark.parametrize("strength", [0.6, 0.3])
def test_lms_is_as_near_with_few_steps_when_it_begins_in_the_middle(
    samplers, known_network, strength
):
    few = {"steps": 20, "schedule": "karras"}
    latents, _ = drawn(samplers, known_network, "lms", **few, strength=strength)
    assert latents.std() == pytest.approx(SPREAD, rel=0.03)


def test_lms_is_what_it_was_in_a_whole_run_and_in_recipes_from_before_it_was_mended(
    samplers, known_network
):
    def both(strength):
        settings = {"schedule": "karras", "strength": strength}
        return [
            drawn(samplers, known_network, "lms", 20, **settings, version=version)[0]
            for version in (2, 3)
        ]

    assert torch.equal(*both(1.0))
    once, now = both(0.6)
    assert not torch.equal(once, now)
    assert once.std() < 0.95 * SPREAD


@pytest.mark.parametrize("sampler", [name for name in NAMES if name not in DISTILLED])
def test_no_sampler_drifts_with_the_most_steps(samplers, known_network, sampler):
    latents, _ = drawn(samplers, known_network, sampler, MOST)
    assert latents.std() == pytest.approx(SPREAD, rel=0.08)


@pytest.mark.parametrize("schedule", SCHEDULES[1:])
@pytest.mark.parametrize("sampler", ["euler", "euler a", "dpm2 a", "dpm++ 2m", "unipc"])
def test_every_schedule_leads_there_too(samplers, known_network, sampler, schedule):
    latents, count = drawn(samplers, known_network, sampler, MANY, schedule=schedule)
    assert count == calls(sampler, MANY)
    assert latents.mean() == pytest.approx(MEAN, abs=0.04)
    assert latents.std() == pytest.approx(SPREAD, rel=0.15)


@pytest.mark.parametrize("sampler", NAMES)
def test_few_and_many_steps_and_none_stay_finite(samplers, known_network, sampler):
    for steps, strength in ((1, 1.0), (2, 0.5), (3, 0.4), (20, 0.02), (101, 0.1)):
        latents, count = drawn(samplers, known_network, sampler, steps, strength=strength)
        assert count == calls(sampler, int(steps * strength))
        assert latents.isfinite().all()


def test_two_pictures_do_not_share_a_scheduler(samplers, known_network):
    alone, _ = drawn(samplers, known_network, "dpm++ 2m", 5)
    begun = samplers.make("dpm++ 2m", "automatic", 9)
    begun.step(torch.ones(SHAPE), begun.timesteps[0], torch.ones(SHAPE))
    again, _ = drawn(samplers, known_network, "dpm++ 2m", 5)
    assert torch.equal(alone, again)


@pytest.mark.parametrize("sampler", NAMES)
def test_what_a_models_own_sampler_was_set_to_changes_no_other_sampler(
    samplers, known_network, sampler
):
    """Model folders hold the settings of any sampler, and they share keys."""
    own = {"algorithm_type": "sde-dpmsolver++", "solver_order": 3, "original_inference_steps": 50}
    model = Samplers(CONFIG | own | {"use_karras_sigmas": True})
    for schedule in ("karras", "sgm uniform"):
        theirs, _ = drawn(model, known_network, sampler, 10, schedule=schedule)
        plain, _ = drawn(samplers, known_network, sampler, 10, schedule=schedule)
        assert torch.equal(theirs, plain)


def test_every_label_is_found_as_itself():
    assert [sampler_names.find(each.label) for each in SAMPLERS] == [
        (each.name, "automatic") for each in SAMPLERS
    ]


def varied(*steps, seed=5):
    chain = tuple(Variation(*step) for step in steps)
    return noise.initial_noise((1, 4, 64, 64), noise.generator(seed), chain)


@pytest.mark.parametrize(
    ("strength", "cosine"), [(0.05, 0.997), (0.15, 0.972), (0.5, 0.707), (1.0, 0.0)]
)
def test_the_strength_of_a_variation_is_an_angle(strength, cosine):
    there = varied((9, strength))
    likeness = torch.cosine_similarity(varied().flatten(), there.flatten(), dim=0)
    assert likeness == pytest.approx(cosine, abs=0.03)
    assert there.std() == pytest.approx(1, abs=0.03)


def test_a_chain_of_variations_is_applied_in_order():
    there = varied((9, 0.3), (7, 0.2))
    assert torch.equal(there[0], noise.slerp(0.2, varied((9, 0.3))[0], varied(seed=7)[0]))
    assert not torch.equal(there, varied((7, 0.2), (9, 0.3)))


def test_a_variation_leaves_the_samplers_own_noise_alone():
    plain, other = noise.generator(5), noise.generator(5)
    noise.initial_noise(SHAPE, plain)
    noise.initial_noise(SHAPE, other, (Variation(9, 0.3),))
    assert torch.equal(noise.draw(SHAPE, plain), noise.draw(SHAPE, other))


def test_a_variation_of_strength_0_is_the_original_to_the_bit():
    assert torch.equal(varied((9, 0.0)), varied())


def test_all_randomness_of_the_worker_comes_from_one_place():
    found = {
        path.name
        for path in Path(noise.__file__).parent.glob("*.py")
        if re.search(r"manual_seed\(|randn\(|torch\.Generator\(", path.read_text(encoding="utf-8"))
    }
    assert found == {"noise.py"}
