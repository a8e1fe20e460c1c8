"""Every family of models for real: true architectures with random weights, as small as they can be."""

from __future__ import annotations

import gc
import io
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    UNet2DConditionModel,
)
from diffusers.utils import logging
from PIL import Image
from safetensors.torch import save_file

from generator import metadata, noise
from generator.engine import Engine
from generator.messages import (
    Called,
    Cancelled,
    Drawn,
    Failed,
    Failure,
    Note,
    NoteKind,
    Started,
    Submit,
)
from tests import micro_models as micro
from tests.micro_models import Studio, studio

PREDICTIONS = {"sd1": "epsilon", "sd2": "v_prediction", "sdxl": "epsilon"}
FAMILIES = tuple(PREDICTIONS)
KEPT_IN_ORDER = ("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

pytestmark = pytest.mark.filterwarnings(*KEPT_IN_ORDER)
logging.set_verbosity_error()
logging.disable_progress_bar()


@pytest.fixture(scope="module")
def stock() -> dict[str, Any]:
    """The families' pipelines of diffusers; their weights have a form in half precision."""
    made = {family: micro.pipeline(family, prediction=PREDICTIONS[family]) for family in FAMILIES}
    return {family: each.to(torch.float16).to(torch.float32) for family, each in made.items()}


@pytest.fixture(scope="module")
def shelf(stock, tmp_path_factory) -> Path:
    """Each family as a folder, of which the hub has only the half precision, and as a file."""
    root = tmp_path_factory.mktemp("shelf")
    for family, made in stock.items():
        made.to(torch.float16)
        made.save_pretrained(root / f"{family}-folder", variant="fp16")
        told = {"modelspec.prediction_type": "v"} if family == "sd2" else {}
        micro.single_file(made, family, root / "files" / f"{family}-file.safetensors", **told)
        made.to(torch.float32)
    micro.transformer_pipeline().save_pretrained(root / "sd3")
    return root


@pytest.fixture(scope="module")
def all_of_them(shelf, tmp_path_factory) -> Studio:
    return studio(tmp_path_factory.mktemp("cache"), shelf)


def pixels(drawn: Drawn) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(drawn.png)).convert("RGB"), dtype=int)


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_draws_what_its_stock_pipeline_draws(stock, all_of_them, family):
    name, pipeline = f"{family}-folder", stock[family]
    settings = {"num_inference_steps": 4, "guidance_scale": 5.0, "width": 48, "height": 32}
    image = pipeline("a red cat", **settings, generator=noise.generator(7)).images[0]
    mine = {"guidance_scale": 5.0, "width": 48}
    drawn = all_of_them.draw(name, **mine)
    assert drawn.pixel_hash == metadata.pixel_hash(image)
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config, algorithm_type="dpmsolver++", solver_order=2
    )
    image = pipeline(
        "a red cat", negative_prompt="two frogs", **settings, generator=noise.generator(7)
    ).images[0]
    other = all_of_them.draw(name, **mine, negative_prompt="two frogs", sampler="dpm++ 2m")
    assert other.pixel_hash == metadata.pixel_hash(image)
    assert other.pixel_hash != drawn.pixel_hash


@pytest.mark.parametrize("family", FAMILIES)
def test_a_single_file_draws_what_its_folder_draws(all_of_them, family):
    for prompt in ("a red cat", "two (blue:1.3) frogs"):
        folder, file = (
            all_of_them.draw(f"{family}-{kind}", prompt=prompt, clip_skip=2)
            for kind in ("folder", "file")
        )
        assert folder.pixel_hash == file.pixel_hash


def test_families_are_told_by_the_files(all_of_them):
    catalogue = all_of_them.models.catalogue
    assert catalogue.refused() == []
    found = {each.name: each for each in catalogue.models()}
    for family in FAMILIES:
        assert {found[f"{family}-{kind}"].family for kind in ("folder", "file")} == {family}
    sides = [found[f"{family}-file"].native[0] for family in FAMILIES]
    assert sides == [512, 768, 1024]
    assert found["sd3"].own_sampler
    assert not found["sd1-file"].own_sampler


def test_pictures_of_all_families_at_once_are_those_that_they_are_alone(all_of_them):
    names = [*(f"{family}-folder" for family in FAMILIES), "sd3", "semilla"]
    recipes = [all_of_them.recipe(name, seed=n, steps=3) for name in names for n in range(2)]
    together = all_of_them.told(*recipes)
    for job, recipe in enumerate(recipes):
        alone = all_of_them.told(recipe)[0]
        assert isinstance(alone, Drawn)
        assert together[job].pixel_hash == alone.pixel_hash
    assert len({each.pixel_hash for each in together.values()}) == len(recipes)


def test_another_architecture_draws_what_its_own_pipeline_draws(all_of_them):
    image = micro.transformer_pipeline()(
        "a red cat", num_inference_steps=4, guidance_scale=4.0, width=32, height=32,
        generator=noise.generator(7),
    ).images[0]  # fmt: skip
    assert all_of_them.draw("sd3").pixel_hash == metadata.pixel_hash(image)


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_another_architecture_of_which_some_parts_are_there_in_half_precision_only(
    tmp_path, precision
):
    """In several files, as a hub has large text encoders."""
    pipeline = micro.transformer_pipeline()
    folder = tmp_path / "models" / "sd3"
    pipeline.save_pretrained(folder, variant=precision, max_shard_size="200KB")
    assert list(folder.glob(f"text_encoder/*.{precision}-00001-of-*.safetensors"))
    for file in (folder / "vae").iterdir():
        file.unlink()
    pipeline.vae.save_pretrained(folder / "vae")
    room = studio(tmp_path / "cache", tmp_path / "models")
    assert isinstance(room.told(room.recipe("sd3", steps=1))[0], Drawn)


def test_another_architecture_gives_way_between_two_calls(all_of_them):
    all_of_them.draw("semilla", width=64, height=64, steps=1)  # it needn't be loaded any more
    engine = Engine(all_of_them.models, {}, 0)
    engine.submit(Submit(1, all_of_them.recipe("sd3", steps=30)))
    events = []
    while sum(isinstance(each, Called) for each in events) < 3:
        events += engine.turn()
    short = all_of_them.recipe("semilla", width=64, height=64, steps=2)
    events += all_of_them.run(Submit(2, short), engine=engine)
    assert [each.job for each in events if isinstance(each, Drawn)] == [2, 1]


def test_another_architecture_is_given_up_between_two_calls(all_of_them):
    """And what it took is free at once."""
    engine = Engine(all_of_them.models, {}, 0)
    recipe = all_of_them.recipe("sd3", steps=50)
    engine.submit(Submit(1, recipe))
    events, taken = [], []
    while not any(isinstance(each, Started) for each in events):
        events += engine.turn()
    network = all_of_them.models.loaded("sd3", recipe.model_hash).pipeline.transformer
    hook = network.register_forward_pre_hook(
        lambda _, __, given: taken.append(weakref.ref(given["encoder_hidden_states"])),
        with_kwargs=True,
    )
    while not taken:
        events += engine.turn()
    hook.remove()
    gc.disable()
    assert [type(each) for each in engine.cancel(1)] == [Cancelled]
    gc.enable()
    assert taken[0]() is None
    assert not engine.busy
    assert isinstance(all_of_them.told(all_of_them.recipe("sd3"))[0], Drawn)


def test_pictures_of_two_pipelines_in_one_are_the_same_alone_and_together(tmp_path):
    """Kandinsky's prior gives way and is counted as its decoder is."""
    micro.combined_pipeline().save_pretrained(tmp_path / "models" / "kandinsky")
    room = studio(tmp_path / "cache", tmp_path / "models")
    usual = {"width": 64, "height": 64, "sampler": "ddpm"}
    recipes = [
        room.recipe("kandinsky", **usual, steps=steps, guidance_scale=scale)
        for steps, scale in ((6, 4.0), (6, 9.0), (3, 4.0), (6, 1.0))
    ]
    alone = [room.told(recipe)[0].pixel_hash for recipe in recipes]
    assert len(set(alone)) == len(alone)
    events = room.run(*(Submit(job, recipe) for job, recipe in enumerate(recipes)))
    together = {each.job: each.pixel_hash for each in events if isinstance(each, Drawn)}
    assert [together[job] for job in range(len(recipes))] == alone
    told = [each for each in events if isinstance(each, Called) and each.job == 0]
    assert [(each.call, each.calls) for each in told] == [(n, 31) for n in range(1, 32)]


def test_what_another_architecture_cannot_read_in_a_prompt_is_told(all_of_them):
    plain = all_of_them.draw("sd3", prompt="a red cat")
    tagged = all_of_them.draw("sd3", prompt="a (red:1.3) cat <lora:ink:0.8>")
    assert tagged.pixel_hash == plain.pixel_hash
    told = {"typed": "a (red:1.3) cat <lora:ink:0.8>", "read": "a red cat"}
    assert tagged.notes == (
        Note(NoteKind.TAG_IGNORED, {"tag": "<lora:ink:0.8>"}),
        Note(NoteKind.PROMPT_TRANSLATED, told),
    )
    named = all_of_them.draw("sd3", prompt="a red cat", negative_prompt="embedding:EasyNegative")
    assert named.notes == (Note(NoteKind.EMBEDDING_MISSING, {"name": "EasyNegative"}),)


@pytest.mark.parametrize(
    ("prompt", "first", "before"),
    [
        ("a red [cat:frog:0.5]", "a red cat", "a red frog"),
        ("a red [cat::0.5]", "a red cat", "a red"),
        ("a red [cat|frog]", "a red cat", "a red cat"),
        ("a red AND cat", "a red cat", "a red cat"),
    ],
)
def test_another_architecture_draws_what_a_schedule_begins_with(all_of_them, prompt, first, before):
    """Recipes from before version 4 had what it ends with."""
    drawn = all_of_them.draw("sd3", prompt=prompt)
    assert drawn.pixel_hash == all_of_them.draw("sd3", prompt=first).pixel_hash
    assert drawn.notes == (Note(NoteKind.PROMPT_TRANSLATED, {"typed": prompt, "read": first}),)
    once = all_of_them.draw("sd3", prompt=prompt, version=3)
    assert once.pixel_hash == all_of_them.draw("sd3", prompt=before).pixel_hash


def test_what_has_no_effect_on_another_architecture_is_told(all_of_them):
    long = all_of_them.draw("sd3", prompt="red " * 77)
    unguided = all_of_them.draw("sd3", negative_prompt="blue", guidance_scale=1.0)
    guided = all_of_them.draw("sd3", negative_prompt="blue")
    facts = {"words": "red red", "limit": "75"}
    assert long.notes == (Note(NoteKind.PROMPT_CUT, facts),)
    assert unguided.notes == (Note(NoteKind.NEGATIVE_WITHOUT_EFFECT),)
    assert guided.notes == ()


def test_another_architecture_counts_its_own_calls_whatever_sampler_is_named(all_of_them):
    recipe = all_of_them.recipe("sd3", sampler="heun", steps=5)
    told = [each for each in all_of_them.run(Submit(1, recipe)) if isinstance(each, Called)]
    assert [(each.call, each.calls) for each in told] == [(n, 5) for n in range(1, 6)]


@pytest.mark.parametrize(("guidance", "calls"), [(4.0, 6), (1.0, 3)])
def test_of_a_pipeline_that_asks_twice_a_step_all_calls_are_counted(tmp_path, guidance, calls):
    micro.lumina_pipeline().save_pretrained(tmp_path / "models" / "lumina")
    room = studio(tmp_path / "cache", tmp_path / "models")
    recipe = room.recipe("lumina", steps=3, guidance_scale=guidance)
    told = [each for each in room.run(Submit(1, recipe)) if isinstance(each, Called)]
    assert [(each.call, each.calls) for each in told] == [(n, calls) for n in range(1, calls + 1)]


def test_a_distilled_model_whose_guidance_is_an_input_is_asked_for_one_row(tmp_path):
    """A latent consistency model (arXiv 2310.04378), as its stock pipeline draws with it."""
    made = micro.pipeline("sd1", seed=3, time_cond_proj_dim=32)
    made.scheduler = LCMScheduler.from_config(made.scheduler.config)
    made.save_pretrained(tmp_path / "models" / "quick")
    pipeline = LatentConsistencyModelPipeline.from_pretrained(
        tmp_path / "models" / "quick", dtype=torch.float32
    )
    pipeline.set_progress_bar_config(disable=True)
    image = pipeline(
        "a red cat", num_inference_steps=4, guidance_scale=6.0, width=32, height=32,
        generator=noise.generator(7),
    ).images[0]  # fmt: skip
    room = studio(tmp_path / "cache", tmp_path / "models")
    model = room.models.catalogue.find("quick")
    assert (model.sampler, model.steps) == ("lcm", 6)
    drawn = room.draw("quick", sampler="lcm", guidance_scale=6.0)
    assert drawn.trace == "1e4"
    assert drawn.pixel_hash == metadata.pixel_hash(image)


def test_a_distilled_single_file_has_the_timesteps_that_it_was_distilled_on(tmp_path):
    """From the noisiest one on, as SDXL-Lightning and SD-Turbo say on their cards."""
    made = micro.pipeline("sd1", seed=6)
    micro.single_file(made, "sd1", tmp_path / "models" / "dream_lightning.safetensors")
    made.scheduler = EulerDiscreteScheduler.from_config(
        made.scheduler.config, timestep_spacing="trailing"
    )
    settings = {"num_inference_steps": 4, "guidance_scale": 1.0, "width": 32, "height": 32}
    image = made("a red cat", **settings, generator=noise.generator(7)).images[0]
    room = studio(tmp_path / "cache", tmp_path / "models")
    model = room.models.catalogue.find("dream_lightning")
    usual = {"steps": model.steps, "sampler": model.sampler, "guidance_scale": model.guidance_scale}
    drawn = room.draw("dream_lightning", **usual)
    assert drawn.pixel_hash == metadata.pixel_hash(image)


@pytest.fixture
def halves(shelf, tmp_path) -> Studio:
    """What a GPU does: networks in half precision."""
    return studio(tmp_path / "cache", shelf / "files", dtype=torch.float16)


def test_half_precision_draws_nearly_the_same(all_of_them, halves):
    exact, half = (each.draw("sd1-file", steps=2) for each in (all_of_them, halves))
    assert half.pixel_hash != exact.pixel_hash
    assert np.abs(pixels(half) - pixels(exact)).mean() < 4


def test_only_the_large_models_own_vae_is_kept_in_full_precision(halves):
    found = {}
    for name in ("sd1-file", "sdxl-file"):
        halves.draw(name, steps=1)
        recipe = halves.recipe(name)
        found[name] = halves.models.loaded(name, recipe.model_hash).vae.dtype
    assert found == {"sd1-file": torch.float16, "sdxl-file": torch.float32}


def test_a_vae_that_overflows_in_half_precision_is_asked_again_and_the_picture_is_not_black(
    shelf, tmp_path
):
    """As SD XL's own does: beyond 65504 half precision has no numbers."""
    made = micro.pipeline("sd1", seed=4)
    with torch.no_grad():
        for half in (made.vae.encoder, made.vae.decoder):
            half.conv_in.weight.mul_(4000)
            half.conv_in.bias.mul_(4000)
    micro.single_file(made, "sd1", tmp_path / "models" / "loud.safetensors")
    exact, half = (
        studio(tmp_path / "cache", tmp_path / "models", dtype=dtype).draw("loud", steps=1)
        for dtype in (torch.float32, torch.float16)
    )
    assert pixels(half).std() > 5
    assert np.abs(pixels(half) - pixels(exact)).mean() < 8


@pytest.fixture
def decoders(shelf, tmp_path) -> Path:
    """VAEs of their own, in both layouts, beside a model."""
    folder = tmp_path / "decoders"
    torch.manual_seed(9)
    other = micro.vae("sd1")
    names = {"plain": other.state_dict(), "original": micro.original_vae(other)}
    for name, weights in names.items():
        (folder / "VAE").mkdir(parents=True, exist_ok=True)
        weights = {each: value.contiguous() for each, value in weights.items()}
        save_file(weights, folder / "VAE" / f"{name}.safetensors")
    (folder / "sd1.safetensors").symlink_to(shelf / "files" / "sd1-file.safetensors")
    return folder


def test_a_picture_is_drawn_with_the_vae_that_it_asks_for(decoders, tmp_path):
    room = studio(tmp_path / "cache", decoders)
    own, plain, original = (room.draw("sd1", vae=vae) for vae in (None, "plain", "original"))
    assert plain.pixel_hash == original.pixel_hash != own.pixel_hash
    assert room.draw("sd1").pixel_hash == own.pixel_hash
    hash = room.recipe("sd1").model_hash
    one, other = (room.models.loaded("sd1", hash, vae) for vae in (None, "plain"))
    assert one.unet is other.unet  # in memory once
    for vae, sha, failure in (
        ("nowhere", None, Failure.MODEL_MISSING),
        ("plain", "0" * 64, Failure.MODEL_CHANGED),
    ):
        ended = room.told(room.recipe("sd1", vae=vae, vae_hash=sha))[0]
        assert isinstance(ended, Failed)
        assert ended.failure is failure


def test_models_stay_in_memory_as_long_as_there_is_room(shelf, tmp_path):
    file = shelf / "files" / "sd1-file.safetensors"
    room = studio(tmp_path / "cache", shelf, budget_bytes=2 * file.stat().st_size + 70_000_000)

    def kept() -> set[str]:
        names = ("sd1-file", "sd3", "semilla")
        hashes = {name: room.recipe(name).model_hash for name in names}
        return {name for name in names if room.models.loaded(name, hashes[name])}

    def draw(name: str) -> None:
        room.draw(name, steps=1, width=64, height=64)

    draw("sd1-file")
    draw("sd3")
    assert kept() == {"sd1-file", "sd3"}
    draw("sd1-file")
    draw("semilla")
    assert kept() == {"sd1-file", "semilla"}
    room.models.free_idle(0)
    assert kept() == set()


def test_a_model_counts_for_what_it_takes_in_memory_not_on_the_disk(tmp_path):
    """A CPU computes in float32 what most files have in half of that."""
    for seed, name in enumerate(("one", "other")):
        made = micro.pipeline("sd1", seed).to(torch.float16)
        file = micro.single_file(made, "sd1", tmp_path / "models" / f"{name}.safetensors")
    room = studio(tmp_path / "cache", tmp_path / "models", budget_bytes=3 * file.stat().st_size)
    hashes = {name: room.recipe(name).model_hash for name in ("one", "other")}
    for name in hashes:
        room.draw(name, steps=1)
    assert [name for name in hashes if room.models.loaded(name, hashes[name])] == ["other"]


def test_a_model_that_finds_no_memory_is_loaded_without_the_others(shelf, tmp_path, monkeypatch):
    """What this machine has, other programs take too."""
    room, read, tries = studio(tmp_path / "cache", shelf), UNet2DConditionModel.load_state_dict, []

    def short_of_memory(*args, **named):
        tries.append(len(tries))
        if len(tries) == 1:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return read(*args, **named)

    room.draw("semilla", steps=1, width=64, height=64)
    hashes = {name: room.recipe(name).model_hash for name in ("sd1-file", "semilla")}
    monkeypatch.setattr(UNet2DConditionModel, "load_state_dict", short_of_memory)
    room.draw("sd1-file", steps=1)
    assert room.models.loaded("semilla", hashes["semilla"]) is None
    assert room.models.loaded("sd1-file", hashes["sd1-file"]) is not None
    assert len(tries) == 2


def test_a_file_that_is_written_over_changes_nothing_that_is_in_memory(tmp_path):
    file = tmp_path / "models" / "one.safetensors"
    one, other = (micro.pipeline("sd1", seed) for seed in (0, 1))
    micro.single_file(one, "sd1", file)
    weights = micro.single_file(other, "sd1", tmp_path / "other.safetensors").read_bytes()
    room = studio(tmp_path / "cache", tmp_path / "models")
    before = room.recipe("one")
    drawn = room.told(before)[0]
    with file.open("r+b") as opened:
        opened.write(weights)
        opened.truncate()
    assert room.told(before)[0].pixel_hash == drawn.pixel_hash
    room.models.catalogue.refresh()
    assert room.draw("one").pixel_hash != drawn.pixel_hash, "the new one is asked for"
    room.models.free_idle(0)
    assert room.told(before)[0].failure is Failure.MODEL_CHANGED
