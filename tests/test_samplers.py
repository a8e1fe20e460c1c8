"""Every sampler: its count of calls, and the same pixels as the stock diffusers pipeline."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from generator import noise
from generator.catalogue import BUNDLED, Catalogue
from generator.engine import Engine
from generator.messages import Called, Drawn, Submit
from generator.metadata import pixel_hash
from generator.models import Models
from generator.request import GenerationRequest, Variation
from generator.sampler_names import SAMPLERS, SCHEDULES, calls, find, nearest
from generator.samplers import Denoising, Samplers, denoise, timesteps_from

NAMES = [sampler.name for sampler in SAMPLERS]
STEPS = [1, 2, 3, 20, 101, 150]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    torch.set_num_threads(1)
    return Models([], tmp_path_factory.mktemp("cache"), torch.device("cpu"))


@pytest.fixture(scope="module")
def pipeline():
    stock = StableDiffusionPipeline.from_pretrained(BUNDLED, dtype=torch.float32)
    stock.set_progress_bar_config(disable=True)
    return stock


def recipe(tmp_path: Path, **changes) -> GenerationRequest:
    model = Catalogue([], tmp_path).default()
    values = {
        "model": model.name,
        "model_hash": model.hash,
        "prompt": "a red cat",
        "negative_prompt": "dog",
        "width": 128,
        "height": 128,
        "steps": 4,
        "sampler": "euler a",
        "guidance_scale": 4.0,
        "seed": 7,
    }
    return GenerationRequest(**(values | changes))


def run(models: Models, request: GenerationRequest, **order) -> list:
    engine = Engine(models, {"device": "cpu"}, preview_every=1)
    engine.submit(Submit(1, request, **order))
    events = []
    while engine.busy:
        events += engine.turn()
    return events


def pixels(events: list) -> str:
    (drawn,) = (event for event in events if isinstance(event, Drawn))
    return drawn.pixel_hash


@pytest.mark.parametrize("sampler", NAMES)
def test_the_count_of_calls_is_what_the_scheduler_will_ask_for(models, sampler, tmp_path):
    config = models.load("semilla", recipe(tmp_path).model_hash)[0].scheduler_config
    for steps in STEPS:
        scheduler = Samplers(config).make(sampler, "automatic", steps)
        assert len(scheduler.timesteps) == calls(sampler, steps), (sampler, steps)
        for strength in (0.3, 0.75):
            again = Samplers(config).make(sampler, "automatic", steps)
            assert len(timesteps_from(again, steps, strength)) == calls(sampler, steps, strength)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("sampler", NAMES)
def test_every_sampler_goes_to_the_end_with_finite_numbers(models, sampler, prediction, tmp_path):
    loaded = models.load("semilla", recipe(tmp_path).model_hash)[0]
    config = loaded.scheduler_config | {"prediction_type": prediction}
    for steps in (1, 2, 9, 36):
        scheduler = Samplers(config).make(sampler, "automatic", steps)
        source = noise.generator(3)
        latents = noise.draw((1, 8, 4, 4), source) * scheduler.init_noise_sigma
        asked, clean = ask_all(denoise(scheduler, scheduler.timesteps, latents, source))
        assert torch.isfinite(clean).all(), steps
        assert asked == calls(sampler, steps)


def ask_all(asking: Denoising) -> tuple[int, torch.Tensor]:
    """How often it asked, and what it came to, with a network that predicts a tenth of its input."""
    asked, answer = 0, None
    while True:
        try:
            scaled, _ = asking.send(answer)
        except StopIteration as finished:
            return asked, finished.value
        asked, answer = asked + 1, scaled * 0.1


@pytest.mark.parametrize("guidance", [1.0, 4.0])
@pytest.mark.parametrize(
    "sampler", ["ddim", "plms", "euler", "euler a", "dpm2 a", "dpm++ 2m", "unipc"]
)
def test_alone_it_gives_the_bits_of_the_stock_pipeline(
    models, pipeline, sampler, guidance, tmp_path
):
    request = recipe(tmp_path, sampler=sampler, guidance_scale=guidance)
    ours = run(models, request)
    pipeline.scheduler = models.load("semilla", request.model_hash)[0].samplers.make(
        sampler, "automatic", request.steps
    )
    image = pipeline(
        request.prompt,
        negative_prompt=request.negative_prompt,
        num_inference_steps=request.steps,
        guidance_scale=guidance,
        generator=noise.generator(request.seed),
        output_type="pil",
    ).images[0]
    assert pixels(ours) == pixel_hash(image)
    told = [event.call for event in ours if isinstance(event, Called)]
    assert told == list(range(1, request.calls + 1))


def test_a_replay_of_another_width_follows_its_trace(models, tmp_path):
    events = run(models, recipe(tmp_path), trace="4e2,2e2")
    (drawn,) = (event for event in events if isinstance(event, Drawn))
    assert drawn.trace == "4e2,2e2"


def test_previews_grow_more_like_the_picture(models, tmp_path):
    events = run(models, recipe(tmp_path, steps=12, prompt="a red apple on a blue background"))
    (drawn,) = (event for event in events if isinstance(event, Drawn))
    final = Image.open(io.BytesIO(drawn.png)).resize((16, 16), Image.Resampling.BOX)
    previews = [e.preview for e in events if isinstance(e, Called) and e.preview]

    def distance(webp: bytes) -> float:
        shown = np.asarray(Image.open(io.BytesIO(webp)).convert("RGB"), dtype=float)
        return float(np.abs(shown - np.asarray(final, dtype=float)).mean())

    assert distance(previews[-1]) < distance(previews[len(previews) // 2]) < distance(previews[0])
    assert distance(previews[-1]) < 25


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
        ("eulr", None),
    ],
)
def test_names_are_understood_as_the_field_writes_them(typed, meant):
    assert find(typed) == meant


def test_a_mistyped_sampler_has_a_nearest():
    assert nearest("eulr") == "euler"
    assert nearest("") in NAMES


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_gives_a_picture(models, schedule, tmp_path):
    assert pixels(run(models, recipe(tmp_path, sampler="dpm++ 2m", schedule=schedule)))
