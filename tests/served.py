"""Semilla as a process to be killed: python -m tests.served DATA LOG FIRST LAST

Types requests FIRST to LAST, and writes a line for each acceptance and each delivery.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TextIO

from bot.conversation import Reply
from db.models import Answer
from tests.chat import Chat, open_chat


def keep(log: TextIO, line: str) -> None:
    log.write(line + "\n")
    log.flush()


async def main(data: Path, log: TextIO, first: int, last: int) -> None:
    class Logged(Chat):
        async def deliver(self, answer: Answer, reply: Reply) -> None:
            keep(log, f"delivered {answer.origin} {len(reply.pictures)}")
            await super().deliver(answer, reply)

    async with open_chat(data, Logged) as chat:
        keep(log, "open")
        for number in range(first, last + 1):
            reply = await chat.type(f"a cat seed:{number} steps:3", origin=str(number))
            keep(log, f"accepted {number} {reply.answer}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    folder, file, *numbers = sys.argv[1:]
    with open(file, "a", encoding="utf-8") as opened:
        asyncio.run(main(Path(folder), opened, *map(int, numbers)))
