"""Loads models from their folders and files. Never asks a hub."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from PIL import Image
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from generator import single_file
from generator.catalogue import Catalogue, Model
from generator.families import SDXL
from generator.hashes import stamps
from generator.headers import Kind, Unusable
from generator.memory import budget, of_the_device, out_of_memory, weight_bytes
from generator.messages import Failure
from generator.pipelines import PipelineModel, variant
from generator.preview import Preview
from generator.samplers import Samplers
from generator.single_file import Parts
from generator.text_encoders import TextEncoder

BROKEN = (OSError, ValueError, KeyError, RuntimeError, TypeError, StopIteration)
IDLE_SECONDS = 1800.0
NETWORK_CHANNELS = 9  # of a network for inpainting: latents, mask, masked latents


class ModelRefused(Exception):
    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


@dataclass(slots=True)
class LoadedModel:
    """A model in memory with what drawing needs of it.

    Args:
        encoders: its text encoders in order; embeddings are joined along their width.
        vae_name: of the VAE that it was asked for with; None is its own.
    """

    name: str
    hash: str
    unet: Any
    vae: Any
    encoders: tuple[TextEncoder, ...]
    scheduler_config: dict[str, Any]
    preview: Preview
    family: str = "small"
    vae_name: str | None = None
    samplers: Samplers = field(init=False)
    alphas: Tensor = field(init=False)
    device: torch.device = field(init=False)
    dtype: torch.dtype = field(init=False)
    channels: int = field(init=False)

    def __post_init__(self) -> None:
        # Kept, because diffusers walks through all modules each time that it is asked.
        self.device, self.dtype = self.unet.device, self.unet.dtype
        self.channels = int(self.vae.config.latent_channels)
        self.samplers = Samplers(self.scheduler_config)
        # ᾱ by timestep; the same for every sampler, as the model was trained with it.
        self.alphas = self.samplers.make("ddim", "automatic", 1).alphas_cumprod

    @property
    def encoder(self) -> Any:
        return self.encoders[0].model

    @property
    def tokenizer(self) -> Any:
        return self.encoders[0].tokenizer

    @property
    def factor(self) -> int:
        """Pixels a side for each latent."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    def v_prediction(self) -> bool:
        return bool(self.scheduler_config.get("prediction_type") == "v_prediction")

    @property
    def inpaints(self) -> bool:
        """Whether its network takes mask and masked latents beside the latents."""
        return bool(self.unet.config.in_channels == NETWORK_CHANNELS)

    @property
    def embeds_guidance(self) -> bool:
        """Whether guidance is an input of its network (distilled LCMs): one row is enough."""
        return self.unet.config.time_cond_proj_dim is not None

    def clean(self, scaled: Tensor, t: Tensor, prediction: Tensor) -> Tensor:
        """The latents that a prediction points at.

        Args:
            scaled: the network's input, variance preserving.
            t: its timestep, which may lie between two.
        """
        scaled = scaled[:, : self.channels]
        alpha = self.alphas[int(t.round().clamp(0, len(self.alphas) - 1))]
        signal, noise = alpha.sqrt(), (1 - alpha).sqrt()
        if self.v_prediction:
            return signal * scaled - noise * prediction
        return (scaled - noise * prediction) / signal

    def prediction(self, scaled: Tensor, t: Tensor, clean: Tensor) -> Tensor:
        """The prediction that points at these latents: what `clean` undoes."""
        alpha = self.alphas[int(t.round().clamp(0, len(self.alphas) - 1))]
        signal, noise = alpha.sqrt(), (1 - alpha).sqrt()
        if self.v_prediction:
            return (signal * scaled - clean) / noise
        return (scaled - signal * clean) / noise

    def added(self, pooled: Tensor | None, width: int, height: int) -> dict[str, Tensor] | None:
        """SD XL's `added_cond_kwargs` for rows of one size, None for the other families.

        Args:
            pooled: (rows, width) of the last text encoder.
            width, height: of the picture, in pixels.
        """
        if pooled is None or self.unet.config.addition_embed_type != "text_time":
            return None
        # Original size, corner of the crop, target size (SDXL report, arXiv 2307.01952, 2.2).
        ids = torch.tensor([[height, width, 0, 0, height, width]], device=self.device)
        return {
            "text_embeds": pooled.to(self.device, self.dtype),
            "time_ids": ids.to(self.dtype).repeat(len(pooled), 1),
        }

    def tile(self, tiled: bool) -> None:
        """Whether the network and the VAE take a picture's edges for neighbours of each other."""
        mode: Literal["circular", "zeros"] = "circular" if tiled else "zeros"
        for part in (self.unet, self.vae):
            layers = (each for each in part.modules() if isinstance(each, nn.Conv2d))
            # Told by the first, as copies of a model with another VAE share the network.
            if (first := next(layers)).padding_mode != mode:
                for layer in (first, *layers):
                    layer.padding_mode = mode

    @torch.inference_mode()
    def encode_image(self, image: Image.Image) -> Tensor:
        """Latents of an RGB picture: the mode of what the VAE encodes, so nothing is random."""
        pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
        pixels = pixels.view(1, image.height, image.width, 3).permute(0, 3, 1, 2).float()
        return self.encode_pixels(pixels / 127.5 - 1)

    @torch.inference_mode()
    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """The same of pixels (1, 3, height, width) in -1 … 1."""
        for latents in self._in_both_precisions(
            lambda vae: vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist.mode()
        ):
            if torch.isfinite(latents).all():
                break
        config = self.vae.config
        return torch.as_tensor(latents * config.scaling_factor).float().cpu()

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Image.Image | None:
        """The picture, or None when the numbers got out of hand."""
        scaled = latents / self.vae.config.scaling_factor
        for decoded in self._in_both_precisions(
            lambda vae: vae.decode(scaled.to(vae.device, vae.dtype), return_dict=False)[0][0]
        ):
            if torch.isfinite(decoded).all():
                # Where it lies: a card does this at once, and bytes are what is fetched from it.
                levels = (decoded.float() / 2 + 0.5).clamp(0, 1).mul(255).round().to(torch.uint8)
                return Image.fromarray(levels.permute(1, 2, 0).contiguous().cpu().numpy())
        return None

    def _in_both_precisions(self, work: Any) -> Iterator[Tensor]:
        """What the VAE makes as it is, then in float32: in half precision some overflow, which
        would be a black picture."""
        usual = self.vae.dtype
        yield work(self.vae)
        if usual is torch.float32:
            return
        self.vae.to(torch.float32)
        try:
            yield work(self.vae)
        finally:
            self.vae.to(usual)


Loaded = LoadedModel | PipelineModel
Key = tuple[str, str, str | None, str | None]  # a model's name and hash, and those of its VAE


@dataclass(slots=True)
class _Kept:
    model: Loaded
    bytes: int
    used: float


class Models:
    """Keeps models in memory, those that were used last, as many as there is room for."""

    def __init__(
        self,
        folders: Sequence[Path],
        cache: Path,
        device: torch.device,
        dtype: torch.dtype | None = None,
        budget_bytes: int | None = None,
    ) -> None:
        self._catalogue = Catalogue(folders, cache)
        self._device = device
        self._dtype = dtype or (torch.float16 if device.type == "cuda" else torch.float32)
        self._budget = budget(device) if budget_bytes is None else budget_bytes
        self._kept: dict[Key, _Kept] = {}

    @property
    def catalogue(self) -> Catalogue:
        return self._catalogue

    @property
    def device(self) -> torch.device:
        return self._device

    @property
    def dtype(self) -> torch.dtype:
        return self._dtype

    def loaded(
        self, name: str, hash: str, vae: str | None = None, vae_hash: str | None = None
    ) -> Any:
        """The model if it is in memory: a LoadedModel, a PipelineModel or None."""
        kept = self._kept.get((name, hash, vae, vae_hash))
        if kept is None:
            return None
        kept.used = time.monotonic()
        return kept.model

    def load(
        self, name: str, hash: str, vae: str | None = None, vae_hash: str | None = None
    ) -> tuple[Any, float]:
        """The model and the seconds that loading took. Raises ModelRefused, and what is of_the_device."""
        started = time.perf_counter()
        found = self._find(name, hash)
        files = stamps(found.path)
        own = self.loaded(name, hash)  # all but the VAE is shared
        try:
            needed = weight_bytes(found.path, self._dtype)
            self._make_room(needed)
            model = own or self._with_room(lambda: self._read(found))
            if vae is not None and isinstance(model, LoadedModel):
                model = self._with_vae(model, vae, vae_hash)
        except (Unusable, *BROKEN) as error:
            if of_the_device(error):
                raise
            raise ModelRefused(Failure.MODEL_BROKEN, f"{found.path}: {error}") from error
        if stamps(found.path) != files:
            raise ModelRefused(Failure.MODEL_CHANGED, f"{found.path} was replaced meanwhile")
        self._kept[name, hash, vae, vae_hash] = _Kept(model, needed, time.monotonic())
        return model, time.perf_counter() - started

    def free_idle(self, seconds: float = IDLE_SECONDS) -> None:
        """Forgets what nobody has drawn with for so long."""
        since = time.monotonic() - seconds
        self._drop([key for key, kept in self._kept.items() if kept.used < since])

    def _find(self, name: str, hash: str) -> Model:
        self._catalogue.refresh(large=0)  # whoever asks has hashed it
        found = self._catalogue.find(name)
        if found is None and self._catalogue.refresh():
            found = self._catalogue.find(name)
        if found is None:
            raise ModelRefused(Failure.MODEL_MISSING, name)
        if found.hash != hash:
            raise ModelRefused(Failure.MODEL_CHANGED, f"{name}: {found.hash}, not {hash}")
        return found

    def _make_room(self, needed: int) -> None:
        """Forgets the models that were used longest ago."""
        oldest = sorted(self._kept, key=lambda key: self._kept[key].used)
        while oldest and needed + sum(kept.bytes for kept in self._kept.values()) > self._budget:
            self._drop([oldest.pop(0)])

    def _with_room(self, read: Callable[[], Loaded]) -> Loaded:
        """Without all other models once more, should the memory not suffice: other programs, too,
        take of it."""
        try:
            return read()
        except BROKEN as error:
            if not (self._kept and out_of_memory(error)):
                raise
        self.free_idle(seconds=0)
        return read()

    def _drop(self, keys: Sequence[Key]) -> None:
        for key in keys:
            del self._kept[key]
        if keys:
            gc.collect()  # a compiled network is in a circle, and its weights would stay
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _read(self, found: Model) -> Loaded:
        if found.own_sampler:
            model = PipelineModel.read(
                found.path, found.name, found.hash, self._device, self._dtype
            )
            single_file.let_go(*model.networks)
            return model
        parts = self._parts(found)
        scheduler = dict(parts.scheduler_config)
        if found.prediction is not None:
            kinds = {"v": "v_prediction", "e": "epsilon"}
            scheduler["prediction_type"] = kinds[found.prediction[:1]]
        if found.spacing is not None:
            scheduler["timestep_spacing"] = found.spacing
        vae = self._placed(parts.vae, self._vae_dtype(parts.vae, found.family))
        encoders = tuple(
            replace(each, model=each.model.eval().to(self._device)) for each in parts.encoders
        )
        unet = self._placed(parts.unet.eval(), self._dtype)
        single_file.let_go(unet, vae, *(each.model for each in encoders))
        return LoadedModel(
            found.name, found.hash, unet, vae, encoders, scheduler, Preview(vae), found.family
        )

    def _parts(self, found: Model) -> Parts:
        if found.path.is_dir():
            return _read_folder(found.path, self._dtype)
        return single_file.read(found.path, found.family, found.prediction, self._dtype)

    def _placed(self, network: Any, dtype: torch.dtype) -> Any:
        """A card's convolutions in half precision want the channels last."""
        card = self._device.type == "cuda"
        layout = torch.channels_last if card else torch.contiguous_format
        return network.to(self._device, dtype, memory_format=layout)

    def _vae_dtype(self, vae: Any, family: str) -> torch.dtype:
        """SD XL's own VAE overflows in half precision, and its config says so; diffusers lets it
        say so for every family whose config doesn't tell."""
        upcast = family == SDXL.name and vae.config.get("force_upcast")
        return torch.float32 if upcast else self._dtype

    def _with_vae(self, model: LoadedModel, name: str, hash: str | None) -> LoadedModel:
        found = self._catalogue.find_extra(Kind.VAE, name)
        if found is None:
            raise ModelRefused(Failure.MODEL_MISSING, name)
        if hash not in (None, self._catalogue.hash_of(found)):
            raise ModelRefused(Failure.MODEL_CHANGED, name)
        vae = single_file.read_vae(found.path, dict(model.vae.config))
        vae = self._placed(vae, self._vae_dtype(model.vae, model.family))
        single_file.let_go(vae)
        return replace(model, vae=vae, preview=Preview(vae), vae_name=name)


def _read_folder(folder: Path, dtype: torch.dtype) -> Parts:
    """A model in the diffusers layout; never from a pickle."""
    unet = UNet2DConditionModel.from_pretrained(folder, **_part(folder, "unet", dtype))
    vae = AutoencoderKL.from_pretrained(folder, **_part(folder, "vae", torch.float32))
    two = (folder / "text_encoder_2").is_dir()
    encoders = [_read_encoder(folder, "", dtype, CLIPTextModel, 2 if two else 1)]
    if two:
        encoders.append(_read_encoder(folder, "_2", dtype, CLIPTextModelWithProjection, 2))
    config = (folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8")
    return Parts(unet, vae, tuple(encoders), json.loads(config))


def _read_encoder(
    folder: Path, number: str, dtype: torch.dtype, kind: Any, depth: int
) -> TextEncoder:
    part = f"text_encoder{number}"
    model = kind.from_pretrained(folder, **_part(folder, part, dtype))
    tokenizer = CLIPTokenizer.from_pretrained(
        folder, subfolder=f"tokenizer{number}", local_files_only=True
    )
    return TextEncoder(tokenizer, model, depth, normed=depth == 1)


def _part(folder: Path, part: str, dtype: torch.dtype) -> dict[str, Any]:
    """What from_pretrained needs."""
    return {
        "subfolder": part,
        "dtype": dtype,
        "variant": variant(folder / part),
        "use_safetensors": True,
        "local_files_only": True,
    }
