"""Denoises pictures together, one network call a turn: schedule → run → advance.

Pictures join and leave at any turn. Who shares a call is decided in batching.py, what becomes of a
picture between two calls in drawing.py.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from generator import messages
from generator.batching import (
    COMPILED,
    EAGER,
    SLOTS,
    Call,
    Turns,
    Widths,
    next_call,
    own_width,
)
from generator.drawing import initial_image, inputs_of, predict
from generator.loaded_model import LoadedModel
from generator.memory import peak_of
from generator.messages import Failure, Submit
from generator.models import IDLE_SECONDS, Crowded, Key, Loaded, ModelRefused, Models, model_key
from generator.programs import Programs, set_up
from generator.request import LANCZOS
from generator.runs import Run, begin, begin_enlarging, failure_of
from generator.writing import Writer

log = logging.getLogger(__name__)

Events = Iterator[messages.Event]

MOMENT_SECONDS = 0.05  # to wait for other threads when there is nothing else to do


@dataclass(frozen=True, slots=True)
class _Load:
    """A model that is being loaded.

    Args:
        jobs: that waited when it began: should it fail, who asked later has another try.
    """

    key: Key
    done: Future[tuple[Loaded, float]]
    jobs: frozenset[int]


class Engine:
    """Takes orders at any time between two turns.

    Args:
        key: what "identical" depends on besides a request.
        preview_every: network calls; 0 is never.
        slots: pictures in flight.
        widths: how wide calls may be.
        programs: what answers them.
        exposed: looks for nakedness in a PNG; None where there is no such check.
    """

    def __init__(
        self,
        models: Models,
        key: dict[str, str],
        preview_every: int,
        *,
        slots: int = SLOTS,
        widths: Widths | None = None,
        programs: Programs | None = None,
        exposed: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._models = models
        self._preview_every = preview_every
        self._slots = slots
        self._turns = Turns()
        self._widths = widths or Widths()
        self._programs = programs or Programs()
        self._waiting: list[tuple[Submit, int]] = []
        self._runs: dict[int, Run] = {}
        self._loader = ThreadPoolExecutor(1, "loader", set_up, (torch.get_num_threads(),))
        self._loading: _Load | None = None
        # Models that there was no room for, and the pictures that were in flight then.
        self._crowded: dict[Key, frozenset[int]] = {}
        self._writer = Writer(key, models.catalogue, exposed)

    @property
    def busy(self) -> bool:
        return bool(self._runs or self._waiting or self._writer.at_work or self._loading)

    def submit(self, order: Submit) -> None:
        self._waiting.append((order, self._turns.came(order.behind)))

    def cancel(self, job: int) -> Events:
        """Takes effect before the next network call."""
        waiting = [each for each in self._waiting if each[0].job != job]
        written = self._writer.give_up(job)
        if job in self._runs or written or len(waiting) < len(self._waiting):
            self._waiting = waiting
            self._end(job)
            yield messages.Cancelled(job)

    def free_idle(self, seconds: float = IDLE_SECONDS) -> messages.Kept:
        """Forgets models that nobody has drawn with for so long."""
        self._models.free_idle(seconds)
        return messages.Kept(self._models.kept)

    def turn(self) -> Events:
        """The beginning of a picture or one network call, and what comes of it."""
        yield from self._loaded()
        yield from self._finished()
        begun = len(self._runs)
        yield from self._admit()
        if len(self._runs) > begun:
            return
        if self._runs:
            yield from self._work()
        else:
            wait(self._elsewhere(), MOMENT_SECONDS, FIRST_COMPLETED)

    def _admit(self) -> Events:
        """Begins a picture: of those whose model is in memory, who is next.

        Where all slots are taken, only one that would be next at once: the others stand still.
        """
        full = len(self._runs) >= self._slots
        first = min(map(self._place, self._runs.values()), default=0.0)
        waiting = [(self._turns.place(o.request.cost, came), o, came) for o, came in self._waiting]
        for place, order, came in sorted(waiting, key=lambda each: each[0]):
            request = order.request
            if request.upscaler == LANCZOS:
                self._waiting.remove((order, came))
                yield from self._alone(order.job, self._enlarge(order))
                return
            if full and place >= first:
                return
            key = model_key(request)
            model = None if request.upscaler else self._models.loaded(*key)
            if model is not None or request.upscaler:
                self._waiting.remove((order, came))
                yield from self._alone(order.job, self._begin(order, came, model))
                return
            crowded = key in self._crowded
            if not crowded and self._loading is None:
                yield messages.Loading(request.model)
            self._load(key)
            if crowded:
                return  # those behind it wait as well, or there never would be room

    def _load(self, key: Key) -> None:
        """Not yet while all of those that there was no room beside are still in flight."""
        crowded = key in self._crowded and self._crowded[key] <= self._runs.keys()
        if self._loading is None and not crowded:
            # Asked when room is needed: others may have begun by then.
            load = partial(self._models.load, *key, beside=lambda: bool(self._runs))
            jobs = frozenset(order.job for order, _ in self._waiting)
            self._loading = _Load(key, self._loader.submit(load), jobs)

    def _loaded(self) -> Events:
        """What became of the load; its orders fail with it."""
        if self._loading is None or not self._loading.done.done():
            return
        load, self._loading = self._loading, None
        error = load.done.exception()
        yield messages.Kept(self._models.kept)
        self._crowded.pop(load.key, None)
        if isinstance(error, Crowded):
            if self._runs:  # else there is room by now
                self._crowded[load.key] = frozenset(self._runs)
            return
        if error is None:
            yield messages.Loaded(load.key[0], load.done.result()[1])
            return
        _unless_lost(error)
        for order, came in list(self._waiting):
            if model_key(order.request) == load.key and order.job in load.jobs:
                self._waiting.remove((order, came))
                yield self._failed(order.job, error)

    def _finished(self) -> Events:
        """The pictures whose files are there."""
        for job, written in self._writer.finished():
            error = written.exception()
            yield written.result() if error is None else self._failed(job, error)

    def _elsewhere(self) -> list[Future[Any]]:
        """What other threads are at."""
        return [*self._writer.at_work, *([self._loading.done] if self._loading else [])]

    def _guarded(self, events: Events, otherwise: Callable[[Exception], Events]) -> Events:
        try:
            yield from events
        # Whatever it is, the worker and the other pictures live on.
        except Exception as error:  # noqa: BLE001
            _unless_lost(error)
            yield from otherwise(error)

    def _alone(self, job: int, events: Events) -> Events:
        """What goes wrong here is nobody else's fault."""
        return self._guarded(events, lambda error: iter([self._failed(job, error)]))

    def _begin(self, order: Submit, came: int, model: Loaded | None) -> Events:
        """Without a model a picture is enlarged."""
        started = time.perf_counter()
        if model is None:
            run = begin_enlarging(order, came, self._models)
        else:
            run = begin(order, came, model, self._models)
        yield messages.Started(order.job, run.turns)
        run.ask = next(run.drawing)
        run.seconds = time.perf_counter() - started
        self._runs[order.job] = run

    def _work(self) -> Events:
        """One network call for those whose turn it is, or a turn of somebody's own."""
        ready = [run for run in self._runs.values() if not self._awaits_build(run)]
        if not ready:
            time.sleep(MOMENT_SECONDS)
            return iter(())
        wants = [run.want(self._place(run)) for run in ready]
        networks = {run.key: run.model.unet for run in ready if isinstance(run.model, LoadedModel)}
        best = self._programs.best
        call = next_call(wants, self._widths, lambda *shape: best(networks[shape[0]], shape))
        runs = [self._runs[job] for job in call.jobs]
        if runs[0].ask is None:
            return self._alone(call.jobs[0], self._advance(runs[0], None))
        return self._guarded(
            self._together(runs, call),
            lambda error: self._went_wrong(runs, call, error),
        )

    def _place(self, run: Run) -> float:
        return self._turns.place(run.left, run.came)

    def _awaits_build(self, run: Run) -> bool:
        """Whether a picture is made again that needs a build which isn't there yet."""
        (width, program), ask, model = run.replayed, run.ask, run.model
        if not isinstance(model, LoadedModel) or ask is None or not ask.plain:
            return False
        if width is None or program != COMPILED:
            return False
        shape = run.key, width
        return self._programs.awaited(model.unet, shape, lambda: inputs_of(model, [ask], width))

    def _together(self, runs: Sequence[Run], call: Call) -> Events:
        model, shape, rows = runs[0].model, (runs[0].key, call.width), sum(run.rows for run in runs)
        assert isinstance(model, LoadedModel)  # noqa: S101 — for mypy: the others ask nothing
        asks, measured = [run.ask for run in runs if run.ask], (runs[0].like, call.width)
        program, network = self._programs.answering(model.unet, shape, call.program)
        # Measuring costs time of its own, and would count what a load or a build takes, too.
        elsewhere = self._loading is not None or self._programs.building
        known = elsewhere or self._widths.measured(*measured)
        peak = None if known else peak_of(model.device)
        started = time.perf_counter()
        inputs = inputs_of(model, asks, call.width)
        predictions = predict(asks, inputs, network)
        seconds = time.perf_counter() - started
        self._widths.learn(*measured, seconds, peak() if peak else None, program)
        if asks[0].plain and program == EAGER:
            self._programs.answered(model.unet, shape, inputs)
        for run, prediction in zip(runs, predictions, strict=True):
            run.seconds += seconds * run.rows / rows
            run.calls.append((call.width, program))
            yield from self._alone(run.order.job, self._advance(run, prediction))

    def _went_wrong(self, runs: Sequence[Run], call: Call, error: Exception) -> Events:
        """No picture has advanced: they are tried again, in narrower calls, eagerly, one by one or
        with more room."""
        first, width = runs[0], call.width
        narrowest = own_width(first.rows)
        if failure_of(error) is Failure.OUT_OF_MEMORY and width > narrowest:
            log.warning("no memory for %d rows", width)
            torch.cuda.empty_cache()
            self._widths.narrow(first.like, width)
        elif call.program == COMPILED and self._gives_up(first, width, error):
            return
        elif len(runs) > 1:
            for run in runs:
                run.alone = True
        elif failure_of(error) is Failure.OUT_OF_MEMORY and self._models.make_room():
            log.warning("no memory: once more without the models that nobody draws with")
            yield messages.Kept(self._models.kept)
        else:
            yield self._failed(first.order.job, error)

    def _gives_up(self, run: Run, width: int, error: Exception) -> bool:
        """Whether it was a build's fault: the eager program answers from now on."""
        return isinstance(run.model, LoadedModel) and self._programs.give_up(
            run.model.unet, (run.key, width), error
        )

    def _advance(self, run: Run, prediction: Tensor | None) -> Events:
        """Sends a picture its prediction (or gives it its turn): it asks again or is finished."""
        started = time.perf_counter()
        if prediction is not None and not prediction.isfinite().all():
            raise ArithmeticError
        if prediction is not None or not isinstance(run.model, LoadedModel):
            run.call += 1
            self._turns.give(run.each)
            done = min(run.call, run.turns)
            preview = self._preview(run, prediction)
            yield messages.Called(run.order.job, done, run.turns, preview)
        try:
            run.ask = run.drawing.send(prediction)
            run.seconds += time.perf_counter() - started
        except StopIteration as finished:
            yield from self._decoded(run, finished.value, started)

    def _preview(self, run: Run, prediction: Tensor | None) -> bytes | None:
        last, model = run.call >= run.turns, run.model
        if prediction is None or last or run.ask is None or not isinstance(model, LoadedModel):
            return None
        if not self._preview_every or run.call % self._preview_every:
            return None
        return model.preview.webp(model.clean(run.ask.scaled, run.ask.t, prediction))

    def _decoded(self, run: Run, image: Image.Image | None, started: float) -> Events:
        self._end(run.order.job)
        if image is None:
            yield messages.Failed(run.order.job, Failure.NOT_A_NUMBER)
            return
        seconds = run.seconds + time.perf_counter() - started
        self._writer.write(run.order, image, seconds, run.calls, run.told)

    def _enlarge(self, order: Submit) -> Events:
        """What asks no network is done at once."""
        started = time.perf_counter()
        image, notes = initial_image(order.initial_image or b"", order.request)
        yield messages.Started(order.job, 0)
        self._writer.write(order, image, time.perf_counter() - started, (), notes)

    def _failed(self, job: int, error: BaseException) -> messages.Event:
        self._end(job)
        failure = failure_of(error)
        if failure is Failure.FAULT:  # for the chats' log, which knows the request
            return messages.Failed(job, failure, "".join(traceback.format_exception(error)))
        detail = error.detail if isinstance(error, ModelRefused) else str(error)
        return messages.Failed(job, failure, f"{type(error).__name__}: {detail}")

    def _end(self, job: int) -> None:
        run = self._runs.pop(job, None)
        if run is not None:
            run.drawing.close()


def _unless_lost(error: BaseException) -> None:
    """Raises where the card is lost to this process: the next one has it, and its jobs again."""
    if isinstance(error, torch.AcceleratorError):
        torch.accelerator.synchronize()
