"""LoRAs as pictures show them: a model of the true architecture, its files, the engine."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from generator import loras
from generator.batching import Widths
from generator.engine import Engine
from generator.messages import Drawn, Failed, Failure, Note, NoteKind, Submit
from tests import micro_models as micro
from tests.micro_models import Studio, studio

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    """A model, and a LoRA of its attention and its convolutions."""
    root = tmp_path_factory.mktemp("shelf")
    made = micro.pipeline("sd1")
    made.save_pretrained(root / "one")
    micro.pipeline("sd1", seed=1).save_pretrained(root / "other")
    (root / "Lora").mkdir()
    save_file(micro.lora(made, "attn2.to_k", "conv1"), root / "Lora" / "lines.safetensors")
    return root


@pytest.fixture
def room(shelf, tmp_path) -> Studio:
    return studio(tmp_path, shelf)


def test_a_tiled_picture_with_a_lora_is_the_same_whatever_was_drawn_before(room, shelf, tmp_path):
    lined = {"prompt": "a cat <lora:lines:1>", "tiling": True}
    fresh = room.draw("one", **lined)
    other = studio(tmp_path / "other", shelf)
    other.draw("one", prompt="a cat", tiling=True)
    assert other.draw("one", **lined).pixel_hash == fresh.pixel_hash


def test_a_lora_that_is_first_used_while_another_model_loads_is_as_it_always_is(
    room, shelf, tmp_path, monkeypatch
):
    """diffusers builds a network without weights, which goes for its own thread only."""
    lined = {"prompt": "a cat <lora:lines:1>"}
    quiet = studio(tmp_path / "quiet", shelf).draw("one", **lined)
    room.draw("one", prompt="a cat")
    building, drawn = threading.Event(), threading.Event()
    stock = UNet2DConditionModel.from_config.__func__

    def slow(kind, *given, **named):
        building.set()
        assert drawn.wait(60)
        return stock(kind, *given, **named)

    monkeypatch.setattr(UNet2DConditionModel, "from_config", classmethod(slow))
    engine = Engine(room.models, {}, 0)
    engine.submit(Submit(1, room.recipe("other")))
    events = [*engine.turn()]
    assert building.wait(60)
    engine.submit(Submit(2, room.recipe("one", **lined)))
    while not any(isinstance(each, Drawn | Failed) for each in events):
        events += engine.turn()
    drawn.set()
    events += room.run(engine=engine)
    first, second = (each for each in events if isinstance(each, Drawn))
    assert (first.job, second.job) == (2, 1)
    assert first.pixel_hash == quiet.pixel_hash


def test_a_lora_that_is_named_twice_weighs_as_much_as_both(room):
    """Recipes from before that was mended have the larger weight twice."""

    def drawn(tags: str, **more) -> str:
        return room.draw("one", prompt=f"a cat {tags}", **more).pixel_hash

    twice = "<lora:lines:0.5> <lora:lines:0.25>"
    assert drawn(twice) == drawn("<lora:lines:0.75>") != drawn("<lora:lines:0.5>")
    assert drawn(twice, version=2) not in (drawn(twice), drawn("<lora:lines:0.5>"))
    for version in (2, 3):
        assert drawn("<lora:lines:0.5>", version=version) == drawn("<lora:lines:0.5>")


def test_a_lora_of_the_text_encoder_needs_no_alphas(shelf, tmp_path):
    """Diffusers' own training writes none. Recipes from before version 7 are drawn without it."""
    (tmp_path / "models").mkdir()
    layer = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer"
    text = {f"{layer}.down.weight": torch.ones(4, 768), f"{layer}.up.weight": torch.ones(768, 4)}
    lines = load_file(shelf / "Lora" / "lines.safetensors")
    save_file({**lines, **text}, tmp_path / "models" / "both.safetensors")
    room = studio(tmp_path / "cache", shelf, tmp_path / "models")
    both, lines_alone, once, without = (
        room.draw("one", prompt=f"a cat{tag}", version=version)
        for tag, version in (
            *((" <lora:both:1>", 7), (" <lora:lines:1>", 7)),
            *((" <lora:both:1>", 6), (" ", 6)),
        )
    )
    assert not both.notes
    assert both.pixel_hash not in (lines_alone.pixel_hash, without.pixel_hash)
    assert once.pixel_hash == without.pixel_hash
    assert [each.kind for each in once.notes] == [NoteKind.LORA_UNFIT]


def test_of_a_lora_whose_text_part_does_not_fit_nothing_stays(shelf, tmp_path):
    """The network has taken its part by then, and has no other LoRA."""
    (tmp_path / "models").mkdir()
    layer = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer"
    text = {f"{layer}.down.weight": torch.ones(4, 99), f"{layer}.up.weight": torch.ones(77, 4)}
    lines = load_file(shelf / "Lora" / "lines.safetensors")
    save_file({**lines, **text}, tmp_path / "models" / "misfit.safetensors")
    room = studio(tmp_path / "cache", shelf, tmp_path / "models")
    drawn = room.draw("one", prompt="a cat <lora:misfit:1>")
    assert [each.kind for each in drawn.notes] == [NoteKind.LORA_UNFIT]
    assert drawn.pixel_hash == room.draw("one", prompt="a cat ").pixel_hash


def test_a_lora_by_its_alias_is_drawn_with_and_once_was_not(shelf, tmp_path):
    """Recipes from before version 4 are drawn as they were, and say that it isn't there."""
    (tmp_path / "named").mkdir()
    weights = load_file(shelf / "Lora" / "lines.safetensors")
    save_file(weights, tmp_path / "named" / "x.safetensors", {"ss_output_name": "inks"})
    room = studio(tmp_path / "cache", shelf, tmp_path / "named")
    now, by_name, once, without = (
        room.draw("one", prompt=f"a cat{tag}", version=version)
        for tag, version in (
            *((" <lora:inks:1>", 4), (" <lora:x:1>", 4)),
            *((" <lora:inks:1>", 3), ("", 4)),
        )
    )
    assert now.pixel_hash == by_name.pixel_hash != without.pixel_hash
    assert once.pixel_hash == without.pixel_hash
    assert once.notes == (Note(NoteKind.LORA_MISSING, {"name": "inks"}),)


def test_how_fast_calls_are_is_learnt_once_for_all_weights_of_a_lora(room):
    """Else each would be measured anew, and what is known would grow with all that is typed."""
    widths = Widths()
    for number in range(5):
        recipe = room.recipe("one", prompt=f"a cat <lora:lines:{0.1 * number:g}>")
        room.run(Submit(number, recipe), engine=Engine(room.models, {}, 0, widths=widths))
    assert len(widths.taken) == 1


def test_of_two_loras_with_one_name_each_model_has_its_own(shelf, tmp_path):
    """As people keep them: a folder for each family, and the same names inside."""
    models = tmp_path / "models"
    for family, folder in (("sdxl", "a"), ("sd1", "b")):
        made = micro.pipeline(family)
        made.save_pretrained(models / family)
        (models / "Lora" / folder).mkdir(parents=True)
        file = models / "Lora" / folder / "detail.safetensors"
        save_file(micro.lora(made, "attn2.to_k"), file)
    room = studio(tmp_path / "cache", models)
    for family in ("sd1", "sdxl"):
        plain = room.draw(family, prompt="a cat")
        detailed = room.draw(family, prompt="a cat <lora:detail:1>")
        assert detailed.notes == ()
        assert detailed.pixel_hash != plain.pixel_hash


def test_a_lora_that_finds_no_memory_is_not_called_unfit(room, monkeypatch):
    """And nothing of it stays, so that it is there the next time."""
    lined = room.recipe("one", prompt="a cat <lora:lines:1>")
    with monkeypatch.context() as short:

        def full(*_):
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

        short.setattr(loras, "load_file", full)
        failed = room.told(lined)[0]
    assert isinstance(failed, Failed)
    assert failed.failure is Failure.OUT_OF_MEMORY
    drawn = room.told(lined)[0]
    assert drawn.notes == ()
    assert drawn.pixel_hash != room.draw("one", prompt="a cat").pixel_hash
