"""Compiled builds of a network: who answers which call, and that a picture can be made again."""

from __future__ import annotations

import logging
import threading
import time
import weakref

import pytest
import torch
import torch.fx

from generator.engine import Engine
from generator.messages import Drawn, Submit
from generator.programs import Programs
from tests import micro_models as micro
from tests.micro_models import Studio, studio

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Studio:
    folder = tmp_path_factory.mktemp("models")
    one = {"block_out_channels": (32,), "down_block_types": ("DownBlock2D",)}
    made = micro.pipeline("sd1", **one, up_block_types=("UpBlock2D",))
    micro.single_file(made, "sd1", folder / "micro.safetensors")
    return studio(tmp_path_factory.mktemp("cache"), folder)


def draw(room: Studio, programs: Programs, *orders: Submit) -> dict[int, Drawn]:
    events = room.run(*orders, engine=Engine(room.models, {}, 0, programs=programs))
    return {each.job: each for each in events if isinstance(each, Drawn)}


def test_a_picture_goes_over_to_the_build_and_is_made_again_with_the_same_pixels(room):
    recipe, programs = room.recipe("micro", steps=9), Programs(after=2)
    engine, events = Engine(room.models, {}, 0, programs=programs), []
    engine.submit(Submit(1, recipe))
    while engine.busy:
        events += engine.turn()
        while programs.building:
            time.sleep(0.01)
    (first,) = (each for each in events if isinstance(each, Drawn))
    assert first.trace == "2e2,2c7", "eagerly until it is built"
    torch._dynamo.reset()
    orders = [Submit(n, room.recipe("micro", seed=n, steps=9)) for n in (2, 3)]
    orders.append(Submit(1, recipe, trace=first.trace))
    made = draw(room, Programs(after=999), *orders)[1]
    assert (made.pixel_hash, made.trace) == (first.pixel_hash, first.trace)


def test_a_picture_is_drawn_while_a_network_is_being_compiled(room):
    """Tracing, which is a part of it, must not touch calls of other threads."""
    begun, drawn = threading.Event(), threading.Event()

    def traced(x):
        begun.set()
        drawn.wait(timeout=60)
        return x + 1

    thread = threading.Thread(target=torch.fx.symbolic_trace, args=(traced,))
    thread.start()
    begun.wait(timeout=60)
    made = draw(room, Programs(), Submit(1, room.recipe("micro", steps=2)))
    drawn.set()
    thread.join()
    assert made[1].trace == "2e2"


def test_a_compiled_network_is_let_go_with_its_model(room):
    """Builds are in circles: on a card its weights would stay where another model has no room."""
    recipe = room.recipe("micro", steps=1)
    engine = Engine(room.models, {}, 0, programs=Programs(after=999))
    events = room.run(Submit(1, recipe, trace="2c1"), engine=engine)
    assert [each.trace for each in events if isinstance(each, Drawn)] == ["2c1"]
    weights = weakref.ref(room.models.loaded("micro", recipe.model_hash).unet.conv_in.weight)
    engine.free_idle(0)
    assert weights() is None


def test_builds_are_compiled_as_deterministic_as_the_worker_is_the_first_one_too(room, monkeypatch):
    """Else a picture that the first build answered has other pixels when it is made again."""
    modes = []

    def compiled(network, **_):
        modes.append(torch._inductor.config.deterministic)
        return network

    monkeypatch.setattr(torch, "compile", compiled)
    torch.use_deterministic_algorithms(True)
    try:
        draw(room, Programs(after=999), Submit(1, room.recipe("micro", steps=1), trace="2c1"))
    finally:
        torch.use_deterministic_algorithms(False)
    assert modes == [True]


def failing(monkeypatch, error: Exception) -> list[object]:
    """Builds answer once, to their compiler, and fail when they are used. Returns those begun."""
    begun = []

    def compiled(network, **_):
        begun.append(None)
        calls = []

        def build(*inputs, **named):
            calls.append(None)
            if len(calls) > 1:
                raise error
            return network(*inputs, **named)

        return build

    monkeypatch.setattr(torch, "compile", compiled)
    return begun


def test_a_build_that_fails_when_it_is_used_does_not_keep_its_model(room, monkeypatch):
    # What is logged is kept by pytest, with the error's calls.
    monkeypatch.setattr(logging.getLogger("generator.programs"), "disabled", True)
    failing(monkeypatch, RuntimeError("an illegal instruction"))
    recipe = room.recipe("micro", steps=3)
    engine = Engine(room.models, {}, 0, programs=Programs(after=999))
    events = room.run(Submit(1, recipe, trace="2c3"), engine=engine)
    assert [each.trace for each in events if isinstance(each, Drawn)] == ["2e3"]
    weights = weakref.ref(room.models.loaded("micro", recipe.model_hash).unet.conv_in.weight)
    del events
    engine.free_idle(0)
    assert weights() is None


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("an illegal instruction"), False),
    ],
)
def test_a_build_that_found_no_memory_has_another_try(room, monkeypatch, error, again):
    begun, programs = failing(monkeypatch, error), Programs(after=20)
    for seed in range(4):
        picture = draw(room, programs, Submit(1, room.recipe("micro", steps=30, seed=seed)))[1]
        assert picture.trace == "2e30"
        while programs.building:
            time.sleep(0.01)
    assert (len(begun) > 1) == again


def test_what_was_compiled_is_drawn_eagerly_where_nothing_is_compiled(room):
    made = draw(room, Programs(), Submit(1, room.recipe("micro", steps=3), trace="2c2,2e1"))[1]
    assert made.trace == "2e3"
