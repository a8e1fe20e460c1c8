"""What a person sees in Telegram, word by word: it was looked at in both languages.

The pictures of it: python -m tests.telegram_peer.look FOLDER. After a change that is meant,
SEMILLA_LOOKED_AT=1 keeps what is seen now.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.adapters.telegram.markup import formatted, length
from tests.telegram_peer.look import lesson, lines
from tests.telegram_peer.server import PRIVATE
from tests.test_telegram import ACCENTED, FAMILY, semilla_on, serving_telegram

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("language", ["en", "es"])
async def test_a_lesson_reads_as_it_was_looked_at(tmp_path: Path, language: str) -> None:
    async with serving_telegram(minute=20) as peer, semilla_on(peer, tmp_path):
        await lesson(peer, language)
        group = lines(m for m in peer.messages.values() if m.chat != PRIVATE)
        private = lines(m for m in peer.messages.values() if m.chat == PRIVATE)
    seen = "\n".join(["=== group", *group, "=== private", *private, ""])
    kept = DATA / f"telegram.{language}.txt"
    if os.environ.get("SEMILLA_LOOKED_AT"):
        kept.write_text(seen, encoding="utf-8")
    assert seen == kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("units", range(20, 44))
def test_a_text_is_cut_between_the_signs_that_are_seen(units: int) -> None:
    whole = formatted([f"**{FAMILY}{ACCENTED}** " * 8])
    cut = whole.cut(units)
    assert length(cut.text) <= units
    assert not set(cut.text.replace(FAMILY, "").replace(ACCENTED, "")) - set(" \n…")
    ends = [entity.offset + entity.length for entity in cut.entities]
    assert max(ends) <= length(cut.text)
