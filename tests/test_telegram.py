"""Telegram, with the real python-telegram-bot on a loopback server and the shipped model."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from bot import delivery
from bot.adapters.telegram import places, reading, rendering
from bot.adapters.telegram.adapter import TelegramAdapter
from bot.app import App
from bot.chats import Chats
from bot.conversation import Reply
from bot.events import Delivered, Ended, Notice
from db.history import Asker
from db.models import now
from generator import metadata
from tests.chat import settings
from tests.pages import Browser, Opened, token_of
from tests.rows import PNG, answer, draw, job, request
from tests.telegram_peer.server import (
    ANA,
    BOT,
    LUIS,
    MUSIC,
    NEWS,
    PRIVATE,
    TEACHER,
    TOKEN,
    Fault,
    Sent,
    Telegram,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def serving_telegram(minute: float = 60.0) -> AsyncIterator[Telegram]:
    peer = Telegram(minute)
    await peer.start()
    try:
        yield peer
    finally:
        await peer.stop()
    assert not peer.unknown, "every call is one of the Bot API's description"


@asynccontextmanager
async def semilla_on(peer: Telegram, data: Path, **more: str) -> AsyncIterator[App]:
    address = {"SEMILLA_TELEGRAM_API__BASE_URL": peer.address}
    async with App.open(settings(data, **address, **more)) as app:
        adapter = TelegramAdapter(app.semilla, TOKEN, peer.minute)
        serving = asyncio.create_task(app.serve([adapter]))
        try:
            async with asyncio.timeout(60):
                await adapter.settled.wait()
            yield app
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Telegram, App]]:
    """One for all: its start takes longer than most of what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "FIRST_DELAY_SECONDS", 0.2)
        data = tmp_path_factory.mktemp("data")
        async with serving_telegram(minute=30) as peer, semilla_on(peer, data) as app:
            yield peer, app


@pytest.fixture
def peer(running: tuple[Telegram, App]) -> Telegram:
    running[0].forget()
    return running[0]


@pytest.fixture
def app(running: tuple[Telegram, App]) -> App:
    return running[1]


async def test_a_placeholder_becomes_the_picture_with_its_buttons(peer: Telegram) -> None:
    asked = await peer.say("/imagine a red apple seed:7 steps:4")
    picture = await peer.shown(asked)
    assert picture.edits >= 1, "one message an answer"
    assert "a red apple" in picture.text
    assert "7" in picture.text
    assert list(picture.buttons()) == ["🎲 Another", "🌱 Vary", "✏️ Edit", "📋 Recipe", "⋯"]
    assert picture.silent
    assert Image.open(io.BytesIO(picture.photo)).size == (512, 512)
    assert not peer.refused


async def test_what_is_typed_in_spanish_sets_options(peer: Telegram) -> None:
    asked = await peer.say("/imagina un gato rojo negativo:borroso semilla:11 --pasos 2", user=LUIS)
    picture = await peer.shown(asked)
    assert list(picture.buttons())[:2] == ["🎲 Otra", "🌱 Variar"]
    recipe = await peer.press(picture, "📋 Receta", user=LUIS)
    assert "text" not in await peer.toast(recipe), "too long for a toast"
    told = await peer.until(
        lambda: [m for m in peer.messages.values() if "borroso" in m.text and m is not picture]
    )
    assert "11" in told[0].text


async def test_the_same_pixels_come_again_after_a_press(peer: Telegram, app: App) -> None:
    asked = await peer.say("/imagine a dog seed:5 steps:2", chat=PRIVATE)
    picture = await peer.shown(asked, chat=PRIVATE)
    await peer.toast(await peer.press(picture, "⋯"))
    await peer.until(lambda: "🟰 Make it again, identical" in picture.buttons())
    await peer.press(picture, "🟰 Make it again, identical")
    again = await peer.shown(chat=PRIVATE, count=2)
    assert "Identical" in again.text
    await peer.press(picture, "📎 PNG")
    file = (await peer.until(lambda: [m for m in peer.messages.values() if m.document]))[0]
    request = metadata.read(file.document[1])
    assert (request.prompt, request.seed) == ("a dog", 5)


async def test_a_press_in_a_group_costs_one_call(peer: Telegram) -> None:
    picture = await peer.shown(await peer.say("/imagine a moon steps:2"))
    before = len(peer.calls)
    press = await peer.press(picture, "🌱 Vary", user=LUIS)
    assert (await peer.toast(press))["text"]
    varied = await peer.shown(count=2)
    assert "🌱" in varied.text
    made = [method for method, _ in peer.calls[before:]]
    assert made.count("sendPhoto") == 1
    assert "sendMessage" not in made


async def test_every_press_is_answered_also_of_a_button_that_means_nothing(peer: Telegram) -> None:
    picture = await peer.shown(await peer.say("/imagine a moon steps:1"))
    for line in ("/dance", "+", "~do", "/show ZZZZ", "/vary K7QX strength:much"):
        picture.keyboard = [[{"text": "?", "callback_data": line}]]
        await peer.toast(await peer.press(picture, "?"))
    number = await peer.press(picture, "?", gone=True)
    assert "Strength" in (await peer.toast(number))["text"], "it never goes dead"


async def test_the_admins_of_a_group_are_its_moderators(peer: Telegram) -> None:
    peer.faults.append(Fault("getChatAdministrators", 502, "Bad Gateway"))
    refused = await peer.answered(await peer.say("/setup", user=LUIS))
    assert "moder" in refused.text
    told = await peer.answered(await peer.say("/setup", user=TEACHER))
    assert told.keyboard
    picture = await peer.shown(await peer.say("/imagine a moon steps:1"))
    code = picture.buttons()["📋 Recipe"].split()[-1]
    await peer.answered(await peer.say(f"/delete {code} sure:yes", user=LUIS))
    assert (await peer.answered(await peer.say(f"/show {code}"))).photo
    await peer.answered(await peer.say(f"/delete {code} sure:yes", user=TEACHER))
    gone = await peer.answered(await peer.say(f"/show {code}"))
    assert not gone.photo


async def test_an_admin_who_speaks_as_the_group_is_asked_to_write_as_themselves(
    peer: Telegram, app: App
) -> None:
    for line in ("/imagine a cat private:yes", f"/activate {app.semilla.access.code}"):
        told = await peer.answered(await peer.say(line, user=TEACHER, anonymous=True))
        assert "as yourself" in told.text
    assert not await app.semilla.database.access.owns(f"telegram:{peer.group}")


async def test_each_channel_in_whose_name_somebody_speaks_is_a_member_of_its_own(
    peer: Telegram,
) -> None:
    picture = await peer.shown(await peer.say("/imagine a moon steps:1", channel=NEWS))
    code = picture.buttons()["📋 Recipe"].split()[-1]
    other = await peer.answered(await peer.say(f"/delete {code} sure:yes", channel=MUSIC))
    assert "is News's picture" in other.text
    gone = await peer.answered(await peer.say(f"/delete {code} sure:yes", channel=NEWS))
    assert f"{code} is deleted" in gone.text


@pytest.mark.parametrize("speaker", [{"channel": NEWS}, {"user": TEACHER, "anonymous": True}])
async def test_what_is_for_one_person_is_not_told_to_a_channel_or_a_group(
    peer: Telegram, speaker: dict[str, Any]
) -> None:
    peer.ephemeral = True
    peer.admins |= {BOT}
    await peer.shown(await peer.say("/imagine a cat steps:1", **speaker))
    for line in ("/imagine a cat private:yes", "/history", "/privacy export", "/privacy delete"):
        told = await peer.answered(await peer.say(line, **speaker))
        assert "as yourself" in told.text, line
        assert not told.receiver, line


async def test_what_is_private_is_never_written_to_a_group_that_has_spoken(
    peer: Telegram, app: App
) -> None:
    group, model = f"telegram:{peer.group}", app.semilla.catalogue.default()
    app.semilla.events.publish(
        Notice(guild="", adapter="telegram", member=group, reply=Reply(text="a secret"))
    )
    asked = answer(
        adapter="telegram", guild=group, channel=str(peer.group), member=group, private=True
    )
    drawn = request(model=model.name, model_hash=model.hash, steps=1)
    await app.semilla.dispatch.accept(asked, [job(drawn, guild=group, member=group)])
    await peer.until(lambda: [m for m in peer.messages.values() if "?start=" in m.text])
    assert not [m for m in peer.messages.values() if m.photo or "secret" in m.text]


async def test_in_a_private_chat_one_message_asks_step_by_step(peer: Telegram) -> None:
    question = await peer.answered(await peer.say("/imagine", chat=PRIVATE))
    await peer.press(question, "🪄 Step by step")
    await peer.until(lambda: "🔄 Others" in question.buttons())
    thing = next(iter(question.buttons()))
    await peer.press(question, thing)
    await peer.until(lambda: "colour" in question.text)
    await peer.press(question, next(iter(question.buttons())))
    await peer.until(lambda: "background" in question.text)
    assert len(peer.messages) == 1
    await peer.press(question, "✓ Just draw it")
    assert thing in (await peer.shown(chat=PRIVATE)).text


@pytest.mark.parametrize(
    ("why", "messages"), [("message is not modified: the same", 1), ("message can't be edited", 2)]
)
async def test_a_question_that_cannot_be_edited_is_asked_anew_unless_it_stands_already(
    peer: Telegram, why: str, messages: int
) -> None:
    question = await peer.answered(await peer.say("/imagine", chat=PRIVATE))
    peer.faults.append(Fault("editMessageText", 400, f"Bad Request: {why}"))
    press = await peer.press(question, "🪄 Step by step")
    assert "text" not in await peer.toast(press)
    await peer.until(lambda: not peer.faults[0].times and len(peer.messages) == messages)
    await peer.answered(await peer.say("/help", chat=PRIVATE))
    assert len(peer.messages) == messages + 1
    assert not [m for m in peer.messages.values() if "code" in m.text]


async def test_what_one_alone_sees_can_be_unfolded_too(peer: Telegram) -> None:
    peer.ephemeral = True
    peer.admins |= {BOT}
    await peer.shown(await peer.say("/imagine a moon steps:1"))
    alone = await peer.answered(await peer.say("/history"))
    assert alone.receiver
    await peer.press(alone, "⋯")
    await peer.until(lambda: "📎 PNG" in alone.buttons())


async def test_a_reply_to_a_picture_means_that_picture(peer: Telegram) -> None:
    picture = await peer.shown(await peer.say("/imagine a sun seed:3 steps:2"))
    again = await peer.shown(await peer.say("/reroll seed:4", reply_to=picture))
    assert "a sun" in again.text
    assert "4" in again.text
    other = await peer.shown(await peer.say("/repetir\nuna luna roja", reply_to=picture))
    assert "una luna roja" in other.text, "its first word is no picture's id"
    named = await peer.answered(await peer.say("/imagine image:moon a cat", reply_to=picture))
    assert "moon" in named.text, "what is named is meant"


async def test_a_reply_to_a_picture_that_came_as_a_file_means_it_too(peer: Telegram) -> None:
    picture = await peer.shown(
        await peer.say("/imagine a sun seed:3 steps:1", chat=PRIVATE), PRIVATE
    )
    code = picture.buttons()["📋 Recipe"].split()[-1]
    file = await peer.answered(await peer.say(f"/show {code} png:yes", chat=PRIVATE))
    assert file.document[0] == f"semilla-{code}.png"
    varied = await peer.say("/vary strong", chat=PRIVATE, reply_to=file)
    assert f"`{code}`" not in (await peer.shown(varied, PRIVATE)).text
    assert code in (await peer.shown(varied, PRIVATE)).text
    told = await peer.answered(await peer.say("/recipe", chat=PRIVATE, document=file.document[1]))
    assert "a sun" in told.text
    assert "(device " in told.text, "all that is known of the picture whose file it is"


@pytest.mark.parametrize("line", ["/ban", '/pause for:2h reason:"spam"', "/unban"])
async def test_a_reply_names_the_member_who_wrote_or_whose_picture_it_is(
    peer: Telegram, line: str
) -> None:
    said = await peer.say("what a nice day", user=LUIS)
    picture = await peer.shown(await peer.say("/imagine a moon steps:1 size:64x64", user=LUIS))
    for meant in (said, picture):
        if line == "/unban":
            await peer.answered(await peer.say("/ban Luis", user=TEACHER))
        told = await peer.answered(await peer.say(line, user=TEACHER, reply_to=meant))
        assert told.text.startswith("Luis "), told.text


async def test_what_a_reply_says_behind_a_time_is_the_reason(peer: Telegram) -> None:
    said = await peer.say("what a nice day", user=LUIS)
    line = "/pause 2h spam everywhere"
    told = await peer.answered(await peer.say(line, user=TEACHER, reply_to=said))
    assert told.text.startswith("Luis ")
    assert "2 h" in told.text
    audit = await peer.answered(await peer.say("/audit", user=TEACHER))
    assert "spam everywhere" in audit.text


@pytest.mark.parametrize("line", ["/ban Sol", "/pause 3 malas palabras", "/ban spam everywhere"])
async def test_nobody_is_stopped_for_standing_above_the_name_of_another(
    peer: Telegram, line: str
) -> None:
    said = await peer.say("what a nice day", user=LUIS)
    told = await peer.answered(await peer.say(line, user=TEACHER, reply_to=said))
    assert "Luis" not in told.text
    audit = await peer.answered(await peer.say("/audit", user=TEACHER))
    assert "Luis" not in audit.text


@pytest.mark.parametrize("who", ["@Sol", "4000000003", "telegram:4000000003", "K7QX", "2h @Sol"])
async def test_who_is_named_in_a_reply_is_meant(peer: Telegram, who: str) -> None:
    said = await peer.say("what a nice day", user=LUIS)
    told = await peer.answered(await peer.say(f"/ban {who}", user=TEACHER, reply_to=said))
    assert "Luis" not in told.text
    assert who.rpartition("@")[2] in told.text


async def test_a_reply_may_say_how_long_and_must_mean_somebody(peer: Telegram, app: App) -> None:
    said = await peer.say("what a nice day", user=LUIS)
    told = await peer.answered(await peer.say("/pause 2h", user=TEACHER, reply_to=said))
    assert told.text.startswith("Luis ")
    assert "2 h" in told.text
    await peer.answered(await peer.say("/unban", user=TEACHER, reply_to=said))
    sheet = await peer.shown(await peer.say("/imagine a star steps:1 count:2 size:64x64"))
    await app.semilla.database.access.add_owner(f"telegram:{TEACHER}", "telegram")
    told = await peer.answered(await peer.say("/pause", user=TEACHER, reply_to=sheet))
    assert told.text.startswith("¿A quién?")
    assert not app.semilla.dispatch.paused


async def test_whoever_never_asked_for_anything_is_called_by_their_name_too(peer: Telegram) -> None:
    peer.names[4003] = ("Sol de Mayo", "es")
    people = (({"user": 4003}, "Sol de Mayo"), ({"channel": NEWS}, "News"))
    for speaker, name in people:
        said = await peer.say("buy this", **speaker)
        told = await peer.answered(await peer.say("/ban", user=TEACHER, reply_to=said))
        assert told.text.startswith(f"{name} "), told.text
        asked = await peer.answered(await peer.say("/imagine a cat", **speaker))
        assert asked.text.startswith(("Quienes moderan", "Moderators have")), asked.text
        audit = await peer.answered(await peer.say("/audit", user=TEACHER))
        assert name in audit.text


async def test_what_a_topic_begins_with_is_nobodys_message(peer: Telegram) -> None:
    peer.topics = True
    told = await peer.answered(await peer.say("/pause", user=LUIS, topic=77))
    assert "Marta" not in told.text
    asked = await peer.answered(await peer.say("/ban", user=TEACHER, topic=77))
    peer.topics = False
    assert "miembro" in asked.text


async def test_a_file_that_bots_may_not_fetch_is_told(
    peer: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FILE_BYTES", 100)
    asked = await peer.say("/imagine an apple steps:1", photo=red_photo())
    assert "too large" in (await peer.answered(asked)).text


async def test_nothing_is_fetched_for_who_may_not_ask(peer: Telegram) -> None:
    await peer.answered(await peer.say(f"/ban telegram:{LUIS}", user=TEACHER))
    told = await peer.answered(await peer.say("/imagina un sol", user=LUIS, photo=red_photo()))
    assert "detuvieron tus pedidos" in told.text
    assert "getFile" not in [method for method, _ in peer.calls]


async def test_of_many_files_a_few_are_fetched_at_a_time(peer: Telegram) -> None:
    asked = [await peer.say("/imagine a sun steps:tomato", photo=red_photo()) for _ in range(10)]
    for each in asked:
        await peer.answered(each)
    assert 1 < peer.most_fetching <= reading.FILES_AT_ONCE


async def test_a_photo_with_a_caption_is_drawn_over(peer: Telegram) -> None:
    asked = await peer.say("/imagine an apple steps:4 strength:0.3", photo=red_photo())
    picture = await peer.shown(asked)
    red, green, blue = Image.open(io.BytesIO(picture.photo)).resize((1, 1)).getpixel((0, 0))
    assert red > green + 60
    assert red > blue + 60


@pytest.mark.parametrize(
    "text", ["/imagine@another_bot a cat", "/weather tomorrow", "what a nice cat", ""]
)
async def test_what_is_not_for_semilla_is_left_alone_in_groups(peer: Telegram, text: str) -> None:
    asked = await peer.say(text)
    own = await peer.say("/help@semilla_bot")
    await peer.answered(own)
    assert not [each for each in peer.messages.values() if each.reply_to == asked]


async def test_in_a_private_chat_words_are_enough(peer: Telegram) -> None:
    asked = await peer.say("una luna pasos:2", chat=PRIVATE)
    assert "una luna" in (await peer.shown(asked, chat=PRIVATE)).text


async def test_what_answers_the_question_what_to_draw_is_drawn_in_a_group_too(
    peer: Telegram,
) -> None:
    question = await peer.answered(await peer.say("/imagina", user=LUIS))
    nothing = await peer.say("ja, ja", user=ANA, reply_to=await peer.say("/ayuda", user=LUIS))
    picture = await peer.shown(await peer.say("una luna pasos:1", user=LUIS, reply_to=question))
    assert "una luna" in picture.text
    assert not [m for m in peer.messages.values() if m.reply_to == nothing]


async def test_several_pictures_are_one_sheet_with_a_button_for_each(peer: Telegram) -> None:
    sheet = await peer.shown(await peer.say("/imagine a star steps:1 count:4"))
    assert list(sheet.buttons()) == ["1", "2", "3", "4"]
    assert Image.open(io.BytesIO(sheet.photo)).width > 700
    await peer.press(sheet, "3")
    one = await peer.shown(count=2)
    assert "📋 Recipe" in one.buttons()


async def test_what_telegram_takes_for_no_photo_comes_as_a_file(
    peer: Telegram, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    for width, height in ((9600, 512), (2048, 64), (64, 64)):
        if (width, height) == (64, 64):
            monkeypatch.setattr(rendering, "PHOTO_BYTES", 100)
        buffer = io.BytesIO()
        Image.new("RGB", (width, height), "red").save(buffer, "PNG")
        of = {"guild": f"telegram:{peer.group}", "width": width, "height": height}
        large = await draw(app.semilla.database, content=buffer.getvalue()[len(PNG) :], **of)
        told = await peer.answered(await peer.say(f"/show {large.code}"))
        assert told.document, (width, height)
        assert "📋 Recipe" in told.buttons()


async def test_what_is_approved_later_is_shown_without_what_was_shown_before(
    peer: Telegram, app: App
) -> None:
    database, guild, author = app.semilla.database, f"telegram:{peer.group}", f"telegram:{ANA}"
    await database.settings.set(guild, "guild", "", "approve", "yes")
    of = {
        "adapter": "telegram",
        "channel": str(peer.group),
        "created": now() - timedelta(minutes=2),
    }
    asked = answer(guild=guild, member=author, **of)
    model = app.semilla.catalogue.default()
    drawn = [request(model=model.name, model_hash=model.hash, steps=1, seed=n) for n in (1, 2)]
    jobs = [job(each, guild=guild, member=author) for each in drawn]
    await app.semilla.dispatch.accept(asked, jobs)
    await peer.until(lambda: peer.messages)
    held = [each.code for each in await database.moderation.held(guild)]
    for code in held:
        await peer.say(f"/approve {code}", user=TEACHER)
        await peer.until(lambda code=code: [m for m in in_sight(peer) if code in m.text])
    with app.semilla.events.follow(answer=asked.id) as follower:
        app.semilla.events.publish(Ended(guild=guild, answer=asked.id, job=0))  # nothing is new
        async with asyncio.timeout(30):
            while not isinstance(await anext(aiter(follower)), Delivered):
                pass
    assert [sum(code in m.text for m in in_sight(peer)) for code in held] == [1, 1]


async def test_edit_gives_the_line_to_copy_and_send(peer: Telegram) -> None:
    picture = await peer.shown(
        await peer.say("/imagina una flor semilla:9 pasos:2", chat=PRIVATE, language="es"),
        chat=PRIVATE,
    )
    await peer.press(picture, "✏️ Editar", language="es")
    told = (await peer.until(lambda: [m for m in peer.messages.values() if "/repetir" in m.text]))[
        0
    ]
    line = next(each for each in told.lines() if each.startswith("/repetir"))
    assert told.keyboard[0][0]["copy_text"]["text"] == line
    changed = await peer.say(line.replace("una flor", "una rosa"), chat=PRIVATE)
    assert "una rosa" in (await peer.shown(changed, chat=PRIVATE)).text


@pytest.mark.parametrize("chat", [None, PRIVATE])
async def test_the_line_that_makes_a_picture_again_is_whole_also_under_long_words(
    peer: Telegram, chat: int | None
) -> None:
    prompt = "a red cat " * 60
    picture = await peer.shown(await peer.say(f"/imagine {prompt} steps:1", chat=chat), chat=chat)
    code = picture.buttons()["📋 Recipe"].split()[-1]
    asked = await peer.say(f"/show {code}", chat=chat)
    there = await peer.until(
        lambda: [m for m in peer.messages.values() if m.reply_to == asked and m.id != asked][1:]
    )
    shown, told = [m for m in peer.messages.values() if m.reply_to == asked]
    assert there
    assert shown.photo
    assert "📋 Recipe" in shown.buttons()
    line = next(each for each in codes_of(told) if each.startswith("/imagine"))
    assert prompt.strip() in line
    assert line.endswith("model:semilla")


async def test_a_variation_that_is_edited_stays_one(peer: Telegram, app: App) -> None:
    picture = await peer.shown(await peer.say("/imagine a leaf steps:1", chat=PRIVATE), PRIVATE)
    await peer.press(picture, "🌱 Vary")
    await peer.press(await peer.shown(chat=PRIVATE, count=2), "✏️ Edit")
    (told,) = await peer.until(lambda: [m for m in peer.messages.values() if "/reroll" in m.text])
    line = next(each for each in told.lines() if each.startswith("/reroll"))
    await peer.shown(await peer.say(line.replace("steps:1", "steps:2"), chat=PRIVATE), PRIVATE)
    history = app.semilla.database.history
    edited, varied = await history.latest(Asker(f"telegram:{PRIVATE}", f"telegram:{ANA}"), n=2)
    assert (edited.request.steps, varied.request.steps) == (2, 1)
    assert edited.request.variations == varied.request.variations != ()


async def test_refusals_in_a_group_say_what_to_do_to_their_author_alone(peer: Telegram) -> None:
    peer.ephemeral = True
    peer.admins |= {BOT}
    told = await peer.answered(await peer.say("/imagina un gato semilla:tomate", user=LUIS))
    assert "tomate" in told.text
    assert told.receiver == LUIS


async def test_where_semilla_is_no_admin_a_refusal_is_seen_and_removes_itself(
    tmp_path: Path,
) -> None:
    async with serving_telegram(minute=2) as peer, semilla_on(peer, tmp_path):
        peer.ephemeral = True
        for _ in range(2):
            told = await peer.answered(await peer.say("/imagina un gato semilla:tomate"))
            assert told.receiver is None
            await peer.until(lambda told=told: told.deleted)
        assert len(peer.refused) == 1, "the second time it is known"


async def test_each_step_of_the_guide_is_seen_by_the_one_who_pressed(peer: Telegram) -> None:
    peer.ephemeral = True
    await peer.say("/imagina", user=LUIS)
    (step,) = await peer.until(lambda: [m for m in peer.messages.values() if m.keyboard])
    await peer.press(step, "🪄 Paso a paso", user=LUIS)
    for asked in range(1, 4):  # what, in which colour, on which background
        step = (await peer.until(lambda n=asked: alone(peer)[n - 1 :]))[0]
        assert step.receiver == LUIS
        await peer.press(step, next(iter(step.buttons())), user=LUIS)
    assert len((await peer.shown()).buttons()) == 5


async def test_the_menu_has_eight_commands_for_members_and_the_others_for_admins(
    peer: Telegram,
) -> None:
    members = peer.commands["default/es"]
    assert len(members) <= 8
    assert {"command": "imagina", "description": members[0]["description"]} == members[0]
    admins = {each["command"] for each in peer.commands["all_chat_administrators/es"]}
    assert admins > {each["command"] for each in members}
    assert "estadisticas" not in {each["command"] for each in members}


async def test_hello_is_one_silent_message_with_three_things_to_try(peer: Telegram) -> None:
    await peer.invite()
    (hello,) = await peer.until(lambda: [*peer.messages.values()])
    assert hello.silent
    assert hello.text.count("/imagina ") == 3


async def test_hello_is_said_once_also_where_a_link_has_brought_semilla_in(peer: Telegram) -> None:
    await peer.invite()
    await peer.until(lambda: hellos(peer))
    await peer.say("/start@semilla_bot hello", user=TEACHER)
    await peer.answered(await peer.say("/help"))
    assert len(hellos(peer)) == 1


def hellos(peer: Telegram) -> list[Sent]:
    return [each for each in peer.messages.values() if each.text.count("/imagina ") == 3]


async def test_a_channel_whose_admin_it_becomes_is_left_alone(peer: Telegram) -> None:
    await peer.invite(chat=NEWS)
    await peer.answered(await peer.say("/help"))
    assert not [each for each in peer.messages.values() if each.chat == NEWS]


async def test_an_album_is_answered_once(peer: Telegram) -> None:
    albums = {"drawn": ("a red cat", "", ""), "bare": ("", "", ""), "later": ("", "a red dog", "")}
    said = [
        await peer.say(words and f"{words} steps:1", photo=red_photo(), chat=PRIVATE, album=album)
        for album, photos in albums.items()
        for words in photos
    ]
    await peer.until(lambda: len([m for m in peer.messages.values() if m.photo]) == 2)
    await asyncio.sleep(reading.ALBUM_SECONDS)
    await peer.answered(await peer.say("/help", chat=PRIVATE))
    answers = [m.reply_to for m in peer.messages.values() if m.reply_to in said]
    assert sorted(answers) == [said[0], said[3], said[7]]


async def test_a_moderator_orders_much_from_the_private_chat_too(
    peer: Telegram, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MODERATORS_SECONDS", 0.0)
    database, guild, teacher = app.semilla.database, f"telegram:{peer.group}", f"telegram:{TEACHER}"
    await database.settings.set(guild, "guild", "", "max_steps", "1")
    options = {"prompt": "a cat", "steps": "2", "size": "64x64"}
    for user, member, thrown_out in (
        (TEACHER, teacher, False),
        (ANA, f"telegram:{ANA}", False),
        (TEACHER, teacher, True),  # who was its admin, as far as Semilla could see
    ):
        peer.closed_to |= {peer.group} if thrown_out else set()
        code = await database.drafts.save(guild, member, options)
        ordered = await peer.say(f"/order {code}", chat=user, user=user)
        told = await peer.answered(ordered)
        if user == TEACHER and not thrown_out:
            await peer.shown(ordered, chat=TEACHER)
        else:
            assert "demasiados" in told.text or "too many" in told.text


async def test_whoever_has_left_a_group_asks_for_nothing_in_its_name(
    peer: Telegram, app: App
) -> None:
    guild, options = f"telegram:{peer.group}", {"prompt": "a cat", "steps": "1"}
    code = await app.semilla.database.drafts.save(guild, f"telegram:{LUIS}", options)
    peer.members = {TEACHER}
    told = await peer.answered(await peer.say(f"/order {code}", chat=LUIS, user=LUIS))
    assert told.text == "Eso es de un grupo del que saliste."
    assert not app.semilla.dispatch.running()


async def test_topics_are_answered_in_their_topic(peer: Telegram) -> None:
    peer.topics = True
    picture = await peer.shown(await peer.say("/imagine a tree steps:1", topic=77))
    peer.topics = False
    assert picture.topic == 77


FAMILY, ACCENTED = "👩‍👩‍👧‍👦", "e\u0301"


async def test_words_cannot_become_markup_or_break_the_limit(peer: Telegram) -> None:
    prompt = "<b>a cat</b> **x** `y` @everyone " + f"{FAMILY} {ACCENTED} " * 200
    picture = await peer.shown(await peer.say(f"/imagine {prompt} steps:1"))
    assert "<b>a cat</b> **x** `y` @everyone" in picture.text
    left = picture.text.replace(FAMILY, "").replace(ACCENTED, "")
    assert not {"👩", "👧", "👦", "\u200d", "\u0301"} & set(left), "nothing is cut in the middle"
    assert not [each for each in peer.refused if not each.startswith("deleteMessage")]


async def test_what_is_private_goes_to_the_private_chat(peer: Telegram) -> None:
    asked = await peer.say("/imagine a cat steps:1 private:yes")
    await peer.shown(chat=PRIVATE)
    public = await peer.answered(asked)
    await peer.until(lambda: "private" in public.text)
    assert not [m for m in peer.messages.values() if m.chat == peer.group and m.photo]


async def test_what_failed_in_private_is_tried_again_from_the_private_chat(
    peer: Telegram, app: App
) -> None:
    group, author = f"telegram:{peer.group}", f"telegram:{ANA}"
    asked = answer(
        adapter="telegram", guild=group, channel=str(peer.group), member=author, private=True,
        language="en",
    )  # fmt: skip
    replaced = request(model=app.semilla.catalogue.default().name, model_hash="0" * 64, steps=1)
    await app.semilla.dispatch.accept(asked, [job(replaced, guild=group, member=author)])
    await peer.until(lambda: [m for m in peer.messages.values() if "Try again" in m.buttons()])
    (failed,) = [m for m in peer.messages.values() if m.chat == PRIVATE]
    await peer.press(failed, "Try again")
    await peer.shown(chat=PRIVATE)
    assert not [m for m in peer.messages.values() if m.chat == peer.group and m.photo]


async def test_a_placeholder_that_was_deleted_loses_nothing(peer: Telegram) -> None:
    asked = await peer.say("/imagine a fish steps:40")
    placeholder = await peer.answered(asked)
    placeholder.deleted = True
    picture = await peer.until(lambda: [m for m in peer.messages.values() if m.photo])
    assert picture[0].reply_to == asked


async def test_an_upload_that_is_cut_is_sent_again_and_once(peer: Telegram) -> None:
    peer.faults.append(Fault("editMessageMedia", cut=True))
    picture = await peer.shown(await peer.say("/imagine a boat steps:1"))
    await asyncio.sleep(0.5)
    assert [m.photo is not None for m in peer.messages.values()] == [True]
    assert picture.edits >= 1


async def test_a_confirmation_that_was_lost_doubles_nothing(peer: Telegram) -> None:
    peer.faults.append(Fault("editMessageMedia", cut=True, after=True))
    await peer.shown(await peer.say("/imagine a boat steps:1"))
    await peer.until(lambda: any("not modified" in each for each in peer.refused))
    assert len(peer.messages) == 1


async def test_too_many_requests_makes_that_chat_wait_and_no_other(peer: Telegram) -> None:
    wait = {"retry_after": 8}  # the other chat is long done
    peer.faults.append(Fault("editMessageMedia", 429, "Too Many Requests", parameters=wait))
    slow = await peer.say("/imagine a cow steps:1")
    await peer.until(lambda: not peer.faults[0].times)
    quick = await peer.say("a pig steps:1", chat=PRIVATE)
    await peer.shown(quick, chat=PRIVATE)
    assert not [m for m in peer.messages.values() if m.reply_to == slow and m.photo]
    await peer.shown(slow)


async def test_a_group_that_becomes_a_supergroup_keeps_its_history(
    peer: Telegram, app: App
) -> None:
    old, new = -4242, -1004242
    picture = await peer.shown(await peer.say("/imagine a hen steps:1", chat=old), chat=old)
    code = picture.buttons()["📋 Recipe"].split()[-1]
    await peer.migrate(old, new)
    await peer.until(lambda: peer.polls)
    for _ in range(50):
        told = await peer.say(f"/show {code}", chat=new)
        shown = await peer.answered(told)
        if shown.photo:
            break
    assert "a hen" in shown.text


async def test_a_group_that_grows_while_it_waits_gets_its_picture_in_the_new_one(
    peer: Telegram, app: App
) -> None:
    old, new = -4343, -1004343
    await app.semilla.dispatch.pause(True)
    await peer.answered(await peer.say("/imagine an owl steps:4", chat=old))
    await peer.migrate(old, new)
    async with asyncio.timeout(20):
        while {t.guild for t in app.semilla.dispatch.tasks()} != {f"telegram:{new}"}:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert "yours: 1" in (await peer.answered(await peer.say("/queue", chat=new))).text
    await app.semilla.dispatch.pause(False)
    picture = await peer.shown(chat=new)
    assert "an owl" in picture.text
    assert len([m for m in peer.messages.values() if m.photo]) == 1


async def test_a_group_that_threw_semilla_out_keeps_nobody_waiting(
    peer: Telegram, app: App
) -> None:
    asked = await peer.say("/imagine a bee steps:30")
    await peer.answered(asked)
    peer.closed_to.add(peer.group)
    other = await peer.say("a fox steps:1", chat=PRIVATE)
    await peer.shown(other, chat=PRIVATE)
    peer.closed_to.clear()


async def test_what_waited_while_the_token_was_refused_is_sent_once_there_is_another(
    tmp_path: Path,
) -> None:
    async with serving_telegram() as lonely:
        address = {"SEMILLA_TELEGRAM_API__BASE_URL": lonely.address}
        async with App.open(settings(tmp_path, **address)) as app:
            model, group = app.semilla.catalogue.default().name, f"telegram:{lonely.group}"
            waits = answer(adapter="telegram", guild=group, channel=str(lonely.group), member=group)
            replaced = job(request(model=model, model_hash="0" * 64), guild=group, member=group)
            await app.semilla.dispatch.accept(waits, [replaced])
            serving = asyncio.create_task(app.serve([]))
            for token in ("1:wrong", TOKEN):
                app.add(adapter := TelegramAdapter(app.semilla, token, lonely.minute))
                async with asyncio.timeout(60):
                    await adapter.settled.wait()
            await lonely.until(lambda: [m for m in lonely.messages.values() if m.buttons()])
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


async def test_a_wrong_token_is_said_in_words(tmp_path: Path) -> None:
    async with serving_telegram() as lonely:
        address = {"SEMILLA_TELEGRAM_API__BASE_URL": lonely.address}
        async with App.open(settings(tmp_path, **address)) as app:
            adapter = TelegramAdapter(app.semilla, "1:wrong")
            await adapter.run()
            assert adapter.state == ("telegram-bad-token", {})


async def test_the_page_leads_to_a_bot_that_answers(tmp_path: Path) -> None:
    async with serving_telegram() as lonely:
        address = {"SEMILLA_TELEGRAM_API__BASE_URL": lonely.address, "SEMILLA_ACCESS__OPEN": "no"}
        config = settings(tmp_path, **address)
        async with App.open(config) as app:
            page = Opened(app, config, Chats(app))
            serving = asyncio.create_task(app.serve([]))
            browser = await page.moderator()
            wrong = await connect(browser, "7000001:" + "B" * 35)
            assert "@BotFather" in wrong
            right = await connect(browser, TOKEN)
            assert "✓ @semilla_bot" in right
            assert 'href="https://t.me/semilla_bot?startgroup=hello"' in right
            spanish = (await browser.get("/connect", headers={"Accept-Language": "es"})).text
            assert "✓ @semilla_bot responde" in spanish
            assert "/newbot" in spanish
            await lonely.invite()
            (told,) = await lonely.until(lambda: [*lonely.messages.values()])
            assert app.semilla.access.code not in told.text
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


async def connect(browser: Browser, token: str) -> str:
    """What the page says once a token was pasted into it."""
    form = {
        "platform": "telegram",
        "secret": token,
        "token": token_of(await browser.get("/connect")),
    }
    return (await browser.post("/connect", data=form)).text.split("<h2>Telegram</h2>")[-1]


def codes_of(message: Sent) -> list[str]:
    """What can be copied with a touch."""
    units = message.text.encode("utf-16-le")
    return [
        units[2 * each["offset"] : 2 * (each["offset"] + each["length"])].decode("utf-16-le")
        for each in message.entities
        if each["type"] == "code"
    ]


def red_photo() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (256, 256), "red").save(buffer, "JPEG")
    return buffer.getvalue()


def in_sight(peer: Telegram) -> list[Sent]:
    """The group's messages with pictures, as long as they stand."""
    return [each for each in peer.messages.values() if each.photo and not each.deleted]


def alone(peer: Telegram) -> list[Sent]:
    """What one member alone sees, in the order in which it came."""
    return [m for m in peer.messages.values() if m.receiver]
