"""The life of one picture, from its first noise to its pixels.

A picture is a Python generator that yields what it wants of the network and is sent the answer, so
that the engine knows neither samplers nor steps.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from generator import loras, metadata, noise
from generator.conditioning import Conditioning
from generator.inpainting import Area, inpainting_input
from generator.loaded_model import LoadedModel
from generator.loras import Lora
from generator.memory import out_of_memory
from generator.messages import Note, NoteKind
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
        tiled: whether edges are neighbours of each other.
    """

    scaled: Tensor
    t: Tensor
    step: int
    conditioning: Conditioning
    guidance: float
    size: tuple[int, int]
    tiled: bool = False

    @property
    def rows(self) -> int:
        return self.conditioning.rows(self.step)

    @property
    def key(self) -> tuple[tuple[int, ...], int, tuple[Lora, ...], bool]:
        """What has to be equal in one call of a model."""
        tokens = self.conditioning.at(self.step).shape[1]
        return tuple(self.scaled.shape), tokens, self.conditioning.lora, self.tiled

    @property
    def like(self) -> Hashable:
        """What its calls take as long as: which LoRAs they are makes no difference."""
        shape, tokens, lora, tiled = self.key
        return shape, tokens, len(lora), tiled

    @property
    def plain(self) -> bool:
        """Whether the network is asked as it was loaded."""
        return not self.conditioning.lora and not self.tiled


WithRoom = Callable[[Callable[[], Any]], Any]
Drawing = Generator[Ask | None, Any, Image.Image | None]
"""Is sent the prediction of what it asked; yields None where it wants a turn to itself; returns None when its numbers got out of hand."""


@torch.inference_mode()
def predict(asks: Sequence[Ask], inputs: Mapping[str, Any], network: Any) -> list[Tensor]:
    """One network call for all; a prediction of shape (1, channels, height, width) for each."""
    counts = [ask.rows for ask in asks]
    output = call(network, inputs)[0][: sum(counts)]
    outputs = torch.as_tensor(output).float().cpu().split(counts)
    return [
        ask.conditioning.combine(own, ask.guidance) for ask, own in zip(asks, outputs, strict=True)
    ]


def call(network: Any, inputs: Mapping[str, Any]) -> Any:
    """As diffusers' pipelines do it: what is denoised isn't named."""
    return network(inputs["sample"], **{k: v for k, v in inputs.items() if k != "sample"})


@torch.inference_mode()
def inputs_of(model: LoadedModel, asks: Sequence[Ask], width: int) -> dict[str, Any]:
    """What the network is asked; the model is made ready for it.

    A row's bits depend on the call's width and its layout in memory and not on the other rows, so
    padding may be anything: it is the last row again.
    """
    loras.use(model, asks[0].conditioning.lora)
    model.tile(asks[0].tiled)
    padding = width - sum(ask.rows for ask in asks)
    owners = [ask for ask in asks for _ in range(ask.rows)]
    owners += owners[-1:] * padding
    # cat keeps a layout that all rows have in common.
    scaled = torch.cat([owner.scaled for owner in owners]).contiguous()
    embeddings = torch.cat([ask.conditioning.at(ask.step) for ask in asks])
    return {
        "sample": scaled.to(model.device, model.dtype),
        # One timestep a row, as float32: the same bits as the pipeline's scalar.
        "timestep": torch.stack([owner.t.float() for owner in owners]).to(model.device),
        "encoder_hidden_states": _padded(embeddings, padding),
        "added_cond_kwargs": _added(model, asks, padding),
        "timestep_cond": _embedded_guidance(model, [owner.guidance for owner in owners]),
        "return_dict": False,
    }


def _added(model: LoadedModel, asks: Sequence[Ask], padding: int) -> dict[str, Tensor] | None:
    pooled = [ask.conditioning.pooled(ask.step) for ask in asks]
    known = [each for each in pooled if each is not None]
    together = _padded(torch.cat(known), padding) if known else None
    return model.added(together, *asks[0].size)


def _embedded_guidance(model: LoadedModel, scales: Sequence[float]) -> Tensor | None:
    """The network's `timestep_cond` for rows with these guidance scales.

    diffusers' LatentConsistencyModelPipeline.get_guidance_scale_embedding; None for a network
    without it.
    """
    size = model.unet.config.time_cond_proj_dim
    if size is None:
        return None
    half = size // 2
    steps = torch.arange(half, dtype=torch.float32) * -(
        torch.log(torch.tensor(10000.0)) / (half - 1)
    )
    angles = (torch.tensor(scales) - 1)[:, None] * 1000.0 * steps.exp()[None, :]
    embedded = torch.cat([angles.sin(), angles.cos()], dim=1)
    return nn.functional.pad(embedded, (0, size % 2)).to(model.device, model.dtype)


def _padded(rows: Tensor, padding: int) -> Tensor:
    return torch.cat([rows, rows[-1:].expand(padding, *rows.shape[1:])]) if padding else rows


@dataclass(frozen=True, slots=True)
class Pass:
    """One way from noise to a picture; with hires fix there are two, the second over the first.

    Args:
        run: how many of its steps are run where it begins with a picture: the last ones.
        with_room: does what takes memory.
    """

    size: tuple[int, int]
    steps: int
    strength: float
    run: int
    conditioning: Conditioning
    notes: list[Note]
    with_room: WithRoom


def draw(
    request: GenerationRequest,
    model: LoadedModel,
    conditionings: Sequence[Conditioning],
    initial: Image.Image | None,
    notes: list[Note],
    with_room: WithRoom,
) -> Drawing:
    """Latents and schedulers are float32 on the CPU.

    Args:
        conditionings: for each of the request's passes.
        initial: RGB, or RGBA where it is to be kept but for what is transparent.
        notes: gets what is to be told of it.
        with_room: does once more, with more room, what there was no memory for.
    """
    whole, small = (request.width, request.height), request.hires
    size = (small.width, small.height) if small else whole
    run = request.steps_run
    beside = notes, with_room
    first = Pass(size, request.steps, request.strength, run[0], conditionings[0], *beside)
    image = yield from _draw(request, model, first, initial)
    if small is None or image is None:
        return image
    over = Pass(whole, small.steps, small.strength, run[1], conditionings[1], *beside)
    enlarged = image.resize(whole, Image.Resampling.LANCZOS)
    if initial is not None and initial.mode == "RGBA":
        if request.version > 2:  # the first pass made it coarser
            enlarged = Image.composite(initial.convert("RGB"), enlarged, initial.getchannel("A"))
        enlarged.putalpha(initial.getchannel("A"))
    return (yield from _draw(request, model, over, enlarged))


def _draw(
    request: GenerationRequest, model: LoadedModel, over: Pass, initial: Image.Image | None
) -> Drawing:
    """A pass begins with the noise of the request's seed, in its own size."""
    if initial is not None and initial.size != over.size:
        initial = initial.resize(over.size, Image.Resampling.LANCZOS)
    model.tile(request.tiling)
    with_memory = partial(_whole_or_in_tiles, model, request.tiling, over)
    area = with_memory(lambda: Area.of(model, initial))
    source = noise.generator(request.seed)
    width, height = over.size
    shape = (1, model.channels, height // model.factor, width // model.factor)
    start = noise.initial_noise(shape, source, request.variations)
    scheduler = model.samplers.make(request.sampler, request.schedule, over.steps, request.version)
    timesteps = timesteps_from(scheduler, over.steps - over.run if initial else 0)
    if initial is None or (area and over.strength >= 1):
        latents = start * scheduler.init_noise_sigma
    else:
        colours = initial.convert("RGB")
        # The VAE's encoder leaves channels last.
        latents = with_memory(lambda: model.encode_image(colours)).contiguous()
        if len(timesteps):
            latents = scheduler.add_noise(latents, start, timesteps[:1])
    beside = with_memory(lambda: inpainting_input(model, area, shape))
    denoising = denoise(scheduler, timesteps, latents, source)
    latents = yield from _denoise(denoising, request, model, over, area, beside)
    yield None
    model.tile(request.tiling)
    latents = area.keep(latents) if area and beside is None else latents
    image: Image.Image | None = with_memory(lambda: model.decode(latents))
    return area.paste(image) if area and image else image


def _whole_or_in_tiles(
    model: LoadedModel, tiling: bool, over: Pass, work: Callable[[], Any]
) -> Any:
    """In tiles where the VAE hasn't memory for the whole: it takes more than any call before."""
    try:
        return over.with_room(work)
    except Exception as error:
        # Tiles would each fit their own edges instead of the picture's.
        if tiling or not out_of_memory(error):
            raise
    if (note := Note(NoteKind.DECODED_IN_TILES)) not in over.notes:
        over.notes.append(note)
    with model.in_tiles(over.size):
        return work()


def _denoise(
    denoising: Denoising,
    request: GenerationRequest,
    model: LoadedModel,
    over: Pass,
    area: Area | None,
    beside: Tensor | None,
) -> Generator[Ask, Tensor | None, Tensor]:
    call, prediction = 0, None
    while True:
        try:
            scaled, t = next(denoising) if prediction is None else denoising.send(prediction)
        except StopIteration as finished:
            return torch.as_tensor(finished.value)
        step = step_of(request.sampler, call)
        over.conditioning.at(step)  # now: what goes wrong with its words is nobody else's fault
        asked = scaled if beside is None else torch.cat([scaled, beside], dim=1)
        guidance, tiled = request.guidance_scale, request.tiling
        prediction = yield Ask(asked, t, step, over.conditioning, guidance, over.size, tiled)
        if area is not None and beside is None and prediction is not None:
            kept = area.keep(model.clean(scaled, t, prediction))
            prediction = model.prediction(scaled, t, kept)
        call += 1


def initial_image(data: bytes, request: GenerationRequest) -> tuple[Image.Image, list[Note]]:
    """The picture to begin with in the request's size, RGBA where it is masked.

    Raises metadata.ImageRefused.
    """
    mode = "RGBA" if request.masked else "RGB"
    image = metadata.open_image(data, MAX_INITIAL_PIXELS, mode)
    size = (request.width, request.height)
    if image.size == size:
        return image, []
    same_shape = image.width * size[1] == image.height * size[0]
    note = Note(NoteKind.IMAGE_RESIZED, {"size": f"{size[0]}x{size[1]}"})
    return image.resize(size, Image.Resampling.LANCZOS), [] if same_shape else [note]
