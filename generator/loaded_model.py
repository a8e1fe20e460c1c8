"""A model in memory: its networks, and what is asked of them besides predictions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor, nn

from generator.preview import Preview
from generator.samplers import Samplers
from generator.text_encoders import TextEncoder

NETWORK_CHANNELS = 9  # of a network for inpainting: latents, mask, masked latents


@dataclass(slots=True, weakref_slot=True)
class LoadedModel:
    """A model in memory with what drawing needs of it.

    Args:
        encoders: its text encoders in order; embeddings are joined along their width.
        vae_name: of the VAE that it was asked for with; None is its own.
        own: the same with its own VAE, where this is another's.
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
    own: LoadedModel | None = None
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

    @contextmanager
    def in_tiles(self, size: tuple[int, int]) -> Iterator[None]:
        """Meanwhile the VAE works on one tile after the other: that takes less memory, and is a
        little different where tiles meet.

        Args:
            size: width and height of the picture, in pixels.
        """
        vae = self.vae
        usual = vae.tile_sample_min_size, vae.tile_latent_min_size
        if max(size) <= usual[0]:  # the whole of it would be one tile
            vae.tile_sample_min_size, vae.tile_latent_min_size = (side // 2 for side in usual)
        vae.use_tiling = True
        try:
            yield
        finally:
            vae.use_tiling = False
            vae.tile_sample_min_size, vae.tile_latent_min_size = usual

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
