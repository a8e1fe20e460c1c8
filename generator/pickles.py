"""The names and shapes of a PyTorch file's tensors, read without torch and without running it.

A pickle is a program. Here it may make dictionaries and name tensors; whatever else it asks for ends
the reading.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from generator.esrgan import enlarging
from generator.headers import LONGEST_HEADER_BYTES, Reason, Unusable

UPSCALER = ".pth"
WRAPPERS = ("params_ema", "params", "state_dict")  # Real-ESRGAN's and trainers' names
BEFORE = 3  # pickles before the content in files of torch before 1.6: magic, protocol, machine


class _Shape(tuple[int, ...]):
    """Of a tensor."""

    __slots__ = ()


def _tensor(_storage: Any, _offset: int, size: tuple[int, ...], *_: Any) -> _Shape:
    return _Shape(size)


def _parameter(shape: _Shape, *_: Any) -> _Shape:
    return shape


KNOWN = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module in ("torch", "torch.storage") and name.endswith("Storage"):
            return None
        if (module, name) not in KNOWN:
            raise Unusable(Reason.PICKLE, f"{module}.{name}")
        return KNOWN[module, name]

    def persistent_load(self, pid: Any) -> None:
        """Where the numbers lie: nobody looks."""


def upscaling(file: Path, *, among_others: bool) -> int:
    """How many times as large an upscaler makes pictures; of pickles nothing else is looked into.

    Raises Unusable, and OSError when the file is gone.

    Args:
        among_others: whether it lies where upscalers lie.
    """
    if file.suffix.lower() != UPSCALER:
        raise Unusable(Reason.PICKLE)
    network = enlarging(_shapes(file))
    if network is None:
        raise Unusable(Reason.OTHER_UPSCALER if among_others else Reason.PICKLE)
    return network.scale


def _shapes(file: Path) -> dict[str, tuple[int, ...]]:
    try:
        with file.open("rb") as opened:
            content = unwrapped(_content(opened))
    except (Unusable, OSError):
        raise
    except Exception as error:  # a stranger's file fails in many ways
        raise Unusable(Reason.UNREADABLE, repr(error)) from error
    return {str(name): each for name, each in content.items() if isinstance(each, _Shape)}


def _content(opened: BinaryIO) -> Any:
    if zipfile.is_zipfile(opened):
        with zipfile.ZipFile(opened) as archive:
            (entry,) = (each for each in archive.infolist() if each.filename.endswith("/data.pkl"))
            if entry.file_size > LONGEST_HEADER_BYTES:
                raise Unusable(Reason.UNREADABLE)
            return _Reader(io.BytesIO(archive.read(entry))).load()
    opened.seek(0)
    for _ in range(BEFORE):
        _Reader(opened).load()
    return _Reader(opened).load()


def unwrapped(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The weights themselves."""
    wrapper = next((each for each in WRAPPERS if each in content), None)
    return content if wrapper is None else content[wrapper]
