"""What has ended is shown once, however many of its jobs end at the same time."""

from __future__ import annotations

import asyncio
from errno import EIO
from pathlib import Path

import pytest

from bot import delivery
from db.models import Answer
from tests.chat import Chat, open_chat


async def test_an_answer_whose_jobs_end_together_is_shown_once(tmp_path: Path) -> None:
    async with open_chat(tmp_path) as chat:
        asked = [await chat.type("a cat count:6 steps:30") for _ in range(3)]
        await chat.type("/cancel")
        for each in asked:
            await chat.wait_for(each.answer)
        await asyncio.sleep(0.5)
    assert [len(replies) for replies in chat.delivered.values()] == [1, 1, 1]


async def test_what_is_tried_again_twice_at_once_is_drawn_once(tmp_path: Path) -> None:
    async with open_chat(tmp_path) as chat:
        answer = await failed(chat)
        told = await asyncio.gather(*(chat.type(f"/retry {answer}") for _ in range(2)))
        assert sorted(each.text for each in told) == [
            "There is nothing to try again.",
            "Trying again.",
        ]
        assert (await chat.wait_for(answer, times=2)).pictures
        await asyncio.sleep(0.5)
    assert len(chat.delivered[answer]) == 2


async def test_what_is_tried_again_while_it_is_being_shown_is_shown_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FIRST_DELAY_SECONDS", 0.0)

    class Hasty(Chat):
        async def deliver(self, answer: Answer, reply: object) -> None:
            await super().deliver(answer, reply)
            if len(self.delivered[answer.id]) == 1:
                await self.type(f"/retry {answer.id}")

    async with open_chat(tmp_path, Hasty) as chat:
        answer = await failed(chat)
        assert (await chat.wait_for(answer, times=2)).pictures


async def failed(chat: Chat) -> int:
    """A request whose first try came to nothing, as it is shown."""
    storage = chat.semilla.database.storage
    with pytest.MonkeyPatch.context() as disk:
        disk.setattr(storage, "put", broken)
        reply = await chat.ask("a cat steps:1")
    assert "failed on our side" in reply.text
    assert reply.answer is not None
    return reply.answer


async def broken(_png: bytes) -> str:
    raise OSError(EIO, "a disk that fails")
