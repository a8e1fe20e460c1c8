"""LoRAs of a model in memory, switched between network calls (through peft, never merged)."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from diffusers.loaders.lora_pipeline import (
    StableDiffusionLoraLoaderMixin,
    StableDiffusionXLLoraLoaderMixin,
)
from diffusers.utils.peft_utils import (
    delete_adapter_layers,
    set_adapter_layers,
    set_weights_and_activate_adapters,
)
from diffusers.utils.state_dict_utils import (
    convert_state_dict_to_diffusers,
    convert_state_dict_to_peft,
)
from peft import LoraConfig, inject_adapter_in_model, set_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor, nn

from generator.loaded_model import LoadedModel
from generator.memory import of_the_device

log = logging.getLogger(__name__)

LORA_B = ".lora_B.weight"
SEVERAL = "Already found a `peft_config`"  # peft warns of what is wanted here
KEPT = 8  # of a model, those that were used last


@dataclass(frozen=True, slots=True, order=True)
class Lora:
    """A file with its weights. Equal ones can be in one network call.

    Args:
        hash: sha256 of the file.
        text: its weight in the text encoders; network: its weight in the denoising network.
    """

    hash: str
    text: float
    network: float
    path: Path

    @property
    def adapter(self) -> str:
        return f"lora_{self.hash[:16]}"


class LoraRefused(Exception):
    """Its tensors don't fit the model."""

    def __init__(self, lora: Lora, detail: str) -> None:
        super().__init__(detail)
        self.lora = lora


_active: WeakKeyDictionary[nn.Module, tuple[Lora, ...]] = WeakKeyDictionary()


def use(model: LoadedModel, loras: Sequence[Lora]) -> None:
    """Switches to these LoRAs and no others; nothing is done when they are in use already.

    Without any the model gives the same bits as before it had LoRAs. Raises LoraRefused, and what is
    of_the_device.
    """
    wanted = tuple(loras)
    if _active.get(model.unet, ()) == wanted:
        return
    _active.pop(model.unet, None)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", SEVERAL)
        for lora in wanted:
            _load(model, lora)
    _forget(model, {lora.adapter for lora in wanted})
    _switch(model, wanted)
    _active[model.unet] = wanted


def _networks(model: LoadedModel) -> list[Any]:
    return [model.unet, *(encoder.model for encoder in model.encoders)]


def _adapters(network: Any) -> list[str]:
    return list(getattr(network, "peft_config", {}))


def _load(model: LoadedModel, lora: Lora) -> None:
    if any(lora.adapter in _adapters(network) for network in _networks(model)):
        return
    large = len(model.encoders) > 1
    loader: Any = StableDiffusionXLLoraLoaderMixin if large else StableDiffusionLoraLoaderMixin
    try:
        weights, alphas = loader.lora_state_dict(
            load_file(lora.path), unet_config=model.unet.config
        )
        loader.load_lora_into_unet(weights, alphas, model.unet, adapter_name=lora.adapter)
        for number, encoder in zip(("", "_2"), model.encoders, strict=False):
            _load_text(encoder.model, f"text_encoder{number}.", weights, alphas or {}, lora.adapter)
    except Exception as error:  # it is a stranger's file, and a half of it must not stay
        _delete(model, lora.adapter)
        if of_the_device(error):
            raise
        log.warning("%s does not fit %s: %r", lora.path, model.name, error)
        raise LoraRefused(lora, str(error)) from error
    if not any(lora.adapter in _adapters(network) for network in _networks(model)):
        raise LoraRefused(lora, "nothing in it is for this model")
    _pad_alike(model.unet)


def _pad_alike(network: nn.Module) -> None:
    """What is new takes edges for neighbours of each other where the network's own layers do."""
    first, *others = (each for each in network.modules() if isinstance(each, nn.Conv2d))
    for layer in others:
        layer.padding_mode = first.padding_mode


def _load_text(
    network: Any, prefix: str, weights: dict[str, Tensor], alphas: dict[str, float], adapter: str
) -> None:
    """By peft itself: transformers' load_adapter fails for the second LoRA of a model."""
    own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    if not own:
        return
    own = convert_state_dict_to_peft(convert_state_dict_to_diffusers(own))
    strip = "" if hasattr(network, "text_model") else "text_model."
    own = {name.removeprefix(strip): value for name, value in own.items()}
    ranks = {k.removesuffix(LORA_B): v.shape[1] for k, v in own.items() if k.endswith(LORA_B)}
    scales = _alphas({k.removeprefix(prefix): v for k, v in alphas.items()}, strip)
    config = LoraConfig(
        r=next(iter(ranks.values())),
        target_modules=list(ranks),
        rank_pattern=ranks,
        lora_alpha=next(iter(ranks.values())),
        alpha_pattern={name: scales.get(name, rank) for name, rank in ranks.items()},
    )
    inject_adapter_in_model(config, network, adapter_name=adapter)
    set_peft_model_state_dict(network, own, adapter)
    network.eval()


def _alphas(alphas: dict[str, float], strip: str) -> dict[str, float]:
    """By module; in the file by the name of its first tensor. Where there are none, each is as
    large as its rank."""
    if not alphas:
        return {}
    names = convert_state_dict_to_peft(
        convert_state_dict_to_diffusers({k.removesuffix(".alpha"): v for k, v in alphas.items()})
    )
    return {name.removeprefix(strip).split(".lora_")[0]: value for name, value in names.items()}


def _forget(model: LoadedModel, wanted: set[str]) -> None:
    known = dict.fromkeys(name for network in _networks(model) for name in _adapters(network))
    spare = [name for name in known if name not in wanted]
    for name in spare[: max(len(known) - KEPT, 0)]:
        _delete(model, name)


def _delete(model: LoadedModel, adapter: str) -> None:
    for network in _networks(model):
        if adapter in _adapters(network):
            delete_adapter_layers(network, adapter)
            getattr(network, "peft_config", {}).pop(adapter, None)  # gone with the last one


def _switch(model: LoadedModel, wanted: Sequence[Lora]) -> None:
    for network in _networks(model):
        known = _adapters(network)
        used = [lora for lora in wanted if lora.adapter in known]
        if known:
            set_adapter_layers(network, enabled=bool(used))
        if used:
            weights = [lora.network if network is model.unet else lora.text for lora in used]
            set_weights_and_activate_adapters(network, [lora.adapter for lora in used], weights)
