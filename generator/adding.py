"""Puts a model, LoRA, VAE or embedding into a folder of Semilla's own: from a file, from a folder in
the diffusers layout, or from a hub. Goes on where it was broken off; nothing half stands there, and
nothing takes the place of another of its name: pictures are made again by what is there.
"""

from __future__ import annotations

import filecmp
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from generator import pickles
from generator.folders import INDEX, PICKLES, variant_of
from generator.headers import Header, identify
from generator.sidecars import SITES, beside

CHUNK_BYTES = 1 << 22
SPARE_BYTES = 1 << 30  # left free on the disk
PART = ".part"
SIDES = (".toml", *SITES)  # what lies beside weights and tells how they are drawn with
PARTS = (  # patterns of what is there only half
    f".*{PART}",  # a folder's, a hub's
    *(f"*{suffix}{PART}" for suffix in (".safetensors", *PICKLES, *SIDES)),
)
READ = (
    ".json",
    ".txt",
    ".toml",
    ".safetensors",
    ".model",
)  # of a folder; nothing else is needed to draw
PRECISIONS = ("fp16", "", "bf16")  # on a hub; the first that there is of every part
UNUSED = ("safety_checker", "flax", "onnx")

Tell = Callable[[str, int, int], None]  # a file's name, bytes that are there, all its bytes


class NoRoom(Exception):
    def __init__(self, needed: int, free: int) -> None:
        super().__init__(f"{needed} > {free}")
        self.needed, self.free = needed, free


class Damaged(Exception):
    """What arrived is not what was sent."""


class Taken(Exception):
    """Something else of that name is there already."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


class NothingThere(Exception):
    """No model, or more than one; `choices` can be named instead."""

    def __init__(self, choices: Sequence[str] = ()) -> None:
        super().__init__(", ".join(choices))
        self.choices = tuple(choices)


@dataclass(frozen=True, slots=True)
class Remote:
    """A file of a hub's repository; `sha256` where the hub tells it."""

    name: str
    size: int
    sha256: str | None

    def lies_in(self, path: Path) -> bool:
        """Whether that file is this one, as far as the hub tells."""
        same_size = path.is_file() and path.stat().st_size == self.size
        return same_size and self.sha256 in (None, _sha256(path))


def add_file(source: Path, folder: Path, tell: Tell) -> Path:
    """Raises Unusable for what can't be drawn with, Taken, NoRoom, Damaged, OSError."""
    if source.suffix.lower() in PICKLES:
        pickles.upscaling(source, among_others=True)
    else:
        identify(Header.read(source))
    target = folder / source.name
    sides = [side for s in SIDES if (side := beside(source, s)).is_file()]
    # What lies beside decides about pixels, too: it takes nothing's place either.
    files = [
        f for f in (source, *sides) if not _is_there(folder / f.name, [_equal(folder / f.name, f)])
    ]
    _check_room(folder, files, target.with_name(target.name + PART))
    for each in files:
        _copy(each, folder / each.name, partial(tell, each.name))
    return target


def add_folder(source: Path, folder: Path, tell: Tell) -> Path:
    """Raises NothingThere, Taken, NoRoom, Damaged, OSError."""
    source = source.resolve()  # "..", as a name, would be the folder that all of it lies in
    if not source.name or not (source / INDEX).is_file():
        raise NothingThere
    files = [
        each for each in sorted(source.rglob("[!.]*")) if each.suffix in READ and each.is_file()
    ]
    target, part = folder / source.name, folder / f".{source.name}{PART}"
    if _is_there(target, (_equal(target / each.relative_to(source), each) for each in files)):
        return target
    _check_room(folder, files, part)
    for each in files:
        name = each.relative_to(source).as_posix()
        _copy(each, part / name, partial(tell, name))
    return part.rename(target)


def add_from_hub(name: str, folder: Path, tell: Tell) -> Path:
    """`name`: "owner/name", or "owner/name/file.safetensors".

    Raises NothingThere, Taken, NoRoom, Damaged, Unusable, OSError and huggingface_hub's errors.
    """
    from huggingface_hub import HfApi, hf_hub_download  # it takes a while

    owner, repository, *inside = name.split("/")
    info: Any = HfApi().model_info(f"{owner}/{repository}", files_metadata=True)
    files = [Remote(f.rfilename, f.size or 0, f.lfs and f.lfs.sha256) for f in info.siblings]
    wanted = _wanted(files, "/".join(inside))
    whole = len(wanted) > 1 or wanted[0].name == INDEX
    target = folder / (repository if whole else PurePosixPath(wanted[0].name).name)
    if _is_there(
        target, (each.lies_in(target / each.name if whole else target) for each in wanted)
    ):
        return target
    part = folder / f".{owner}--{repository}{PART}"  # others have repositories of that name, too
    needed = sum(each.size for each in wanted) - _bytes_of(part)
    _check_free(folder, needed)
    for each in wanted:
        tell(each.name, 0, each.size)
        path = Path(hf_hub_download(info.id, each.name, revision=info.sha, local_dir=part))
        if not each.lies_in(path):
            path.unlink()
            raise Damaged(each.name)
        tell(each.name, each.size, each.size)
    shutil.rmtree(part / ".cache", ignore_errors=True)
    if whole:
        return part.rename(target)
    identify(Header.read(part / wanted[0].name))
    (part / wanted[0].name).replace(target)
    shutil.rmtree(part)
    return target


def _wanted(files: Sequence[Remote], named: str) -> list[Remote]:
    """What has to be fetched; of a folder one precision, half where there is one of every part."""
    if named:
        return [each for each in files if each.name == named] or _choose(files)
    if not any(each.name == INDEX for each in files):
        single = [each for each in files if each.name.endswith(".safetensors")]
        return single if len(single) == 1 else _choose(files)
    read = [f for f in files if f.name.endswith(READ) and not f.name.startswith(UNUSED)]
    weights = [f for f in read if f.name.endswith(".safetensors") and "/" in f.name]
    return [f for f in read if not f.name.endswith(".safetensors")] + _of_one_precision(weights)


def _of_one_precision(weights: Sequence[Remote]) -> list[Remote]:
    """All of them, where no precision is there of every part."""
    for wanted in PRECISIONS:
        found = [f for f in weights if variant_of(f.name) == wanted]
        if _parts(found) == _parts(weights):
            return found
    return list(weights)


def _parts(weights: Sequence[Remote]) -> set[PurePosixPath]:
    return {PurePosixPath(each.name).parent for each in weights}


def _choose(files: Sequence[Remote]) -> list[Remote]:
    raise NothingThere([each.name for each in files if each.name.endswith(".safetensors")])


def _is_there(target: Path, same: Iterable[bool]) -> bool:
    """`same`: of each of its files, whether it is what is to be added. Raises Taken."""
    if not target.exists():
        return False
    if not all(same):
        raise Taken(target)
    return True


def _equal(one: Path, other: Path) -> bool:
    return one.is_file() and filecmp.cmp(one, other, shallow=False)


def _copy(source: Path, target: Path, tell: Callable[[int, int], None]) -> None:
    """Goes on behind what is there already, if that is how the source begins."""
    part, size = target.with_name(target.name + PART), source.stat().st_size
    part.parent.mkdir(parents=True, exist_ok=True)
    there = part.stat().st_size if part.exists() else 0
    digest = hashlib.sha256()
    with source.open("rb") as read, part.open("r+b" if there else "wb") as written:
        for piece, old in zip(_pieces(read, there), _pieces(written, there), strict=False):
            if piece != old:
                written.seek(0)
                read.seek(0)
                digest = hashlib.sha256()
                break
            digest.update(piece)
        written.truncate()
        while piece := read.read(CHUNK_BYTES):
            digest.update(piece)
            written.write(piece)
            tell(written.tell(), size)
    if _sha256(part) != digest.hexdigest():
        part.unlink()
        raise Damaged(source.name)
    part.replace(target)


def _pieces(file: Any, left: int) -> Iterator[bytes]:
    while left and (piece := file.read(min(CHUNK_BYTES, left))):
        left -= len(piece)
        yield piece


def _check_room(folder: Path, files: Sequence[Path], there: Path) -> None:
    _check_free(folder, sum(each.stat().st_size for each in files) - _bytes_of(there))


def _check_free(folder: Path, needed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed > free - SPARE_BYTES:
        raise NoRoom(needed, max(0, free - SPARE_BYTES))


def _bytes_of(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(each.stat().st_size for each in files if each.is_file())


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
