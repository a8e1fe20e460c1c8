"""What a card makes of the engine, with random weights of the true sizes: Stable Diffusion 1.5 at
512², SD XL at 1024². Nothing is downloaded.

    python -m bench.card speed FAMILY [in flight …]
                                        pictures a second: the stock pipeline one by one, the engine
                                        eagerly and by builds with 1, 4, 8, 16 in flight; how near
                                        that is to what the card can do; what else takes time
    python -m bench.card exact FAMILY [pictures]
                                        whether a row's bits depend on its place, its neighbours or
                                        the time; drawn together, made again in another process
    python -m bench.card switch FAMILY [pictures]
                                        answered eagerly, then by a build, made again
    python -m bench.card loading FAMILY [loads]
                                        the longest gap between two turns of Stable Diffusion 1.5
                                        while such a model is read from its file
    python -m bench.card memory FAMILY  what a model and its calls take, what is given back, and that
                                        pictures come where there is no memory for wide calls

FAMILY: sd1, sdxl. --small: models as small as can be, to see that all of it runs. Without a card it
runs on the processor.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor

from bench import exact as exactness
from bench import loading
from bench.random_models import HASH, RandomModels, random_models
from bench.speed import PAIR, WIDTHS, asked, engine_of, speed
from generator import noise
from generator.batching import calls_of
from generator.drawing import Ask, call, inputs_of
from generator.engine import Engine
from generator.loaded_model import LoadedModel
from generator.memory import peak_of
from generator.messages import Drawn, Failed, Submit
from generator.request import GenerationRequest
from tests import micro_models as micro

IN_FLIGHT = (1, 4, 8, 16)
LONG = 999  # steps that outlast a load
NARROW = 8  # rows that there is memory for
MEGABYTE = 1e6


def exact(family: str, small: bool, pictures: int = 100) -> None:
    with random_models(family, small) as (models, recipe):
        model, _ = models.load(family, HASH)
        asks = [asked(models, replace(recipe, seed=n)) for n in range(max(WIDTHS) // PAIR)]
        for width in WIDTHS:
            _rows(model, asks[: width // PAIR], width)
    exactness.again(pictures, 0, partial(one_model, family, small))


def _rows(model: LoadedModel, asks: list[Ask], width: int) -> None:
    """Whether the rows of the first are the same again, beside others, and in another place."""

    @torch.inference_mode()
    def answer(*asks: Ask) -> Tensor:
        return torch.as_tensor(call(model.unet, inputs_of(model, asks, width))[0])

    first, *others = asks
    alone = answer(first)[:PAIR]
    again = torch.equal(alone, answer(first)[:PAIR])
    beside = torch.equal(alone, answer(*asks)[:PAIR])
    elsewhere = torch.equal(alone, answer(*others, first)[-PAIR:])
    print(
        f"rows of a call of {width}: the same again {again}, beside others {beside},"
        f" in another place {elsewhere}",
        flush=True,
    )


@contextmanager
def one_model(
    family: str, small: bool
) -> Iterator[tuple[RandomModels, Sequence[GenerationRequest]]]:
    """Where bench/exact.py draws."""
    with random_models(family, small) as (models, recipe):
        yield models, [replace(recipe, prompt="")]


def switch(family: str, small: bool, pictures: int = 4) -> None:
    exactness.switch(pictures, partial(one_model, family, small))


def load(family: str, small: bool, loads: int = 3) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shelf = Path(folder)
        with random_models("sd1", small, shelf) as (models, recipe):
            made = models.stock(family)
            file = micro.single_file(made, family, shelf / "other.safetensors")
            del made
            models.catalogue.refresh()
            found = models.catalogue.find("other")
            assert found is not None
            other = replace(recipe, model="other", model_hash=found.hash, steps=1)
            loading.measure(models, replace(recipe, steps=LONG), other, file, loads)


def memory(family: str, small: bool) -> None:
    with random_models(family, small) as (models, recipe):
        device = models.device
        _tell("before", device)
        models.load(family, HASH)
        _tell("with the model", device)
        drawing, widths = engine_of(models, 16, gain=0)
        _draw(drawing, recipe)
        _tell("after 16 pictures", device)
        decoding = _decoding(models, recipe)
        (taken,) = widths.taken.values()
        known = ", ".join(f"{n}: {each / MEGABYTE:.0f}" for n, each in sorted(taken.items()))
        print(f"MB that a call takes, by its rows: {known}; the VAE {decoding / MEGABYTE:.0f}")
        drawing.free_idle(0)
        _tell("freed", device)
        model, _ = models.load(family, HASH)
        _make_scarce(model, int(1.05 * max(decoding, taken.get(NARROW, 0))))
        drawing, widths = engine_of(models, 16, gain=0)
        traces = _draw(drawing, recipe)
        widest = max(width for trace in traces for width, _ in calls_of(trace))
        (limit,) = map(widths.limit, widths.taken)
        print(f"{len(traces)} pictures in calls of up to {widest} rows; memory for {limit} at most")


def _draw(drawing: Engine, recipe: GenerationRequest) -> list[str]:
    """16 pictures; their traces."""
    for n in range(16):
        drawing.submit(Submit(n, replace(recipe, seed=n)))
    traces = []
    while drawing.busy:
        for event in drawing.turn():
            assert not isinstance(event, Failed), event
            traces += [event.trace] if isinstance(event, Drawn) else []
    return traces


def _decoding(models: RandomModels, recipe: GenerationRequest) -> int:
    """Bytes that it takes at most."""
    model = models.loaded(recipe.model, HASH)
    side = recipe.width // model.factor
    latents = noise.draw((1, model.channels, side, side), noise.generator(1))
    peak = peak_of(models.device)
    model.decode(latents)
    return peak() or 0


def _make_scarce(model: LoadedModel, bytes: int) -> None:
    """Beside the model there are so many bytes; without a card wide calls fail for show."""
    if model.device.type == "cuda":
        torch.cuda.empty_cache()
        whole = torch.cuda.get_device_properties(model.device).total_memory
        left = torch.cuda.memory_reserved(model.device) + bytes
        torch.cuda.set_per_process_memory_fraction(left / whole, model.device)
        return

    def full(_module: Any, inputs: tuple[Tensor, ...]) -> None:
        if len(inputs[0]) > NARROW:
            raise torch.OutOfMemoryError("CUDA out of memory")

    model.unet.register_forward_pre_hook(full)


def _tell(when: str, device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
        allocated = torch.cuda.memory_allocated(device)
        reserved = torch.cuda.memory_reserved(device)
        told = f"{allocated / MEGABYTE:.0f} MB allocated, {reserved / MEGABYTE:.0f} MB reserved"
    else:
        told = f"{psutil.Process().memory_info().rss / MEGABYTE:.0f} MB resident"
    print(f"{when}: {told}", flush=True)


def main(*arguments: str) -> None:
    small = "--small" in arguments
    what, family, *numbers = (each for each in arguments if each != "--small")
    benches: dict[str, Callable[..., None]]
    benches = {"exact": exact, "switch": switch, "loading": load, "memory": memory, "speed": speed}
    usual = IN_FLIGHT if what == "speed" else ()
    benches[what](family, small, *(map(int, numbers) if numbers else usual))


if __name__ == "__main__":
    main(*sys.argv[1:])
