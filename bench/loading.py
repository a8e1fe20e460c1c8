"""How long the others wait while a model is loaded: the longest gap between two turns, over the
median turn without a load.

python -m bench.loading [loads]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from generator.engine import Engine
from generator.messages import Loaded, Submit
from tests import micro_models as micro
from tests.micro_models import Studio, studio

STEPS = 150


def turns(room: Studio, other: str | None) -> tuple[list[float], float]:
    """Seconds of each turn of a long picture, and those that the load of another model took."""
    engine = Engine(room.models, {}, 0)
    drawn = room.recipe("semilla", width=128, height=128, steps=STEPS)
    engine.submit(Submit(1, drawn))
    found, loaded = [], 0.0
    while engine.busy:
        if other is not None and len(found) == 10:
            engine.submit(Submit(2, room.recipe(other, steps=1)))
        started = time.perf_counter()
        events = list(engine.turn())
        found.append(time.perf_counter() - started)
        loaded = next((each.seconds for each in events if isinstance(each, Loaded)), loaded)
        if other is not None and loaded and len(found) > 11:
            engine.cancel(2)
            list(engine.cancel(1))
            break
    return found[3:], loaded


def main(loads: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made = micro.pipeline("sdxl").to(torch.float16)
        file = micro.single_file(made, "sdxl", root / "models" / "other.safetensors")
        room = studio(root / "cache", root / "models")
        room.draw("semilla", width=128, height=128)
        for _ in range(loads):
            usual = median(turns(room, None)[0])
            during, seconds = turns(room, "other")
            room.models.free_idle(0)
            room.draw("semilla", width=128, height=128, steps=1)
            print(
                f"turn {usual * 1000:.0f} ms; while {file.stat().st_size / 1e6:.0f} MB were loaded "
                f"in {seconds:.1f} s: median {median(during) * 1000:.0f} ms, "
                f"longest {max(during) * 1000:.0f} ms ({max(during) / usual:.1f} turns)"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
