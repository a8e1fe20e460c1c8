"""Semilla on a file system that becomes full: python -m tests.full_disk DATA

Meant to be run where DATA is a small file system of its own.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from bot.conversation import Tone
from tests.chat import open_chat


def fill(path: Path) -> None:
    """Until not one byte more fits."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 512, 1):
            try:
                while True:
                    file.write(os.urandom(size))
            except OSError:
                continue


async def main(data: Path) -> None:
    filler = data / "filler"
    async with open_chat(data) as chat:
        assert (await chat.ask("a cat steps:2")).pictures
        under_way = await chat.type("a dog steps:12")
        fill(filler)
        refused = await chat.type("a bird steps:2")
        assert refused.tone is Tone.FAULT, refused
        assert (await chat.type("/history")).pictures  # what can be read is still shown
        await asyncio.sleep(1)  # it ends meanwhile
        filler.unlink()
        assert under_way.answer is not None
        told = await chat.wait_for(under_way.answer)
        if not told.pictures:
            assert "disk is full" in told.text, told
            await chat.type(f"/retry {under_way.answer}")
            assert (await chat.wait_for(under_way.answer, times=2)).pictures
        assert (await chat.ask("a bird steps:2")).pictures
    names = [path.name for path in (data / "pictures").rglob("*") if path.is_file()]
    assert len(names) == 3, names


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
