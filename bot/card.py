"""Whether a graphics card is there, and whether the installed torch can use it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """The installed torch, read from its files: importing it takes seconds.

    Args:
        cuda: the CUDA version that it was built for, None for a build without.
    """

    version: str
    cuda: str | None


def unused() -> str | None:
    """The version of a torch that can't use the card that is there."""
    build = torch_build()
    if build is None or build.cuda is not None or not is_there():
        return None
    return build.version


def is_there() -> bool:
    driver = Path("/proc/driver/nvidia/version")
    return shutil.which("nvidia-smi") is not None or driver.exists()


def torch_build() -> TorchBuild | None:
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        return None
    spec = util.find_spec("torch")
    folders = (spec.submodule_search_locations if spec else None) or []
    texts = [file.read_text() for each in folders if (file := Path(each) / "version.py").exists()]
    text = "\n".join(texts)
    cuda = re.search(r"^cuda\b.*=\s*['\"]([\d.]+)['\"]", text, re.MULTILINE)
    return TorchBuild(version, cuda[1] if cuda else None)
