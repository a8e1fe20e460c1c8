"""The worker's loop: orders in, network calls, events out."""

from __future__ import annotations

import argparse
import importlib.metadata
import math
import os
import platform
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

import torch

from generator import frames, messages, safety
from generator.batching import Widths
from generator.engine import Engine
from generator.memory import free_bytes
from generator.models import Models
from generator.programs import AFTER, Programs

LOOK_SECONDS = 60.0  # between looks at which models are idle

Orders = queue.SimpleQueue[messages.Order | None]


@dataclass
class Rest:
    """`after`: seconds without work; `wanted`: as soon as there is none, so it was ordered."""

    after: float
    wanted: bool = False


def serve(arguments: Sequence[str], orders: BinaryIO, events: RawIOBase) -> None:
    """Works until `orders` ends."""
    options = _parse(arguments)
    _quiet()
    device, no_card = _device(options.device)
    # Half of what the machine counts: its real cores, and the page keeps some of them.
    threads = options.threads or max(1, (os.cpu_count() or 2) // 2)
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    if device.type == "cuda":
        same_every_time()
    key = _key(device, threads)
    models = Models(options.models, options.cache, device)
    programs = Programs(AFTER if options.compiled else None)
    exposed = safety.picture_check()
    widths = Widths(free=partial(free_bytes, device))
    engine = Engine(
        models, key, options.preview_every, widths=widths, programs=programs, exposed=exposed
    )
    waiting: Orders = queue.SimpleQueue()
    threading.Thread(target=_read, args=(orders, waiting), daemon=True).start()
    _send(events, messages.Ready(key, exposed is not None, no_card))
    rest = Rest(options.rest)
    while _take(engine, waiting, events, rest):
        for event in engine.turn():
            _send(events, event)


def _take(engine: Engine, waiting: Orders, events: RawIOBase, rest: Rest) -> bool:
    """Passes on what was ordered; waits only when there is nothing to do. False at the end, and
    when it is time to rest."""
    since = time.monotonic()
    while not waiting.empty() or not engine.busy:
        if waiting.empty() and (rest.wanted or time.monotonic() - since >= rest.after):
            _send(events, messages.Kept(()))
            _send(events, messages.Resting())
            return False
        try:
            order = waiting.get(timeout=min(LOOK_SECONDS, rest.after))
        except queue.Empty:
            _send(events, engine.free_idle())
            continue
        match order:
            case None:
                return False
            case messages.Submit() as order:
                rest.wanted = False
                engine.submit(order)
            case messages.Rest():
                rest.wanted = True
            case messages.Cancel(job):
                for event in engine.cancel(job):
                    _send(events, event)
    return True


def _read(orders: BinaryIO, waiting: Orders) -> None:
    try:
        while prefix := orders.read(frames.PREFIX.size):
            if len(prefix) < frames.PREFIX.size:
                break
            header, body = frames.PREFIX.unpack(prefix)
            waiting.put(frames.decode(orders.read(header), orders.read(body)))
    finally:
        # A bot that is killed stops anywhere in a frame, and what is left of that can't be read.
        waiting.put(None)


def _send(events: RawIOBase, event: messages.Event) -> None:
    frame = memoryview(frames.encode(event))
    while frame:
        frame = frame[events.write(frame) or 0 :]


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, action="append", default=[])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--preview-every", type=int, default=4)
    parser.add_argument("--rest", type=float, default=math.inf)
    parser.add_argument("--compiled", action="store_true")
    return parser.parse_args(arguments)


def _quiet() -> None:
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
        library.disable_progress_bar()


def same_every_time() -> None:
    """A card that chooses by what was fast just now gives other bits the next time.

    TF32 is as good as any: it gives the same bits, and without it VAEs that need full precision
    take several times as long. Stock diffusers has it for convolutions, too.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = True, False


def _device(wanted: str) -> tuple[torch.device, str]:
    """And why "auto" isn't a card. One that is there may be too old for this torch, or its driver."""
    if wanted != "auto":
        return torch.device(wanted), ""
    try:
        torch.cuda.init()
        pixels = torch.ones(1, 8, 8, 8, device="cuda", dtype=torch.float16)
        torch.nn.functional.conv2d(pixels, pixels).item()
    except Exception as error:  # noqa: BLE001 — drivers fail in many ways
        return torch.device("cpu"), str(error)
    return torch.device("cuda"), ""


def _key(device: torch.device, threads: int) -> dict[str, str]:
    """What equal pixels depend on besides the recipe."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "device": f"{device.type} {name}",
        "dtype": "float16" if device.type == "cuda" else "float32",
        "threads": str(threads),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "diffusers": importlib.metadata.version("diffusers"),
    }
