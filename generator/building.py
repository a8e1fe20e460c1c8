"""What diffusers does to every thread while it builds a network is done to its own thread alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident

import accelerate
from torch import nn


@contextmanager
def _empty_weights() -> Iterator[None]:
    """accelerate's `init_empty_weights`: parameters get no memory, as they are read from files.

    Its own takes hold of every module that any thread makes meanwhile. A LoRA or an upscaler that is
    read while another model loads would be empty, without an error.
    """
    ours, usual = get_ident(), nn.Module.register_parameter

    def register(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        usual(self, name, param)
        if param is not None and get_ident() == ours:
            self._parameters[name] = nn.Parameter(param.to("meta"), param.requires_grad)

    nn.Module.register_parameter = register  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.register_parameter = usual  # type: ignore[method-assign]


accelerate.init_empty_weights = _empty_weights
