"""What a member can choose of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from bot.commands.declaration import COMMANDS
from bot.commands.kinds import (
    ClipSkip,
    Emphasis,
    Enlarged,
    ExtraName,
    Guidance,
    Image,
    MaskArea,
    ModelName,
    Negative,
    Prompt,
    Redrawn,
    SamplerName,
    Seed,
    Side,
    Size,
    Steps,
    StyleName,
    Tiling,
    VaeName,
    Variations,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a member can choose of a recipe; None is "as it was" or the default."""

    prompt: Prompt | None = None
    negative: Negative | None = None
    seed: Seed | None = None
    steps: Steps | None = None
    sampler: SamplerName | None = None
    guidance: Guidance | None = None
    size: Size | None = None
    model: ModelName | None = None
    image: Image | None = None
    strength: Redrawn | None = None
    style: StyleName | None = None
    width: Side | None = None
    height: Side | None = None
    mask: MaskArea | None = None
    hires: Enlarged | None = None
    tiling: Tiling | None = None
    clip_skip: ClipSkip | None = None
    emphasis: Emphasis | None = None
    vae: VaeName | None = None
    lora: ExtraName | None = None
    variations: Variations | None = None

    def over(self, base: Choices) -> Choices:
        """These, and `base` where nothing was chosen. A size is one choice, however it is told."""
        if self.size or self.width or self.height:
            base = replace(base, size=None, width=None, height=None)
        chosen = {f.name: v for f in fields(self) if (v := getattr(self, f.name)) is not None}
        return replace(base, **chosen)

    @property
    def empty(self) -> bool:
        return all(getattr(self, field.name) is None for field in fields(self))


def read_choices(options: Mapping[str, str]) -> Choices:
    """Choices from typed texts that are not a call's own: settings, styles, pasted recipes."""
    known = {o.name: o for o in COMMANDS["imagine"].options if o.group}
    values: dict[str, Any] = {
        name: known[name].kind.read(name, text)
        for name, text in options.items()
        if name in known and text != ""
    }
    return Choices(**values)
