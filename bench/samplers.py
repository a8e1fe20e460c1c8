"""Every sampler at each of 1 to 150 steps: without error, with the count of calls that is announced,
and to the bit what the stock diffusers scheduler gives.

python -m bench.samplers
"""

from __future__ import annotations

import warnings

import torch

from generator.sampler_names import calls
from generator.samplers import Samplers
from tests.test_stock import CONFIG, MOST, NAMES, ours, stock_scheduler, theirs


def faults(sampler: str, prediction: str) -> list[str]:
    config = CONFIG | {"prediction_type": prediction}
    samplers, stock = Samplers(config), stock_scheduler(config, sampler)
    found = []
    for steps in range(1, MOST + 1):
        latents, count = ours(samplers, sampler, "automatic", steps)
        if count != calls(sampler, steps) or not latents.isfinite().all():
            found.append(
                f"{steps} steps: {count} calls, not {calls(sampler, steps)}, or no numbers"
            )
        try:
            expected = theirs(stock, sampler, steps)
        except ValueError as error:
            found.append(f"{steps} steps: the stock one gives up: {error!s:.60}")
            continue
        if not torch.equal(latents, expected):
            found.append(f"{steps} steps: up to {(latents - expected).abs().max():.1e} away")
    return found


def main() -> None:
    warnings.simplefilter("ignore")
    for sampler in NAMES:
        for prediction in ("epsilon", "v_prediction"):
            found = faults(sampler, prediction)
            print(
                f"{sampler:14} {prediction:13} {MOST - len(found)} of {MOST}", *found[:3], sep="  "
            )


if __name__ == "__main__":
    main()
