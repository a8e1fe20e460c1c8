"""Denoises pictures: schedule → run → advance, one network call a turn.

Every picture is a Python generator that yields what it wants of the network and is sent the answer,
so that the loop knows neither samplers nor steps. One picture is in flight at a time.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import groupby

import torch
from PIL import Image
from torch import Tensor

from generator import messages, metadata, noise
from generator.conditioning import Encoded, encode
from generator.messages import Failure, Note, NoteKind, Submit
from generator.models import LoadedModel, ModelRefused, Models
from generator.request import GenerationRequest
from generator.samplers import denoise, timesteps_from

log = logging.getLogger(__name__)

MAX_INITIAL_PIXELS = 64_000_000


@dataclass(frozen=True, slots=True)
class Ask:
    """What a picture wants of the network: one row, or two with guidance.

    Args:
        scaled: (1, channels, height, width).
        t: the timestep, a scalar tensor.
    """

    scaled: Tensor
    t: Tensor


Denoised = Generator[Ask, Tensor, Image.Image | None]


@dataclass(slots=True)
class Run:
    """A picture in flight."""

    order: Submit
    model: LoadedModel
    conditioning: tuple[Encoded, ...]  # without guidance the prompt; else negative, prompt
    picture: Denoised
    calls: int
    notes: tuple[Note, ...]
    ask: Ask = field(init=False)
    started: float = field(default_factory=time.perf_counter)
    widths: list[int] = field(default_factory=list)
    planned: list[int] = field(default_factory=list)  # widths to be replayed

    @property
    def rows(self) -> int:
        return len(self.conditioning)

    def width(self) -> int:
        """Rows of the next call: its own, or what the replayed trace had."""
        index = len(self.widths)
        return max(self.rows, self.planned[index] if index < len(self.planned) else 0)


class Engine:
    def __init__(self, models: Models, key: dict[str, str], preview_every: int) -> None:
        self._models = models
        self._key = key
        self._preview_every = preview_every
        self._waiting: deque[Submit] = deque()
        self._run: Run | None = None

    @property
    def busy(self) -> bool:
        return self._run is not None or bool(self._waiting)

    def submit(self, order: Submit) -> None:
        self._waiting.append(order)

    def cancel(self, job: int) -> Iterator[messages.Event]:
        """Takes effect before the next network call."""
        if self._run and self._run.order.job == job:
            self._run = None
            yield messages.Cancelled(job)
        for order in [each for each in self._waiting if each.job == job]:
            self._waiting.remove(order)
            yield messages.Cancelled(job)

    def turn(self) -> Iterator[messages.Event]:
        """The beginning of a picture or one network call, and what comes of it."""
        order = self._run.order if self._run else self._waiting.popleft()
        try:
            yield from self._begin(order) if self._run is None else self._advance(self._run)
        except ModelRefused as refused:
            yield self._failed(order, refused.failure, refused.detail)
        except metadata.ImageRefused as refused:
            yield self._failed(order, Failure.IMAGE_BROKEN, str(refused))
        except Exception as error:  # whatever it is, the worker and its model live on
            log.exception("job %s", order.job)
            yield self._failed(order, _failure(error), f"{type(error).__name__}: {error}")

    def _begin(self, order: Submit) -> Iterator[messages.Event]:
        request = order.request
        model = self._models.loaded(request.model, request.model_hash)
        if model is None:
            yield messages.Loading(request.model)
            model, seconds = self._models.load(request.model, request.model_hash)
            yield messages.Loaded(request.model, seconds)
        run = _begin(order, model)
        yield messages.Started(order.job, run.calls)
        yield from self._answer(run, None)

    def _advance(self, run: Run) -> Iterator[messages.Event]:
        prediction = _predict(run)
        run.widths.append(run.width())
        call = len(run.widths)
        preview = None
        if self._preview_every and call % self._preview_every == 0 and call < run.calls:
            preview = run.model.preview.webp(run.model.clean(run.ask.scaled, run.ask.t, prediction))
        yield messages.Called(run.order.job, call, run.calls, preview)
        yield from self._answer(run, prediction)

    def _answer(self, run: Run, prediction: Tensor | None) -> Iterator[messages.Event]:
        """Sends a picture its prediction (None begins it): it asks again or it is finished."""
        try:
            picture = run.picture
            run.ask = next(picture) if prediction is None else picture.send(prediction)
            self._run = run
        except StopIteration as finished:
            self._run = None
            yield self._finished(run, finished.value)

    def _finished(self, run: Run, image: Image.Image | None) -> messages.Event:
        job = run.order.job
        if image is None:
            return messages.Failed(job, Failure.NOT_A_NUMBER)
        trace = _run_lengths(run.widths)
        return messages.Drawn(
            job=job,
            png=metadata.write(image, run.order.request, self._key, trace),
            pixel_hash=metadata.pixel_hash(image),
            key=self._key,
            trace=trace,
            seconds=time.perf_counter() - run.started,
            notes=run.notes,
        )

    def _failed(self, order: Submit, failure: Failure, detail: str) -> messages.Event:
        self._run = None
        return messages.Failed(order.job, failure, detail)


def _failure(error: Exception) -> Failure:
    # The CPU's allocator raises a plain RuntimeError.
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "alloc" in str(error):
        return Failure.OUT_OF_MEMORY
    return Failure.FAULT


def _begin(order: Submit, model: LoadedModel) -> Run:
    """Encodes the prompts and makes the first noise."""
    request = order.request
    texts = [request.negative_prompt, request.prompt] if request.guided else [request.prompt]
    conditioning = tuple(encode(model.tokenizer, model.encoder, text) for text in texts)
    notes = [note for each in conditioning for note in each.notes]
    if request.negative_prompt and not request.guided:
        notes.append(Note(NoteKind.NEGATIVE_WITHOUT_EFFECT))
    initial = None
    if order.initial_image is not None:
        initial, resized = _initial(order.initial_image, request)
        notes += resized
    return Run(
        order=order,
        model=model,
        conditioning=conditioning,
        picture=_draw(request, model, initial),
        calls=request.calls,
        notes=tuple(notes),
        planned=_widths(order.trace or ""),
    )


def _initial(data: bytes, request: GenerationRequest) -> tuple[Image.Image, list[Note]]:
    image = metadata.open_image(data, MAX_INITIAL_PIXELS)
    size = (request.width, request.height)
    if image.size == size:
        return image, []
    same_shape = image.width * size[1] == image.height * size[0]
    note = Note(NoteKind.IMAGE_RESIZED, {"size": f"{size[0]}x{size[1]}"})
    return image.resize(size, Image.Resampling.LANCZOS), [] if same_shape else [note]


def _draw(request: GenerationRequest, model: LoadedModel, initial: Image.Image | None) -> Denoised:
    """The life of one picture. Latents and schedulers are float32 on the CPU."""
    source = noise.generator(request.seed)
    factor = model.factor
    shape = (1, model.unet.config.in_channels, request.height // factor, request.width // factor)
    start = noise.initial_noise(shape, source, request.variations)
    scheduler = model.samplers.make(request.sampler, request.schedule, request.steps)
    timesteps = timesteps_from(scheduler, request.steps, request.strength if initial else 1.0)
    if initial is None:
        latents = start * scheduler.init_noise_sigma
    else:
        latents = _encode_image(model, initial)
        if len(timesteps):
            latents = scheduler.add_noise(latents, start, timesteps[:1])
    denoising = denoise(scheduler, timesteps, latents, source)
    try:
        scaled, t = next(denoising)
        while True:
            prediction = yield Ask(scaled, t)
            scaled, t = denoising.send(prediction)
    except StopIteration as finished:
        return _decode(model, finished.value)


@torch.inference_mode()
def _predict(run: Run) -> Tensor:
    """Asks the network; guidance is combined row by row (Ho and Salimans, 2022)."""
    model = run.model
    width = run.width()
    embeddings = torch.cat([each.embeddings for each in run.conditioning])
    padding = width - run.rows
    embeddings = torch.cat([embeddings, embeddings[-1:].expand(padding, -1, -1)])
    rows = run.ask.scaled.to(model.device, model.dtype).expand(width, -1, -1, -1)
    # One timestep a row, as float32: the same bits as the pipeline's scalar.
    t = run.ask.t.to(model.device, torch.float32).expand(width)
    output = model.unet(rows, t, encoder_hidden_states=embeddings, return_dict=False)[0]
    output = torch.as_tensor(output[: run.rows]).float().cpu()
    if run.rows == 1:
        return output
    negative, positive = output.chunk(2)
    return negative + run.order.request.guidance_scale * (positive - negative)


@torch.inference_mode()
def _encode_image(model: LoadedModel, image: Image.Image) -> Tensor:
    """Latents of a picture: the mode of what the VAE encodes, so that nothing is random."""
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    pixels = pixels.view(1, image.height, image.width, 3).permute(0, 3, 1, 2).float()
    scaled = (pixels / 127.5 - 1).to(model.vae.device, model.vae.dtype)
    latents = model.vae.encode(scaled).latent_dist.mode() * model.vae.config.scaling_factor
    return torch.as_tensor(latents).float().cpu()


@torch.inference_mode()
def _decode(model: LoadedModel, latents: Tensor) -> Image.Image | None:
    """The picture, or None when the numbers got out of hand."""
    scaled = latents.to(model.vae.device, model.vae.dtype) / model.vae.config.scaling_factor
    decoded = model.vae.decode(scaled, return_dict=False)[0][0].float().cpu()
    if not torch.isfinite(decoded).all():
        return None
    pixels = (decoded / 2 + 0.5).clamp(0, 1).permute(1, 2, 0)
    return Image.fromarray((pixels.numpy() * 255).round().astype("uint8"))


def _run_lengths(widths: list[int]) -> str:
    """[2, 2, 1] → "2e2,1e1"; e: eager, the only program so far."""
    return ",".join(f"{width}e{len(list(same))}" for width, same in groupby(widths))


def _widths(trace: str) -> list[int]:
    parts = [part.split("e") for part in trace.split(",") if part]
    return [int(width) for width, count in parts for _ in range(int(count))]
