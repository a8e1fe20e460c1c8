"""More than text to image: a second pass, a part of a picture, enlarging, edges that fit."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInpaintPipeline
from PIL import Image

from generator import metadata, noise
from generator.messages import Drawn, Failed, Failure
from generator.request import GenerationRequest, Hires
from generator.sampler_names import SAMPLERS
from tests import micro_models as micro
from tests.micro_models import Studio, studio

STRIPES = "a red cat on a striped background"
SAMPLER_NAMES = [each.name for each in SAMPLERS]


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Studio:
    return studio(tmp_path_factory.mktemp("cache"))


def opened(drawn: Drawn) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(drawn.png)).convert("RGB"), dtype=int)


def picture(side: int = 128, *, clear: tuple[int, int, int, int] | None = None) -> bytes:
    """A PNG of a colour for each corner, transparent inside `clear` (left, top, right, bottom)."""
    ramp = np.linspace(0, 255, side).astype("uint8")
    colours = np.stack([*np.meshgrid(ramp, ramp), np.full((side, side), 90, "uint8")], axis=-1)
    image = Image.fromarray(colours).convert("RGBA")
    if clear:
        image.paste((*image.getpixel((0, 0))[:3], 0), clear)
        pixels = np.array(image)
        pixels[..., :3] = colours
        image = Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_a_second_pass_keeps_what_the_first_drew_and_has_the_larger_size(room):
    small = room.draw("semilla", width=64, height=64, steps=6, sampler="euler a")
    hires = Hires(64, 64, steps=8, strength=0.5)
    large = room.draw("semilla", width=128, height=128, steps=6, sampler="euler a", hires=hires)
    assert opened(large).shape == (128, 128, 3)
    enlarged = Image.fromarray(opened(small).astype("uint8")).resize((128, 128))
    other = room.draw("semilla", width=128, height=128, steps=6, sampler="euler a", seed=8)
    near, far = (np.abs(opened(large) - each).mean() for each in (enlarged, opened(other)))
    assert 1 < near < far


@pytest.mark.parametrize("sampler", SAMPLER_NAMES)
def test_the_calls_of_both_passes_are_counted(room, sampler):
    hires = Hires(32, 32, steps=5, strength=0.6)
    recipe = room.recipe("semilla", width=64, height=64, steps=3, sampler=sampler, hires=hires)
    (drawn,) = room.told(recipe).values()
    assert sum(int(part.split("e")[1]) for part in drawn.trace.split(",")) == recipe.calls


@pytest.mark.parametrize("sampler", ["euler a", "plms", "heun", "lcm"])
def test_what_is_drawn_over_a_little_is_drawn_over_in_a_step(room, sampler):
    """In recipes from before version 4 it was in none."""
    little = {"width": 64, "height": 64, "sampler": sampler, "initial_image": "0" * 64}
    for changes in ({"steps": 2, "strength": 0.35}, {"steps": 1, "hires": Hires(32, 32, 1, 0.5)}):
        now, once = (
            room.recipe("semilla", **(little | changes), version=version) for version in (4, 3)
        )
        assert now.calls == once.calls + 1
        drawn, before = (room.told(each, initial_image=picture(64))[0] for each in (now, once))
        assert drawn.pixel_hash != before.pixel_hash
        assert drawn.trace == ("2e2" if "hires" in changes else "2e1")
        assert before.trace == ("2e1" if "hires" in changes else "")
    nothing = room.recipe("semilla", **little, steps=2, strength=0.0)
    assert nothing.calls == 0


def test_a_second_pass_costs_what_it_draws():
    values = {"model": "m", "model_hash": "", "prompt": "", "sampler": "ddim", "seed": 1}
    plain = GenerationRequest(**values, width=64, height=64, steps=10, guidance_scale=4.0)
    twice = replace(plain, width=128, height=128, hires=Hires(64, 64, steps=10, strength=0.5))
    assert (twice.calls, twice.cost) == (15, plain.cost + 5 * 128 * 128)
    assert (plain.full_calls, twice.full_calls) == (10, 8)  # as long as 7.5 of the large size


def test_a_recipe_with_everything_survives_being_written(room):
    recipe = room.recipe("semilla", tiling=True, hires=Hires(64, 64, 5, 0.5), vae=None)
    assert GenerationRequest.from_json(recipe.to_json()) == recipe
    assert metadata.read(room.draw("semilla", hires=Hires(16, 16, 2, 0.5)).png) is not None


@pytest.mark.parametrize("sampler", SAMPLER_NAMES)
def test_only_what_is_transparent_is_drawn_anew(room, sampler):
    """With every sampler; what is kept is kept to the pixel, what is drawn is drawn."""
    data = picture(64, clear=(32, 0, 64, 64))
    drawn = room.draw(
        "semilla",
        image=data,
        width=64,
        height=64,
        sampler=sampler,
        steps=4,
        strength=1.0,
        initial_image="0" * 64,
        masked=True,
    )
    before = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=int)
    after = opened(drawn)
    assert (after[:, :32] == before[:, :32]).all()
    assert np.abs(after[:, 32:] - before[:, 32:]).mean() > 10


def test_with_a_second_pass_what_is_kept_is_kept_to_the_pixel(room):
    """Recipes from before that was mended are drawn as they were: it went through the first pass."""
    data = picture(128, clear=(64, 0, 128, 128))
    settings = {"width": 128, "height": 128, "steps": 4, "strength": 0.7, "masked": True}
    settings |= {"initial_image": "0" * 64, "hires": Hires(64, 64, 4, 0.5)}
    before = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=int)
    now, once = (
        opened(room.draw("semilla", image=data, **settings, version=version)) for version in (3, 2)
    )
    assert (now[:, :64] == before[:, :64]).all()
    assert np.abs(now[:, 64:] - before[:, 64:]).mean() > 10
    assert (once[:, :64] != before[:, :64]).any()


def test_a_part_that_is_drawn_anew_fits_what_is_around_it(room):
    """The seam is hardly steeper than elsewhere: the network sees what is kept."""
    settings = {"width": 128, "height": 128, "sampler": "ddim", "steps": 20, "masked": True}
    data = picture(clear=(32, 32, 96, 96))
    drawn = opened(
        room.draw("semilla", image=data, **settings, strength=0.5, initial_image="0" * 64)
    )
    free = opened(room.draw("semilla", width=128, height=128, sampler="ddim", steps=20))
    before = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=int)
    ring = np.zeros((128, 128), bool)
    ring[32:96, 32:96] = True
    ring[36:92, 36:92] = False
    assert np.abs(drawn - before)[ring].mean() < np.abs(free - before)[ring].mean()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_network_for_inpainting_draws_what_its_stock_pipeline_draws(tmp_path):
    """It is told the mask and what is kept; in both layouts."""
    made = micro.pipeline("sd1", seed=5, in_channels=9)
    micro.single_file(made, "sd1", tmp_path / "models" / "repair.safetensors")
    room = studio(tmp_path / "cache", tmp_path / "models")
    parts = {name: part for name, part in made.components.items() if name != "image_encoder"}
    pipeline = StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    # The middle of what the VAE encodes, where the stock pipeline draws at random.
    encode = pipeline.vae.encode
    pipeline._encode_vae_image = lambda image, generator: (
        encode(image).latent_dist.mode() * pipeline.vae.config.scaling_factor
    )
    data = picture(32, clear=(16, 0, 32, 32))
    image = Image.open(io.BytesIO(data))
    expected = pipeline(
        "a red cat",
        image=image.convert("RGB"),
        mask_image=Image.eval(image.getchannel("A"), lambda alpha: 255 - alpha),
        num_inference_steps=4,
        guidance_scale=4.0,
        width=32,
        height=32,
        strength=1.0,
        generator=noise.generator(7),
    ).images[0]
    drawn = room.draw("repair", image=data, strength=1.0, initial_image="0" * 64, masked=True)
    right = np.asarray(expected, dtype=int)[:, 16:]
    assert (opened(drawn)[:, 16:] == right).all()
    assert isinstance(room.told(room.recipe("repair"))[0], Drawn)  # and without any picture


def test_enlarging_asks_no_network_and_is_lanczos(room):
    data = picture(64)
    recipe = room.recipe(
        "semilla", width=256, height=256, initial_image="0" * 64, upscaler="lanczos"
    )
    assert (recipe.calls, recipe.cost) == (0, 256 * 256)
    drawn = room.told(recipe, initial_image=data)[0]
    expected = Image.open(io.BytesIO(data)).convert("RGB").resize((256, 256), Image.LANCZOS)
    assert drawn.pixel_hash == metadata.pixel_hash(expected)
    gone = room.told(recipe)[0]
    assert isinstance(gone, Failed)
    assert gone.failure is Failure.IMAGE_BROKEN


def seam(pixels: np.ndarray) -> float:
    """How steep it is from the right edge to the left one, against all other columns."""
    across = np.abs(pixels[:, 0] - pixels[:, -1]).mean()
    return float(across / np.abs(np.diff(pixels, axis=1)).mean())


def test_the_edges_of_a_tile_fit_each_other(room):
    settings = {
        "width": 128,
        "height": 128,
        "steps": 10,
        "sampler": "euler a",
        "prompt": STRIPES,
        "seed": 1,
    }
    plain, tiled = (opened(room.draw("semilla", **settings, tiling=t)) for t in (False, True))
    assert seam(tiled) < 0.6 * seam(plain)
    again = room.draw("semilla", **settings)
    assert (opened(again) == plain).all()  # and nobody else's picture is one


def test_tiles_and_other_pictures_side_by_side_are_those_that_they_are_alone(room):
    recipes = [room.recipe("semilla", width=64, height=64, tiling=n % 2 == 0) for n in range(4)]
    recipes += [replace(recipes[1], width=96, height=96, hires=Hires(64, 64, 4, 0.5))]
    together = room.told(*recipes)
    for job, recipe in enumerate(recipes):
        alone = room.told(recipe, trace=together[job].trace)[0]
        assert together[job].pixel_hash == alone.pixel_hash


def test_the_prompt_of_a_second_pass_goes_on_where_the_first_one_stopped(room):
    """Fractions count on from 1: AUTOMATIC1111's schedule of hires fix."""
    settings = {"width": 64, "height": 64, "steps": 4, "hires": Hires(64, 64, 4, 1.0)}
    first = room.draw("semilla", prompt="a red cat", **settings)
    same = room.draw("semilla", prompt="a [red cat:green frog:2.0]", **settings)
    switched = room.draw("semilla", prompt="a [red cat:green frog:1.25]", **settings)
    assert same.pixel_hash == first.pixel_hash
    assert np.abs(opened(switched) - opened(first)).mean() > 2
    assert torch.get_num_threads() == 1


def test_the_prompt_of_a_second_pass_is_scheduled_over_the_steps_that_it_runs(room):
    """In recipes from before version 4 it was over all that it would have with strength 1."""
    settings = {"width": 64, "height": 64, "steps": 2, "hires": Hires(32, 32, 8, 0.5)}
    halfway, same, whole = (
        room.draw("semilla", prompt=f"a [red cat:green frog:{when}]", **settings)
        for when in ("1.5", "4", "2.0")
    )
    assert halfway.pixel_hash == same.pixel_hash != whole.pixel_hash
    once = {**settings, "version": 3, "prompt": "a [red cat:green frog:1.5]"}
    assert room.draw("semilla", **once).pixel_hash == whole.pixel_hash
