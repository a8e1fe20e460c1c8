"""Trains the model and writes its folder; started again, it goes on where it was stopped.

python -m generator.training [--help]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# Before the libraries are there, and for the processes that are started.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads would slow others down
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

from generator.catalogue import BUNDLED
from generator.training.concepts import CONCEPTS
from generator.training.loop import Stopped
from generator.training.scenes import SCENES
from generator.training.stages import Settings, default_device, run

WORK = Path(".training")
PROCESSES = min(os.cpu_count() or 1, 2)


def parse(arguments: list[str]) -> Settings:
    """On a GPU the batches are larger and one process does all."""
    parser = argparse.ArgumentParser(prog="generator.training", description=__doc__)
    add = parser.add_argument
    add("--work", type=Path, default=WORK, help="the folder for art, data and what is reached")
    add("--out", type=Path, help="the model's folder (default: model in the work folder)")
    add("--packages", type=Path, help="the folder that npm puts the art into")
    add("--start", type=Path, default=BUNDLED, help="the model to go on from")
    add("--from-scratch", action="store_true", help="go on from none")
    add("--concepts", type=Path, default=CONCEPTS, help="the things to be taught")
    add("--scenes", type=int, default=SCENES)
    add("--autoencoder-steps", type=int, default=3400, help="only from scratch")
    add("--text-steps", type=int, default=1800, help="only from scratch or with new things")
    add("--unet-steps", type=int, default=20_000)
    add("--device", default=default_device(), help="cpu or cuda")
    add("--processes", type=int, help="of one thread each, on the CPU")
    add("--batch", type=int, help="of each process")
    add("--compile", action="store_true", help="4 minutes at first, then a fifth faster on a CPU")
    add("--no-evaluation", action="store_true")
    given = parser.parse_args(arguments)
    on_cpu = given.device == "cpu"
    return Settings(
        work=given.work,
        out=given.out or given.work / "model",
        packages=given.packages or given.work / "npm",
        start=None if given.from_scratch else given.start,
        concepts=given.concepts,
        scenes=given.scenes,
        autoencoder_steps=given.autoencoder_steps,
        text_steps=given.text_steps,
        unet_steps=given.unet_steps,
        device=given.device,
        processes=(given.processes or PROCESSES) if on_cpu else 1,
        batch=given.batch or (32 if on_cpu else 512),
        compiled=given.compile or not on_cpu,
        evaluated=not given.no_evaluation,
    )


def main() -> int:
    try:
        run(parse(sys.argv[1:]))
    except Stopped as stopped:
        print(f"{stopped}. The same command goes on from there.", flush=True)
        return 130
    except KeyboardInterrupt:  # between the stages, or while the art is rendered
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
