"""Networks that enlarge pictures, told from the names and shapes of their weights.

RRDBNet: ESRGAN (Wang et al. 2018, arXiv 1809.00219), and Real-ESRGAN (Wang et al. 2021, arXiv
2107.10833), whose networks for less than four times fold pixels into channels first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isqrt

LAYERS = 5  # of a dense block
DENSE = 3  # dense blocks in a residual one
FOLDED = (1, 2, 4)
# Real-ESRGAN's names last; before them those of ESRGAN's first release and of its second.
OLD_BLOCK = re.compile(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.(\w+)")
OLD_TRUNK = re.compile(r"model\.1\.sub\.\d+\.(\w+)")
OLD_OUTER = re.compile(r"model\.(\d+)\.(\w+)")
RENAMED = (
    (re.compile(r"^RRDB_trunk\.(\d+)\.RDB(\d)"), r"body.\1.rdb\2"),
    (re.compile(r"^trunk_conv"), "conv_body"),
    (re.compile(r"^upconv(\d)"), r"conv_up\1"),
    (re.compile(r"^HRconv"), "conv_hr"),
)


@dataclass(frozen=True, slots=True)
class Enlarging:
    """What an RRDBNet is built of.

    Args:
        blocks: residual blocks; features: channels between them; growth: of each dense layer.
        folded: pixels a side that become channels first; doublings: of the sides, at the end.
    """

    blocks: int
    features: int
    growth: int
    folded: int
    doublings: int

    @property
    def scale(self) -> int:
        """How many times as large pictures become."""
        return (1 << self.doublings) // self.folded


def renamed(names: Iterable[str]) -> dict[str, str]:
    """Each name in Real-ESRGAN's way."""
    names = list(names)
    outer = sorted({int(found[1]) for name in names if (found := OLD_OUTER.fullmatch(name))})
    ups = [f"conv_up{n}" for n in range(1, len(outer) - 2)]
    called = dict(zip(outer, ["conv_first", *ups, "conv_hr", "conv_last"], strict=False))
    return {name: _renamed(name, called) for name in names}


def _renamed(name: str, outer: Mapping[int, str]) -> str:
    if found := OLD_BLOCK.fullmatch(name):
        return "body.{}.rdb{}.conv{}.{}".format(*found.groups())
    if found := OLD_TRUNK.fullmatch(name):
        return f"conv_body.{found[1]}"
    if found := OLD_OUTER.fullmatch(name):
        return f"{outer[int(found[1])]}.{found[2]}"
    for pattern, new in RENAMED:
        name = pattern.sub(new, name)
    return name


def enlarging(shapes: Mapping[str, tuple[int, ...]]) -> Enlarging | None:
    """None for any other network."""
    found = {new: shapes[name] for name, new in renamed(shapes).items()}
    first, dense = found.get("conv_first.weight"), found.get("body.0.rdb1.conv1.weight")
    last = found.get("conv_last.weight", ())
    if first is None or dense is None or len(first) != 4 or len(dense) != 4 or last[:1] != (3,):
        return None
    folded = isqrt(first[1] // 3)
    blocks = len({name.split(".")[1] for name in found if name.startswith("body.")})
    doublings = sum(name.startswith("conv_up") for name in found) // 2
    if first[1] != 3 * folded**2 or folded not in FOLDED or folded > 2**doublings:
        return None
    if found.keys() != _names(blocks, doublings):
        return None
    return Enlarging(blocks, first[0], dense[0], folded, doublings)


def _names(blocks: int, doublings: int) -> set[str]:
    layers = [
        f"body.{block}.rdb{dense + 1}.conv{layer + 1}"
        for block in range(blocks)
        for dense in range(DENSE)
        for layer in range(LAYERS)
    ]
    layers += [f"conv_up{n + 1}" for n in range(doublings)]
    layers += ["conv_first", "conv_body", "conv_hr", "conv_last"]
    return {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}
