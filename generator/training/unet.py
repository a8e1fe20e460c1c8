"""The UNet: 11.8 M parameters, trained to predict v from noisy latents and a caption."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn
from transformers import CLIPTextModel

from generator.training.dataset import Examples
from generator.training.loop import Loop, Stopped
from generator.training.parallel import Group, together
from generator.training.precision import fast

PEAK = 5.5e-4  # learning rate
WARM_UP = 200  # steps
CONSTANT = 0.4  # of the steps; then a cosine
DROPPED = 0.1  # captions: what guidance needs
EMA = 0.9993


@dataclass(frozen=True)
class Plan:
    """`folder` has latents.npy, captions.npy and the text encoder; `start`: weights to go on from.

    `batch`: of each process.
    """

    folder: Path
    start: Path | None
    steps: int
    batch: int
    processes: int
    device: str
    compiled: bool


def build() -> Any:
    """Untrained; at first it predicts nothing and its residual branches are weak."""
    torch.manual_seed(0)
    model = UNet2DConditionModel(
        sample_size=16,
        in_channels=8,
        out_channels=8,
        block_out_channels=(64, 128, 192),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=256,
        attention_head_dim=(1, 2, 3),  # heads: diffusers keeps the older name
        norm_num_groups=16,
        use_linear_projection=True,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",  # pools the caption's states into the time embedding
        addition_embed_type_num_heads=4,
    )
    with torch.no_grad():
        nn.init.zeros_(model.conv_out.weight)
        nn.init.zeros_(model.conv_out.bias)
        for name, parameter in model.named_parameters():
            if name.endswith(("conv2.weight", "proj_out.weight", "to_out.0.weight")):
                parameter.mul_(0.1)
    return model


def scheduler() -> Any:
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.02,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        clip_sample=False,
        steps_offset=1,  # trailing steps don't use it; other values make diffusers warn
        timestep_spacing="trailing",
    )


class Weights:
    """Those that compute (bf16 where that is fast), those that learn (fp32), and these' running mean (EMA)."""

    def __init__(self, model: Any, device: torch.device) -> None:
        learning = [p.detach().float().contiguous().to(device) for p in model.parameters()]
        self.learning = [p.clone() for p in learning]
        self.mean = [p.clone() for p in learning]
        self.model = model.to(device, fast(device), memory_format=torch.channels_last).train()
        self.computing = [*self.model.parameters()]
        decayed = [p for p in self.learning if p.ndim > 1]
        others = [p for p in self.learning if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0}]
        self._optimizer = torch.optim.AdamW(groups, lr=PEAK, betas=(0.9, 0.99), fused=True)

    def gradients(self) -> Tensor:
        """All of them in one row; zeros for what the loss doesn't reach."""
        parts = (
            p.grad.reshape(-1) if p.grad is not None else p.new_zeros(p.numel())
            for p in self.computing
        )
        return torch.cat([*parts])

    @torch.no_grad()
    def step(self, gradients: Tensor, rate: float, step: int) -> None:
        sizes = [p.numel() for p in self.learning]
        for parameter, part in zip(self.learning, gradients.split(sizes), strict=True):
            parameter.grad = part.view_as(parameter)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        nn.utils.clip_grad_norm_(self.learning, 1.0)
        self._optimizer.step()
        decay = min(EMA, (2 + step) / (21 + step))
        torch._foreach_lerp_(self.mean, self.learning, 1 - decay)
        self._compute_with_learnt()

    def state_dict(self) -> dict[str, Any]:
        states = {"learning": self.learning, "mean": self.mean}
        return {**states, "optimizer": self._optimizer.state_dict()}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        for mine, saved in ((self.learning, state["learning"]), (self.mean, state["mean"])):
            for parameter, value in zip(mine, saved, strict=True):
                parameter.copy_(value)
        self._optimizer.load_state_dict(state["optimizer"])
        self._compute_with_learnt()

    def _compute_with_learnt(self) -> None:
        for parameter, learnt in zip(self.computing, self.learning, strict=True):
            parameter.copy_(learnt)
            parameter.grad = None


class Objective:
    """Noise of all strengths, evenly spread over a batch, and the loss of v.

    The loss is weighted by min(1, 5 / (SNR + 1)). Plain min-SNR for v would give the noisy half,
    where shapes are decided, almost no weight.
    """

    def __init__(self, examples: Examples, text_encoder: Any, device: torch.device) -> None:
        kept = scheduler().alphas_cumprod.to(device)
        self._signal, self._noise = kept.sqrt(), (1 - kept).sqrt()
        self._weight = (5 / (kept / (1 - kept) + 1)).clamp(max=1)
        self._examples, self._text_encoder, self._device = examples, text_encoder, device
        self._precision = fast(device)

    def loss(self, model: Any, count: int, source: torch.Generator) -> Tensor:
        where: dict[str, Any] = {"generator": source, "device": self._device}
        latents, ids = self._examples.batch(count, DROPPED, source)
        spread = torch.randperm(count, **where) + torch.rand(count, **where)
        t = (spread / count * len(self._signal)).long().clamp(max=len(self._signal) - 1)
        noise = torch.randn(latents.shape, **where)
        signal, strength = (part[t].view(-1, 1, 1, 1) for part in (self._signal, self._noise))
        noisy = (signal * latents + strength * noise).to(self._precision)
        with torch.no_grad():
            states = self._text_encoder(input_ids=ids).last_hidden_state
        noisy = noisy.contiguous(memory_format=torch.channels_last)
        predicted = model(noisy, t, states).sample.float()
        error = predicted - (signal * noise - strength * latents)
        loss: Tensor = (error.square().mean((1, 2, 3)) * self._weight[t]).mean()
        return loss


def train(plan: Plan) -> Any:
    """The mean (EMA) model, float32.

    Raises:
        Stopped: after a signal.
    """
    meeting = plan.folder / "meeting"
    with together(plan.processes, meeting, _follow, plan) as group:
        weights = _train(group, plan)
    model = build()
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), weights.mean, strict=True):
            parameter.copy_(value)
    return model


def _follow(group: Group, plan: Plan) -> None:
    try:
        _train(group, plan)
    except Stopped:
        return  # the leader says it


def _train(group: Group, plan: Plan) -> Weights:
    device = torch.device(plan.device)
    weights = Weights(_begin(plan.start), device)
    encoder = CLIPTextModel.from_pretrained(plan.folder / "text_encoder", dtype=fast(device))
    objective = Objective(Examples(plan.folder, device), encoder.to(device).eval(), device)
    if device.type == "cpu":  # 16 and 64 pixels are too few for the fused kernel
        weights.model.set_attn_processor(AttnProcessor())
    model = torch.compile(weights.model) if plan.compiled else weights.model
    path = plan.folder / "unet.pt"
    loop = Loop("unet", path, plan.steps, {"weights": weights}, group.leads, group.agree)
    for step in loop.steps():
        source = torch.Generator(device).manual_seed(step * group.size + group.rank)
        loss = objective.loss(model, plan.batch, source)
        loss.backward()
        weights.step(group.mean(weights.gradients()), learning_rate(step, plan.steps), step)
        loop.losses(loss.item())
    return weights


def _begin(start: Path | None) -> Any:
    if start is None:
        return build()
    return UNet2DConditionModel.from_pretrained(start / "unet", dtype=torch.float32)


def learning_rate(step: int, steps: int) -> float:
    share = max(0.0, (step / steps - CONSTANT) / (1 - CONSTANT))
    cosine = 0.5 * (1 + math.cos(math.pi * share))
    return PEAK * min(1, (step + 1) / WARM_UP) * (0.04 + 0.96 * cosine)
