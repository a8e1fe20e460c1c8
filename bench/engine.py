"""The engine beside what others do, under a Poisson load of mixed requests; its cost.

    python -m bench.engine load [pictures] [load] [in flight …]
                                               engine with 1 … 16 in flight, stock pipeline one after
                                               the other, static batches of equal requests; load:
                                               pictures that come in ten times what one takes
    python -m bench.engine cost [pairs]        submit to pixels over the bare pipeline, one picture

One thread; the clock of the load is the processor's time, so that other work changes no ratio.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch
from diffusers import StableDiffusionPipeline

from generator import noise
from generator.catalogue import BUNDLED, Catalogue
from generator.engine import Engine
from generator.messages import Drawn, Failed, Submit
from generator.models import Models
from generator.request import GenerationRequest
from generator.samplers import Samplers

STEPS, SHORT = (10, 20, 50), 10
MIX = ("euler a", "euler", "ddim", "dpm++ 2m", "heun", "plms")
THINGS = ("a red cat", "un perro azul", "two frogs", "a small star", "a house on green")
LOAD = 12  # pictures that come in ten times what the stock pipeline takes for one
BATCH = 8

Work = list[tuple[float, GenerationRequest]]
"""Seconds at which they come, and what is asked for."""
Times = dict[int, float]
"""Seconds from asking to the picture."""


@contextmanager
def models() -> Iterator[tuple[Models, GenerationRequest]]:
    """The shipped model in memory, and a recipe for it."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as cache:
        catalogue = Catalogue([], Path(cache))
        catalogue.refresh()
        found = catalogue.find("semilla")
        assert found is not None
        loaded = Models([], Path(cache), torch.device("cpu"))
        loaded.load("semilla", found.hash)
        yield (
            loaded,
            GenerationRequest(
                model="semilla",
                model_hash=found.hash,
                prompt=THINGS[0],
                width=128,
                height=128,
                steps=20,
                sampler="euler a",
                guidance_scale=4.0,
                seed=7,
            ),
        )


def mixed(recipe: GenerationRequest, pictures: int, seconds: float) -> Work:
    """Pictures that come `seconds` apart on the average."""
    chance, now, work = random.Random(4), 0.0, []
    for seed in range(pictures):
        now += chance.expovariate(1 / seconds)
        changes: dict[str, Any] = {
            "prompt": chance.choice(THINGS),
            "steps": chance.choice(STEPS),
            "sampler": chance.choice(MIX),
            "guidance_scale": chance.choice((1.0, 4.0)),
        }
        work.append((now, replace(recipe, seed=seed, **changes)))
    return work


def with_engine(engine: Engine, work: Work) -> tuple[Times, float]:
    """When each is done, and the processor's seconds for all."""
    now, busy = 0.0, 0.0
    times: Times = {}
    coming = list(enumerate(work))
    while coming or engine.busy:
        if not engine.busy:
            now = max(now, coming[0][1][0])
        while coming and coming[0][1][0] <= now:
            job, (_, request) = coming.pop(0)
            engine.submit(Submit(job, request))
        started = time.process_time()
        events = list(engine.turn())
        took = time.process_time() - started
        now, busy = now + took, busy + took
        assert not any(isinstance(each, Failed) for each in events), events
        times |= {e.job: now - work[e.job][0] for e in events if isinstance(e, Drawn)}
    return times, busy


class Stock:
    """diffusers' own pipeline."""

    def __init__(self, pipeline: Any, samplers: Samplers) -> None:
        self._pipeline, self._samplers = pipeline, samplers
        self._pipeline.set_progress_bar_config(disable=True)

    @classmethod
    def shipped(cls, loaded: Models, recipe: GenerationRequest) -> Stock:
        """For the shipped model."""
        pipeline = StableDiffusionPipeline.from_pretrained(BUNDLED, dtype=torch.float32)
        return cls(pipeline, loaded.loaded("semilla", recipe.model_hash).samplers)

    def draw(self, requests: Sequence[GenerationRequest]) -> None:
        """A batch with the settings of the first."""
        first = requests[0]
        scheduler = self._samplers.make(first.sampler, "automatic", first.steps)
        self._pipeline.scheduler = scheduler
        self._pipeline(
            [each.prompt for each in requests],
            width=first.width,
            height=first.height,
            num_inference_steps=first.steps,
            guidance_scale=first.guidance_scale,
            generator=[noise.generator(each.seed) for each in requests],
        )


def in_batches(stock: Stock, work: Work, most: int) -> tuple[Times, float]:
    """First come, first served; equal requests that wait are drawn with the first."""
    now, busy = 0.0, 0.0
    times: Times = {}
    waiting = list(enumerate(work))
    while waiting:
        now = max(now, waiting[0][1][0])
        first = _settings(waiting[0][1][1])
        equal = [each for each in waiting if each[1][0] <= now and _settings(each[1][1]) == first]
        started = time.process_time()
        stock.draw([request for _, (_, request) in equal[:most]])
        took = time.process_time() - started
        now, busy = now + took, busy + took
        for each in equal[:most]:
            waiting.remove(each)
            times[each[0]] = now - each[1][0]
    return times, busy


def _settings(request: GenerationRequest) -> tuple[int, str, bool]:
    return request.steps, request.sampler, request.guided


def load(pictures: int, coming: int = LOAD, *in_flight: int) -> None:
    with models() as (loaded, recipe):
        stock = Stock.shipped(loaded, recipe)
        started = time.process_time()
        trial = [request for _, request in mixed(recipe, 6, 1.0)]
        for request in trial:
            stock.draw([request])
        one = (time.process_time() - started) / len(trial)
        work = mixed(recipe, pictures, one * 10 / coming)
        rows = [("stock pipeline, one by one", in_batches(stock, work, 1))]
        rows.append((f"static batches of up to {BATCH}", in_batches(stock, work, BATCH)))
        for slots in in_flight or (1, 2, 4, 8, 16):
            engine = Engine(loaded, {}, 0, slots=slots)
            rows.append((f"engine, {slots} in flight", with_engine(engine, work)))
        first = rows[0][1]
        for name, result in rows:
            _print(name, work, result, first)


def _print(name: str, work: Work, result: tuple[Times, float], first: tuple[Times, float]) -> None:
    def short(times: Times) -> tuple[float, float, float]:
        found = [seconds for job, seconds in times.items() if work[job][1].steps == SHORT]
        return median(found), quantiles(found, n=20)[-1], quantiles(times.values(), n=20)[-1]

    speed = first[1] / result[1]
    (half, most, every), (first_half, first_most, first_every) = short(result[0]), short(first[0])
    print(
        f"{name:30} {len(work) / result[1]:5.2f} pictures/s ({speed:.2f})   short ones: median"
        f" {half:6.2f} s ({half / first_half:.2f}), p95 {most:6.2f} s ({most / first_most:.2f})"
        f"   all: p95 {every:6.2f} s ({every / first_every:.2f})",
        flush=True,
    )


def cost(pairs: int) -> None:
    with models() as (loaded, recipe):
        stock, engine = Stock.shipped(loaded, recipe), Engine(loaded, {}, 0)

        def timed(work: Callable[[], object]) -> float:
            started = time.process_time()
            work()
            return time.process_time() - started

        ratios = []
        for _ in range(pairs + 1):
            bare = timed(lambda: stock.draw([recipe]))
            ratios.append(timed(lambda: with_engine(engine, [(0.0, recipe)])) / bare)
    print(f"engine over bare pipeline {median(ratios[1:]):.3f} (median of {pairs} pairs)")


def main(what: str, *numbers: str) -> None:
    bench: Callable[..., None] = {"load": load, "cost": cost}[what]
    bench(*(map(int, numbers) if numbers else (30,)))


if __name__ == "__main__":
    main(*sys.argv[1:])
