"""Semilla as a process to be killed: python -m tests.served DATA LOG FIRST LAST

Several members of two guilds type requests FIRST to LAST at once, some with a photo. The log has
a line for each acceptance and each delivery. SIGTERM stops it as it stops `semilla run`.
"""

from __future__ import annotations

import asyncio
import io
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from PIL import Image

from bot import processes
from bot.conversation import Guild, Member, Reply
from db.models import Answer
from tests.chat import Chat, open_chat

MEMBERS = 3


def keep(log: TextIO, line: str) -> None:
    log.write(line + "\n")
    log.flush()


def photo(number: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (number % 256, number // 256, 90)).save(file, "PNG")
    return file.getvalue()


async def main(data: Path, path: Path, first: int, last: int) -> None:
    log = path.open("a", encoding="utf-8")

    class Platform(Chat):
        """Shows a message once under its key, as Discord does with an enforced nonce."""

        async def deliver(self, answer: Answer, reply: Reply) -> None:
            line = f"delivered {answer.origin} {len(reply.pictures)}"
            again = f"{line}\n" in path.read_text(encoding="utf-8")  # noqa: ASYNC240
            keep(log, f"again {answer.origin}" if again else line)
            await super().deliver(answer, reply)

    async def member(chat: Chat, which: int) -> None:
        for number in range(first + which, last + 1, MEMBERS):
            reply = await chat.type(
                f"a cat seed:{number} steps:2",
                origin=str(number),
                member=Member(f"chat:{which}", f"Member {which}"),
                guild=Guild(f"chat:{which % 2}"),
                image=photo(number) if number % 4 == 0 else None,
            )
            if reply.answer is not None:
                keep(log, f"accepted {number}")

    async def serve() -> None:
        async with open_chat(data, Platform) as chat:
            keep(log, "open")
            async with asyncio.TaskGroup() as members:
                for which in range(MEMBERS):
                    members.create_task(member(chat, which))
            await asyncio.Event().wait()

    serving = asyncio.create_task(serve())
    with processes.on_stop(serving.cancel), suppress(asyncio.CancelledError):
        await serving


if __name__ == "__main__":
    folder, file, *numbers = sys.argv[1:]
    asyncio.run(main(Path(folder), Path(file), *map(int, numbers)))
