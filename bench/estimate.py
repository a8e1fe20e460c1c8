"""How well the announced time is kept on a steady load: the median error over what was announced.

python -m bench.estimate [requests]
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bot.conversation import Member
from tests.chat import Chat, open_chat

MEMBERS = [Member(f"chat:{name}", name) for name in ("Ana", "Luis", "Eva")]
AT_ONCE = 6  # requests in line


async def timed(chat: Chat, line: str, member: Member) -> float:
    """The error of the announced time, as a part of the time that it took."""
    started = time.perf_counter()
    reply = await chat.type(line, member=member)
    assert reply.answer is not None, reply.text
    announced = chat.semilla.dispatch.progress(reply.answer).seconds
    await chat.wait_for(reply.answer)
    took = time.perf_counter() - started
    return abs((announced or 0.0) - took) / took


async def main(requests: int) -> None:
    chance = random.Random(5)
    errors: list[float] = []
    with tempfile.TemporaryDirectory() as data:
        async with open_chat(Path(data)) as chat:
            for steps in (4, 8, 16, 12, 6, 10):
                await chat.ask(f"a cat steps:{steps}")
            room = asyncio.Semaphore(AT_ONCE)

            async def ask() -> None:
                async with room:
                    line = f"a cat steps:{chance.randint(4, 16)}"
                    errors.append(await timed(chat, line, chance.choice(MEMBERS)))

            await asyncio.gather(*(ask() for _ in range(requests)))
    print(f"median error {median(errors):.0%} of {len(errors)} announced times")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
