"""Processes that train one model together: each takes its share of every batch.

Two processes of one thread each do more on two cores than one of two threads.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


class Group:
    """This process among all of them."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def mean(self, tensor: Tensor) -> Tensor:
        """Over all processes, float32."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor.float() / self.size

    def agree(self, wish: bool) -> bool:
        """The leader's wish."""
        if self.size == 1:
            return wish
        wished = torch.tensor([wish], dtype=torch.uint8)
        dist.broadcast(wished, 0)
        return bool(wished.item())


@contextmanager
def together(size: int, meeting: Path, work: Callable[..., None], *args: Any) -> Iterator[Group]:
    """The leading process' group; the others run `work(group, *args)`.

    Args:
        meeting: a file by which they find each other.
    """
    if size == 1:
        yield Group()
        return
    meeting.unlink(missing_ok=True)
    spawn = multiprocessing.get_context("spawn")
    others = [
        spawn.Process(target=_work, args=(rank, size, meeting, work, args), daemon=True)
        for rank in range(1, size)
    ]
    for process in others:
        process.start()
    try:
        yield _join(0, size, meeting)
        for process in others:
            process.join()
    finally:
        dist.destroy_process_group()
        meeting.unlink(missing_ok=True)


def _work(rank: int, size: int, meeting: Path, work: Callable[..., None], args: Any) -> None:
    try:
        work(_join(rank, size, meeting), *args)
    finally:
        dist.destroy_process_group()


def _join(rank: int, size: int, meeting: Path) -> Group:
    torch.set_num_threads(1)
    address = meeting.absolute().as_uri()
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=size)
    return Group(rank, size)
