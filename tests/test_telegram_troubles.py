"""What goes wrong around Telegram: sleep, lost networks, two copies, closed doors."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from PIL import Image

from bot.adapters.telegram import webhook
from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.touch import A_POLL
from bot.app import App
from bot.chats import Chats
from bot.conversation import Button, Reply
from db.models import now
from tests.chat import settings
from tests.pages import Browser, Opened, token_of
from tests.rows import answer
from tests.telegram_peer.server import (
    ANA,
    BOT,
    LUIS,
    PRIVATE,
    TEACHER,
    TOKEN,
    Fault,
    Sent,
    Telegram,
)
from tests.test_telegram import connect, red_photo, semilla_on, serving_telegram

pytestmark = pytest.mark.asyncio(loop_scope="module")
CONFLICT = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is "
    "running"
)
WEBHOOK = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
    "webhook first"
)


@asynccontextmanager
async def page_on(peer: Telegram, data: Path, **more: str) -> AsyncIterator[Browser]:
    """The moderator's page of a Semilla that was connected there, and has its minute."""
    config = settings(data, SEMILLA_TELEGRAM_API__BASE_URL=peer.address, **more)
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        quick = partial(TelegramAdapter, minute_seconds=peer.minute)
        patch.setattr("bot.adapters.telegram.adapter.TelegramAdapter", quick)
        app = await stack.enter_async_context(App.open(config))
        chats = Chats(app)
        page = Opened(app, config, chats, [webhook.route(chats.telegram)])
        serving = asyncio.create_task(app.serve([]))
        try:
            browser = await page.moderator()
            await connect(browser, TOKEN)
            yield browser
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Telegram, Browser]]:
    """One for all that can share it: its start takes longer than what is tested."""
    data = tmp_path_factory.mktemp("data")
    async with serving_telegram(minute=15) as peer, page_on(peer, data) as page:
        yield peer, page


@pytest.fixture
def peer(running: tuple[Telegram, Browser]) -> Telegram:
    running[0].forget()
    return running[0]


@pytest.fixture
def page(running: tuple[Telegram, Browser]) -> Browser:
    return running[1]


def asking(peer: Telegram) -> list[Sent]:
    return [m for m in peer.messages.values() if "desconectada" in m.text and not m.deleted]


async def test_after_a_sleep_one_message_asks_what_becomes_of_the_requests(
    peer: Telegram,
) -> None:
    for prompt in ("un gato", "una luna"):
        await peer.say(f"/imagina {prompt} pasos:1", user=LUIS, ago=14 * 60)
    await peer.say("/imagina un sol pasos:1", ago=13 * 60)
    await peer.until(lambda: "3 pedidos" in "".join(m.text for m in asking(peer)))
    question = asking(peer)[-1]
    assert (
        question.text == "Hay 3 pedidos de cuando estuve desconectada, el primero de hace 14 min:"
    )
    assert question.silent
    press = await peer.press(question, "Olvidarlos")
    assert (await peer.toast(press))["text"] == "Forgotten. Ask again whenever you like."
    press = await peer.press(question, "✓ Hacerlos", user=TEACHER)
    assert (await peer.toast(press))["text"] == "¡Manos a la obra con los 2!"
    await peer.until(lambda: sum("un" in m.text for m in pictures(peer)) == 2)
    await peer.until(lambda: question.deleted)
    assert not [m for m in pictures(peer) if "un sol" in m.text]


async def test_the_question_begins_with_what_was_said_first_whichever_came_first(
    peer: Telegram,
) -> None:
    await peer.say("/imagina un gato pasos:1", user=LUIS, ago=14 * 60)
    delayed = peer.waiting.pop()
    await peer.say("/imagine a moon steps:1", ago=13 * 60)
    await peer.until(lambda: "13 min" in "".join(m.text for m in peer.messages.values()))
    await peer.update({"message": delayed["message"]})
    await peer.until(lambda: "2 pedidos" in "".join(m.text for m in asking(peer)))
    question = asking(peer)[-1]
    assert question.text.endswith("el primero de hace 14 min:"), "in its author's language"
    await peer.press(question, "Olvidarlos", user=TEACHER)
    await peer.until(lambda: question.deleted)


async def test_what_comes_while_the_question_is_being_sent_is_asked_about_too(
    peer: Telegram,
) -> None:
    peer.faults.append(Fault("sendMessage", late_seconds=2))
    await peer.say("/imagina un gato pasos:1", user=LUIS, ago=600)
    await peer.until(lambda: asking(peer))
    await peer.say("/imagina una luna pasos:1", user=LUIS, ago=600)
    await peer.until(lambda: "2 pedidos" in asking(peer)[-1].text)
    await peer.press(asking(peer)[-1], "Olvidarlos", user=LUIS)
    await peer.until(lambda: len(asking(peer)) == 1)


async def test_a_request_that_fails_late_takes_no_other_with_it(peer: Telegram) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, "JPEG")
    asked = await peer.say("/imagina un gato pasos:1", photo=buffer.getvalue(), user=LUIS, ago=600)
    await peer.say("/imagina una luna pasos:1", user=LUIS, ago=600)
    await peer.until(lambda: "2 pedidos" in "".join(m.text for m in asking(peer)))
    (question,) = asking(peer)
    peer.faults.append(Fault("getFile", 400, "Bad Request: wrong file_id"))
    for _ in range(2):
        await peer.press(question, "✓ Hacerlos", user=TEACHER)
    assert "una luna" in (await peer.shown()).text
    assert (await peer.answered(asked)).text, "its author is told"
    await peer.until(lambda: question.deleted)
    assert len([m for m in peer.messages.values() if m.reply_to == asked]) == 1


@pytest.mark.parametrize(
    "fault", [Fault("getFile", 502, "Bad Gateway"), Fault("getFile", cut=True)]
)
async def test_whose_picture_does_not_come_through_is_told_to_send_it_again(
    peer: Telegram, fault: Fault
) -> None:
    peer.faults.append(replace(fault))
    told = await peer.answered(await peer.say("/imagine a sun steps:1", photo=red_photo()))
    assert told.text == "That picture didn't come through to me. Send it once more."


async def test_the_question_comes_also_when_its_first_sending_fails(peer: Telegram) -> None:
    peer.faults.append(Fault("sendMessage", cut=True, times=2))
    await peer.say("/imagina una luna pasos:1", user=LUIS, ago=600)
    await peer.until(lambda: asking(peer))
    (question,) = asking(peer)
    assert question.text == "Hay un pedido de cuando estuve desconectada, de hace 10 min:"


async def test_a_restart_forgets_no_request_and_repeats_none(tmp_path: Path) -> None:
    async with serving_telegram(minute=6) as peer:
        async with semilla_on(peer, tmp_path) as app:
            await peer.say("una luna pasos:1", chat=PRIVATE, language="es", ago=600)
            await peer.until(lambda: asking(peer))
            asked = await peer.say("/imagine a tree steps:1")
            update = peer.waiting[-1]
            await peer.shown(asked)
            await all_noted(app)
        update["message"]["date"] -= 3600  # and was away so long
        peer.waiting.insert(0, update)
        async with semilla_on(peer, tmp_path):
            (question,) = asking(peer)
            menus = [method for method, _ in peer.calls if method == "setMyCommands"]
            assert len(menus) == 6, "sent once, as nothing has changed"
            assert "un pedido" in question.text
            await peer.press(question, "✓ Hacerlo", language="es")
            assert "una luna" in (await peer.shown(chat=PRIVATE)).text
            assert len(pictures(peer)) == 2
            assert not [m for m in peer.messages.values() if "offline" in m.text]


async def test_what_nobody_was_asked_about_is_asked_about_after_a_restart(
    tmp_path: Path,
) -> None:
    async with serving_telegram(minute=60) as peer:
        async with semilla_on(peer, tmp_path) as app:
            asked = await peer.say("una luna pasos:1", chat=PRIVATE, language="es", ago=600)
            drafts = app.semilla.database.drafts
            await once(lambda: drafts.missed(f"telegram:{PRIVATE}"))
        assert not peer.messages, "stopped before it could ask"
        async with semilla_on(peer, tmp_path):
            await peer.until(lambda: asking(peer))
            await peer.press(asking(peer)[0], "✓ Hacerlo", language="es")
            assert "una luna" in (await peer.shown(asked, chat=PRIVATE)).text


async def test_buttons_that_were_pressed_in_a_time_away_are_asked_about(tmp_path: Path) -> None:
    async with serving_telegram(minute=6) as peer:
        async with semilla_on(peer, tmp_path):
            picture = await peer.shown(await peer.say("/imagina un sol pasos:1", user=LUIS))
        await peer.press(picture, "🎲 Otra", user=LUIS, old=True)
        await peer.press(picture, "📋 Receta", user=LUIS, old=True)
        for _ in range(A_POLL):
            await peer.say("qué lindo día")
        await peer.press(picture, "🎲 Otra", user=LUIS, old=True)  # comes with the second poll
        await peer.press(picture, "🌱 Variar", user=LUIS)
        async with semilla_on(peer, tmp_path):
            await peer.until(lambda: asking(peer))
            (question,) = asking(peer)
            assert question.text == "Se tocaron 2 botones cuando estuve desconectada:"
            assert "🌱" in (await peer.shown(count=2)).text, "pressed just before the start"
            assert len(pictures(peer)) == 2
            await peer.press(question, "✓ Hacerlos", user=LUIS)
            assert "un sol" in (await peer.shown(count=4)).text
            await peer.until(lambda: question.deleted)


async def test_what_nobody_decides_about_is_forgotten_in_time(tmp_path: Path) -> None:
    async with App.open(settings(tmp_path)) as app:
        drafts = app.semilla.database.drafts
        await drafts.miss("telegram:-1", "telegram:1", 7, {"request": "{}"})
        await drafts.forget_missed(now() - timedelta(days=1))
        assert await drafts.missed("telegram:-1")
        await drafts.forget_missed(now())
        assert not await drafts.missed("telegram:-1")


async def test_an_upload_into_a_lost_network_waits_and_the_page_says_so(
    peer: Telegram, page: Browser
) -> None:
    asked = await peer.say("/imagine a boat steps:20 count:3 size:64x64")
    await peer.answered(asked)
    peer.down = True
    await home_says(page, "3 pictures wait to be sent")
    assert "3 pictures wait" in (await page.get("/connect")).text
    drawn = await page.post("/call", data=await form(page, "a pig steps:1"))
    assert drawn.status_code < 400, "the page goes on"
    peer.down = False
    sheet = await peer.shown(asked)
    assert list(sheet.buttons()) == ["1", "2", "3"]
    assert len(pictures(peer)) == 1
    await home_says(page, "wait to be sent", still=False)


@pytest.mark.parametrize(
    ("conflict", "words"),
    [
        (CONFLICT, "another copy of Semilla uses this token"),
        (WEBHOOK, "another program gets the messages of this bot"),
    ],
)
async def test_two_with_one_token_are_said_in_words_until_one_is_closed(
    peer: Telegram, page: Browser, conflict: str, words: str
) -> None:
    peer.faults.append(Fault("getUpdates", 409, conflict, times=2))
    await home_says(page, words)
    asked = await peer.say("/help")
    await peer.answered(asked)
    assert "another" not in (await page.get("/")).text
    assert "✓ @semilla_bot" in (await page.get("/connect")).text


async def test_telegram_calls_where_there_is_a_webhook_and_brings_its_secret(
    tmp_path: Path,
) -> None:
    more = {"SEMILLA_TELEGRAM_API__WEBHOOK": "https://semilla.example"}
    async with serving_telegram() as peer, page_on(peer, tmp_path, **more) as page:
        await peer.until(lambda: peer.webhook.get("url"))
        path, secret = urlsplit(peer.webhook["url"]).path, peer.webhook["secret_token"]
        asked = await peer.say("/imagine a sun steps:1")
        update = peer.waiting[-1]
        stranger = await page.post(path, json=update, headers={webhook.SECRET: "guessed"})
        assert stranger.status_code == 404
        assert not peer.messages
        for _ in range(2):  # Telegram calls again when an answer was lost
            called = await page.post(path, json=update, headers={webhook.SECRET: secret})
            assert called.status_code == 200
        await peer.shown(asked)
        assert len(peer.messages) == 1
        assert not peer.polls


async def test_presses_that_a_webhook_brings_late_are_asked_about(tmp_path: Path) -> None:
    more = {"SEMILLA_TELEGRAM_API__WEBHOOK": "https://semilla.example"}
    async with serving_telegram(minute=6) as peer, page_on(peer, tmp_path, **more) as page:
        await peer.until(lambda: peer.webhook.get("url"))
        path, secret = urlsplit(peer.webhook["url"]).path, peer.webhook["secret_token"]

        async def bring() -> None:
            sent = await page.post(path, json=peer.waiting.pop(), headers={webhook.SECRET: secret})
            assert sent.status_code == 200

        asked = await peer.say("/imagina un sol pasos:1", user=LUIS)
        await bring()
        picture = await peer.shown(asked)
        await peer.press(picture, "🎲 Otra", user=LUIS, old=True)
        await bring()
        await peer.until(lambda: asking(peer))
        assert len(pictures(peer)) == 1
        await peer.press(picture, "🎲 Otra", user=LUIS)
        await bring()
        await peer.shown(count=2)


async def test_a_webhook_that_is_told_to_wait_takes_nothing_else_down(tmp_path: Path) -> None:
    more = {"SEMILLA_TELEGRAM_API__WEBHOOK": "https://semilla.example"}
    async with serving_telegram(minute=6) as peer:
        wait = {"retry_after": 1}
        peer.faults.append(Fault("setWebhook", 429, "Too Many Requests", parameters=wait))
        async with page_on(peer, tmp_path, **more) as page:
            await peer.until(lambda: peer.webhook.get("url"))
            assert "✓ @semilla_bot" in (await page.get("/connect")).text


async def test_a_token_that_is_taken_back_at_the_start_is_said_in_words(tmp_path: Path) -> None:
    more = {"SEMILLA_TELEGRAM_API__WEBHOOK": "https://semilla.example"}
    async with serving_telegram() as peer:
        peer.faults.append(Fault("setWebhook", 401, "Unauthorized"))
        async with page_on(peer, tmp_path, **more) as page:
            await home_says(page, "@BotFather")


async def test_a_token_that_is_taken_back_is_said_in_words_and_a_new_one_goes_on(
    tmp_path: Path,
) -> None:
    async with serving_telegram() as peer, page_on(peer, tmp_path) as page:
        await peer.answered(await peer.say("/help"))
        peer.faults.append(Fault("getUpdates", 401, "Unauthorized", times=1000))
        await peer.say("/help")  # ends the waiting for news
        await home_says(page, "@BotFather")
        peer.forget()
        await connect(page, TOKEN)
        await peer.answered(await peer.say("/help"))
        assert "✓ @semilla_bot" in (await page.get("/connect")).text


async def test_neither_another_chat_nor_a_stop_waits_for_a_busy_group_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    async with serving_telegram() as peer:
        async with semilla_on(peer, tmp_path) as app:
            busy = Fault("sendMessage", 429, parameters={"retry_after": 300})
            peer.faults.append(busy)
            await peer.say("/help")
            await peer.until(lambda: not busy.times)
            for _ in range(70):
                await peer.say("/help")
            await peer.answered(await peer.say("/help", chat=PRIVATE))
            await peer.say("/imagina un sol pasos:tomate", user=LUIS)  # what is said of it waits
            await peer.say("/imagine a bee steps:1 size:64x64")
            await once(lambda: app.semilla.database.answers.unsent("telegram"))
            stopped = time.monotonic()
        assert time.monotonic() - stopped < 10
        async with semilla_on(peer, tmp_path):
            assert "a bee" in (await peer.shown()).text
            await peer.until(lambda: asking(peer))
            await peer.press(asking(peer)[0], "✓ Hacerlo", user=LUIS)
            await peer.until(lambda: [m for m in peer.messages.values() if "tomate" in m.text])


@pytest.mark.parametrize(
    ("chat", "fault"),
    [
        (None, Fault("sendPhoto", late_seconds=3)),
        (PRIVATE, Fault("sendPhoto", late_seconds=1)),
        (PRIVATE, Fault("deleteMessage", hangs=True)),
    ],
)
async def test_what_is_on_its_way_at_a_stop_comes_once(
    tmp_path: Path, chat: int | None, fault: Fault
) -> None:
    async with serving_telegram() as peer:
        async with semilla_on(peer, tmp_path):
            peer.faults += [Fault("editMessageMedia", 400, "Bad Request: gone"), replace(fault)]
            asked = await peer.say("/imagine a bee steps:20 size:64x64", chat=chat)
            await peer.shown(asked, chat=chat)
        async with semilla_on(peer, tmp_path) as app:
            await all_noted(app)
        assert len(pictures(peer)) == 1
        left = [m for m in peer.messages.values() if not (m.photo or m.deleted)]
        assert bool(left) == fault.hangs, "the placeholder goes as well, if it can"


async def test_a_stop_in_a_network_that_answers_nothing_is_quick_and_keeps_what_it_cuts_off(
    tmp_path: Path,
) -> None:
    async with serving_telegram(minute=6) as peer:
        async with semilla_on(peer, tmp_path):
            peer.faults.append(Fault("getFile", hangs=True))
            await peer.say("/imagina un sol pasos:1", photo=red_photo(), user=LUIS)
            await peer.until(lambda: not peer.faults[0].times)
            peer.silent = True
            await asyncio.sleep(2)  # until the last poll was answered
            stopped = time.monotonic()
        assert time.monotonic() - stopped < 10
        peer.silent = False
        async with semilla_on(peer, tmp_path):
            await peer.until(lambda: asking(peer))
            (question,) = asking(peer)
            assert question.text.startswith("Hay un pedido")
            await peer.press(question, "✓ Hacerlo", user=LUIS)
            assert "un sol" in (await peer.shown()).text


async def test_over_a_slow_network_each_of_three_hundred_chats_is_answered(tmp_path: Path) -> None:
    """More than there are connections."""
    async with serving_telegram() as peer, semilla_on(peer, tmp_path):
        people = range(9000, 9300)
        peer.names |= dict.fromkeys(people, ("Somebody", "en"))
        peer.faults.append(Fault("sendMessage", late_seconds=2.5, times=len(people)))
        for each in people:
            await peer.say("/help", chat=each, user=each)
        await peer.until(lambda: {m.chat for m in peer.messages.values()} >= set(people))


async def test_a_stop_does_not_wait_until_a_fault_is_told(tmp_path: Path) -> None:
    async with serving_telegram() as peer:
        async with semilla_on(peer, tmp_path):
            told = Fault("sendMessage", hangs=True)
            peer.faults += [Fault("sendMessage", 400, "Bad Request: new", times=2), told]
            await peer.say("/help")
            await peer.until(lambda: not told.times)
            stopped = time.monotonic()
        assert time.monotonic() - stopped < 10


async def test_where_no_pictures_may_be_sent_their_author_reads_where_they_are(
    peer: Telegram, page: Browser
) -> None:
    peer.no_pictures.add(peer.group)
    asked = await peer.say("/imagine a bee steps:1 size:64x64")
    told = await peer.until(
        lambda: [m for m in peer.messages.values() if "doesn't let me send pictures" in m.text]
    )
    assert (told[0].chat, told[0].reply_to) == (peer.group, asked)
    assert not [m for m in peer.messages.values() if m.text == "Drawing"]
    assert "wait to be sent" not in (await page.get("/")).text


@pytest.mark.parametrize("more", ["", " png:yes"])
async def test_where_no_pictures_may_be_sent_who_wants_to_see_one_is_led_to_it(
    peer: Telegram, more: str
) -> None:
    picture = await peer.shown(await peer.say("/imagine a bee steps:1 size:64x64"))
    code = picture.buttons()["📋 Recipe"].split()[-1]
    peer.no_pictures.add(peer.group)
    told = await peer.answered(await peer.say(f"/show {code}{more}"))
    assert "doesn't let me send pictures" in told.text
    assert f"?start={code}" in told.text


async def test_several_failures_in_one_message_keep_their_buttons_and_their_authors_names(
    tmp_path: Path,
) -> None:
    async with serving_telegram(minute=6) as peer, semilla_on(peer, tmp_path) as app:
        adapter = app.semilla.chats["telegram"]
        where = {"adapter": "telegram", "guild": f"telegram:{peer.group}", "created": now()}
        where |= {"message": "", "thread": "", "private": False}
        failed = [
            answer(id=n, channel=str(peer.group), member_name=f"*Al* {n}", **where)
            for n in range(1, 6)
        ]
        replies = [
            Reply(text="That failed.", buttons=((Button("Try again", f"/retry {each.id}"),),))
            for each in failed
        ]
        await asyncio.gather(*map(adapter.deliver, failed, replies))
        (told,) = [each for each in peer.messages.values() if "*Al* 5: That failed." in each.text]
        assert told.buttons()["Try again · *Al* 5"] == "/retry 5"


async def test_an_address_that_cannot_be_called_is_said_still_after_an_outage(
    tmp_path: Path,
) -> None:
    more = {"SEMILLA_TELEGRAM_API__WEBHOOK": "https://semilla.example"}
    async with serving_telegram(minute=6) as peer:
        bad = "Bad Request: bad webhook: Failed to resolve host"
        peer.faults.append(Fault("setWebhook", 400, bad))
        address = {"SEMILLA_TELEGRAM_API__BASE_URL": peer.address}
        async with App.open(settings(tmp_path, **address, **more)) as app:
            adapter = TelegramAdapter(app.semilla, TOKEN, peer.minute)
            serving = asyncio.create_task(app.serve([adapter]))
            await says(adapter, "telegram-bad-webhook")
            asked = await peer.say("a fox steps:20 size:64x64", chat=PRIVATE)
            await adapter.called(adapter._secret, peer.waiting[-1])
            await peer.answered(asked)
            peer.down = True
            await says(adapter, "telegram-out-of-touch")
            peer.down = False
            await peer.shown(asked, chat=PRIVATE)
            assert adapter.state[0] == "telegram-bad-webhook"
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


@pytest.mark.parametrize("why", ["CHAT_RESTRICTED", "chat not found"])
async def test_a_picture_for_a_chat_that_is_shut_is_kept_and_tried_no_more(
    peer: Telegram, page: Browser, why: str
) -> None:
    await peer.answered(await peer.say("/imagine a bee steps:20 size:64x64"))
    peer.shut[peer.group] = why
    await peer.shown(await peer.say("a fox steps:1", chat=PRIVATE), chat=PRIVATE)
    await peer.until(lambda: any(why in each for each in peer.refused))
    assert "wait to be sent" not in (await page.get("/")).text


async def test_a_topic_that_was_deleted_gets_its_picture_outside_of_it(peer: Telegram) -> None:
    peer.topics = True
    placeholder = await peer.answered(await peer.say("/imagine a bee steps:40", topic=77))
    placeholder.deleted = True
    peer.no_topics.add(77)
    assert (await peer.shown()).topic is None
    peer.topics = False


async def test_a_move_that_is_told_twice_leaves_the_group_switched_on(tmp_path: Path) -> None:
    old, new = -4242, -1004242
    closed = {"SEMILLA_ACCESS__OPEN": "no"}
    async with serving_telegram() as peer, semilla_on(peer, tmp_path, **closed) as app:
        access, moving = app.semilla.access, app.semilla.database.moving
        await access.activate(f"telegram:{old}", "Clase 5B")
        await peer.migrate(old, new)
        await once(lambda: access.name(f"telegram:{new}"))
        await moving.move(f"telegram:{old}", f"telegram:{new}", str(old), str(new))
        picture = await peer.shown(await peer.say("/imagine a hen steps:1", chat=new), chat=new)
        assert "a hen" in picture.text


async def test_a_link_shows_a_picture_to_those_who_are_in_its_group(tmp_path: Path) -> None:
    more = {"SEMILLA_ACCESS__OPEN": "no"}
    async with serving_telegram() as peer, semilla_on(peer, tmp_path, **more) as app:
        await app.semilla.access.activate(f"telegram:{peer.group}", "Clase 5B")
        picture = await peer.shown(await peer.say("/imagine a whale steps:1", user=LUIS))
        code = picture.buttons()["📋 Receta"].split()[-1]
        shown = await peer.answered(await peer.say(f"/start {code}", chat=PRIVATE))
        assert "a whale" in shown.text
        assert shown.photo
        await peer.press(shown, "🌱 Vary")
        varied = await peer.shown(chat=PRIVATE, count=2)
        assert code in varied.text
        assert [m.chat for m in pictures(peer)] == [peer.group, PRIVATE, PRIVATE]
        peer.members = {LUIS}
        refused = await peer.answered(await peer.say(f"/start {code}", chat=PRIVATE))
        assert not refused.photo
        assert "a whale" not in refused.text


async def test_a_private_picture_waits_behind_the_link_for_who_never_wrote_to_semilla(
    peer: Telegram,
) -> None:
    peer.closed_to.add(ANA)
    told = await peer.answered(await peer.say("/imagine a whale steps:1 private:yes"))
    await peer.until(lambda: "?start=" in told.text)
    peer.closed_to.clear()
    code = told.text.split("?start=")[1].split()[0]
    picture = await peer.answered(await peer.say(f"/start {code}", chat=PRIVATE))
    assert picture.photo
    await peer.press(picture, "🎲 Another")
    await peer.shown(chat=PRIVATE, count=2)
    other = await peer.answered(await peer.say(f"/show {code}", user=LUIS))
    assert not other.photo


async def test_several_private_pictures_are_told_by_their_ids(peer: Telegram) -> None:
    peer.closed_to.add(ANA)
    order = "/imagine a whale steps:1 count:2 size:64x64 private:yes"
    told = await peer.answered(await peer.say(order))
    await peer.until(lambda: "t.me/" in told.text)
    codes = told.text.split("an id: ")[-1].split(", ")
    peer.closed_to.clear()
    assert len(codes) == 2
    for code in codes:
        shown = await peer.answered(await peer.say(f"/show {code}", chat=PRIVATE))
        assert shown.photo, code


async def test_a_private_picture_is_sent_once_also_when_its_placeholder_was_deleted(
    peer: Telegram, page: Browser
) -> None:
    asked = await peer.say("/imagine a whale steps:20 size:64x64 private:yes")
    (await peer.answered(asked)).deleted = True
    await peer.until(lambda: [m for m in peer.messages.values() if "to you in private" in m.text])
    await home_says(page, "wait to be sent", still=False)
    assert len(of_private(peer)) == 1


@pytest.mark.parametrize("end", ["shown in private", "erased"])
async def test_who_waits_is_told_no_longer_than_they_wait(peer: Telegram, end: str) -> None:
    private = "yes" if end == "shown in private" else "no"
    line = f"/imagine a whale steps:60 private:{private}"
    for _ in range(3):  # messages of their own
        await peer.answered(await peer.say(line))
    await peer.say(line)
    await peer.until(lambda: [m for m in peer.messages.values() if "waits: Ana" in m.text])
    (live,) = [m for m in peer.messages.values() if "waits: Ana" in m.text]
    if end == "erased":
        await peer.say("/privacy delete sure:yes")
    await peer.until(lambda: live.deleted)


@pytest.mark.parametrize("ephemeral", [True, False])
async def test_a_private_picture_is_not_left_before_the_group(
    peer: Telegram, ephemeral: bool
) -> None:
    """Where Semilla is no admin, and where the Bot API is an older one."""
    peer.ephemeral = ephemeral
    await peer.say("/imagine a whale steps:1 private:yes")
    code = (await peer.shown(chat=PRIVATE)).buttons()["📋 Recipe"].split()[-1]
    for line in ("/history", f"/show {code}", f"/show {code} png:yes"):
        before = len(of_private(peer))
        await peer.say(line)
        await peer.until(lambda before=before: len(of_private(peer)) > before)
    seen = [m for m in peer.messages.values() if m.chat == peer.group and (m.photo or m.document)]
    assert all(m.deleted for m in seen)
    assert len(seen) == (0 if ephemeral else 1), "an older one shows it, until that is known"


async def test_where_no_pictures_may_be_sent_words_are_still_told_to_one_alone(
    peer: Telegram,
) -> None:
    peer.ephemeral, peer.admins = True, {TEACHER, BOT}
    await peer.shown(await peer.say("/imagine a whale steps:1"))
    peer.no_pictures.add(peer.group)
    await peer.say("/history")
    await peer.until(lambda: of_private(peer))
    told = await peer.answered(await peer.say("/imagine a cat seed:tomato"))
    assert told.receiver == ANA


async def test_who_never_wrote_to_semilla_is_led_to_what_only_they_may_see(
    peer: Telegram,
) -> None:
    peer.ephemeral = True
    peer.closed_to.add(ANA)
    await peer.shown(await peer.say("/imagine a whale steps:1"))
    told = await peer.answered(await peer.say("/history"))
    assert "https://t.me/semilla_bot" in told.text


def of_private(peer: Telegram) -> list[Sent]:
    return [m for m in peer.messages.values() if m.chat == PRIVATE and (m.photo or m.document)]


def pictures(peer: Telegram) -> list[Sent]:
    return [m for m in peer.messages.values() if m.photo and not m.deleted]


async def all_noted(app: App) -> None:
    """What arrived is known to have arrived."""
    for _ in range(600):
        if not await app.semilla.database.answers.unsent("telegram"):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("not delivered")


async def once(there: Callable[[], Awaitable[object]]) -> None:
    for _ in range(600):
        if await there():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it never came")


async def says(adapter: TelegramAdapter, sentence: str) -> None:
    async def there() -> bool:
        return adapter.state[0] == sentence

    await once(there)


async def home_says(page: Browser, words: str, still: bool = True) -> None:
    for _ in range(600):
        if (words in (await page.get("/")).text) == still:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(words)


async def form(page: Browser, line: str) -> dict[str, str]:
    return {"line": line, "once": "once", "token": token_of(await page.get("/"))}
