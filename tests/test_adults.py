"""What was made in a channel for adults comes up in no other one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.conversation import Guild, Member
from tests.chat import Chat, open_chat

pytestmark = pytest.mark.asyncio(loop_scope="module")

LUIS = Member("chat:luis", "Luis")
PLACE = Guild("chat:adults")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with open_chat(tmp_path_factory.mktemp("data")) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def code(chat: Chat) -> str:
    made = await chat.ask("/imagine a red boat steps:2", guild=PLACE, age_restricted=True)
    return made.pictures[0].code


async def test_it_is_in_no_list_elsewhere(chat: Chat, code: str) -> None:
    there = await chat.type("/history", guild=PLACE, member=LUIS, age_restricted=True)
    assert [each.code for each in there.pictures] == [code]
    for line in ("/history", "/history boat"):
        assert not (await chat.type(line, guild=PLACE, member=LUIS)).pictures


@pytest.mark.parametrize(
    "line",
    [
        *("show {}", "show {} png:yes", "recipe {}", "reroll {}", "vary {}", "upscale {}"),
        *("edit {}", "use {}", "imagine a tree image:{} steps:1", "style save boat picture:{}"),
    ],
)
async def test_it_is_neither_shown_nor_drawn_from_elsewhere(
    chat: Chat, code: str, line: str
) -> None:
    reply = await chat.type(f"/{line.format(code)}", guild=PLACE, member=LUIS)
    assert f"{code} was made in a channel for adults" in reply.text
    assert not reply.pictures
    assert reply.private


async def test_its_file_is_known_elsewhere(chat: Chat, code: str) -> None:
    there = await chat.type(f"/show {code}", guild=PLACE, age_restricted=True)
    png = chat.semilla.database.storage.path(there.pictures[0].file).read_bytes()
    reply = await chat.type("/vary", guild=PLACE, member=LUIS, image=png)
    assert f"{code} was made in a channel for adults" in reply.text


async def test_its_author_deletes_it_from_anywhere(chat: Chat) -> None:
    made = await chat.ask("/imagine a bee steps:1", guild=PLACE, age_restricted=True)
    code = made.pictures[0].code
    assert "deleted" in (await chat.type(f"/delete {code} sure:yes", guild=PLACE)).text
