"""Samplers and schedule types by the field's names, without torch.

Names and aliases agree with AUTOMATIC1111's (modules/sd_samplers_kdiffusion.py, sd_samplers_timesteps.py);
what each does is in generator/samplers.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

SCHEDULES = ("automatic", "karras", "exponential", "sgm uniform", "simple", "beta")
BY_NOISE = ("karras", "exponential", "beta")  # they say how much noise each step begins with
BY_TIMESTEP = ("sgm uniform", "simple")


@dataclass(frozen=True, slots=True)
class Sampler:
    """What members may know of a sampler.

    Args:
        name: canonical, lower case.
        label: as AUTOMATIC1111 writes it.
        calls_per_step: network calls that a step costs.
        adds_noise: whether it draws noise on the way.
        good_steps: how many steps it wants.
        schedules: the schedule types that it can follow.
    """

    name: str
    label: str
    aliases: tuple[str, ...] = ()
    calls_per_step: int = 1
    adds_noise: bool = False
    good_steps: tuple[int, int] = (20, 40)
    schedules: tuple[str, ...] = BY_NOISE + BY_TIMESTEP


SAMPLERS = (
    Sampler("euler a", "Euler a", (), 1, True),
    Sampler("euler", "Euler"),
    Sampler("ddim", "DDIM", (), 1, False, (20, 50), BY_TIMESTEP),
    Sampler("plms", "PLMS", ("pmls", "pndm"), 1, False, (20, 50), BY_TIMESTEP),
    Sampler("lms", "LMS", (), 1, False, (20, 50)),
    Sampler("heun", "Heun", (), 2, False, (10, 25)),
    Sampler("dpm2", "DPM2", ("dpm_2",), 2, False, (10, 25)),
    Sampler("dpm2 a", "DPM2 a", ("dpm_2_a",), 2, True, (10, 25)),
    Sampler("dpm++ 2m", "DPM++ 2M", (), 1, False, (12, 30)),
    Sampler("dpm++ 2m sde", "DPM++ 2M SDE", (), 1, True, (15, 35)),
    Sampler("dpm++ 3m sde", "DPM++ 3M SDE", (), 1, True, (20, 40)),
    Sampler("dpm++ sde", "DPM++ SDE", (), 1, True, (12, 30), BY_NOISE),
    Sampler("unipc", "UniPC", ("uni_pc",), 1, False, (10, 25)),
    Sampler("deis", "DEIS", (), 1, False, (10, 25)),
    Sampler("ddpm", "DDPM", (), 1, True, (50, 150), BY_TIMESTEP),
    Sampler("lcm", "LCM", (), 1, True, (2, 8), ()),
    Sampler("tcd", "TCD", (), 1, True, (2, 8), ()),
)


def find(text: str) -> tuple[str, str] | None:
    """Canonical sampler and schedule of a name as people type it, or None.

    Any case; "k_euler_a", "DPM++ 2M Karras", "k_dpmpp_2m_ka", "euler_ancestral". The schedule is
    "automatic" unless named.
    """
    name, schedule = _fold(text), "automatic"
    for end, each in {**{each: each for each in SCHEDULES}, "ka": "karras"}.items():
        if name.endswith(f" {end}"):
            name, schedule = name.removesuffix(f" {end}"), each
    found = next((s.name for s in SAMPLERS if name in _names(s)), None)
    return (found, schedule) if found else None


def nearest(text: str) -> str:
    """The canonical name that is most like a mistyped one."""
    names = {name: s.name for s in SAMPLERS for name in _names(s)}
    near = get_close_matches(_fold(text), names, n=1, cutoff=0)
    return names[near[0]] if near else SAMPLERS[0].name


def label_of(sampler: str) -> str:
    """As AUTOMATIC1111 writes it."""
    return next((each.label for each in SAMPLERS if each.name == sampler), sampler)


def follows(sampler: str, schedule: str) -> bool:
    """Whether a schedule type other than its own has any effect on a sampler."""
    return schedule == "automatic" or any(
        schedule in each.schedules for each in SAMPLERS if each.name == sampler
    )


def calls(sampler: str, steps: int) -> int:
    """How often the network is called to run so many steps: what time, progress and cost depend on."""
    if sampler == "plms":
        # The first step of a whole run is taken twice (Liu et al., 2022, in diffusers' form).
        return steps + 1 if steps > 1 else steps
    if sampler in SECOND_ORDER:
        return max(0, 2 * steps - 1)
    return steps


def step_of(sampler: str, call: int) -> int:
    """The sampler's step, counted from 0, that a call of the network belongs to."""
    if sampler == "plms":
        return max(0, call - 1)
    return call // 2 if sampler in SECOND_ORDER else call


SECOND_ORDER = {each.name for each in SAMPLERS if each.calls_per_step == 2}


def _fold(text: str) -> str:
    """Without what AUTOMATIC1111 puts before all names, and ComfyUI's words as that has them."""
    spaced = re.sub(r"[\s_-]+", " ", text.casefold().strip()).removeprefix("k ")
    return spaced.replace("dpmpp", "dpm++").replace(" ancestral", " a")


@cache
def _names(sampler: Sampler) -> set[str]:
    return {_fold(name) for name in (sampler.name, *sampler.aliases)}
