"""Denoises pictures together, one network call a turn: schedule → run → advance.

Pictures join and leave at any turn. Who shares a call is decided in batching.py, what becomes of a
picture between two calls in drawing.py.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

import torch
from PIL import Image
from torch import Tensor

from generator import messages, metadata
from generator.batching import (
    SLOTS,
    Turns,
    Want,
    Widths,
    next_call,
    own_width,
    run_lengths,
    widths_of,
)
from generator.catalogue import Catalogue
from generator.conditioning import condition
from generator.drawing import Ask, Drawing, draw, initial_image, passes, predict
from generator.memory import peak_of
from generator.messages import Failure, Note, NoteKind, Submit
from generator.models import Key, Loaded, LoadedModel, ModelRefused, Models
from generator.pipelines import PipelineModel
from generator.reading import changed, plain
from generator.request import GenerationRequest
from generator.sampler_names import follows, label_of

log = logging.getLogger(__name__)

Events = Iterator[messages.Event]

MOMENT_SECONDS = 0.05  # to wait for a model when there is nothing else to do


@dataclass(slots=True)
class Run:
    """A picture in flight.

    Args:
        came: as the policy told when it was ordered.
        planned: widths that are replayed.
        ask: what it wants next; None is a turn of its own.
        call: network calls that were answered.
        seconds: of ours that it took.
        alone: whether a call that it shared went wrong.
    """

    order: Submit
    model: Loaded
    drawing: Drawing
    notes: tuple[Note, ...]
    came: float
    planned: list[int] = field(default_factory=list)
    ask: Ask | None = None
    call: int = 0
    seconds: float = 0.0
    widths: list[int] = field(default_factory=list)
    alone: bool = False

    @property
    def rows(self) -> int:
        return self.ask.rows if self.ask else 1

    @property
    def key(self) -> Hashable:
        """What has to be equal in one call; None when it wants none."""
        return (self.model.name, self.model.hash, self.ask.key) if self.ask else None

    def want(self) -> Want:
        request = self.order.request
        left = request.width * request.height * max(0, request.calls - self.call)
        planned = self.planned[self.call] if self.call < len(self.planned) else None
        if planned is not None and planned < self.rows:
            planned = None  # not a trace of this picture
        return Want(self.order.job, self.key, self.rows, left + self.came, planned, self.alone)


class Engine:
    """Takes orders at any time between two turns.

    Args:
        key: what "identical" depends on besides a request.
        preview_every: network calls; 0 is never.
        slots: pictures in flight.
        widths: how wide calls may be.
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
        exposed: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._models = models
        self._key = key
        self._preview_every = preview_every
        self._slots = slots
        self._turns = Turns()
        self._widths = widths or Widths()
        self._exposed = exposed
        self._waiting: list[tuple[Submit, float]] = []
        self._runs: dict[int, Run] = {}
        # Threads have settings of their own in torch.
        self._loader = ThreadPoolExecutor(1, "loader", _set_up, (torch.get_num_threads(),))
        self._loading: tuple[Key, Future[tuple[Loaded, float]]] | None = None

    @property
    def busy(self) -> bool:
        return bool(self._runs or self._waiting)

    def submit(self, order: Submit) -> None:
        self._waiting.append((order, self._turns.came(order.behind)))

    def cancel(self, job: int) -> Events:
        """Takes effect before the next network call."""
        waiting = [each for each in self._waiting if each[0].job != job]
        if job in self._runs or len(waiting) < len(self._waiting):
            self._waiting = waiting
            self._end(job)
            yield messages.Cancelled(job)

    def free_idle(self) -> None:
        """Forgets models that nobody has drawn with for long."""
        self._models.free_idle()

    def free(self) -> None:
        """Forgets all models."""
        self._models.free_idle(seconds=0)

    def turn(self) -> Events:
        """The beginning of a picture or one network call, and what comes of it."""
        yield from self._loaded()
        begun = len(self._runs)
        yield from self._admit()
        if len(self._runs) > begun:
            return
        if self._runs:
            yield from self._work()
        elif self._loading is not None:
            wait([self._loading[1]], MOMENT_SECONDS)

    def _admit(self) -> Events:
        """Begins a picture: of those whose model is in memory, who is next.

        Where all slots are taken, only one that would be next at once: the others stand still.
        """
        full = len(self._runs) >= self._slots
        first = min((run.want().place for run in self._runs.values()), default=0.0)
        for order, came in sorted(self._waiting, key=lambda each: each[0].request.cost + each[1]):
            request = order.request
            if request.upscaler:
                self._waiting.remove((order, came))
                yield from self._alone(order.job, self._enlarge(order))
                return
            if full and request.cost + came >= first:
                return
            key = _model_key(request)
            model = self._models.loaded(*key)
            if model is not None:
                self._waiting.remove((order, came))
                yield from self._alone(order.job, self._begin(order, came, model))
                return
            if self._loading is None:
                yield messages.Loading(request.model)
                self._loading = key, self._loader.submit(self._models.load, *key)

    def _loaded(self) -> Events:
        """What became of the load; its orders fail with it."""
        if self._loading is None or not self._loading[1].done():
            return
        key, load = self._loading
        self._loading = None
        error = load.exception()
        if error is None:
            yield messages.Loaded(key[0], load.result()[1])
            return
        for order, came in list(self._waiting):
            if _model_key(order.request) == key:
                self._waiting.remove((order, came))
                yield self._failed(order.job, error)

    def _guarded(self, events: Events, otherwise: Callable[[Exception], Events]) -> Events:
        try:
            yield from events
        # Whatever it is, the worker and the other pictures live on.
        except Exception as error:  # noqa: BLE001
            yield from otherwise(error)

    def _alone(self, job: int, events: Events) -> Events:
        """What goes wrong here is nobody else's fault."""
        return self._guarded(events, lambda error: iter([self._failed(job, error)]))

    def _begin(self, order: Submit, came: float, model: Loaded) -> Events:
        started = time.perf_counter()
        run = _begin(order, came, model, self._models.catalogue)
        yield messages.Started(order.job, order.request.calls)
        run.ask = next(run.drawing)
        run.seconds = time.perf_counter() - started
        self._runs[order.job] = run

    def _work(self) -> Events:
        """One network call for those whose turn it is, or a turn of somebody's own."""
        call = next_call([run.want() for run in self._runs.values()], self._widths)
        runs = [self._runs[job] for job in call.jobs]
        if runs[0].ask is None:
            return self._alone(call.jobs[0], self._advance(runs[0], None))
        return self._guarded(
            self._together(runs, call.width),
            lambda error: self._went_wrong(runs, call.width, error),
        )

    def _together(self, runs: Sequence[Run], width: int) -> Events:
        model, key, rows = runs[0].model, runs[0].key, sum(run.rows for run in runs)
        assert isinstance(model, LoadedModel)  # noqa: S101 — for mypy: the others ask nothing
        # Measuring costs time of its own.
        peak = None if self._widths.measured(key, width) else peak_of(model.device)
        started = time.perf_counter()
        predictions = predict(model, [run.ask for run in runs if run.ask], width)
        seconds = time.perf_counter() - started
        self._widths.learn(key, width, seconds, peak() if peak else None)
        for run, prediction in zip(runs, predictions, strict=True):
            run.seconds += seconds * run.rows / rows
            run.widths.append(width)
            yield from self._alone(run.order.job, self._advance(run, prediction))

    def _went_wrong(self, runs: Sequence[Run], width: int, error: Exception) -> Events:
        """No picture has advanced: they are tried again, in narrower calls or one by one."""
        first = runs[0]
        narrowest = own_width(first.rows)
        if _failure(error) is Failure.OUT_OF_MEMORY and width > narrowest:
            log.warning("no memory for %d rows", width)
            torch.cuda.empty_cache()
            self._widths.narrow(first.key, width)
        elif len(runs) > 1:
            for run in runs:
                run.alone = True
        else:
            yield self._failed(first.order.job, error)

    def _advance(self, run: Run, prediction: Tensor | None) -> Events:
        """Sends a picture its prediction (or gives it its turn): it asks again or is finished."""
        request, started = run.order.request, time.perf_counter()
        if prediction is not None and not prediction.isfinite().all():
            raise ArithmeticError
        if prediction is not None or isinstance(run.model, PipelineModel):
            run.call += 1
            self._turns.give(request.width * request.height)
            done = min(run.call, request.calls)
            preview = self._preview(run, prediction)
            yield messages.Called(run.order.job, done, request.calls, preview)
        try:
            run.ask = run.drawing.send(prediction)
            run.seconds += time.perf_counter() - started
        except StopIteration as finished:
            yield self._finished(run, finished.value, started)

    def _preview(self, run: Run, prediction: Tensor | None) -> bytes | None:
        last = run.call >= run.order.request.calls
        if prediction is None or last or run.ask is None or isinstance(run.model, PipelineModel):
            return None
        if not self._preview_every or run.call % self._preview_every:
            return None
        return run.model.preview.webp(run.model.clean(run.ask.scaled, run.ask.t, prediction))

    def _finished(self, run: Run, image: Image.Image | None, started: float) -> messages.Event:
        self._end(run.order.job)
        if image is None:
            return messages.Failed(run.order.job, Failure.NOT_A_NUMBER)
        seconds = run.seconds + time.perf_counter() - started
        return self._drawn(run.order, image, seconds, run.widths, run.notes)

    def _enlarge(self, order: Submit) -> Events:
        """What asks no network is done at once."""
        started = time.perf_counter()
        image, notes = initial_image(order.initial_image or b"", order.request)
        yield messages.Started(order.job, 0)
        yield self._drawn(order, image, time.perf_counter() - started, (), notes)

    def _drawn(
        self,
        order: Submit,
        image: Image.Image,
        seconds: float,
        widths: Sequence[int],
        notes: Sequence[Note],
    ) -> messages.Drawn:
        trace = run_lengths(widths)
        png = metadata.write(image, order.request, self._key, trace)
        return messages.Drawn(
            job=order.job,
            png=png,
            pixel_hash=metadata.pixel_hash(image),
            key=self._key,
            trace=trace,
            seconds=seconds,
            notes=tuple(notes),
            exposed=self._exposed(png) if self._exposed else None,
        )

    def _failed(self, job: int, error: BaseException) -> messages.Event:
        self._end(job)
        failure = _failure(error)
        if failure is Failure.FAULT:
            log.error("job %s", job, exc_info=error)
        detail = error.detail if isinstance(error, ModelRefused) else str(error)
        return messages.Failed(job, failure, f"{type(error).__name__}: {detail}")

    def _end(self, job: int) -> None:
        run = self._runs.pop(job, None)
        if run is not None:
            run.drawing.close()


def _set_up(threads: int) -> None:
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)


def _failure(error: BaseException) -> Failure:
    match error:
        case ModelRefused():
            return error.failure
        case metadata.ImageRefused():
            return Failure.IMAGE_BROKEN
        case ArithmeticError():
            return Failure.NOT_A_NUMBER
    # The CPU's allocator raises a plain RuntimeError.
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "alloc" in str(error):
        return Failure.OUT_OF_MEMORY
    return Failure.FAULT


def _model_key(request: GenerationRequest) -> Key:
    return request.model, request.model_hash, request.vae, request.vae_hash


def _begin(order: Submit, came: float, model: Loaded, catalogue: Catalogue) -> Run:
    """Encodes the prompts and reads the initial image."""
    request = order.request
    if isinstance(model, PipelineModel):
        prompt, told = plain(request.prompt, request.seed, catalogue)
        negative, more = plain(request.negative_prompt, request.seed, catalogue)
        words = replace(request, prompt=prompt, negative_prompt=negative)
        return Run(order, model, model.draw(words), (*told, *more), came)
    # Where guidance is an input of the network, one row is enough.
    asked = replace(request, guidance_scale=1.0) if model.embeds_guidance else request
    if changed(request.extras, catalogue):
        catalogue.refresh()  # they may be newer than what it saw
    conditionings = [condition(model, asked, catalogue, each) for each in passes(request)]
    notes = [*conditionings[0].notes, *changed(request.extras, catalogue)]
    if request.negative_prompt and not conditionings[0].guided:
        notes.append(Note(NoteKind.NEGATIVE_WITHOUT_EFFECT))
    if not follows(request.sampler, request.schedule):
        facts = {"schedule": request.schedule, "sampler": label_of(request.sampler)}
        notes.append(Note(NoteKind.SCHEDULE_WITHOUT_EFFECT, facts))
    image = None
    if order.initial_image is not None:
        image, resized = initial_image(order.initial_image, request)
        notes += resized
    drawing = draw(request, model, conditionings, image)
    return Run(order, model, drawing, tuple(notes), came, widths_of(order.trace or ""))
