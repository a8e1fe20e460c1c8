"""Where moderators are told: a channel of Discord, a chat of Telegram."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.adapters.telegram.places import NAME as TELEGRAM
from bot.conversation import Reply
from bot.holding import held_reply, tell_moderators
from bot.moderation import Rules
from db.history import Asker
from db.models import Draft, Hold, Picture, Visibility
from db.session import Database
from tests.discord_peer.kept import Message
from tests.discord_peer.payloads import CHANNEL, EVERYTHING, GUILD, channel_json
from tests.discord_peer.server import Discord
from tests.discord_peer.serving import semilla_on as semilla_on_discord
from tests.discord_peer.serving import serving_discord
from tests.rows import MEMBER, draw
from tests.test_telegram import semilla_on as semilla_on_telegram
from tests.test_telegram import serving_telegram


async def test_on_discord_a_moderator_publishes_from_the_log_channel(tmp_path: Path) -> None:
    async with serving_discord() as peer, semilla_on_discord(peer, tmp_path) as app:
        settings = app.semilla.database.settings
        for name, value in (("approve", "yes"), ("log_channel", str(CHANNEL))):
            await settings.set(f"discord:{GUILD}", "guild", "", name, value)
        peer.rights = "0"
        asked = await peer.answer(await peer.slash("imagine", prompt="a red apple", steps=1))

        def told() -> list[Message]:
            return [each for each in peer.messages.values() if "approval" in each.content]

        await peer.until(lambda: bool(told()))
        (notice,) = told()
        labels = ["📢 Publish", "🗑 Delete", "⏸ Pause", "⛔ Ban", "👁 Look at it"]
        assert list(notice.buttons()) == labels
        assert len(notice.files) == 1
        await peer.until(lambda: "moderator looks at it first" in asked.content)
        assert not asked.files
        refused = await peer.answer(await peer.press(notice, notice.buttons()["📢 Publish"]))
        await peer.until(lambda: "Only moderators" in refused.content)
        peer.rights = EVERYTHING
        await peer.press(notice, notice.buttons()["📢 Publish"])
        await peer.until(lambda: len(asked.files) == 1)
        assert "a red apple" in asked.content


OTHER, ROOM, MUTE, BARE = 7777, 8888, 8889, 8890


@pytest.mark.parametrize("channel", [ROOM, MUTE, BARE, 12345])
async def test_on_discord_no_other_place_becomes_the_log_channel_than_one_of_the_server_itself(
    tmp_path: Path, channel: int
) -> None:
    """Not one of another server, none where Semilla may not write or attach files, none that
    isn't there."""
    async with serving_discord() as peer, semilla_on_discord(peer, tmp_path) as app:
        mute, bare = (
            channel_json(GUILD, room)
            | {"permission_overwrites": [{"id": str(GUILD), "type": 0, "allow": "0", "deny": no}]}
            for room, no in ((MUTE, str(1 << 11)), (BARE, str(1 << 15)))
        )
        await peer.invite(OTHER, "Others", channel_json(OTHER, ROOM))
        await peer.invite(GUILD, "Seeds", channel_json(), mute, bare)
        peer.rights = EVERYTHING
        await peer.slash("setup", approve="yes", **{"log-channel": f"<#{channel}>"})
        await peer.until(lambda: any("can't tell moderators" in t for t in _texts(peer)))
        assert not await app.semilla.database.settings.of_guild(f"discord:{GUILD}")
        await peer.slash("setup", **{"log-channel": f"<#{CHANNEL}>"})
        await peer.until(lambda: any("I tell moderators here" in t for t in _texts(peer)))
        told = [m.channel for m in peer.messages.values() if "moderators here" in m.content]
        assert told == [CHANNEL]


async def test_on_discord_what_was_set_for_another_servers_channel_is_not_posted_there(
    tmp_path: Path,
) -> None:
    async with serving_discord() as peer, semilla_on_discord(peer, tmp_path) as app:
        await peer.invite(OTHER, "Others", channel_json(OTHER, ROOM))
        settings = app.semilla.database.settings
        for name, value in (("approve", "yes"), ("log_channel", str(ROOM))):
            await settings.set(f"discord:{GUILD}", "guild", "", name, value)
        asked = await peer.answer(await peer.slash("imagine", prompt="a red apple", steps=1))
        await peer.until(lambda: "moderator looks at it first" in asked.content)
        await peer.answer(await peer.slash("help"))
        there = [each.content for each in peer.messages.values() if each.channel == ROOM]
        assert not [each for each in there if "a red apple" in each]


async def test_on_discord_who_may_manage_messages_in_one_channel_alone_is_no_moderator(
    tmp_path: Path,
) -> None:
    async with serving_discord() as peer, semilla_on_discord(peer, tmp_path):
        peer.rights = str(1 << 11 | 1 << 13)
        await peer.slash("setup", approve="yes")
        await peer.until(lambda: any("Only moderators" in text for text in _texts(peer)))


async def test_on_telegram_a_topic_of_the_group_is_told_and_no_other_chat(tmp_path: Path) -> None:
    async with serving_telegram() as peer, semilla_on_telegram(peer, tmp_path) as app:
        events, guild = app.semilla.events, f"{TELEGRAM}:{peer.group}"
        for channel in (peer.group - 1, 77, 78):
            peer.no_topics = {77}
            reply = Reply(text=f"for moderators: {channel}")
            tell_moderators(events, Rules(log_channel=str(channel)), guild, reply)
        (told,) = await peer.until(
            lambda: [m for m in peer.messages.values() if "for moderators" in m.text]
        )
        assert (told.chat, told.topic, told.text) == (peer.group, 78, "for moderators: 78")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("log_channel", "-42", "-10042"),
        ("channels", "-42", "-10042"),
        ("channels", "77,-42,-421", "77,-10042,-421"),
    ],
)
async def test_what_names_the_group_as_a_channel_does_so_after_it_has_grown(
    database: Database, name: str, before: str, after: str
) -> None:
    await database.settings.set("telegram:-42", "guild", "", name, before)
    await database.settings.set("telegram:-10042", "guild", "", name, "1")
    await database.moving.move("telegram:-42", "telegram:-10042", "-42", "-10042")
    assert await database.settings.of_guild("telegram:-10042") == {name: after}


async def test_a_group_grows_into_one_that_has_named_something_alike(database: Database) -> None:
    old, new = "telegram:-42", "telegram:-10042"
    for guild, channel in ((old, "-42"), (new, "-10042")):
        await database.settings.set(guild, "channel", channel, "steps", channel[-1:])
    first, second = await draw(database, guild=old), await draw(database, guild=new)
    async with AsyncSession(database.engine) as session, session.begin():
        both = Picture.id.in_((first.id, second.id))
        await session.execute(update(Picture).where(both).values(code="K7QX"))
        for guild in (old, new):
            session.add(Draft(guild=guild, code="B3RS", member=guild, options={}))
    await database.moving.move(old, new, "-42", "-10042")
    asker = Asker(new, MEMBER, moderator=True)
    found = await database.history.search(asker)
    assert {each.id for each in found} == {first.id, second.id}
    kept = await database.history.get(asker, "K7QX")
    assert kept is not None
    assert kept.id == first.id
    draft = await database.drafts.get(new, "B3RS")
    assert draft is not None
    assert draft.member == old


async def test_on_telegram_a_group_is_told_where_it_has_grown_to(tmp_path: Path) -> None:
    async with serving_telegram() as peer, semilla_on_telegram(peer, tmp_path) as app:
        old, new = -4242, -1004242
        peer.moved[old] = new
        rules = Rules(log_channel=str(old))
        tell_moderators(app.semilla.events, rules, f"{TELEGRAM}:{old}", Reply(text="look at this"))
        (told,) = await peer.until(lambda: [*peer.messages.values()])
        assert (told.chat, told.text) == (new, "look at this")


def _texts(peer: Discord) -> list[str]:
    return [each.content for each in peer.messages.values()]


async def test_on_telegram_a_chat_of_moderators_is_told(tmp_path: Path) -> None:
    async with serving_telegram() as peer, semilla_on_telegram(peer, tmp_path) as app:
        semilla, guild = app.semilla, f"{TELEGRAM}:{peer.group}"
        blur = io.BytesIO()
        Image.new("RGB", (64, 64), "gray").save(blur, "PNG")
        picture = await draw(
            semilla.database,
            guild=guild,
            visibility=Visibility.HELD,
            held_for=Hold.CHECK,
            blurred=await semilla.database.storage.put(blur.getvalue()),
        )
        rules = Rules(log_channel=str(peer.group))
        tell_moderators(semilla.events, rules, guild, held_reply(picture, "en"))
        notices = await peer.until(lambda: [m for m in peer.messages.values() if m.photo])
        assert "picture check" in notices[0].text
        assert {"📢 Publish", "🗑 Delete"} <= set(notices[0].buttons())
        assert not peer.refused
