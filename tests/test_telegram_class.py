"""A class in one group: more pictures than Telegram allows messages, so they share sheets."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.telegram_peer.server import Fault, Sent, Telegram
from tests.test_telegram import semilla_on, serving_telegram

WORDS = ("un gato", "una luna", "un sol", "una flor", "un pez", "una casa", "un auto")
QUICK = "pasos:1 tamaño:64x64"
CODE = re.compile(r"/(?:show|recipe) (\w+)$")


@dataclass
class Lesson:
    """What came of it. Times are in Telegram's minutes."""

    asked: dict[str, float] = field(default_factory=dict)
    waited: dict[str, float] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    pictures: Counter[str] = field(default_factory=Counter)

    def look(self, peer: Telegram, seen: set[tuple[int, int]]) -> None:
        """Notes what has come since the last look; each prompt is one member's, once."""
        for key, message in list(peer.messages.items()):
            if message.photo is None or key in seen:
                continue
            seen.add(key)
            for prompt in _prompts(message):
                self.order.append(prompt)
                self.waited[prompt] = (message.shown_at - self.asked[prompt]) / peer.minute
            self.pictures.update(_codes(message))


async def hold(
    peer: Telegram, members: int, rounds: int, minutes: float, options: str = QUICK
) -> Lesson:
    """Every member asks once in each round; the rounds are spread over the minutes."""
    lesson, seen = Lesson(), set[tuple[int, int]]()
    peer.names |= {5000 + n: (f"Alumna {n}", "es") for n in range(members)}
    for turn in range(rounds):
        for member in range(members):
            prompt = f"{WORDS[(member + turn) % len(WORDS)]} {member}x{turn}"
            lesson.asked[prompt] = time.monotonic()
            await peer.say(f"/imagina {prompt} {options}", user=5000 + member)
            await asyncio.sleep(minutes * peer.minute / (rounds * members))
            lesson.look(peer, seen)
    async with asyncio.timeout(5 * peer.minute + 60):
        while len(lesson.order) < members * rounds:
            await asyncio.sleep(0.05)
            lesson.look(peer, seen)
    return lesson


def _prompts(message: Sent) -> list[str]:
    return re.findall(r"un\w? \w+ \d+x\d+", message.text)


def _codes(message: Sent) -> set[str]:
    lines = [line for row in message.keyboard for b in row if (line := b.get("callback_data"))]
    return {found[1] for line in lines if (found := CODE.match(line))}


def _shown(peer: Telegram) -> list[Sent]:
    return [each for each in peer.messages.values() if each.photo]


def _sheets(peer: Telegram) -> list[Sent]:
    return [each for each in _shown(peer) if len(_codes(each)) > 3]


async def test_everyone_in_a_class_gets_every_picture_once_within_the_limits(
    tmp_path: Path,
) -> None:
    async with serving_telegram(minute=4) as peer, semilla_on(peer, tmp_path):
        lesson = await hold(peer, members=12, rounds=3, minutes=0.5)
        await peer.until(lambda: all(m.deleted for m in peer.messages.values() if not m.photo))
    assert Counter(lesson.order) == Counter(dict.fromkeys(lesson.asked, 1))
    assert len(lesson.pictures) == 36
    assert set(lesson.pictures.values()) == {1}
    assert not peer.refused, "never more than 20 calls a minute"
    sheets = _sheets(peer)
    assert sheets
    assert all("Alumna" in each.text for each in sheets)
    assert ahead(lesson.order, members=12) <= 2, "nobody's third picture before another's first"


async def test_a_class_that_asks_in_the_same_second_shares_sheets_at_once(tmp_path: Path) -> None:
    async with serving_telegram(minute=20) as peer, semilla_on(peer, tmp_path):
        await hold(peer, members=25, rounds=1, minutes=0)
        assert _sheets(peer), "placeholders would take all calls of the minute"


async def test_who_waited_more_than_a_minute_is_called_also_by_a_sheet(tmp_path: Path) -> None:
    async with serving_telegram(minute=1.5) as peer, semilla_on(peer, tmp_path) as app:
        await app.semilla.dispatch.pause(True)
        peer.names |= {5000 + n: (f"Alumna {n}", "es") for n in range(len(WORDS))}
        for n, words in enumerate(WORDS):
            await peer.say(f"/imagina {words} {n}x0 {QUICK}", user=5000 + n)
        for _ in range(600):
            if len(app.semilla.dispatch) == len(WORDS):
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.5 * peer.minute)
        busy = Fault("sendPhoto", 429, times=99, parameters={"retry_after": 1})
        peer.faults.append(busy)
        await app.semilla.dispatch.pause(False)
        await peer.until(lambda: not len(app.semilla.dispatch))
        busy.times = 0
        await peer.until(lambda: sum(len(_prompts(m)) for m in _shown(peer)) == len(WORDS))
        assert _sheets(peer)
        assert not [message for message in _shown(peer) if message.silent]


def ahead(order: list[str], members: int) -> int:
    """How many more pictures than another member anybody ever had."""
    got = Counter({str(n): 0 for n in range(members)})
    most = 0
    for prompt in order:
        got[prompt.split()[-1].split("x")[0]] += 1
        most = max(most, max(got.values()) - min(got.values()))
    return most
