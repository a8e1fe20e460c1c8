"""Compiled builds of a model's network, one for each shape of call, made while it answers eagerly.

A build's bits differ from the eager program's, so that the trace of a picture tells who answered.
"""

from __future__ import annotations

import copy
import logging
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps
from threading import get_ident
from typing import Any
from weakref import WeakKeyDictionary

import torch
import torch.fx
from torch import nn

from generator.batching import COMPILED, EAGER
from generator.drawing import call

log = logging.getLogger(__name__)

AFTER = 32  # calls of a shape: fewer aren't worth a build
BUILDS = 512  # of one network, before torch would answer eagerly without telling

Network = Callable[..., Any]
Inputs = Mapping[str, Any]
Shape = tuple[Hashable, int]
"""What has to be equal in one call, and its width."""


_trace = torch.fx.Tracer.trace


@wraps(_trace)
def _trace_alone(tracer: Any, *arguments: Any, **named: Any) -> Any:
    """While torch traces, it takes hold of every module's call in every thread, and eager calls of
    others would end in an error. They go on as if nothing were traced."""
    ours, held = get_ident(), tracer.call_module

    def call_module(module: Any, forward: Any, args: Any, kwargs: Any) -> Any:
        if get_ident() == ours:
            return held(module, forward, args, kwargs)
        return forward(*args, **kwargs)

    tracer.call_module = call_module
    return _trace(tracer, *arguments, **named)


torch.fx.Tracer.trace = _trace_alone  # type: ignore[assignment,method-assign]


def set_up(threads: int) -> None:
    """Threads have settings of their own in torch."""
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)


class Programs:
    """Which program answers a call.

    Args:
        after: calls of a shape after which it is built; None builds nothing.
    """

    def __init__(self, after: int | None = None) -> None:
        self._after = after
        self._counts: Counter[Shape] = Counter()
        self._compiler = ThreadPoolExecutor(1, "compiler", set_up, (torch.get_num_threads(),))
        self._builds: WeakKeyDictionary[nn.Module, dict[Shape, Future[Network]]]
        self._builds = WeakKeyDictionary()
        self._twins: WeakKeyDictionary[nn.Module, nn.Module] = WeakKeyDictionary()

    @property
    def building(self) -> bool:
        return any(not each.done() for builds in self._builds.values() for each in builds.values())

    def best(self, network: nn.Module, shape: Shape) -> str:
        return COMPILED if self._ready(network, shape) else EAGER

    def answering(self, network: nn.Module, shape: Shape, wanted: str) -> tuple[str, Network]:
        """The program and its network: the eager one where there is no build."""
        build = self._ready(network, shape) if wanted == COMPILED else None
        return (COMPILED, build.result()) if build else (EAGER, network)

    def answered(self, network: nn.Module, shape: Shape, inputs: Inputs) -> None:
        """Counts an eager call; the network is as it was for that call.

        A build that there was no memory for has another try after as many.
        """
        self._counts[shape] += 1
        if self._after is None or self._counts[shape] < self._after:
            return
        self._counts[shape] = 0
        build = self._builds.get(network, {}).get(shape)
        if build and build.done() and isinstance(build.exception(), torch.OutOfMemoryError):
            del self._builds[network][shape]
        self._begin(network, shape, inputs)

    def awaited(self, network: nn.Module, shape: Shape, inputs: Callable[[], Inputs]) -> bool:
        """Whether a build that is needed is under way; begins it."""
        if self._after is None:
            return False
        if shape not in self._builds.get(network, {}):
            self._begin(network, shape, inputs())
        return not self._builds[network][shape].done()

    def give_up(self, network: nn.Module, shape: Shape, error: Exception) -> bool:
        """Whether there was a build that couldn't answer: it isn't asked again."""
        if self._ready(network, shape) is None:
            return False
        log.error("a build fails: it goes on eagerly", exc_info=error)
        self._builds[network][shape] = Future()
        # Without the calls that it came through: they hold the network, which would never go.
        self._builds[network][shape].set_exception(error.with_traceback(None))
        return True

    def _begin(self, network: nn.Module, shape: Shape, inputs: Inputs) -> None:
        builds = self._builds.setdefault(network, {})
        if shape not in builds:
            if network not in self._twins:
                self._twins[network] = _twin(network)
            builds[shape] = self._compiler.submit(_build, self._twins[network], inputs)

    def _ready(self, network: nn.Module, shape: Shape) -> Future[Network] | None:
        build = self._builds.get(network, {}).get(shape)
        return build if build and build.done() and build.exception() is None else None


def _twin(network: nn.Module) -> nn.Module:
    """The same weights in modules of their own, which no LoRA and no tiling will change."""
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    return copy.deepcopy(network, shared)


def _build(network: nn.Module, inputs: Inputs) -> Network:
    # Both are settings of a thread, like those above: what the main thread set isn't set here.
    torch._dynamo.config.recompile_limit = BUILDS
    torch._inductor.config.deterministic = torch.are_deterministic_algorithms_enabled()
    try:
        # fullgraph: it fails rather than leave a part of it eager.
        built = torch.compile(network, dynamic=False, fullgraph=True)
        with torch.inference_mode():
            call(built, inputs)
        return built
    except Exception:
        log.exception("not compiled: it goes on eagerly")
        raise
