"""How fast a card draws: the stock pipeline and the engine, eagerly and by builds, and how near that
comes to what the card can do. Run by bench/card.py."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from bench.engine import Stock
from bench.exact import REPLAYS_ONLY
from bench.random_models import HASH, RandomModels, random_models
from generator import metadata, noise
from generator.batching import COMPILED, GAIN, Widths, calls_of, own_width
from generator.conditioning import condition
from generator.drawing import Ask, call, inputs_of
from generator.engine import WRITERS, Engine
from generator.loaded_model import LoadedModel
from generator.memory import free_bytes
from generator.messages import Drawn, Failed, Submit
from generator.programs import Programs
from generator.request import GenerationRequest
from generator.runs import begin
from generator.serving import same_every_time

# Dense products in half precision, TFLOP/s.
DATA_SHEETS = {"H100 PCIe": 756, "H100": 989, "H200": 989, "A100": 312}
PAIR = 2  # rows of a picture with guidance
WIDTHS = (2, 4, 8, 16, 32)
FEWEST = 4  # pictures that a row is measured by
TERA = 1e12


@dataclass(slots=True)
class Table:
    """Args:
    work: FLOPs of a picture's network calls; peak: FLOP/s; stock: pictures a second.
    """

    work: float
    peak: float
    steps: int
    stock: float = 0.0

    def row(self, name: str, rate: float) -> None:
        self.stock = self.stock or rate
        print(
            f"{name:44} {rate:6.2f} pictures/s {rate * self.steps:7.1f} image-steps/s"
            f" {rate / self.stock:5.2f} times stock {rate * self.work / self.peak:4.0%} of the peak",
            flush=True,
        )


def speed(family: str, small: bool, *in_flight: int) -> None:
    with random_models(family, small) as (models, recipe):
        model, seconds = models.load(family, HASH)
        print(f"{family}: random weights in {seconds:.1f} s", flush=True)
        table = _table(models, recipe, model)
        table.row("stock pipeline, one by one", _stock(models, recipe))
        most = max(in_flight)
        table.row(f"engine, {most} in flight, any bits", _without_equal_bits(models, recipe, most))
        for slots in in_flight:
            engine, _ = engine_of(models, slots)
            rate, calls = steady(engine, recipe, slots)
            table.row(f"engine, {slots} in flight, calls {calls}", rate)
        _pieces(models, recipe, model)
        programs = Programs(after=REPLAYS_ONLY)
        for slots in in_flight:
            engine, width = Engine(models, {}, 0, slots=slots, programs=programs), PAIR * slots
            seconds = _built(engine, recipe, own_width(width))
            rate, calls = steady(engine, recipe, slots, own_width(width))
            built = f"built in {seconds:.0f} s"
            table.row(f"engine, {slots} in flight, calls {calls}, {built}", rate)


def _table(models: RandomModels, recipe: GenerationRequest, model: LoadedModel) -> Table:
    peak, device = _peak(models.device), models.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "a processor"
    known = next((f"{v}" for each, v in DATA_SHEETS.items() if each in name), "unknown")
    row = flops_a_row(model, inputs_of(model, [asked(models, recipe)], PAIR))
    print(
        f"{name}, torch {torch.__version__}: {peak / TERA:.2f} TFLOP/s in a large product"
        f" (data sheet: {known}); a row of a call takes {row / TERA:.4f} TFLOP",
        flush=True,
    )
    return Table(row * PAIR * recipe.steps, peak, recipe.steps)


def _peak(device: torch.device) -> float:
    """FLOP/s of a large product of matrices."""
    side, dtype = (8192, torch.float16) if device.type == "cuda" else (512, torch.float32)
    a, b = (torch.rand(side, side, device=device).to(dtype) - 0.5 for _ in range(2))
    return 2 * side**3 / seconds_of(lambda: a @ b, device, 20)


def flops_a_row(model: LoadedModel, inputs: dict[str, Any]) -> float:
    """Counted without computing, so that attention is counted on every device."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.inference_mode():
        call(type(model.unet).from_config(model.unet.config), _shapes(inputs))
    return float(counter.get_total_flops() / len(inputs["sample"]))


def _shapes(inputs: Any) -> Any:
    if isinstance(inputs, dict):
        return {name: _shapes(each) for name, each in inputs.items()}
    return inputs.to("meta", torch.float32) if isinstance(inputs, Tensor) else inputs


def asked(models: RandomModels, recipe: GenerationRequest) -> Ask:
    """What a picture asks first of a model in memory."""
    model = models.loaded(recipe.model, HASH)
    ask = next(begin(Submit(0, recipe), 0, model, models).drawing)
    assert ask is not None
    return ask


def seconds_of(work: Callable[[], Any], device: torch.device, times: int = 3) -> float:
    """Median, after one that warms up."""
    found = []
    for _ in range(times + 1):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        found.append(time.perf_counter() - started)
    return median(found[1:])


def _stock(models: RandomModels, recipe: GenerationRequest) -> float:
    """Pictures a second of the eager pipeline as torch comes."""
    samplers = models.loaded(recipe.model, HASH).samplers
    stock = Stock(models.stock(recipe.model), samplers)
    with _as_torch_comes():
        return 1 / seconds_of(lambda: stock.draw([recipe]), models.device, FEWEST)


@contextmanager
def _as_torch_comes() -> Iterator[None]:
    """Without the worker's settings for equal bits."""
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.deterministic = False
    yield
    same_every_time()


def _without_equal_bits(models: RandomModels, recipe: GenerationRequest, slots: int) -> float:
    with _as_torch_comes():
        return steady(engine_of(models, slots)[0], recipe, slots)[0]


def engine_of(models: RandomModels, slots: int, gain: float = GAIN) -> tuple[Engine, Widths]:
    """With so many in flight, and what it learns of widths."""
    widths = Widths(gain=gain, free=partial(free_bytes, models.device))
    return Engine(models, {}, 0, slots=slots, widths=widths), widths


def steady(
    engine: Engine, recipe: GenerationRequest, slots: int, built: int | None = None
) -> tuple[float, str]:
    """Pictures a second with so many in flight all the time, and what most of their calls were.

    The first ones don't count: they have fewer steps, so that not all end at once, and widths are
    learnt meanwhile.

    Args:
        built: width of the calls, which a build answers.
    """
    numbers, ended, calls, started = count(), 0, Counter[tuple[int, str]](), 0.0

    def submit(steps: int) -> None:
        trace = f"{built}{COMPILED}{steps}" if built else None
        job = next(numbers)
        engine.submit(Submit(job, replace(recipe, seed=job, steps=steps), trace=trace))

    for n in range(slots):
        submit(max(1, recipe.steps * (n + 1) // slots))
    for _ in range(WRITERS):  # wait for those whose files are being written
        submit(recipe.steps)
    pictures = max(FEWEST, 2 * slots)
    while ended < slots + pictures:
        for event in engine.turn():
            assert not isinstance(event, Failed), event
            if isinstance(event, Drawn):
                submit(recipe.steps)
                ended += 1
                started = time.perf_counter() if ended == slots else started
                calls.update(calls_of(event.trace) if ended > slots else ())
    rate = pictures / (time.perf_counter() - started)
    for job in range(next(numbers)):
        list(engine.cancel(job))
    return rate, "{}{}".format(*calls.most_common(1)[0][0])


def _built(engine: Engine, recipe: GenerationRequest, width: int) -> float:
    """Seconds until a build answers calls of this width."""
    started = time.perf_counter()
    engine.submit(Submit(0, replace(recipe, steps=1), trace=f"{width}{COMPILED}1"))
    while engine.busy:
        list(engine.turn())
    return time.perf_counter() - started


@torch.inference_mode()
def _pieces(models: RandomModels, recipe: GenerationRequest, model: LoadedModel) -> None:
    """What else there is of a picture, and network calls by themselves."""
    ask, device = asked(models, recipe), models.device

    def milliseconds(work: Callable[[], Any]) -> str:
        return f"{seconds_of(work, device) * 1000:.1f}"

    words = milliseconds(lambda: condition(model, recipe, models.catalogue))
    latents = noise.draw(ask.scaled.shape, noise.generator(1))
    decoding = milliseconds(lambda: model.decode(latents))
    torch.backends.cudnn.allow_tf32 = False
    slowly = milliseconds(lambda: model.decode(latents))
    same_every_time()
    image = model.decode(latents)
    assert image is not None
    file = milliseconds(lambda: metadata.write(image, recipe, {}, ""))
    print(f"ms a picture: words {words}, VAE {decoding} ({slowly} without TF32), PNG {file}")
    for layout in (torch.contiguous_format, torch.channels_last):
        model.unet.to(memory_format=layout)
        inputs = [inputs_of(model, [ask], width) for width in WIDTHS]
        found = [milliseconds(lambda each=each: call(model.unet, each)) for each in inputs]  # type: ignore[misc]
        told = str(layout).removeprefix("torch.")
        print(f"ms a call of {WIDTHS} rows, {told}: {', '.join(found)}", flush=True)
