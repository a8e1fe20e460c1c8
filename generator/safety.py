"""The picture check: nakedness in finished pictures, where the extra `semilla[safety]` is there.

It runs in the worker process, on the processor, with a model that comes inside its wheel.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

# Of NudeNet's classes. What is covered, and bare chests, bellies and feet, anybody may see.
EXPOSED = frozenset(
    {
        "FEMALE_BREAST_EXPOSED",
        "FEMALE_GENITALIA_EXPOSED",
        "MALE_GENITALIA_EXPOSED",
        "BUTTOCKS_EXPOSED",
        "ANUS_EXPOSED",
    }
)
SURE = 0.35  # 0 … 1; a false alarm costs a look, a miss is shown


def picture_check() -> Callable[[bytes], bool] | None:
    """Says of a PNG whether somebody in it is exposed; None where the extra isn't installed."""
    try:
        from nudenet import NudeDetector
    except ImportError:
        return None
    detector = NudeDetector()

    def exposed(png: bytes) -> bool:
        found = detector.detect(png)
        return any(each["class"] in EXPOSED and each["score"] >= SURE for each in found)

    log.info("pictures are checked")
    return exposed
