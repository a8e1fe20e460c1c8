"""What pictures tell of those that they came from."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.conversation import Guild, Member
from tests.chat import Chat, open_chat

pytestmark = pytest.mark.asyncio(loop_scope="module")

LUIS = Member("chat:luis", "Luis")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with open_chat(tmp_path_factory.mktemp("data")) as opened:
        yield opened


async def test_a_picture_drawn_over_another_tells_of_which_and_is_as_private(chat: Chat) -> None:
    place = Guild("chat:over")
    open_one = await chat.ask("/imagine a red cat steps:1", guild=place)
    code = open_one.pictures[0].code
    for line in ("/imagine a dog image:{} steps:1", "/reroll {} image:{} prompt:dog steps:1"):
        over = await chat.ask(line.replace("{}", code), guild=place, member=LUIS)
        assert f"🖼️ from `{code}` by Ana" in over.pictures[0].caption
        assert not over.private
    made_from = (await chat.type(f"/show {code}", guild=place)).text
    assert over.pictures[0].code in made_from

    own = await chat.ask("/imagine a red cat steps:1 private:yes", guild=place)
    code = own.pictures[0].code
    for line in (
        f"/imagine a dog image:{code} steps:1",
        f"/reroll {over.pictures[0].code} image:{code}",
    ):
        over = await chat.ask(line, guild=place)
        assert over.private
        shown = await chat.type("/history", guild=place, member=LUIS)
        assert over.pictures[0].code not in [each.code for each in shown.pictures]


@pytest.mark.parametrize("change", ["deleted", "private"])
async def test_what_was_enlarged_from_a_picture_that_is_gone_says_so(
    chat: Chat, change: str
) -> None:
    place = Guild(f"chat:{change}")
    options = "private:yes" if change == "private" else ""
    first = (await chat.ask(f"/imagine a red cat steps:1 {options}", guild=place)).pictures[0].code
    large = (await chat.ask(f"/upscale {first} detail:no", guild=place)).pictures[0].code
    if change == "deleted":
        await chat.type(f"/delete {first} sure:yes", guild=place)
    else:
        await chat.type(f"/publish {large}", guild=place)
    for line in (f"/vary {large}", f"/reroll {large} seed:-1"):
        reply = await chat.ask(line, guild=place, member=LUIS)
        assert f"{large} was enlarged from a picture that is gone or private" in reply.text
        offered = [button.line for row in reply.buttons for button in row]
        assert f"/use {large}" in offered
    assert (await chat.ask(f"/reroll {large}", guild=place)).pictures
