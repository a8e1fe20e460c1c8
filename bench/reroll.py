"""Pictures of all samplers, made again after a restart and with other load running: how many are equal.

python -m bench.reroll [pictures]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path

from bot.conversation import Guild, Member
from generator.sampler_names import SAMPLERS
from tests.chat import Chat, open_chat

THINGS = ("a cat", "un perro azul", "two frogs", "una manzana sobre fondo verde", "a small star")
OTHERS = Guild("chat:others")


async def draw(chat: Chat, pictures: int) -> list[str]:
    codes = []
    for number, (sampler, thing) in enumerate(
        islice(zip(cycle(SAMPLERS), cycle(THINGS)), pictures)
    ):
        line = f"{thing} seed:{number} sampler:{sampler.name} steps:{4 + number % 7}"
        code = (await chat.ask(line)).pictures[0].code
        if number % 4 == 3:
            code = (await chat.ask(f"/vary {code} strength:0.2")).pictures[0].code
        codes.append(code)
    return codes


async def load(chat: Chat) -> None:
    """Somebody else's pictures between all the others."""
    number = 0
    while True:
        number += 1
        await chat.ask(
            f"a fish seed:{number} steps:3", guild=OTHERS, member=Member("chat:eva", "Eva")
        )


async def main(pictures: int) -> None:
    with tempfile.TemporaryDirectory() as data:
        async with open_chat(Path(data)) as before:
            codes = await draw(before, pictures)
        async with open_chat(Path(data)) as after:
            others = asyncio.create_task(load(after))
            again = [await after.ask(f"/reroll {code}") for code in codes]
            others.cancel()
    same = sum("Identical" in reply.pictures[0].caption for reply in again)
    print(f"{same} of {pictures} identical, {len(SAMPLERS)} samplers")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
