"""Where moderators are told: a channel of Discord, a chat of Telegram."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from bot.adapters.telegram.places import NAME as TELEGRAM
from bot.holding import held_reply, tell_moderators
from bot.moderation import Rules
from db.models import Hold, Visibility
from tests.discord_peer.kept import Message
from tests.discord_peer.payloads import CHANNEL, EVERYTHING, GUILD
from tests.discord_peer.serving import semilla_on as semilla_on_discord
from tests.discord_peer.serving import serving_discord
from tests.rows import draw
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
