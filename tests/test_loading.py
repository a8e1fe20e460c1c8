"""Models that come into memory and go: while others draw, and as many as there is room for."""

from __future__ import annotations

import gc
import shutil
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel

from generator import memory
from generator.catalogue import BUNDLED
from generator.engine import Engine
from generator.memory import weight_bytes
from generator.messages import (
    Called,
    Cancelled,
    Drawn,
    Failed,
    Failure,
    Kept,
    Loaded,
    Loading,
    Started,
    Submit,
)
from tests import micro_models as micro
from tests.micro_models import Studio, studio

SMALL = {"width": 64, "height": 64, "steps": 2}


def put(folder: Path, *names: str) -> None:
    """The model that ships, under other names."""
    for name in names:
        shutil.copytree(BUNDLED, folder / name)
        (folder / name / "semilla.toml").unlink()


@pytest.fixture
def shelf(tmp_path) -> Path:
    put(tmp_path / "models", "one", "other", "third")
    return tmp_path / "models"


@pytest.fixture
def room(shelf, tmp_path) -> Studio:
    return studio(tmp_path / "cache", shelf)


def test_what_became_of_a_load_that_nobody_waits_for_is_nobodys_later(room, shelf):
    order = Submit(1, room.recipe("one", **SMALL))
    shutil.move(shelf / "one", shelf.parent)
    engine = Engine(room.models, {}, 0)
    engine.submit(order)
    events = [*engine.turn(), *engine.cancel(1), *room.run(engine=engine)]
    assert [type(each) for each in events if isinstance(each, Drawn | Failed | Cancelled)] == [
        Cancelled
    ]
    shutil.move(shelf.parent / "one", shelf)
    assert any(isinstance(each, Drawn) for each in room.run(order, engine=engine))


def test_who_comes_while_a_load_fails_has_a_try_of_their_own(room, monkeypatch):
    recipe, read = room.recipe("one", **SMALL), type(room.models)._read
    reading, came, tries = threading.Event(), threading.Event(), []

    def torn_once(*given):
        tries.append(given)
        if len(tries) > 1:
            return read(*given)
        reading.set()
        assert came.wait(60)
        raise OSError("a file that is still being copied")

    monkeypatch.setattr(type(room.models), "_read", torn_once)
    engine = Engine(room.models, {}, 0)
    engine.submit(Submit(1, recipe))
    events = [*engine.turn()]
    assert reading.wait(60)
    engine.submit(Submit(2, recipe))
    came.set()
    events += room.run(engine=engine)
    assert [each.failure for each in events if isinstance(each, Failed)] == [Failure.MODEL_BROKEN]
    assert [each.job for each in events if isinstance(each, Drawn)] == [2]


@pytest.fixture
def in_memory() -> Callable[[], int]:
    """How many networks there are of those that came since."""

    def networks() -> int:
        gc.collect()
        return sum(type(each) is UNet2DConditionModel for each in gc.get_objects())

    before = networks()
    return lambda: networks() - before


@pytest.fixture
def narrow(shelf, tmp_path) -> Studio:
    """With room for one model."""
    budget = int(1.2 * weight_bytes(shelf / "one", torch.float32))
    return studio(tmp_path / "cache", shelf, budget_bytes=budget)


def test_pictures_in_flight_count_for_the_room_that_there_is(narrow, in_memory):
    names = ("one", "other", "third") * 2
    engine = Engine(narrow.models, {}, 0)
    for job, name in enumerate(names):
        engine.submit(Submit(job, narrow.recipe(name, **SMALL | {"steps": 9})))
    events, most = [], 0
    while engine.busy:
        new = [*engine.turn()]
        events += new
        if any(isinstance(each, Started | Loaded) for each in new):
            most = max(most, in_memory())
    assert most == 1
    assert sorted(each.job for each in events if isinstance(each, Drawn)) == list(range(6))


def test_who_waits_for_room_is_not_overtaken_for_ever_by_those_whose_model_is_there(narrow):
    engine = Engine(narrow.models, {}, 0)
    orders = [
        Submit(job, narrow.recipe(name, **SMALL | {"steps": 9}))
        for job, name in enumerate(("one", "other", *["one"] * 3))
    ]
    engine.submit(orders[0])
    events = []
    while not any(isinstance(each, Started) for each in events):
        events += engine.turn()
    engine.submit(orders[1])
    for _ in range(3):
        events += engine.turn()
    events += narrow.run(*orders[2:], engine=engine)
    assert [each.job for each in events if isinstance(each, Started)][:2] == [0, 1]
    assert {each.job for each in events if isinstance(each, Drawn)} == set(range(5))


def test_what_a_picture_draws_with_is_not_loaded_a_second_time_beside_it(room, in_memory):
    engine = Engine(room.models, {}, 0)
    events = []
    for job in (1, 2):
        engine.submit(Submit(job, room.recipe("one", **SMALL | {"steps": 9})))
        while sum(isinstance(each, Started) for each in events) < job:
            events += engine.turn()
        engine.free_idle(0)
    assert in_memory() == 1
    events += room.run(engine=engine)
    assert sum(isinstance(each, Loading) for each in events) == 1
    engine.free_idle(0)
    assert in_memory() == 0


def test_what_is_not_read_of_a_model_does_not_count_for_the_room(shelf, tmp_path):
    """Weights that a hub's folder has in another precision, too, or for other programs; and the
    averaged ones that a file keeps for whoever goes on training."""
    folder = shelf / "one"
    needed = weight_bytes(folder, torch.float32)
    weights = next((folder / "unet").glob("*.safetensors"))
    for variant in ("fp16", "non_ema"):
        shutil.copy(weights, weights.with_name(f"{weights.stem}.{variant}.safetensors"))
    shutil.copy(weights, folder / "whole.safetensors")
    shutil.copytree(folder / "vae", folder / "vae_1_0")
    assert weight_bytes(folder, torch.float32) == needed
    weights.unlink()
    assert weight_bytes(folder, torch.float32) == needed
    file, own = tmp_path / "trained.safetensors", {"model.diffusion_model.a": torch.ones(3)}
    save_file({**own, "model_ema.a": torch.ones(3)}, file)
    assert weight_bytes(file, torch.float16) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux's")
def test_in_a_container_models_keep_to_what_it_may_take(shelf, tmp_path, monkeypatch):
    needed = weight_bytes(shelf / "one", torch.float32)
    (tmp_path / "memory.max").write_text(str(int(1.2 * needed / memory.USED)))
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    room = studio(tmp_path / "cache", shelf)
    for name in ("one", "other"):
        room.draw(name, **SMALL)
    assert room.models.kept == ("other",)


def test_it_tells_which_models_are_in_memory_together(room):
    engine = Engine(room.models, {}, 0)
    orders = (Submit(job, room.recipe(name, **SMALL)) for job, name in enumerate(("one", "other")))
    told = [each for each in room.run(*orders, engine=engine) if isinstance(each, Kept)]
    assert told[-1] == Kept(("one", "other"))
    assert engine.free_idle(0) == Kept(())


@pytest.mark.parametrize("part", ["network", "decoder", "encoder", "words"])
def test_without_memory_for_a_picture_the_models_that_nobody_draws_with_make_room(room, part):
    first = room.draw("one", **SMALL)
    recipe = room.recipe("one", **SMALL, initial_image="ab" * 32, strength=0.5)
    (quiet,) = room.told(recipe, initial_image=first.png).values()
    model = room.models.loaded("one", recipe.model_hash)
    asked = {"network": model.unet, "decoder": model.vae.decoder, "encoder": model.vae.encoder}
    hook = (asked | {"words": model.encoder})[part].register_forward_pre_hook(
        lambda *_: full() if "other" in room.models.kept else None
    )

    def full() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    room.told(room.recipe("other", **SMALL))
    assert room.models.kept == ("one", "other")
    (drawn,) = room.told(recipe, initial_image=first.png).values()
    hook.remove()
    assert isinstance(drawn, Drawn), drawn
    assert (drawn.pixel_hash, drawn.notes) == (quiet.pixel_hash, ()), "and not in tiles"
    assert room.models.kept == ("one",)


@pytest.fixture
def without_searches() -> Iterator[None]:
    """Nothing in a circle goes by itself."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("part", ["words", "network", "decoder", "upscaler"])
def test_without_memory_a_pipeline_of_its_own_and_an_upscaler_begin_once_more(
    room, shelf, without_searches, part
):
    """Without the models that nobody draws with, without what the first try took, and once."""
    (shelf / "ESRGAN").mkdir()
    torch.save(micro.upscaler(), shelf / "ESRGAN" / "large.pth")
    micro.transformer_pipeline().save_pretrained(shelf / "sd3")
    room.models.catalogue.refresh()
    png = room.draw("one", width=32, height=32, steps=1).png
    recipe = room.recipe("sd3", steps=2)
    if part == "upscaler":
        recipe = room.recipe(
            "one", width=128, height=128, initial_image="ab" * 32, upscaler="large"
        )
    order = Submit(1, recipe, png)
    quiet = room.run(order)
    if part == "upscaler":
        asked = room.models.upscaler(shelf / "ESRGAN" / "large.pth").network.conv_last
    else:
        pipeline = room.models.loaded("sd3", recipe.model_hash).pipeline
        asked = {"words": pipeline.text_encoder, "network": pipeline.transformer}
        asked = (asked | {"decoder": pipeline.vae.decoder})[part]
    taken: list[weakref.ref[torch.Tensor]] = []

    def full(*_: object) -> None:
        assert not any(each() is not None for each in taken)
        if kind is Failed or "other" in room.models.kept:
            latents = torch.ones(4)
            taken.append(weakref.ref(latents))
            raise torch.OutOfMemoryError("CUDA out of memory")

    hook = asked.register_forward_pre_hook(full)
    for kind in (Failed, Drawn):
        room.told(room.recipe("other", **SMALL))
        assert "other" in room.models.kept
        events = room.run(order)
        assert isinstance(events[-1], kind), events
        assert "other" not in room.models.kept
    assert len(taken) == 3
    hook.remove()
    assert events[-1].pixel_hash == quiet[-1].pixel_hash
    once, calls = ([e.call for e in each if isinstance(e, Called)] for each in (quiet, events))
    assert calls[-len(once) :] == once


def test_with_a_vae_of_its_own_a_model_takes_no_more_than_that_vae(tmp_path, in_memory):
    made = micro.pipeline("sd1")
    made.save_pretrained(tmp_path / "models" / "sd1")
    (tmp_path / "models" / "VAE").mkdir()
    torch.manual_seed(9)
    file = tmp_path / "models" / "VAE" / "soft.safetensors"
    save_file(micro.vae("sd1").state_dict(), file)
    needed = [weight_bytes(each, torch.float32) for each in (tmp_path / "models" / "sd1", file)]
    room = studio(tmp_path / "cache", tmp_path / "models", budget_bytes=sum(needed))
    engine = Engine(room.models, {}, 0)
    loads = []
    for job, vae in enumerate(("soft", None, "soft", None)):
        events = room.run(Submit(job, room.recipe("sd1", vae=vae, steps=1)), engine=engine)
        loads.append(sum(isinstance(each, Loading) for each in events))
        assert any(isinstance(each, Drawn) for each in events)
    assert loads == [1, 0, 0, 0]
    assert in_memory() == 2  # and the one that it was saved from


@pytest.mark.parametrize(
    ("kind", "way"), [(UNet2DConditionModel, "from_config"), (CLIPTextModel, "__init__")]
)
def test_while_a_model_is_built_in_half_precision_pictures_are_those_that_they_always_are(
    room, shelf, tmp_path, monkeypatch, kind, way
):
    """Libraries build a network with half precision as everybody's usual one."""
    recipe = room.recipe("one", **SMALL, prompt="a (red:1.3) cat")
    quiet = room.told(recipe)[0]
    building, drawn = threading.Event(), threading.Event()
    stock = getattr(kind, way)

    def slow(*given, **named):
        building.set()
        assert drawn.wait(60)
        return stock(*given[way == "from_config" :], **named)

    monkeypatch.setattr(kind, way, classmethod(slow) if way == "from_config" else slow)
    halves = studio(tmp_path / "halves", shelf, dtype=torch.float16)
    loader = threading.Thread(target=halves.told, args=[halves.recipe("other", **SMALL)])
    loader.start()
    assert building.wait(60)
    meanwhile = room.told(recipe)[0]
    drawn.set()
    loader.join()
    assert meanwhile.pixel_hash == quiet.pixel_hash


def test_a_model_whose_building_fails_leaves_the_others_pictures_as_they_are(
    room, shelf, tmp_path, monkeypatch
):
    recipe = room.recipe("one", **SMALL, prompt="a (red:1.3) cat")
    quiet = room.told(recipe)[0]

    def broken(*_given, **_named):
        raise TypeError("a setting that nobody knows")

    monkeypatch.setattr(UNet2DConditionModel, "from_config", broken)
    halves = studio(tmp_path / "halves", shelf, dtype=torch.float16)
    assert halves.told(halves.recipe("other", **SMALL))[0].failure is Failure.MODEL_BROKEN
    monkeypatch.undo()
    assert room.told(recipe)[0].pixel_hash == quiet.pixel_hash
