"""Every sampler gives the stock diffusers pipeline's numbers, to the bit."""

from __future__ import annotations

import inspect
import io
import json
from types import SimpleNamespace

import diffusers
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion import pipeline_stable_diffusion_img2img
from PIL import Image

from generator import metadata, noise
from generator.catalogue import BUNDLED, Catalogue
from generator.engine import Engine
from generator.messages import Drawn, Failed, Submit
from generator.models import Models
from generator.request import GenerationRequest
from generator.sampler_names import BY_NOISE, SAMPLERS, SCHEDULES, calls, follows
from generator.samplers import Samplers, denoise, timesteps_from

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

CLASSES = {  # as diffusers' documentation tells them, for a model whose own sampler is another
    "euler a": ("EulerAncestralDiscreteScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "ddim": ("DDIMScheduler", {}),
    "plms": ("PNDMScheduler", {"skip_prk_steps": True}),
    "lms": ("LMSDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpm2": ("KDPM2DiscreteScheduler", {}),
    "dpm2 a": ("KDPM2AncestralDiscreteScheduler", {}),
    "dpm++ 2m": ("DPMSolverMultistepScheduler", {}),
    "dpm++ 2m sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "dpm++ 3m sde": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "sde-dpmsolver++", "solver_order": 3},
    ),
    "dpm++ sde": ("DPMSolverSinglestepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "deis": ("DEISMultistepScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "tcd": ("TCDScheduler", {}),
}
CHANGES = {
    "automatic": {},
    "karras": {"use_karras_sigmas": True},
    "exponential": {"use_exponential_sigmas": True, "timestep_spacing": "linspace"},
    "sgm uniform": {"timestep_spacing": "trailing"},
    "simple": {"timestep_spacing": "trailing"},
    "beta": {"use_beta_sigmas": True, "timestep_spacing": "linspace"},
}
NAMES = [each.name for each in SAMPLERS]
ETA = {"tcd": 0.3}  # the scheduler's own default, which the pipelines change to 0
SHAPE = (1, 4, 4, 4)
STEPS = (1, 2, 3, 20)
MOST = 150  # steps that members can ask for
CONFIG = {  # Stable Diffusion 1.5's
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "num_train_timesteps": 1000,
    "timestep_spacing": "leading",
}


def stock_scheduler(config, sampler, schedule="automatic"):
    kind, changes = CLASSES[sampler]
    known = inspect.signature(getattr(diffusers, kind).__init__).parameters
    settings = {k: v for k, v in CHANGES[schedule].items() if k in known}
    return getattr(diffusers, kind).from_config(config, **settings, **changes)


def some_network(scaled, t):
    """Bounded, and no sampler's right answer."""
    return torch.tanh(scaled * 0.9 + 0.1 * torch.sin(scaled * 3) + float(t) / 10_000)


STOCK = 1  # recipes of this version; since then a formula of dpm++ 3m sde was mended


def ours(samplers, sampler, schedule, steps):
    """The latents at the end, and how often the network was asked."""
    scheduler, source = samplers.make(sampler, schedule, steps, STOCK), noise.generator(3)
    latents = noise.draw(SHAPE, source) * scheduler.init_noise_sigma
    run, count = denoise(scheduler, timesteps_from(scheduler, 0), latents, source), 0
    try:
        scaled, t = next(run)
        while True:
            count += 1
            scaled, t = run.send(some_network(scaled, t))
    except StopIteration as finished:
        return finished.value, count


def theirs(scheduler, sampler, steps):
    """The loop of diffusers' StableDiffusionPipeline."""
    source = torch.Generator().manual_seed(3)
    latents = torch.randn(SHAPE, generator=source)
    scheduler.set_timesteps(steps)
    latents = latents * scheduler.init_noise_sigma
    known = inspect.signature(scheduler.step).parameters
    more = {"eta": ETA.get(sampler, 0.0), "generator": source}
    more = {name: value for name, value in more.items() if name in known}
    for t in scheduler.timesteps:
        prediction = some_network(scheduler.scale_model_input(latents, t), t)
        latents = scheduler.step(prediction, t, latents, **more).prev_sample
    return latents


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("sampler", NAMES)
def test_every_step_is_the_stock_schedulers(sampler, prediction):
    config = CONFIG | {"prediction_type": prediction}
    samplers, stock = Samplers(config), stock_scheduler(config, sampler)
    for steps in STEPS:
        latents, count = ours(samplers, sampler, "automatic", steps)
        assert count == calls(sampler, steps)
        assert torch.equal(latents, theirs(stock, sampler, steps)), steps


@pytest.mark.parametrize("schedule", SCHEDULES[1:])
def test_every_schedule_type_is_the_stock_schedulers(schedule):
    config = CONFIG | {"prediction_type": "epsilon"}
    samplers = Samplers(config)
    for sampler in NAMES:
        if not follows(sampler, schedule) or (sampler == "euler a" and schedule in BY_NOISE):
            continue  # the stock one doesn't know it
        latents, _ = ours(samplers, sampler, schedule, 9)
        assert torch.equal(latents, theirs(stock_scheduler(config, sampler, schedule), sampler, 9))


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_beta_with_many_steps_is_drawn_where_the_stock_scheduler_gives_up(prediction):
    """Its timesteps repeat: a scheduler that looks for its place by them runs out of its table."""
    config = CONFIG | {"prediction_type": prediction}
    samplers = Samplers(config)
    for sampler in ("dpm++ 2m", "dpm++ 2m sde", "dpm++ 3m sde", "dpm++ sde", "unipc", "deis"):
        with pytest.raises((IndexError, AssertionError)):
            theirs(stock_scheduler(config, sampler, "beta"), sampler, MOST)
        latents, count = ours(samplers, sampler, "beta", MOST)
        assert (count, bool(latents.isfinite().all())) == (MOST, True)


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """The engine and the stock pipelines over one model: the one that ships."""
    torch.set_num_threads(1)
    cache = tmp_path_factory.mktemp("cache")
    catalogue = Catalogue([], cache)
    catalogue.refresh()
    hash = catalogue.find("semilla").hash
    models = Models([], cache, torch.device("cpu"))
    model, _ = models.load("semilla", hash)
    parts = {"vae": model.vae, "text_encoder": model.encoder, "tokenizer": model.tokenizer}
    parts |= {"unet": model.unet, "safety_checker": None, "feature_extractor": None}
    shipped = json.loads((BUNDLED / "scheduler" / "scheduler_config.json").read_text())

    def pipeline(kind, sampler):
        made = kind(
            **parts, scheduler=stock_scheduler(shipped, sampler), requires_safety_checker=False
        )
        made.set_progress_bar_config(disable=True)
        return made

    def draw(image=None, **changes):
        values = {"prompt": "a frog", "negative_prompt": "red", "width": 64, "height": 64}
        values |= {"steps": 4, "guidance_scale": 3.0, "seed": 11, "version": STOCK}
        recipe = GenerationRequest(model="semilla", model_hash=hash, **(values | changes))
        engine, events = Engine(models, {}, 0), []
        engine.submit(Submit(1, recipe, image))
        while engine.busy:
            events += engine.turn()
        assert not any(isinstance(each, Failed) for each in events), events
        return next(each.pixel_hash for each in events if isinstance(each, Drawn))

    return SimpleNamespace(pipeline=pipeline, draw=draw)


@pytest.mark.parametrize("guidance", [3.0, 1.0])
@pytest.mark.parametrize("sampler", NAMES)
def test_a_picture_alone_has_the_stock_pipelines_pixels(studio, sampler, guidance):
    image = studio.pipeline(StableDiffusionPipeline, sampler)(
        "a frog",
        negative_prompt="red",
        **{"width": 64, "height": 64, "num_inference_steps": 4, "guidance_scale": guidance},
        generator=noise.generator(11),
        eta=ETA.get(sampler, 0.0),
    ).images[0]
    assert studio.draw(sampler=sampler, guidance_scale=guidance) == metadata.pixel_hash(image)


@pytest.mark.parametrize("sampler", [name for name in NAMES if name != "plms"])
def test_a_picture_from_a_picture_has_the_stock_pipelines_pixels(studio, sampler, monkeypatch):
    """But for plms: diffusers' image-to-image leaves out its repeated first step. Of what
    the VAE encodes its mode is taken, in the layout that a picture without an image has."""
    monkeypatch.setattr(
        pipeline_stable_diffusion_img2img,
        "retrieve_latents",
        lambda encoded, generator: encoded.latent_dist.mode().contiguous(),
    )
    drawing = Image.new("RGB", (64, 64), (250, 220, 60))
    drawing.paste((30, 60, 200), (16, 16, 48, 48))
    image = studio.pipeline(StableDiffusionImg2ImgPipeline, sampler)(
        "a frog",
        drawing,
        negative_prompt="red",
        **{"strength": 0.6, "num_inference_steps": 8, "guidance_scale": 3.0},
        generator=noise.generator(11),
        eta=ETA.get(sampler, 0.0),
    ).images[0]
    file = io.BytesIO()
    drawing.save(file, "PNG")
    redrawn = {"initial_image": "ab" * 32, "strength": 0.6, "steps": 8, "sampler": sampler}
    assert studio.draw(file.getvalue(), **redrawn) == metadata.pixel_hash(image)
