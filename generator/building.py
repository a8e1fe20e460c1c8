"""What libraries do to every thread while they build a network is done to their own thread alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import accelerate
import torch
from diffusers import ModelMixin
from torch import nn
from torch.overrides import TorchFunctionMode
from transformers import modeling_utils

MAKING = frozenset(
    {
        *(torch.empty, torch.zeros, torch.ones, torch.full, torch.eye, torch.tensor),
        *(torch.rand, torch.randn, torch.arange, torch.linspace),
    }
)


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


class _Usual(TorchFunctionMode):
    """What is made without a precision has this one.

    transformers sets torch's own, and pictures that are drawn meanwhile would be others.
    """

    def __init__(self, dtype: torch.dtype, _network: str | None = None) -> None:
        super().__init__()
        self._dtype = dtype

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        made = func(*args, **named)
        unsaid = func in MAKING and named.get("dtype") is None
        return made.to(self._dtype) if unsaid and made.dtype is torch.get_default_dtype() else made


def _as_it_is(_kind: type, _dtype: torch.dtype) -> torch.dtype:
    """diffusers sets torch's own, too, and leaves it so where the building fails. It needn't: it
    gives weights their precision once more when it reads them."""
    return torch.get_default_dtype()


accelerate.init_empty_weights = _empty_weights
modeling_utils.local_torch_dtype = _Usual
ModelMixin._set_default_torch_dtype = classmethod(_as_it_is)
