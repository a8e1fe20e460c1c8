"""The whole path, from acceptance to the PNG stored (preview on), over the bare diffusers pipeline.

    python -m bench.path [pairs]

Both in one run, in interleaved pairs, 20 steps of the shipped model, one thread each.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from diffusers import EulerAncestralDiscreteScheduler, StableDiffusionPipeline

from generator.catalogue import BUNDLED
from tests.chat import open_chat

PROMPT, STEPS, GUIDANCE, SEED = "a red cat on a blue background", 20, 4.0, 7


def bare_pipeline() -> Any:
    torch.set_num_threads(1)
    pipeline = StableDiffusionPipeline.from_pretrained(BUNDLED, dtype=torch.float32)
    pipeline.scheduler = EulerAncestralDiscreteScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(pipeline: Any) -> float:
    started = time.perf_counter()
    pipeline(
        PROMPT,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        generator=torch.Generator().manual_seed(SEED),
    )
    return time.perf_counter() - started


async def main(pairs: int) -> None:
    pipeline = bare_pipeline()
    draw(pipeline)
    with tempfile.TemporaryDirectory() as data:
        async with open_chat(Path(data)) as chat:
            line = f"{PROMPT} steps:{STEPS} guidance:{GUIDANCE} seed:{SEED}"
            await chat.ask(line)
            whole, bare = [], []
            for _ in range(pairs):
                bare.append(await asyncio.to_thread(draw, pipeline))
                started = time.perf_counter()
                await chat.ask(line)
                whole.append(time.perf_counter() - started)
    ratios = [w / b for w, b in zip(whole, bare, strict=True)]
    print(f"bare pipeline   {median(bare):.3f} s (median of {pairs})")
    print(f"whole path      {median(whole):.3f} s")
    print(f"ratio           {median(ratios):.3f} (median of pairs)")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
