"""Whether pictures are the same, to the bit, whatever is drawn beside them.

    python -m bench.exact again [pictures] [first]
                                        all kinds of pictures in random company, cancellations and
                                        models that come and go, made again in another process in
                                        other company; other pictures with another first one
    python -m bench.exact switch [pictures]
                                        answered eagerly, then by a build that is made meanwhile,
                                        made again in another process; how long a turn takes

One thread.
"""

from __future__ import annotations

import io
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import torch
from PIL import Image
from safetensors.torch import save_file

from generator.batching import COMPILED, EAGER, PROBES, Widths, calls_of
from generator.engine import Engine
from generator.headers import Kind
from generator.messages import Called, Drawn, Failed, Submit
from generator.models import Models
from generator.programs import Programs
from generator.request import ExtraFile, GenerationRequest, Hires, Variation
from generator.sampler_names import SAMPLERS, SCHEDULES
from tests import micro_models as micro

PROMPTS = (
    "a red cat",
    "un perro azul",
    "two (frogs:1.4) BREAK on [green|pink]",
    "[a small star:a house:0.5]",
    "a house AND a tree :0.6",
)
SIDE = 64  # pixels
SIZES = ((SIDE, SIDE), (SIDE, SIDE), (SIDE, SIDE + 32))
ARRIVING = 0.3  # a turn
CANCELLED = 0.02  # one of the company, a turn
FREED = 0.01  # all models are forgotten, a turn
REPLAYS_ONLY = 1 << 30  # calls after which anything else is built
LORA, WEIGHT = "lines", 0.7

Room = Callable[[], AbstractContextManager[tuple[Models, Sequence[GenerationRequest]]]]
"""Opens where pictures are drawn, in whichever process: models, and recipes to be varied; what their
prompts say is added to each prompt."""


@contextmanager
def small() -> Iterator[tuple[Models, Sequence[GenerationRequest]]]:
    """The shipped model, and of random weights one with a LoRA and one of SD XL's architecture."""
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as folder:
        shelf = Path(folder)
        one = micro.pipeline("sd1")
        one.save_pretrained(shelf / "one")
        micro.pipeline("sdxl").save_pretrained(shelf / "large")
        (shelf / "Lora").mkdir()
        save_file(micro.lora(one, "attn2.to_k", "conv1"), shelf / "Lora" / f"{LORA}.safetensors")
        room = micro.studio(shelf / "cache", shelf)
        catalogue = room.models.catalogue
        lora = catalogue.find_extra(Kind.LORA, LORA)
        assert lora is not None
        extras = (ExtraFile(Kind.LORA, LORA, catalogue.hash_of(lora)),)
        recipes = [room.recipe(name, prompt="") for name in ("semilla", "semilla", "one", "large")]
        lined = replace(recipes[2], prompt=f" <lora:{LORA}:{WEIGHT}>", extras=extras)
        yield room.models, [*recipes, lined]


def together(
    seed: int, orders: Sequence[Submit], room: Room, after: int | None = None
) -> dict[int, tuple[str, str]]:
    """Draws them in random company; job → trace and hash."""
    chance = random.Random(seed)
    with room() as (loaded, recipes):
        programs = Programs(after)
        engine = Engine(loaded, {}, 0, slots=16, widths=Widths(gain=0), programs=programs)
        company = [_order(-n, _any(recipes, n)) for n in range(1, len(orders) // 4)]
        coming = [*orders, *company]
        chance.shuffle(coming)
        found = {}
        while coming or engine.busy:
            if coming and chance.random() < ARRIVING:
                engine.submit(coming.pop())
            if company and chance.random() < CANCELLED:
                list(engine.cancel(chance.choice(company).job))
            if chance.random() < FREED:
                engine.free_idle(0)
            for event in engine.turn() if engine.busy else ():
                assert not isinstance(event, Failed), event
                if isinstance(event, Drawn) and event.job >= 0:
                    found[event.job] = event.trace, event.pixel_hash
    return found


def _any(recipes: Sequence[GenerationRequest], seed: int) -> GenerationRequest:
    chance = random.Random(seed)
    recipe = chance.choice(recipes)
    width, height = chance.choice(SIZES)
    scale = recipe.width // SIDE or 1
    changes: dict[str, Any] = {
        "prompt": chance.choice(PROMPTS) + recipe.prompt,
        "width": width * scale,
        "height": height * scale,
        "steps": chance.randint(1, 8),
        "sampler": chance.choice(SAMPLERS).name,
        "schedule": chance.choice(SCHEDULES),
        "guidance_scale": chance.choice((1.0, 4.0, 7.5)),
        "clip_skip": chance.choice((1, 1, 2)),
        "tiling": chance.random() < 0.15,
    }
    if chance.random() < 0.2:
        changes["variations"] = (Variation(seed + 1, 0.2),)
    if chance.random() < 0.25:
        changes |= {"initial_image": "drawing", "strength": chance.choice((0.4, 0.8))}
        changes["masked"] = chance.random() < 0.5
    elif chance.random() < 0.2:
        changes["hires"] = Hires(width * scale // 2, height * scale // 2, 3, 0.6)
    return replace(recipe, seed=seed, **changes)


def _order(job: int, request: GenerationRequest, trace: str | None = None) -> Submit:
    return Submit(job, request, _drawing() if request.initial_image else None, trace)


@cache
def _drawing() -> bytes:
    """A picture to begin with."""
    image = Image.new("RGBA", (SIDE, SIDE), (250, 220, 60, 255))
    image.paste((30, 60, 200, 0), (16, 16, 48, 48))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def again(pictures: int, first_one: int = 0, room: Room = small) -> None:
    with room() as (_, recipes):
        requests = [_any(recipes, first_one + n) for n in range(pictures)]
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as process:
        orders = [_order(n, request) for n, request in enumerate(requests)]
        first = process.submit(together, 1, orders, room).result()
        remade = [_order(n, request, first[n][0]) for n, request in enumerate(requests)]
        second = process.submit(together, 2, remade, room).result()
    different = [n for n in range(pictures) if first[n] != second[n]]
    for n in different:
        print(f"{requests[n]}: {first[n]} {second[n]}")
    mixed_widths = sum("," in trace for trace, _ in first.values())
    print(
        f"{pictures - len(different)} of {pictures} identical; {mixed_widths} had calls of several"
        f" widths; {_kinds(requests)}"
    )


def _kinds(requests: Sequence[GenerationRequest]) -> str:
    told: Counter[str] = Counter()
    for each in requests:
        told[each.model] += 1
        known = {"LoRA": each.extras, "from a picture": each.initial_image, "mask": each.masked}
        known |= {"hires": each.hires, "tiling": each.tiling, "variation": each.variations}
        told.update(name for name, has in known.items() if has)
    return ", ".join(f"{name} {count}" for name, count in told.most_common())


def while_built(
    pictures: int, room: Room
) -> tuple[dict[int, tuple[str, str]], list[tuple[str, float]]]:
    """Draws until so many were answered by a build; job → trace and hash, and turns' seconds."""
    found: dict[int, tuple[str, str]] = {}
    turns: list[tuple[str, float]] = []
    with room() as (loaded, (recipe, *_)):
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
    """One that a build can answer."""
    chance = random.Random(seed)
    prompt, sampler = chance.choice(PROMPTS[:2]), chance.choice(SAMPLERS).name
    return replace(recipe, seed=seed, prompt=prompt, sampler=sampler, steps=40)


def switch(pictures: int, room: Room = small) -> None:
    with room() as (_, (recipe, *_others)):
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
    known: dict[str, tuple[Callable[..., None], int]] = {
        "again": (again, 200),
        "switch": (switch, 10),
    }
    bench, usual = known[what]
    bench(*(map(int, numbers) if numbers else (usual,)))


if __name__ == "__main__":
    main(*sys.argv[1:])
