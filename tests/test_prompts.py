"""Prompt syntax from the chat to the picture and back to the recipe."""

from __future__ import annotations

from pathlib import Path

from tests.chat import open_chat

TYPED = "a (red:1.3) [cat:dog:0.5] <lora:nobody:1> on a {blue|green} background"


async def test_syntax_is_drawn_told_and_kept_as_typed(tmp_path: Path) -> None:
    async with open_chat(tmp_path) as chat:
        reply = await chat.ask(f"{TYPED} --v 5.2 --seed 7 --steps 2 --ar 4:3")
        told = reply.text + reply.pictures[0].caption
        assert 'LoRA "nobody" isn\'t installed' in told
        seen = await chat.type(f"/recipe {reply.pictures[0].code}")
        everything = seen.text.replace("\\", "")
        assert TYPED in everything  # as typed, not as drawn
        assert '"--v 5.2" has no counterpart' in everything
        assert "The seed picked" in everything
        assert "I don't know" not in everything  # syntax is no unknown word
