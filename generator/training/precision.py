"""In which precision a device trains fastest."""

from __future__ import annotations

import torch

IN_BF16 = ("avx512_bf16", "amx_bf16", "bf16")  # what processors that compute in it announce


def fast(device: torch.device) -> torch.dtype:
    """bfloat16 where the device computes in it, else float32.

    A processor that has to imitate bfloat16 takes eight times as long as with float32.
    """
    if device.type != "cpu":
        return torch.bfloat16
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if any(able.get(name) for name in IN_BF16) else torch.float32


def autocast(device: torch.device) -> torch.autocast:
    """Computes in bfloat16 where that is fast, and leaves everything as it is elsewhere."""
    low = fast(device) is torch.bfloat16
    return torch.autocast(device.type, torch.bfloat16, enabled=low)
