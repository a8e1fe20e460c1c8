"""The life of one picture, from its first noise to its pixels.

A picture is a Python generator that yields what it wants of the network and is sent the answer, so
that the engine knows neither samplers nor steps.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from generator import loras, metadata, noise
from generator.conditioning import Conditioning
from generator.messages import Note, NoteKind
from generator.models import LoadedModel
from generator.request import GenerationRequest
from generator.sampler_names import step_of
from generator.samplers import Denoising, denoise, timesteps_from

MAX_INITIAL_PIXELS = 64_000_000


@dataclass(frozen=True, slots=True)
class Ask:
    """What a picture wants of the network: a row for each that it is conditioned on.

    Args:
        scaled: (1, channels, height, width), float32 on the CPU.
        t: the timestep, a scalar tensor.
        step: of the sampler, counted from 0.
        guidance: the scale.
        size: width and height in pixels.
    """

    scaled: Tensor
    t: Tensor
    step: int
    conditioning: Conditioning
    guidance: float
    size: tuple[int, int]

    @property
    def rows(self) -> int:
        return self.conditioning.rows(self.step)

    @property
    def key(self) -> Hashable:
        """What has to be equal in one call of a model."""
        tokens = self.conditioning.at(self.step).shape[1]
        return tuple(self.scaled.shape), tokens, self.conditioning.lora


Drawing = Generator[Ask | None, Any, Image.Image | None]
"""Is sent the prediction of what it asked; yields None where it wants a turn to itself; returns None when its numbers got out of hand."""


@torch.inference_mode()
def predict(model: LoadedModel, asks: Sequence[Ask], width: int) -> list[Tensor]:
    """One network call for all; a prediction of shape (1, channels, height, width) for each.

    A row's bits depend on the call's width and its layout in memory and not on the other rows, so
    padding may be anything: it is the last row again.
    """
    loras.use(model, asks[0].conditioning.lora)
    counts = [ask.rows for ask in asks]
    padding = width - sum(counts)
    owners = [ask for ask in asks for _ in range(ask.rows)]
    owners += owners[-1:] * padding
    embeddings = _padded(torch.cat([ask.conditioning.at(ask.step) for ask in asks]), padding)
    # cat keeps a layout that all rows have in common.
    scaled = torch.cat([owner.scaled for owner in owners]).contiguous()
    # One timestep a row, as float32: the same bits as the pipeline's scalar.
    output = model.unet(
        scaled.to(model.device, model.dtype),
        torch.stack([owner.t.float() for owner in owners]).to(model.device),
        encoder_hidden_states=embeddings,
        added_cond_kwargs=_added(model, asks, padding),
        timestep_cond=model.embedded_guidance([owner.guidance for owner in owners]),
        return_dict=False,
    )[0][: sum(counts)]
    outputs = torch.as_tensor(output).float().cpu().split(counts)
    return [
        ask.conditioning.combine(own, ask.guidance) for ask, own in zip(asks, outputs, strict=True)
    ]


def _added(model: LoadedModel, asks: Sequence[Ask], padding: int) -> dict[str, Tensor] | None:
    pooled = [ask.conditioning.pooled(ask.step) for ask in asks]
    known = [each for each in pooled if each is not None]
    together = _padded(torch.cat(known), padding) if known else None
    return model.added(together, *asks[0].size)


def _padded(rows: Tensor, padding: int) -> Tensor:
    return torch.cat([rows, rows[-1:].expand(padding, *rows.shape[1:])]) if padding else rows


def draw(
    request: GenerationRequest,
    model: LoadedModel,
    conditioning: Conditioning,
    initial: Image.Image | None,
) -> Drawing:
    """Latents and schedulers are float32 on the CPU."""
    source = noise.generator(request.seed)
    shape = (1, model.channels, request.height // model.factor, request.width // model.factor)
    start = noise.initial_noise(shape, source, request.variations)
    scheduler = model.samplers.make(request.sampler, request.schedule, request.steps)
    timesteps = timesteps_from(scheduler, request.steps, request.strength if initial else 1.0)
    if initial is None:
        latents = start * scheduler.init_noise_sigma
    else:
        # The VAE's encoder leaves channels last.
        latents = model.encode_image(initial).contiguous()
        if len(timesteps):
            latents = scheduler.add_noise(latents, start, timesteps[:1])
    latents = yield from _denoise(
        denoise(scheduler, timesteps, latents, source), request, conditioning
    )
    yield None
    return model.decode(latents)


def _denoise(
    denoising: Denoising, request: GenerationRequest, conditioning: Conditioning
) -> Generator[Ask, Tensor | None, Tensor]:
    size = (request.width, request.height)
    call, prediction = 0, None
    while True:
        try:
            scaled, t = next(denoising) if prediction is None else denoising.send(prediction)
        except StopIteration as finished:
            return torch.as_tensor(finished.value)
        step = step_of(request.sampler, call)
        prediction = yield Ask(scaled, t, step, conditioning, request.guidance_scale, size)
        call += 1


def initial_image(data: bytes, request: GenerationRequest) -> tuple[Image.Image, list[Note]]:
    """The picture to begin with in the request's size. Raises metadata.ImageRefused."""
    image = metadata.open_image(data, MAX_INITIAL_PIXELS)
    size = (request.width, request.height)
    if image.size == size:
        return image, []
    same_shape = image.width * size[1] == image.height * size[0]
    note = Note(NoteKind.IMAGE_RESIZED, {"size": f"{size[0]}x{size[1]}"})
    return image.resize(size, Image.Resampling.LANCZOS), [] if same_shape else [note]
