"""What goes wrong between Semilla and Discord: what was accepted ends in the channel or in a clear
message, and never twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import time_machine
from PIL import Image

from bot.app import App
from db.models import now
from tests.discord_peer.kept import Fault, Message
from tests.discord_peer.payloads import ANA, CHANNEL, GUILD, Place
from tests.discord_peer.server import Discord
from tests.discord_peer.serving import app, lonely, peer, pictures, running, semilla_on, told

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["app", "lonely", "peer", "running"]  # fixtures


@pytest.mark.parametrize("gone", ["token expired", "message deleted"])
async def test_a_picture_whose_placeholder_is_lost_is_sent_to_its_author(
    peer: Discord, app: App, gone: str
) -> None:
    asked = await peer.slash("imagine", prompt="a boat", steps=20)
    placeholder = await peer.answer(asked)
    if gone == "token expired":
        peer.expired.add(f"token-{asked}")
    else:
        del peer.messages[placeholder.id]
    await peer.until(lambda: len(pictures(peer)) == 1)
    (late,) = pictures(peer)
    assert f"<@{ANA}>" in late.content
    assert late.mentions["users"] == [ANA]
    assert late.reference == placeholder.id
    if gone == "token expired":
        link = f"https://discord.com/channels/{GUILD}/{CHANNEL}/{late.id}"
        await peer.until(lambda: link in placeholder.content)
        assert placeholder.components == []


@pytest.mark.parametrize("gone", ["token expired", "message deleted"])
async def test_a_private_picture_whose_placeholder_is_lost_goes_to_its_author_alone(
    peer: Discord, app: App, gone: str
) -> None:
    asked = await peer.slash("imagine", prompt="a ring", steps=20, private=True)
    placeholder = await peer.answer(asked)
    assert placeholder.ephemeral
    await peer.until(lambda: "Cancel" in placeholder.buttons())
    if gone == "token expired":
        peer.expired.add(f"token-{asked}")
    else:
        del peer.messages[placeholder.id]
    await peer.until(lambda: bool(told(peer)))
    assert "a ring" in told(peer)[0].content
    assert not [each for each in pictures(peer) if not each.ephemeral]


async def test_a_send_whose_confirmation_is_lost_is_not_repeated(peer: Discord, app: App) -> None:
    asked = await peer.slash("imagine", prompt="a drum", steps=20)
    await peer.answer(asked)
    peer.expired.add(f"token-{asked}")
    peer.faults.append(Fault(f"POST /channels/{CHANNEL}/messages", 503, after=True))
    await peer.until(lambda: len(pictures(peer)) == 1)
    await outbox_is_empty(app)
    assert len(pictures(peer)) == 1


async def test_where_semilla_may_not_reply_a_late_picture_comes_without_what_it_replies_to(
    peer: Discord, app: App
) -> None:
    asked = await peer.slash("imagine", prompt="a tree", steps=20)
    await peer.answer(asked)
    peer.expired.add(f"token-{asked}")
    peer.faults.append(Fault(f"POST /channels/{CHANNEL}/messages", 403, 160002))
    await peer.until(lambda: len(pictures(peer)) == 1)
    (late,) = pictures(peer)
    assert (late.reference, late.mentions["users"]) == (None, [ANA])


async def test_after_a_dropped_connection_commands_go_on(peer: Discord, app: App) -> None:
    await peer.drop()
    await peer.until(lambda: peer.resumed == 1)
    await peer.order(7)
    await peer.until(lambda: peer.resumed == 2)
    asked = await peer.slash("imagine", prompt="a hat", steps=1)
    assert (await peer.picture(asked)).files


async def test_a_busy_discord_gets_the_picture_later(peer: Discord, app: App) -> None:
    limit = {"Via": "1.1 google", "Retry-After": "1", "X-RateLimit-Scope": "user"}
    asked = await peer.slash("imagine", prompt="a car", steps=2)
    body = {"retry_after": 0.5, "global": False}
    peer.faults.append(Fault("PATCH /webhooks", 429, times=2, headers=limit, body=body))
    assert (await peer.picture(asked)).files


async def test_an_interaction_that_discord_gave_up_makes_nothing(peer: Discord, app: App) -> None:
    peer.faults.append(Fault("POST /interactions", 404, 10062))
    await peer.slash("imagine", prompt="a lamp", steps=1)
    asked = await peer.slash("imagine", prompt="a leaf", steps=1)
    assert "a leaf" in (await peer.picture(asked)).content
    assert len(app.semilla.dispatch) == 0


async def test_an_acknowledgement_whose_confirmation_is_lost_still_gets_its_answer(
    peer: Discord, app: App
) -> None:
    lost = Fault("POST /interactions", 502, after=True)
    peer.faults.append(lost)
    await peer.picture(await peer.slash("imagine", prompt="a lamp", steps=1))
    peer.faults.append(lost)
    await peer.slash("reroll", id="ZZZZ")
    await peer.until(lambda: any("ZZZZ" in each.content for each in peer.messages.values()))
    assert not any(each.loading for each in peer.messages.values())


async def test_a_picture_that_is_late_calls_its_author_and_the_placeholder_becomes_a_link(
    peer: Discord, app: App
) -> None:
    asked = await peer.slash("imagine", prompt="a snail", steps=20)
    placeholder = await peer.answer(asked)
    await peer.until(lambda: "Cancel" in placeholder.buttons())
    with time_machine.travel(now() + timedelta(minutes=16)):
        peer.expired.add(f"token-{asked}")
        await peer.until(lambda: len(pictures(peer)) == 1)
        await peer.until(lambda: str(pictures(peer)[0].id) in placeholder.content)
    (late,) = pictures(peer)
    assert (late.reference, late.mentions["users"]) == (placeholder.id, [ANA])
    assert late.content.startswith(f"Your picture is ready, <@{ANA}>.")
    recipe = await peer.answer(await peer.menu("📋 Recipe", late))
    await peer.until(lambda: "a snail" in recipe.content)


async def test_a_late_picture_whose_delivery_was_not_written_down_stays_as_it_is(
    lonely: Discord, tmp_path: Path
) -> None:
    async with semilla_on(lonely, tmp_path) as app:
        answers = app.semilla.database.answers
        asked = await lonely.slash("imagine", prompt="a snail", steps=40)
        placeholder = await lonely.answer(asked)
        await lonely.until(lambda: "Cancel" in placeholder.buttons())
        with time_machine.travel(now() + timedelta(minutes=2)):
            await lonely.until(lambda: len(pictures(lonely)) == 1)
            await lonely.until(lambda: str(pictures(lonely)[0].id) in placeholder.content)
        (late,) = pictures(lonely)
        (answer,) = await answers.recent(f"discord:{GUILD}", f"discord:{ANA}")
        await answers.reopen(answer.id)
    async with semilla_on(lonely, tmp_path) as app, asyncio.timeout(60):
        answers = app.semilla.database.answers
        while await answers.outbox():  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert pictures(lonely) == [late]
    assert late.files


async def test_a_picture_that_others_have_written_after_calls_its_author(
    peer: Discord, app: App
) -> None:
    asked = await peer.slash("imagine", prompt="a snail", steps=20)
    placeholder = await peer.answer(asked)
    await peer.until(lambda: "Cancel" in placeholder.buttons())
    for _ in range(5):
        await peer.write(4001)
    await peer.until(lambda: len(pictures(peer)) == 1)
    (sent,) = pictures(peer)
    assert (sent.reference, sent.mentions["users"]) == (placeholder.id, [ANA])
    await peer.until(lambda: str(sent.id) in placeholder.content)


async def test_a_late_message_is_never_longer_than_discord_allows(peer: Discord, app: App) -> None:
    words = " ".join(letter * 450 for letter in "vwxyz")
    asked = await peer.slash("imagine", prompt=f"a snail {words}", steps=20)
    await peer.answer(asked)
    peer.expired.add(f"token-{asked}")
    await peer.until(lambda: len(pictures(peer)) == 1)
    assert 1900 < len(pictures(peer)[0].content) <= 2000


async def test_a_private_picture_outlives_its_token(peer: Discord, app: App) -> None:
    asked = await peer.slash("imagine", prompt="a star", steps=20, private=True)
    placeholder = await peer.answer(asked)
    await peer.until(lambda: "Cancel" in placeholder.buttons())
    with time_machine.travel(now() + timedelta(minutes=16)):
        peer.expired.add(f"token-{asked}")
        await peer.until(lambda: bool(told(peer)))
    assert "a star" in told(peer)[0].content
    assert not pictures(peer)


async def test_the_buttons_of_a_private_picture_work_where_it_was_sent_to_its_author(
    peer: Discord, app: App
) -> None:
    asked = await peer.slash("imagine", prompt="a star", steps=20, private=True)
    await peer.answer(asked)
    peer.expired.add(f"token-{asked}")
    await peer.until(lambda: bool(told(peer)))
    (sent,) = told(peer)
    at = Place(guild=None, channel=sent.channel)
    await peer.press(sent, sent.buttons()["🎲 Another"], at=at)
    await peer.until(lambda: [len(each.files) for each in told(peer)] == [1, 1])
    form = await peer.response(await peer.press(sent, sent.buttons()["✏️ Edit"], at=at))
    assert form["type"] == 9
    assert not pictures(peer)


async def test_a_picture_too_large_for_the_server_comes_smaller_and_as_png_on_request(
    peer: Discord, app: App
) -> None:
    asked = await peer.slash("imagine", prompt="a tree", steps=1, seed="3")
    (name, whole), *_ = (await peer.picture(asked)).files.items()
    assert name.endswith(".png")
    peer.file_bytes = len(whole) // 2
    show = await peer.answer(await peer.slash("show", id=name.split("-")[1][:4]))
    await peer.until(lambda: bool(show.files))
    ((small, data),) = show.files.items()
    assert small.endswith(".webp")
    assert len(data) <= peer.file_bytes
    assert Image.open(BytesIO(data)).size == (512, 512)


@pytest.mark.parametrize("of", ["PATCH /webhooks", f"POST /channels/{CHANNEL}/messages"])
async def test_a_discord_that_is_ill_gets_the_picture_when_it_is_well(
    peer: Discord, app: App, of: str
) -> None:
    asked = await peer.slash("imagine", prompt="a cloud", steps=20)
    placeholder = await peer.answer(asked)
    await peer.until(lambda: "Cancel" in placeholder.buttons())
    if of.startswith("POST"):
        peer.expired.add(f"token-{asked}")
    peer.faults.append(Fault(of, 503, times=1))
    peer.faults.append(Fault(of, 502, times=1))
    await peer.until(lambda: len(pictures(peer)) == 1)
    await peer.until(lambda: not peer.faults)
    assert len(pictures(peer)) == 1


async def test_after_an_invalid_session_commands_go_on_and_are_not_sent_again(
    peer: Discord, app: App
) -> None:
    sessions, syncs = peer.sessions, peer.syncs
    await peer.order(9, False)
    await peer.until(lambda: peer.sessions == sessions + 1)
    asked = await peer.slash("imagine", prompt="a boot", steps=1)
    assert (await peer.picture(asked)).files
    assert peer.syncs == syncs


async def test_an_event_that_arrives_twice_is_answered_once(peer: Discord, app: App) -> None:
    asked = await peer.slash("imagine", prompt="a key", steps=1)
    await peer.picture(asked)
    await peer.again(asked)
    after = await peer.slash("imagine", prompt="a hat", steps=1)
    await peer.picture(after)
    assert len(pictures(peer)) == 2


async def test_a_fault_in_a_button_is_answered_with_a_code_and_try_again(
    peer: Discord, app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    message = await peer.picture(await peer.slash("imagine", prompt="a bell", steps=1))

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("something of ours")

    with monkeypatch.context() as patch:
        patch.setattr(app.semilla.database.history, "get", broken)
        await peer.press(message, message.buttons()["🌱 Vary"])
        fault = await _fault(peer)
    assert fault.ephemeral
    code = fault.content.split("code ")[1][:4]
    assert f"fault {code}" in caplog.text
    await peer.press(fault, fault.buttons()["Try again"])
    await peer.until(lambda: len(pictures(peer)) == 2)


@pytest.mark.parametrize("of", ["POST /interactions", "PATCH /webhooks"])
async def test_a_fault_before_or_after_a_command_offers_it_again(
    peer: Discord, app: App, of: str
) -> None:
    peer.faults.append(Fault(of, 400, 50035))
    await peer.slash("queue")
    fault = await _fault(peer)
    again = await peer.answer(await peer.press(fault, fault.buttons()["Try again"]))
    await peer.until(lambda: "Nobody waits" in again.content)


async def test_a_refusal_comes_though_its_placeholder_was_deleted_meanwhile(
    peer: Discord, app: App
) -> None:
    peer.faults.append(Fault("DELETE /webhooks", 404, 10008))
    await peer.slash("reroll", id="ZZZZ")
    await peer.until(lambda: any("ZZZZ" in each.content for each in peer.messages.values()))


async def test_a_fault_after_a_request_was_accepted_does_not_offer_it_again(
    peer: Discord, app: App
) -> None:
    draft = await peer.slash("imagine", prompt="a sun", steps=1, private=True)
    code = next(iter((await peer.picture(draft)).files)).split("-")[1][:4]
    peer.faults.append(Fault("DELETE /webhooks", 400, 50035))
    await peer.slash("reroll", id=code)
    assert not (await _fault(peer)).buttons()
    await peer.until(lambda: bool(told(peer)))
    assert "Identical" in told(peer)[0].content


async def test_forty_requests_of_eight_servers_at_once_are_answered_once_each(
    lonely: Discord, tmp_path: Path
) -> None:
    async with semilla_on(lonely, tmp_path) as app:
        lonely.buckets = {}
        asked = [
            await lonely.slash(
                "imagine",
                at=Place(guild=100 + n % 8, channel=500 + n % 8),
                by=9000 + n,
                prompt="a bee",
                steps=1,
                size="64x64",
            )
            for n in range(40)
        ]
        await lonely.until(lambda: len(_all_pictures(lonely)) == len(asked), 240)
        await outbox_is_empty(app)
    found = _all_pictures(lonely)
    assert len(found) == len({each.reference or each.id for each in found}) == len(asked)
    assert len({name for each in found for name in each.files}) > 1
    assert set(lonely.acknowledged) >= set(asked)


async def _fault(peer: Discord) -> Message:
    """What tells that something went wrong, with its code."""
    await peer.until(lambda: any("code" in m.content for m in peer.messages.values()))
    return next(each for each in peer.messages.values() if "code" in each.content)


async def outbox_is_empty(app: App) -> None:
    with app.semilla.events.follow() as events:
        while await app.semilla.database.answers.outbox():
            await anext(aiter(events))


def _all_pictures(peer: Discord) -> list[object]:
    channels = {each.channel for each in peer.messages.values()}
    return [each for channel in channels for each in pictures(peer, channel)]
