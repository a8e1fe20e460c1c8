"""How long one typed line keeps the event loop from everybody else.

python -m bench.stall [repetitions]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from bot.app import App
from tests import chat as chats
from tests.chat import Chat
from tests.test_fuzz import ENDLESS, typed

CUTS = (100_000, 10_000, 4_000, 2_000)  # characters; lines over 10,000 are refused


async def stall(chat: Chat, text: str, repetitions: int) -> float:
    """Seconds of this thread, the best of some: other work on the machine is not ours.

    Each line ends in another number, so that none is remembered.
    """
    found = []
    for repetition in range(repetitions):
        before = time.thread_time()
        await typed(chat, f"{text[:-4]} {repetition:03}")
        found.append(time.thread_time() - before)
    return min(found)


async def main(repetitions: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with App.open(chats.settings(Path(folder))) as app:
            chat = Chat(app)
            await typed(chat, "a cat")  # what is read once
            for name, text in ENDLESS.items():
                times = [await stall(chat, text[:cut], repetitions) for cut in CUTS]
                print(f"{name:20}", *(f"{1000 * each:8.1f} ms" for each in times))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
