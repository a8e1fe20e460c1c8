"""Where models lie: a model's own folder, folders of files, and the layouts of AUTOMATIC1111, Forge
and ComfyUI. Nothing here writes. What is asked of os.path is asked there because it raises nothing
where a folder is closed to us.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

WEIGHTS = (".safetensors",)
VARIANT = re.compile(r"\.(\w+)(?:-\d{5}-of-\d{5})?\.safetensors$")
INDEX = "model_index.json"
UNREAD = ("safety_checker",)  # of a folder in the diffusers layout
PICKLES = (".ckpt", ".pt", ".pth", ".bin")
EMBEDDINGS = ("embeddings", "textual_inversion")  # where a pickle may be wanted
UPSCALERS = ("esrgan", "realesrgan", "upscale_models")  # and here
DEEPEST = 6
# What those programs keep beside models, for other purposes. Lower case.
OTHER_PURPOSES = {
    *("controlnet", "control_net", "t2iadapter", "swinir", "scunet", "dat"),
    *(
        "ldsr",
        "gfpgan",
        "codeformer",
        "facerestore_models",
        "clip",
        "clip_vision",
    ),
    *("text_encoder", "text_encoders", "vae-approx", "vae_approx", "blip", "deepbooru", "karlo"),
    *("torch_deepdanbooru", "style_models", "photomaker", "gligen", "hypernetworks", "ipadapter"),
    *("ipadapter-flux", "adetailer", "sams", "insightface", "ultralytics", "animatediff_models"),
    *("svd", "z123", "diffusers_configs", "venv", "node_modules", "__pycache__"),
}


def variant_of(name: str) -> str:
    """ "fp16", "bf16" or "non_ema" where a file's name tells it, as on hubs; a large part is in
    several."""
    found = VARIANT.search(name)
    return found[1] if found else ""


def weights_of(folder: Path) -> list[Path]:
    """Of a folder in the diffusers layout what a model is read from: of every part one variant,
    that without a name where there is one. Raises OSError, ValueError."""
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    found: list[Path] = []
    for part in (folder / name for name in index if name not in UNREAD):
        files = sorted(part.glob("*.safetensors"))
        wanted = min((variant_of(each.name) for each in files), default="")
        found += [each for each in files if variant_of(each.name) == wanted]
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """A diffusers folder, or a file of weights."""

    path: Path
    pickled: bool = False

    @property
    def name(self) -> str:
        """As people call it; a folder of the hub's cache is called as on the hub."""
        if self.path.parent.name == "snapshots":
            return self.path.parent.parent.name.rsplit("--", 1)[-1]
        name = self.path.stem if os.path.isfile(self.path) else self.path.name
        return os.fsencode(name).decode(errors="replace")

    @property
    def embedding(self) -> bool:
        return self._below(EMBEDDINGS)

    @property
    def upscaler(self) -> bool:
        return self._below(UPSCALERS)

    def _below(self, names: Iterable[str]) -> bool:
        return any(parent.name.lower() in names for parent in self.path.parents)


def walk(folders: Iterable[Path]) -> Iterator[Found]:
    """Everything that may be a model, in a fixed order, each once."""
    seen: set[str] = set()
    for folder in folders:
        for root in _roots(folder):
            yield from _below(root, seen, 0)


def _roots(folder: Path) -> list[Path]:
    """The whole installation of another program is given by its own folder."""
    if os.path.isdir(folder / "models") and not os.path.exists(folder / INDEX):
        return [each for each in (folder / "models", folder / "embeddings") if os.path.isdir(each)]
    return [folder]


def _below(folder: Path, seen: set[str], depth: int) -> Iterator[Found]:
    real = os.path.realpath(folder)  # links may lead round in a circle
    if real in seen or depth > DEEPEST:
        return
    seen.add(real)
    if os.path.exists(folder / INDEX):
        yield Found(folder)
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):  # "._dream.safetensors" is what macOS puts beside a file
            continue
        if _is_folder(entry):
            if entry.name.lower() not in OTHER_PURPOSES:
                yield from _below(path, seen, depth + 1)
        elif path.suffix.lower() in (*WEIGHTS, *PICKLES) and not _is_pipe(entry):
            yield Found(path, pickled=path.suffix.lower() in PICKLES)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_pipe(entry: os.DirEntry[str]) -> bool:
    """Or a device: it would be waited for."""
    return not (entry.is_symlink() or entry.is_file())
