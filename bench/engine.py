"""The engine beside what others do, under a Poisson load of mixed requests; its cost; its exactness.

    python -m bench.engine load [pictures] [load] [in flight …]
                                               engine with 1 … 16 in flight, stock pipeline one after
                                               the other, static batches of equal requests; load:
                                               pictures that come in ten times what one takes
    python -m bench.engine cost [pairs]        submit to pixels over the bare pipeline, one picture
    python -m bench.engine exact [pictures] [first]
                                               drawn together, made again in another process; other
                                               pictures with another first one
    python -m bench.engine switch [pictures]   answered eagerly, then by a build that is made meanwhile,
                                               made again in another process; how long a turn takes

One thread; the clock of the load is the processor's time, so that other work changes no ratio.
"""

from __future__ import annotations

import io
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from generator import noise
from generator.batching import COMPILED, EAGER, PROBES, Widths, calls_of
from generator.catalogue import BUNDLED, Catalogue
from generator.engine import Engine
from generator.messages import Called, Drawn, Failed, Submit
from generator.models import Models
from generator.programs import Programs
from generator.request import GenerationRequest
from generator.sampler_names import SAMPLERS, SCHEDULES
from generator.samplers import Samplers

STEPS, SHORT = (10, 20, 50), 10
MIX = ("euler a", "euler", "ddim", "dpm++ 2m", "heun", "plms")
THINGS = ("a red cat", "un perro azul", "two frogs", "a small star", "a house on green")
LOAD = 12  # pictures that come in ten times what the stock pipeline takes for one
BATCH = 8
ARRIVING = 0.3  # a turn
REPLAYS_ONLY = 1 << 30  # calls after which anything else is built
REDRAWN = 0.25  # of the pictures begin with another one

Work = list[tuple[float, GenerationRequest]]
"""Seconds at which they come, and what is asked for."""
Times = dict[int, float]
"""Seconds from asking to the picture."""
Room = Callable[[], AbstractContextManager[tuple[Models, GenerationRequest]]]
"""Opens where pictures are drawn, in whichever process: models, and a recipe for one of them."""


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


@contextmanager
def small() -> Iterator[tuple[Models, GenerationRequest]]:
    """The same with a recipe for small pictures."""
    with models() as (loaded, recipe):
        yield loaded, replace(recipe, width=64, height=64)


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


def together(
    seed: int, orders: Sequence[Submit], room: Room, after: int | None = None
) -> dict[int, tuple[str, str]]:
    """Draws them in random company; job → trace and hash."""
    chance = random.Random(seed)
    with room() as (loaded, recipe):
        programs = Programs(after)
        engine = Engine(loaded, {}, 0, slots=16, widths=Widths(gain=0), programs=programs)
        coming = [*orders]
        coming += [_order(-n, _any(recipe, n)) for n in range(1, len(coming) // 4)]
        chance.shuffle(coming)
        found = {}
        while coming or engine.busy:
            if coming and chance.random() < ARRIVING:
                engine.submit(coming.pop())
            for event in engine.turn() if engine.busy else ():
                assert not isinstance(event, Failed), event
                if isinstance(event, Drawn) and event.job >= 0:
                    found[event.job] = event.trace, event.pixel_hash
    return found


def _any(recipe: GenerationRequest, seed: int) -> GenerationRequest:
    chance = random.Random(seed)
    changes: dict[str, Any] = {
        "prompt": chance.choice(THINGS),
        "steps": chance.randint(1, 8),
        "sampler": chance.choice(SAMPLERS).name,
        "schedule": chance.choice(SCHEDULES),
        "guidance_scale": chance.choice((1.0, 4.0, 7.5)),
    }
    if chance.random() < REDRAWN:
        changes |= {"initial_image": "drawing", "strength": chance.choice((0.4, 0.8))}
    return replace(recipe, seed=seed, **changes)


def _order(job: int, request: GenerationRequest, trace: str | None = None) -> Submit:
    return Submit(job, request, _drawing() if request.initial_image else None, trace)


@cache
def _drawing() -> bytes:
    """A picture to begin with."""
    image = Image.new("RGB", (64, 64), (250, 220, 60))
    image.paste((30, 60, 200), (16, 16, 48, 48))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def exact(pictures: int, first_one: int = 0, room: Room = small) -> None:
    with room() as (_, recipe):
        requests = [_any(recipe, first_one + n) for n in range(pictures)]
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as process:
        orders = [_order(n, request) for n, request in enumerate(requests)]
        first = process.submit(together, 1, orders, room).result()
        again = [_order(n, request, first[n][0]) for n, request in enumerate(requests)]
        second = process.submit(together, 2, again, room).result()
    same = sum(first[n] == second[n] for n in range(pictures))
    mixed_widths = sum("," in first[n][0] for n in range(pictures))
    print(f"{same} of {pictures} identical; {mixed_widths} had calls of several widths")


def while_built(
    pictures: int, room: Room
) -> tuple[dict[int, tuple[str, str]], list[tuple[str, float]]]:
    """Draws until so many were answered by a build; job → trace and hash, and turns' seconds."""
    found: dict[int, tuple[str, str]] = {}
    turns: list[tuple[str, float]] = []
    with room() as (loaded, recipe):
        engine = Engine(loaded, {}, 0, widths=Widths(widest=2), programs=Programs(after=2 * PROBES))
        while sum(COMPILED in trace for trace, _ in found.values()) < pictures:
            job, took = len(found), []
            engine.submit(_order(job, _long(recipe, job)))
            while engine.busy:
                started = time.perf_counter()
                for event in engine.turn():
                    if isinstance(event, Called):
                        took.append(time.perf_counter() - started)
                    elif isinstance(event, Drawn):
                        found[job] = event.trace, event.pixel_hash
            programs = (program for _, program in calls_of(found[job][0]))
            turns += zip(programs, took, strict=True)
    return found, turns


def _long(recipe: GenerationRequest, seed: int) -> GenerationRequest:
    return replace(_any(recipe, seed), steps=40, guidance_scale=4.0, initial_image=None)


def switch(pictures: int, room: Room = small) -> None:
    with room() as (_, recipe):
        pass
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as process:
        first, turns = process.submit(while_built, pictures, room).result()
        again = [_order(n, _long(recipe, n), trace) for n, (trace, _) in first.items()]
        second = process.submit(together, 2, again, room, REPLAYS_ONLY).result()
    both = sum(EAGER in trace and COMPILED in trace for trace, _ in first.values())
    same = sum(first[n] == second[n] for n in first)
    print(f"{same} of {len(first)} identical; {both} were answered by both programs")
    alone, building = turns[PROBES : 2 * PROBES], turns[2 * PROBES :]
    usual = median(seconds for _, seconds in alone)
    eager = [seconds for program, seconds in building if program == EAGER]
    built = [seconds for program, seconds in building if program == COMPILED]
    print(
        f"turn {usual * 1000:.0f} ms; while it is built median {median(eager) * 1000:.0f} ms,"
        f" longest {max(eager) * 1000:.0f} ms; by the build {median(built) * 1000:.0f} ms"
    )


def main(what: str, *numbers: str) -> None:
    known: dict[str, tuple[Callable[..., None], int]]
    known = {"load": (load, 30), "cost": (cost, 30), "exact": (exact, 200), "switch": (switch, 10)}
    bench, usual = known[what]
    bench(*(map(int, numbers) if numbers else (usual,)))


if __name__ == "__main__":
    main(*sys.argv[1:])
