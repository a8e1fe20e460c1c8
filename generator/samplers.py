"""Samplers: diffusers' schedulers, each wrapped as a generator that asks for predictions.

Names → classes as in diffusers' table for AUTOMATIC1111's names
(docs/source/en/api/schedulers/overview.md).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Mapping
from functools import cache, partial
from importlib import import_module
from inspect import signature
from typing import Any

import torch
from torch import Tensor

from generator.request import VERSION
from generator.sampler_names import BY_NOISE, follows

Denoising = Generator[tuple[Tensor, Tensor], Tensor, Tensor]

CLASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "ddim": ("ddim.DDIM", {}),
    "plms": ("pndm.PNDM", {"skip_prk_steps": True}),
    "lms": ("lms_discrete.LMSDiscrete", {}),
    "euler": ("euler_discrete.EulerDiscrete", {}),
    "euler a": ("euler_ancestral_discrete.EulerAncestralDiscrete", {}),
    "heun": ("heun_discrete.HeunDiscrete", {}),
    "dpm2": ("k_dpm_2_discrete.KDPM2Discrete", {}),
    "dpm2 a": ("k_dpm_2_ancestral_discrete.KDPM2AncestralDiscrete", {}),
    "dpm++ 2m": (
        "dpmsolver_multistep.DPMSolverMultistep",
        {"algorithm_type": "dpmsolver++", "solver_order": 2},
    ),
    "dpm++ 2m sde": (
        "dpmsolver_multistep.DPMSolverMultistep",
        {"algorithm_type": "sde-dpmsolver++", "solver_order": 2},
    ),
    "dpm++ 3m sde": (
        "dpmsolver_multistep.DPMSolverMultistep",
        {"algorithm_type": "sde-dpmsolver++", "solver_order": 3},
    ),
    "dpm++ sde": (
        "dpmsolver_singlestep.DPMSolverSinglestep",
        {"algorithm_type": "sde-dpmsolver++", "solver_order": 2},
    ),
    "unipc": ("unipc_multistep.UniPCMultistep", {"solver_order": 2}),
    "deis": ("deis_multistep.DEISMultistep", {"algorithm_type": "deis", "solver_order": 2}),
    "ddpm": ("ddpm.DDPM", {}),
    "lcm": ("lcm.LCM", {}),
    "tcd": ("tcd.TCD", {}),
}
# They choose among the timesteps of their distillation; more steps than it had need more of those.
DISTILLED = ("lcm", "tcd")
PLAIN = dict.fromkeys(("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"), False)
SCHEDULE_CHANGES: dict[str, dict[str, Any]] = {
    "automatic": {},
    "karras": {**PLAIN, "use_karras_sigmas": True},
    "exponential": {**PLAIN, "use_exponential_sigmas": True, "timestep_spacing": "linspace"},
    "beta": {**PLAIN, "use_beta_sigmas": True, "timestep_spacing": "linspace"},
    "sgm uniform": {**PLAIN, "timestep_spacing": "trailing"},
    "simple": {**PLAIN, "timestep_spacing": "trailing"},
}


class Samplers:
    """The schedulers of one model.

    Schedulers keep state and some take long to make (KDPM2 0.2 s), so there is a template of each,
    and every picture gets a copy.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = dict(config)
        self._templates: dict[tuple[str, str], Any] = {}
        self._coefficients: dict[tuple[Any, ...], float] = {}

    def make(self, sampler: str, schedule: str, steps: int, version: int = VERSION) -> Any:
        """A scheduler of its own, with its timesteps set.

        Args:
            version: of the recipe: what it was first drawn with is what it is drawn with.
        """
        key = (sampler, schedule)
        if key not in self._templates:
            self._templates[key] = self._template(sampler, schedule)
        scheduler = copy.deepcopy(self._templates[key])
        if sampler in DISTILLED and steps > scheduler.config.original_inference_steps:
            scheduler.set_timesteps(steps, original_inference_steps=steps)
        else:
            scheduler.set_timesteps(steps)
        if sampler == "euler a" and schedule in BY_NOISE:
            # diffusers' class knows none of these, and differs from euler in its steps only.
            euler = self.make("euler", schedule, steps)
            scheduler.sigmas, scheduler.timesteps = euler.sigmas, euler.timesteps
        if sampler == "dpm++ 3m sde" and version > 1:
            _mend(scheduler)
        if sampler == "lms" and version > 2:
            _begin_low(scheduler)
        if sampler == "lms":
            self._remember_coefficients(scheduler, (schedule, steps))
        return scheduler

    def _remember_coefficients(self, scheduler: Any, key: tuple[str, int]) -> None:
        """Each is an integral that takes as long as a small network's call."""
        integrate = scheduler.get_lms_coefficient

        def remembered(*place: int) -> float:
            if (key, place) not in self._coefficients:
                self._coefficients[key, place] = integrate(*place)
            return self._coefficients[key, place]

        scheduler.get_lms_coefficient = remembered

    def _template(self, sampler: str, schedule: str) -> Any:
        path, changes = CLASSES[sampler]
        kind = _scheduler_class(path)
        wanted = {
            **(SCHEDULE_CHANGES[schedule] if follows(sampler, schedule) else PLAIN),
            **changes,
        }
        known = signature(kind.__init__).parameters
        return kind.from_config(
            self._config, **{name: value for name, value in wanted.items() if name in known}
        )


def _mend(scheduler: Any) -> None:
    """Undoes a wrong sign in the third order of diffusers' sde-dpmsolver++, by which D2 counts for
    alpha too little, so that pictures get noisier with ever more steps (k-diffusion's
    sample_dpmpp_3m_sde has it right)."""
    stock = scheduler.multistep_dpm_solver_third_order_update

    def mended(outputs: list[Tensor], *, sample: Tensor, noise: Tensor) -> Tensor:
        sigmas = scheduler.sigmas[scheduler.step_index - 2 : scheduler.step_index + 2]
        alphas, sigmas = scheduler._sigma_to_alpha_sigma_t(sigmas)
        h_1, h_0, h = (alphas.log() - sigmas.log()).diff()
        m2, m1, m0 = outputs[-3:]
        d2 = ((m0 - m1) * h / h_0 - (m1 - m2) * h / h_1) / ((h_0 + h_1) / h)
        return torch.as_tensor(stock(outputs, sample=sample, noise=noise) + alphas[-1] * d2)

    scheduler.multistep_dpm_solver_third_order_update = mended


def _begin_low(scheduler: Any) -> None:
    """diffusers' LMSDiscrete takes the order of a whole run, wherever it begins: in image-to-image
    its first steps would count derivatives that there are none of."""
    stock, most = scheduler.step, signature(scheduler.step).parameters["order"].default

    def step(prediction: Tensor, t: Tensor, latents: Tensor) -> Any:
        return stock(prediction, t, latents, order=min(len(scheduler.derivatives) + 1, most))

    scheduler.step = step


@cache
def _scheduler_class(path: str) -> Any:
    module, name = path.split(".")
    return getattr(import_module(f"diffusers.schedulers.scheduling_{module}"), f"{name}Scheduler")


def timesteps_from(scheduler: Any, skipped: int) -> Tensor:
    """The timesteps that are run: all but those of the first steps (image-to-image).

    The scheduler is told where it begins, because timesteps can repeat (dpm2 a, beta).
    """
    timesteps: Tensor = scheduler.timesteps
    if isinstance(scheduler, _scheduler_class(CLASSES["plms"][0])):
        # Its first step is taken twice, wherever it begins; diffusers' own image-to-image repeats
        # none and so ends one step before the picture is clean.
        once = torch.cat([timesteps[:1], timesteps[2:]])
        return torch.cat([once[skipped : skipped + 2], once[skipped + 1 :]])
    first = skipped * scheduler.order
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(first)
    return timesteps[first:]


def denoise(
    scheduler: Any, timesteps: Tensor, latents: Tensor, source: torch.Generator
) -> Denoising:
    """Yields (scaled latents, timestep) for each call of the network, is sent its prediction,
    returns the clean latents. All of shape (1, channels, height, width), float32 on the CPU."""
    step = _step(scheduler, source)
    for t in timesteps:
        prediction = yield scheduler.scale_model_input(latents, t), t
        latents = step(prediction, t, latents).prev_sample
    return latents


def _step(scheduler: Any, source: torch.Generator) -> Callable[..., Any]:
    takes_noise = "generator" in signature(scheduler.step).parameters
    return partial(scheduler.step, generator=source) if takes_noise else scheduler.step
