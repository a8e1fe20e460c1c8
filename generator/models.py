"""Loads models from their folders and files. Never asks a hub."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

import torch
from torch import nn

from generator import model_folder, single_file, upscaling
from generator.catalogue import Catalogue
from generator.entries import Model
from generator.families import SDXL
from generator.hashes import stamps
from generator.headers import Kind, Unusable
from generator.loaded_model import LoadedModel
from generator.memory import budget, of_the_device, out_of_memory, weight_bytes
from generator.messages import Failure
from generator.pipelines import PipelineModel
from generator.preview import Preview
from generator.request import GenerationRequest
from generator.single_file import Parts
from generator.upscaling import Upscaler

BROKEN = (OSError, ValueError, KeyError, RuntimeError, TypeError, StopIteration)
IDLE_SECONDS = 1800.0

T = TypeVar("T")


class ModelRefused(Exception):
    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


class Crowded(Exception):
    """There is no room for a model beside those that pictures in flight draw with."""


Loaded = LoadedModel | PipelineModel
# A model's name and hash, and those of its VAE; of an upscaler its file and when that was written.
Key = tuple[str, str, str | None, str | None]


def model_key(request: GenerationRequest) -> Key:
    return request.model, request.model_hash, request.vae, request.vae_hash


@dataclass(slots=True)
class _Kept:
    model: Loaded | Upscaler
    used: float


class Models:
    """Keeps models in memory, those that were used last, as many as there is room for.

    What pictures in flight draw with is in memory, too, and counts, whether it is kept or not.
    """

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
        self._alive: WeakValueDictionary[Key, Loaded | Upscaler] = WeakValueDictionary()
        self._taken: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()  # bytes

    @property
    def catalogue(self) -> Catalogue:
        return self._catalogue

    @property
    def device(self) -> torch.device:
        return self._device

    @property
    def dtype(self) -> torch.dtype:
        return self._dtype

    @property
    def kept(self) -> tuple[str, ...]:
        """The names of those in memory, without upscalers."""
        kept = [(name, each.model) for (name, *_), each in list(self._kept.items())]
        return tuple(sorted({name for name, model in kept if not isinstance(model, Upscaler)}))

    def loaded(
        self, name: str, hash: str, vae: str | None = None, vae_hash: str | None = None
    ) -> Any:
        """The model if it is in memory: a LoadedModel, a PipelineModel or None."""
        key = (name, hash, vae, vae_hash)
        model = self._alive.get(key)
        if model is not None:
            self._keep(key, model)
        return model

    def load(
        self,
        name: str,
        hash: str,
        vae: str | None = None,
        vae_hash: str | None = None,
        *,
        beside: Callable[[], bool] = lambda: False,
    ) -> tuple[Any, float]:
        """The model and the seconds that loading took.

        Raises ModelRefused, Crowded, and what is of_the_device.

        Args:
            beside: whether pictures are in flight, whose end makes room where there is none.
        """
        started = time.perf_counter()
        found = self._find(name, hash)
        try:
            model = self.loaded(name, hash)  # all but the VAE is shared
            if model is None:
                model = self._own(found, beside)
                self._keep((name, hash, None, None), model)
            if vae is not None and isinstance(model, LoadedModel):
                model = self._with_vae(model, vae, vae_hash, beside)
            self._keep((name, hash, vae, vae_hash), model)  # a pipeline of its own has its own VAE
        except (Unusable, *BROKEN) as error:
            if beside() and out_of_memory(error):
                raise Crowded from error
            if of_the_device(error):
                raise
            raise ModelRefused(Failure.MODEL_BROKEN, f"{found.path}: {error}") from error
        return model, time.perf_counter() - started

    def upscaler(self, file: Path) -> Upscaler:
        """Raises OSError, ValueError and whatever else a stranger's file fails in."""
        key = str(file), str(file.stat().st_mtime_ns), None, None
        found = self._alive.get(key)
        if not isinstance(found, Upscaler):
            found = self.with_room(lambda: upscaling.read(file, self._device))
            self._taken[found.network] = sum(p.nbytes for p in found.network.parameters())
        self._keep(key, found)
        return found

    def free_idle(self, seconds: float = IDLE_SECONDS) -> None:
        """Forgets what nobody has drawn with for so long."""
        since = time.monotonic() - seconds
        self._drop([key for key, kept in list(self._kept.items()) if kept.used < since])

    def with_room(self, work: Callable[[], T]) -> T:
        """Once more without the models that nobody draws with, should the memory not suffice: other
        programs, too, take of it."""
        try:
            return work()
        except Exception as error:
            if not (out_of_memory(error) and self.make_room()):
                raise
        return work()

    def make_room(self) -> bool:
        """Forgets all models that no picture in flight draws with; whether there were any."""
        before = tuple(self._kept)
        self.free_idle(seconds=0)
        for key in before:
            self.loaded(*key)
        return len(self._kept) < len(before)

    def _keep(self, key: Key, model: Loaded | Upscaler) -> None:
        self._kept[key] = _Kept(model, time.monotonic())
        self._alive[key] = model

    def _find(self, name: str, hash: str) -> Model:
        self._catalogue.refresh(large=0)  # whoever asks has hashed it
        found = self._catalogue.named(name, hash)
        # One that begins so may stand in for one whose hash was forgotten.
        if (found is None or found.hash != hash) and self._catalogue.refresh():
            found = self._catalogue.named(name, hash)
        if found is None:
            raise ModelRefused(Failure.MODEL_MISSING, name)
        if found.hash != hash:
            raise ModelRefused(Failure.MODEL_CHANGED, f"{name}: {found.hash}, not {hash}")
        return found

    def _own(self, found: Model, beside: Callable[[], bool]) -> Loaded:
        """Read from its files, with its own VAE."""
        files = stamps(found.path)
        needed = weight_bytes(found.path, self._dtype)
        self._make_room(needed, beside)
        model = self.with_room(lambda: self._read(found))
        if stamps(found.path) != files:
            raise ModelRefused(Failure.MODEL_CHANGED, f"{found.path} was replaced meanwhile")
        network = model.unet if isinstance(model, LoadedModel) else model.networks[0]
        self._taken[network] = needed
        return model

    def _make_room(self, needed: int, beside: Callable[[], bool]) -> None:
        """Forgets the models that were used longest ago. Raises Crowded where that isn't enough."""
        used = {key: kept.used for key, kept in list(self._kept.items())}
        for key in sorted(used, key=lambda key: used[key]):
            if self._fits(needed):
                return
            self._drop([key])
        if beside() and not self._fits(needed):
            raise Crowded

    def _fits(self, needed: int) -> bool:
        # At once, as upscalers are read in another thread meanwhile.
        alive = [network for ref in self._taken.keyrefs() if (network := ref()) is not None]
        return needed + sum(self._taken[network] for network in alive) <= self._budget

    def _drop(self, keys: Sequence[Key]) -> None:
        for key in keys:
            self._kept.pop(key, None)
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
            return model_folder.read(found.path, self._dtype)
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

    def _with_vae(
        self, model: LoadedModel, name: str, hash: str | None, beside: Callable[[], bool]
    ) -> LoadedModel:
        found = self._catalogue.find_extra(Kind.VAE, name)
        if found is None:
            raise ModelRefused(Failure.MODEL_MISSING, name)
        if hash not in (None, self._catalogue.hash_of(found)):
            raise ModelRefused(Failure.MODEL_CHANGED, name)
        dtype = self._vae_dtype(model.vae, model.family)
        needed = weight_bytes(found.path, dtype)
        self._make_room(needed, beside)
        vae = single_file.read_vae(found.path, dict(model.vae.config))
        vae = self._placed(vae, dtype)
        single_file.let_go(vae)
        self._taken[vae] = needed
        return replace(model, vae=vae, preview=Preview(vae), vae_name=name, own=model)
