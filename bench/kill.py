"""Kills bot, generator or both under load, and counts: python -m bench.kill [kills] [seed]"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from tests.kills import Siege


def main(kills: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        siege = Siege(Path(folder), random.Random(seed), each=3, longest_seconds=6.0)
        before = time.monotonic()
        for number in range(1, kills + 1):
            siege.kill()
            if number % 20 == 0:
                print(f"{number} kills, {time.monotonic() - before:.0f} s", flush=True)
        siege.finish()
        _report(siege)


def _report(siege: Siege) -> None:
    delivered = siege.delivered
    doubled = sum(times - 1 for times in delivered.values())
    lost = len(siege.accepted - set(delivered))
    print(", ".join(f"{kind} {times}" for kind, times in sorted(siege.kills.items())))
    print(f"{len(siege.accepted)} requests accepted, {lost} lost, {doubled} doubled")
    print(f"{siege.sent_again} times the kill fell between showing and writing it down")


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    main(*(numbers + [200, 1][len(numbers) :]))
