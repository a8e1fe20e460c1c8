"""How long the others wait while a model is loaded: the longest turn, over the median one without a
load. The last turn is told by itself: the picture that waited for the model is begun in it.

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
from generator.messages import Failed, Loaded, Submit
from generator.models import Models
from generator.request import GenerationRequest
from tests import micro_models as micro
from tests.micro_models import studio

STEPS = 150


def turns(
    models: Models, drawn: GenerationRequest, other: GenerationRequest | None
) -> tuple[list[float], float]:
    """Seconds of each turn of a long picture, and those that the load of another model took."""
    engine = Engine(models, {}, 0)
    engine.submit(Submit(1, drawn))
    found: list[float] = []
    loaded = 0.0
    while engine.busy:
        if other is not None and len(found) == 10:
            engine.submit(Submit(2, other))
        started = time.perf_counter()
        events = list(engine.turn())
        found.append(time.perf_counter() - started)
        assert not any(isinstance(each, Failed) for each in events), events
        loaded = next((each.seconds for each in events if isinstance(each, Loaded)), loaded)
        if (other is None and len(found) > STEPS) or (loaded and len(found) > 11):
            for job in (1, 2):
                list(engine.cancel(job))
    return found[3:], loaded


def measure(
    models: Models, drawn: GenerationRequest, other: GenerationRequest, file: Path, loads: int
) -> None:
    """Args:
    drawn: longer than a load; other: of the model in `file`, which is loaded meanwhile.
    """
    for _ in range(loads):
        models.load(drawn.model, drawn.model_hash)
        usual = median(turns(models, drawn, None)[0])
        (*during, last), seconds = turns(models, drawn, other)
        models.free_idle(0)
        print(
            f"turn {usual * 1000:.0f} ms; while {file.stat().st_size / 1e6:.0f} MB were loaded "
            f"in {seconds:.1f} s: median {median(during) * 1000:.0f} ms, "
            f"longest {max(during) * 1000:.0f} ms ({max(during) / usual:.1f} turns), "
            f"the last {last * 1000:.0f} ms",
            flush=True,
        )


def main(loads: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made = micro.pipeline("sdxl").to(torch.float16)
        file = micro.single_file(made, "sdxl", root / "models" / "other.safetensors")
        room = studio(root / "cache", root / "models")
        drawn = room.recipe("semilla", width=128, height=128, steps=STEPS)
        measure(room.models, drawn, room.recipe("other", steps=1), file, loads)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
