"""What a device has left, and what a network call takes beside what is there already."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from generator.folders import weights_of
from generator.headers import Header

PROCESS = Path("/proc/self")
GROUP = Path("/sys/fs/cgroup")  # where a container has a limit of its own
NO_MEMORY = ("alloc", "out of memory", "could not create a primitive", "unable to find an engine")
AVERAGED = "model_ema."  # a network's second copy in files that training can go on from
USED = 0.6  # of the device's memory for models; the rest is for pictures
PEAK_AGAIN = "5"  # written to clear_refs: the peak begins again (proc(5))


def out_of_memory(error: BaseException) -> bool:
    """The CPU's allocator, oneDNN, cuBLAS and cuDNN raise plain RuntimeErrors."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error).lower() for words in NO_MEMORY)


def of_the_device(error: Exception) -> bool:
    """No fault of what was read: the memory doesn't suffice, or the card is lost."""
    return isinstance(error, torch.AcceleratorError) or out_of_memory(error)


def budget(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory * USED)
    total = int(psutil.virtual_memory().total)
    return int(min(total, _number(GROUP / "memory.max") or total) * USED)


def weight_bytes(path: Path, dtype: torch.dtype) -> int:
    """In memory, where all weights have one precision, whatever they have in the files."""
    files = [path] if path.is_file() else weights_of(path)
    tensors = (each for file in files for each in Header.read(file).shapes.items())
    numbers = (math.prod(shape) for name, shape in tensors if not name.startswith(AVERAGED))
    return sum(numbers) * dtype.itemsize


def free_bytes(device: torch.device) -> int:
    """That pictures may still take."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + kept
    free = int(psutil.virtual_memory().available)
    limit, used = (_number(GROUP / name) for name in ("memory.max", "memory.current"))
    if limit is None or used is None:
        return free
    return min(free, max(0, limit - used + _dropped_when_wanted()))


def peak_of(device: torch.device) -> Callable[[], int | None]:
    """Begins to measure; what it returns tells the bytes that were taken at most since then.

    None where nobody counts them: on a CPU only Linux does.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        return lambda: torch.cuda.max_memory_allocated(device) - before
    try:
        (PROCESS / "clear_refs").write_text(PEAK_AGAIN)
        resident = _resident("VmRSS")
        return lambda: _resident("VmHWM") - resident
    except OSError:
        return lambda: None


def _resident(name: str) -> int:
    lines = (PROCESS / "status").read_text(encoding="ascii", errors="replace").splitlines()
    line = next(line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def _dropped_when_wanted() -> int:
    """Files that a container's kernel keeps in memory and counts, though any would make room."""
    try:
        lines = (GROUP / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return int(dict(line.split(maxsplit=1) for line in lines).get("inactive_file", 0))


def _number(file: Path) -> int | None:
    """None where there is no such file, or "max" in it."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
