"""A class of 25 in one Telegram group, four requests each within five minutes.

python -m bench.telegram [seconds that Telegram's minute takes here, 60] [options of each request]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.test_telegram import semilla_on, serving_telegram
from tests.test_telegram_class import ahead, hold

MEMBERS, ROUNDS, MINUTES = 25, 4, 5.0


async def main(minute: float, options: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with serving_telegram(minute) as peer, semilla_on(peer, Path(folder)):
            lesson = await hold(peer, MEMBERS, ROUNDS, MINUTES, options)
            waited = sorted(60 * each for each in lesson.waited.values())
            messages = sum(each.photo is not None for each in peer.messages.values())
            print(f"pictures        {len(lesson.order)}, on {messages} messages")
            print(f"doubled         {sum(each > 1 for each in lesson.pictures.values())}")
            print(
                f"waited          {median(waited):.0f} s at the median, {waited[-1]:.0f} s at worst"
            )
            print(f"ahead of others {ahead(lesson.order, MEMBERS)} pictures at most")
            print(f"refused         {len(peer.refused)} calls by Telegram's limits")


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, " ".join(sys.argv[2:])))
