"""Pictures that are drawn together: exactly the same ones as alone, and nobody pays for another."""

from __future__ import annotations

import io
import shutil
import sys
import threading
from dataclasses import dataclass, field

import numpy as np
import psutil
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from PIL import Image
from safetensors.torch import save_file

from generator import memory
from generator.batching import Widths, calls_of
from generator.catalogue import BUNDLED, Catalogue
from generator.engine import Engine
from generator.memory import free_bytes, peak_of
from generator.messages import (
    Called,
    Cancelled,
    Drawn,
    Event,
    Failed,
    Failure,
    Note,
    NoteKind,
    Started,
    Submit,
)
from generator.models import Models
from generator.request import GenerationRequest, Variation
from generator.sampler_names import SAMPLERS, SCHEDULES
from tests.test_conditioning import WIDTH, kohya, model_of, text_encoder

TURNS = 5000
MEGABYTE = 10**6
PROMPTS = (
    *("a red cat", "two frogs", "una manzana azul", "a [cat:dog:0.5]", "a cat AND a dog"),
    "a [red|blue] cat",
)


def drawing() -> bytes:
    image = Image.new("RGB", (64, 64), (250, 220, 60))
    image.paste((30, 60, 200), (16, 16, 48, 48))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


DRAWING = drawing()


@dataclass
class Studio:
    """The engine without its process; turns are counted, so that arrivals can be told in them."""

    models: Models
    hash: str
    widths: Widths = field(default_factory=lambda: Widths(gain=0))
    model: str = "semilla"

    def recipe(self, **changes) -> GenerationRequest:
        values = {"prompt": "a red cat", "width": 64, "height": 64, "steps": 4, "seed": 7}
        values |= {"sampler": "euler a", "guidance_scale": 4.0}
        return GenerationRequest(model=self.model, model_hash=self.hash, **(values | changes))

    def order(self, job: int, trace: str | None = None, **changes) -> Submit:
        recipe = self.recipe(**changes)
        return Submit(job, recipe, DRAWING if recipe.initial_image else None, trace)

    def engine(self, **settings) -> Engine:
        return Engine(self.models, {}, 0, **({"widths": self.widths} | settings))

    def run(self, orders, cancels=(), engine=None) -> list[Event]:
        """What happens.

        Args:
            orders: (turn, Submit) each.
            cancels: (turn, job) each.
        """
        engine = engine or self.engine()
        orders, cancels, events = list(orders), list(cancels), []
        for turn in range(TURNS):
            for order in [each for each in orders if each[0] <= turn]:
                orders.remove(order)
                engine.submit(order[1])
            for each in [each for each in cancels if each[0] <= turn]:
                cancels.remove(each)
                events += engine.cancel(each[1])
            if engine.busy:
                events += engine.turn()
            elif not orders:
                return events
        raise AssertionError("it never ends")

    def draw(self, *recipes: GenerationRequest, **settings) -> list[Drawn]:
        """All ordered at once, in their order."""
        orders = [(0, Submit(n, recipe)) for n, recipe in enumerate(recipes)]
        found = drawn(self.run(orders, engine=self.engine(**settings)))
        return [found[n] for n in range(len(recipes))]


def widest(picture: Drawn) -> int:
    return max(width for width, _ in calls_of(picture.trace))


def drawn(events: list[Event]) -> dict[int, Drawn]:
    return {each.job: each for each in events if isinstance(each, Drawn)}


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Studio:
    cache = tmp_path_factory.mktemp("cache")
    catalogue = Catalogue([], cache)
    catalogue.refresh()
    torch.set_num_threads(1)
    models, hash = Models([], cache, torch.device("cpu")), catalogue.find("semilla").hash
    models.load("semilla", hash)
    return Studio(models, hash)


@some.composite
def recipes(draw) -> dict:
    found = {
        "prompt": draw(some.sampled_from(PROMPTS)),
        "negative_prompt": draw(some.sampled_from(["", "blue"])),
        "sampler": draw(some.sampled_from([each.name for each in SAMPLERS])),
        "schedule": draw(some.sampled_from(SCHEDULES)),
        "steps": draw(some.integers(1, 6)),
        "guidance_scale": draw(some.sampled_from([1.0, 4.0, 7.5])),
        "seed": draw(some.integers(0, 99)),
        "variations": draw(some.sampled_from([(), (Variation(5, 0.2),)])),
        "width": draw(some.sampled_from([64, 64, 64, 72])),
    }
    strength = draw(some.sampled_from([None, None, 0.0, 0.4, 0.8]))
    if strength is not None:
        found |= {"initial_image": "ab" * 32, "strength": strength}
    return found


mixtures = some.lists(some.tuples(some.integers(0, 20), recipes()), min_size=2, max_size=7)
cancellations = some.lists(some.tuples(some.integers(1, 40), some.integers(0, 6)), max_size=2)


@settings(
    max_examples=4,  # bench.exact makes a thousand
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(mixture=mixtures, cancels=cancellations, others=mixtures)
def test_a_picture_is_the_same_alone_and_in_any_company(studio, mixture, cancels, others):
    made_again_alone_and_in_company(studio, mixture, cancels, others)


def test_with_two_threads_too(studio):
    """How many there are changes the bits, and nobody's company does."""
    mixture = [(0, {"seed": n, "steps": 2, "sampler": "ddim"}) for n in range(2)]
    torch.set_num_threads(2)
    try:
        made_again_alone_and_in_company(studio, mixture, [], [(0, {"seed": 8, "steps": 2})])
    finally:
        torch.set_num_threads(1)


def made_again_alone_and_in_company(studio, mixture, cancels, others) -> None:
    orders = [(turn, studio.order(n, **each)) for n, (turn, each) in enumerate(mixture)]
    first = drawn(studio.run(orders, cancels))
    cancelled = {job for _, job in cancels}
    assert {n for n, _ in enumerate(mixture)} - cancelled <= set(first)
    again = [studio.order(job, picture.trace, **mixture[job][1]) for job, picture in first.items()]
    for order in again:
        alone = drawn(studio.run([(0, order)]))[order.job]
        assert (alone.pixel_hash, alone.trace) == (
            first[order.job].pixel_hash,
            first[order.job].trace,
        )
    company = [(turn, studio.order(100 + n, **each)) for n, (turn, each) in enumerate(others)]
    together = drawn(studio.run([*company, *((order.job % 3, order) for order in again)]))
    assert {job: together[job].pixel_hash for job in first} == {
        job: picture.pixel_hash for job, picture in first.items()
    }


def test_a_picture_from_a_picture_may_share_its_calls_with_any_other(studio):
    """What the VAE encodes has another layout in memory, which changes the bits of a call."""
    redrawn = {"initial_image": "ab" * 32, "strength": 0.8, "negative_prompt": "blue"}
    made = [{**redrawn, "seed": n, "sampler": "ddim"} for n in range(3)]
    others = [{"seed": n, "steps": 9} for n in (3, 4)]
    orders = [studio.order(n, **each) for n, each in enumerate([*others, *made])]
    together = drawn(studio.run([(0, order) for order in orders]))
    assert widest(together[2]) > 2
    for job, changes in enumerate(made, len(others)):
        again = studio.order(job, together[job].trace, **changes)
        alone = drawn(studio.run([(0, again)]))[job]
        assert alone.pixel_hash == together[job].pixel_hash


def test_pictures_share_calls_and_every_width_is_in_the_trace(studio):
    studio.draw(*[studio.recipe(seed=n, steps=9) for n in range(4)])  # until widths are known
    together = studio.draw(*[studio.recipe(seed=n, steps=9) for n in range(4)])
    assert {widest(each) for each in together} == {8}
    assert all(len(calls_of(each.trace)) == 9 for each in together)


def test_a_schedule_type_that_a_sampler_cannot_follow_is_told(studio):
    ddim, euler = studio.draw(
        *[studio.recipe(schedule="karras", sampler=name) for name in ("ddim", "euler a")]
    )
    facts = {"schedule": "karras", "sampler": "DDIM"}
    assert ddim.notes == (Note(NoteKind.SCHEDULE_WITHOUT_EFFECT, facts),)
    assert euler.notes == ()
    own, _ = studio.draw(studio.recipe(sampler="ddim"), studio.recipe(sampler="euler a"))
    assert ddim.pixel_hash == own.pixel_hash


def test_a_clip_skip_deeper_than_the_text_encoder_is_the_deepest_that_it_has(studio):
    deepest, deeper = studio.draw(*[studio.recipe(clip_skip=n) for n in (4, 12)])
    assert deeper.pixel_hash == deepest.pixel_hash != studio.draw(studio.recipe())[0].pixel_hash
    facts = {"typed": "clip_skip:12", "read": "clip_skip:4"}
    assert (deepest.notes, deeper.notes) == ((), (Note(NoteKind.PROMPT_TRANSLATED, facts),))


def test_no_turn_encodes_more_of_a_prompt_than_a_step_of_it_needs(studio):
    """All the texts of 150 steps at once took seconds, in which everybody stood still."""
    model, calls = studio.models.loaded("semilla", studio.hash), []
    hook = model.encoder.register_forward_hook(lambda *_: calls.append(1))

    def most_in_a_turn(words: str) -> int:
        engine, most, events = studio.engine(), 0, []
        prompt = words + "very detailed forest, " * 40
        engine.submit(studio.order(1, prompt=prompt, steps=12, width=32, height=32))
        while engine.busy:
            calls.clear()
            events += engine.turn()
            most = max(most, len(calls))
        assert list(drawn(events)) == [1]
        return most

    plain = most_in_a_turn("red cat five")
    alternating = most_in_a_turn("[red|blue] [cat|dog|frog] [one|two|three|four|five]")
    hook.remove()
    assert alternating <= plain + 1


def test_words_that_do_not_fit_in_a_later_step_are_told_with_the_picture(studio):
    (picture,) = studio.draw(studio.recipe(prompt=f"[a cat:{'red ' * 1300}:0.5]"))
    assert [note.kind for note in picture.notes] == [NoteKind.PROMPT_CUT]


def test_without_guidance_a_picture_is_one_row(studio):
    (picture,) = studio.draw(studio.recipe(guidance_scale=1.0))
    assert picture.trace == "1e4"


def test_a_short_picture_overtakes_a_long_one(studio):
    orders = [(0, Submit(1, studio.recipe(steps=40))), (8, Submit(2, studio.recipe(steps=4)))]
    events = studio.run(orders, engine=studio.engine(widths=Widths(widest=2)))
    assert [each.job for each in events if isinstance(each, Drawn)] == [2, 1]


def test_a_short_picture_overtakes_where_every_slot_is_taken_by_long_ones(studio):
    long = [(0, Submit(n, studio.recipe(steps=12))) for n in range(3)]
    short = [(8, Submit(9, studio.recipe(steps=2))), (8, Submit(8, studio.recipe(steps=13)))]
    events = studio.run([*long, *short], engine=studio.engine(slots=2, widths=Widths(widest=2)))
    told = [each for each in events if isinstance(each, Started | Called)]
    begun = [each.job for each in told if isinstance(each, Started)]
    ended = [each.job for each in told if isinstance(each, Called) and each.call == each.calls]
    assert (begun, ended) == ([0, 1, 9, 2, 8], [9, 0, 1, 2, 8])


def test_a_picture_alone_in_a_busy_engine_is_never_answered_out_of_turn(studio):
    """Calls are counted one by one up to what was announced, whoever is beside it."""
    names = ["plms", "heun", "dpm2 a", "euler", "unipc"]
    orders = [(n, Submit(n, studio.recipe(sampler=name))) for n, name in enumerate(names)]
    events = studio.run(orders)
    announced = {each.job: each.calls for each in events if isinstance(each, Started)}
    for job, calls in announced.items():
        told = [each.call for each in events if isinstance(each, Called) and each.job == job]
        assert told == list(range(1, calls + 1))
    assert announced == {0: 5, 1: 7, 2: 7, 3: 4, 4: 4}


@pytest.fixture
def network(studio):
    """The bundled model's network; what is done to it is undone."""
    model = studio.models.loaded("semilla", studio.hash)
    hooks = []
    yield lambda hook: hooks.append(model.unet.register_forward_hook(hook))
    for hook in hooks:
        hook.remove()


def test_lost_numbers_fail_their_own_picture_only(studio, network):
    calm = studio.recipe(seed=1), studio.recipe(seed=3)
    wild = studio.recipe(seed=2, guidance_scale=1e38, prompt="a blue dog")
    orders = [(0, Submit(n, each)) for n, each in enumerate([calm[0], wild, calm[1]])]
    events = studio.run(orders)
    failed = [each for each in events if isinstance(each, Failed)]
    assert [(each.job, each.failure) for each in failed] == [(1, Failure.NOT_A_NUMBER)]
    assert set(drawn(events)) == {0, 2}


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("GET was unable to find an engine to execute this computation"),
    ],
)
def test_without_memory_for_a_wide_call_all_are_drawn_in_narrower_ones(studio, network, error):
    def full(_module, inputs, _output):
        if len(inputs[0]) > 2:
            raise error

    network(full)
    pictures = studio.draw(
        *[studio.recipe(seed=n, steps=9) for n in range(3)], widths=Widths(gain=0)
    )
    assert {picture.trace for picture in pictures} == {"2e9"}


@pytest.mark.skipif(sys.platform != "linux", reason="nobody else counts them")
def test_no_call_is_wider_than_the_memory_that_is_free(studio, network):
    def hungry(_module, inputs, _output):
        torch.ones(len(inputs[0]) * 50 * MEGABYTE, dtype=torch.uint8)

    network(hungry)
    recipes = [studio.recipe(seed=n, steps=9) for n in range(3)]
    for free, most in ((10**6 * MEGABYTE, 8), (200 * MEGABYTE, 2)):
        pictures = studio.draw(*recipes, widths=Widths(gain=0, free=lambda free=free: free))
        assert max(widest(each) for each in pictures) == most


@pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux's")
def test_files_that_a_containers_kernel_keeps_leave_room_for_a_replay(
    studio, network, tmp_path, monkeypatch
):
    """They count as used until memory is wanted: it seems full soon after the models were read."""

    def hungry(_module, _inputs, _output):
        torch.ones(50 * MEGABYTE)

    network(hungry)
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    (tmp_path / "memory.max").write_text(str(1000 * MEGABYTE))
    (tmp_path / "memory.current").write_text(str(990 * MEGABYTE))
    widths = Widths(gain=0, free=lambda: free_bytes(torch.device("cpu")))
    drawn_again = []
    for kept in (800, 5):
        stat = f"anon {1000 - kept}\ninactive_file {kept * MEGABYTE}\nactive_file 7\n"
        (tmp_path / "memory.stat").write_text(stat)
        replay = Submit(1, studio.recipe(), trace="8e4")
        events = studio.run([(0, replay)], engine=studio.engine(widths=widths))
        drawn_again.append(drawn(events)[1].trace)
    assert drawn_again[0] == "8e4"
    assert drawn_again[1] != "8e4"


@pytest.mark.skipif(sys.platform != "linux", reason="nobody else counts them")
def test_what_is_taken_meanwhile_is_measured():
    torch.ones(2_000_000)  # bytes that were freed again do not count
    peak = peak_of(torch.device("cpu"))
    torch.ones(25_000_000)
    taken = peak()
    assert 90 * MEGABYTE < taken < 150 * MEGABYTE
    assert 0 < free_bytes(torch.device("cpu")) <= psutil.virtual_memory().total


def test_a_picture_that_finds_no_memory_at_all_fails_alone(studio, network):
    def full(_module, inputs, _output):
        if inputs[0].shape[-1] > 8:
            raise MemoryError

    network(full)
    orders = [(0, Submit(1, studio.recipe(width=72))), (0, Submit(2, studio.recipe()))]
    events = studio.run(orders)
    assert [(e.job, e.failure) for e in events if isinstance(e, Failed)] == [
        (1, Failure.OUT_OF_MEMORY)
    ]
    assert set(drawn(events)) == {2}


@pytest.mark.parametrize(
    ("tiling", "width", "height", "room"),
    [(False, 256, 128, 16), (True, 256, 128, 16), (False, 128, 128, 8), (False, 64, 128, 8)],
)
def test_without_memory_for_the_whole_of_a_picture_it_is_decoded_in_tiles(
    studio, tiling, width, height, room
):
    """But for one whose edges are to fit each other: those of tiles would."""
    model = studio.models.loaded("semilla", studio.hash)
    recipe = studio.recipe(width=width, height=height, tiling=tiling)
    (whole,) = studio.draw(recipe)

    def full(_module, inputs):
        if max(inputs[0].shape[-2:]) > room:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    hook = model.vae.decoder.register_forward_pre_hook(full)
    events = studio.run([(0, Submit(1, recipe))])
    hook.remove()
    if tiling:
        assert [e.failure for e in events if isinstance(e, Failed)] == [Failure.OUT_OF_MEMORY]
    else:
        in_tiles = drawn(events)[1]
        assert in_tiles.notes == (Note(NoteKind.DECODED_IN_TILES),)
        one, other = (
            np.asarray(Image.open(io.BytesIO(each.png)), int) for each in (whole, in_tiles)
        )
        assert 0 < np.abs(one - other).mean() < 12
    assert studio.draw(recipe)[0].pixel_hash == whole.pixel_hash


@pytest.mark.parametrize("side", [128, 192])
def test_without_memory_for_the_whole_of_an_initial_image_it_is_encoded_in_tiles(studio, side):
    model = studio.models.loaded("semilla", studio.hash)
    recipe = studio.recipe(width=side, height=side, initial_image="ab" * 32, strength=0.0)

    def full(_module, inputs):
        if inputs[0].shape[-1] >= side:
            raise torch.OutOfMemoryError("CUDA out of memory")

    (whole,) = drawn(studio.run([(0, Submit(1, recipe, DRAWING))])).values()
    hook = model.vae.encoder.register_forward_pre_hook(full)
    (in_tiles,) = drawn(studio.run([(0, Submit(1, recipe, DRAWING))])).values()
    hook.remove()
    assert Note(NoteKind.DECODED_IN_TILES) in in_tiles.notes
    one, other = (np.asarray(Image.open(io.BytesIO(each.png)), int) for each in (whole, in_tiles))
    assert 0 < np.abs(one - other).mean() < 12


def test_without_memory_for_a_model_it_is_not_called_broken(studio, tmp_path, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    models = Models([], tmp_path, torch.device("cpu"))
    monkeypatch.setattr(models, "_read", full)
    events = studio.run([(0, studio.order(1))], engine=Engine(models, {}, 0))
    assert [e.failure for e in events if isinstance(e, Failed)] == [Failure.OUT_OF_MEMORY]


@pytest.mark.parametrize("lost", [True, False])
def test_with_a_lost_card_the_worker_ends_and_with_another_fault_of_it_the_picture(
    studio, network, monkeypatch, lost
):
    def faulty(_module, inputs, _output):
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    def synchronize():
        if lost:
            faulty(None, None, None)

    network(faulty)
    monkeypatch.setattr(torch.accelerator, "synchronize", synchronize)
    if lost:
        with pytest.raises(torch.AcceleratorError):
            studio.run([(0, studio.order(1))])
    else:
        events = studio.run([(0, studio.order(1))])
        assert [e.failure for e in events if isinstance(e, Failed)] == [Failure.FAULT]


def test_with_a_card_that_is_lost_while_a_model_loads_the_worker_ends_too(
    studio, tmp_path, monkeypatch
):
    """Its jobs are drawn by the next one; failed, they would be gone."""

    def lost(*_):
        raise torch.AcceleratorError("CUDA error: unspecified launch failure")

    models = Models([], tmp_path, torch.device("cpu"))
    monkeypatch.setattr(models, "_read", lost)
    monkeypatch.setattr(torch.accelerator, "synchronize", lost)
    with pytest.raises(torch.AcceleratorError):
        studio.run([(0, studio.order(1))], engine=Engine(models, {}, 0))


def test_while_a_picture_is_written_and_checked_the_others_are_drawn(studio):
    other = threading.Event()

    def patient(png):
        return other.wait(60)

    engine = studio.engine(exposed=patient)
    for n in (1, 2):
        engine.submit(studio.order(n, steps=2, initial_image="ab" * 32, strength=1.0))
    events = []
    while sum(isinstance(each, Called) and each.call == 2 for each in events) < 2:
        events += engine.turn()
    assert not drawn(events)
    events += engine.cancel(2)
    other.set()
    while engine.busy:
        events += engine.turn()
    assert list(drawn(events)) == [1]
    assert drawn(events)[1].exposed


def test_what_is_wrong_with_one_picture_is_found_and_fails_alone(studio, network):
    """It goes wrong for all that share its call; tried one by one, the others are drawn."""
    culprit = studio.recipe(seed=1, steps=9, prompt="a blue dog", sampler="ddim")
    theirs = []

    def faulty(_module, inputs, _output):
        first = theirs[0] if theirs else None
        if first is not None and any(torch.equal(row, first) for row in inputs[0]):
            raise ValueError("no")

    def remember(_module, inputs, _output):
        theirs.append(inputs[0][0].clone())

    model = studio.models.loaded("semilla", studio.hash)
    hook = model.unet.register_forward_hook(remember)
    studio.draw(culprit)
    hook.remove()
    network(faulty)
    others = [(0, Submit(n, studio.recipe(seed=n, steps=9))) for n in (2, 3)]
    events = studio.run([(0, Submit(1, culprit)), *others])
    assert [(e.job, e.failure) for e in events if isinstance(e, Failed)] == [(1, Failure.FAULT)]
    assert set(drawn(events)) == {2, 3}


def test_a_cancelled_picture_leaves_the_others_as_they_are(studio):
    plain = studio.draw(studio.recipe(seed=5), studio.recipe(seed=6), widths=Widths(widest=2))
    orders = [(0, Submit(n, studio.recipe(seed=5 + n))) for n in range(3)]
    engine = studio.engine(widths=Widths(widest=2))
    events = studio.run(orders, [(4, 2)], engine=engine)
    assert [each.job for each in events if isinstance(each, Cancelled)] == [2]
    assert [drawn(events)[n].pixel_hash for n in range(2)] == [each.pixel_hash for each in plain]


def test_a_replay_costs_others_nothing_but_its_width(studio):
    """Those that are drawn meanwhile ride in its padding."""
    replay = Submit(0, studio.recipe(steps=6), trace="8e6")
    company = [(0, Submit(n, studio.recipe(seed=n, steps=6))) for n in range(1, 4)]
    events = studio.run([(0, replay), *company], engine=studio.engine(widths=Widths(widest=2)))
    assert drawn(events)[0].trace == "8e6"
    assert any(widest(drawn(events)[n]) == 8 for n in range(1, 4))


@pytest.fixture(scope="module")
def inked(tmp_path_factory) -> Studio:
    """A model of Stable Diffusion 1's kind, as small as can be, and a LoRA for it."""
    folder, cache = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("cache")
    torch.manual_seed(1)
    torch.set_num_threads(1)
    made = model_of("sd1", (text_encoder(WIDTH),), WIDTH)
    for part, name in ((made.unet, "unet"), (made.vae, "vae"), (made.encoder, "text_encoder")):
        part.save_pretrained(folder / "micro" / name)
    made.tokenizer.save_pretrained(folder / "micro" / "tokenizer")
    shutil.copytree(BUNDLED / "scheduler", folder / "micro" / "scheduler")
    shutil.copy(BUNDLED / "model_index.json", folder / "micro")
    (folder / "Lora").mkdir()
    save_file(kohya(made), folder / "Lora" / "ink.safetensors")
    catalogue = Catalogue([folder], cache)
    catalogue.refresh()
    models, hash = Models([folder], cache, torch.device("cpu")), catalogue.find("micro").hash
    models.load("micro", hash)
    return Studio(models, hash, model="micro")


def test_pictures_with_loras_and_without_are_the_same_in_any_company(inked):
    prompts = ("a cat", "a [cat|dog|frog] <lora:ink:1>", "a dog <lora:ink:1>")
    prompts += ("a dog <lora:ink:0.3>", "a [dog:cat:0.5]")
    small = {"width": 8, "height": 8, "steps": 5}
    mixture = [
        (n % 3, {**small, "prompt": prompts[n % len(prompts)], "seed": n}) for n in range(10)
    ]
    orders = [(turn, inked.order(n, **each)) for n, (turn, each) in enumerate(mixture)]
    together = drawn(inked.run(orders)).values()
    assert not any(each.notes for each in together)
    assert max(widest(each) for each in together) > 2
    plain, with_ink = inked.draw(
        *[inked.recipe(**small, prompt=prompt) for prompt in ("a cat", "a cat <lora:ink:1>")]
    )
    assert plain.pixel_hash != with_ink.pixel_hash
    made_again_alone_and_in_company(inked, mixture, [], mixture[3:7])
