"""The picture check: what it finds is held, and nobody sees it but moderators, blurred."""

from __future__ import annotations

import io
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from bot.conversation import Guild, Member, Reply, Shown, Tone
from db.models import JobState
from generator.catalogue import BUNDLED
from generator.safety import picture_check
from tests.chat import ANA, Chat, open_chat
from tests.test_moderation import LOG, TEACHER, button, rule

pytestmark = pytest.mark.asyncio(loop_scope="module")

BLUE = "a red apple on a blue background seed:7 steps:8"  # naked, to the library that stands in
RED = "a green apple on a red background seed:7 steps:8"
_places = iter(range(10_000))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent / "picture_check"))
        data = tmp_path_factory.mktemp("data")
        shutil.copytree(BUNDLED, data / "models" / "another")
        (data / "models" / "another" / "semilla.toml").unlink()  # which has its name
        models = {"SEMILLA_GENERATOR__MODELS_FOLDERS": str(data / "models")}
        async with open_chat(data, **models) as opened:
            yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def place(chat: Chat) -> Guild:
    """Where another model is drawn with than the one that ships."""
    place = Guild(f"chat:checked{next(_places)}", "Place")
    await rule(chat, place, model="another")
    return place


def png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (128, 128), colour).save(file, "PNG")
    return file.getvalue()


async def ask(chat: Chat, line: str, place: Guild, member: Member = ANA, **where: object) -> Reply:
    return await chat.ask(line, guild=place, member=member, **where)


@pytest.mark.parametrize(
    ("line", "where"),
    [
        (RED, {}),
        (RED.replace("a green", "a girl, a green"), {"age_restricted": True}),
    ],
)
async def test_nobody_sees_a_preview_of_what_the_check_may_refuse(
    chat: Chat, place: Guild, line: str, where: dict[str, bool]
) -> None:
    """From the first request on, which comes before the worker has told whether it checks."""
    await rule(chat, place, words="adults", nsfw="yes")
    assert not await previews(chat, line, place, **where)


async def test_where_everything_is_allowed_previews_are_seen(chat: Chat, place: Guild) -> None:
    await rule(chat, place, words="adults", nsfw="yes")
    assert await previews(chat, RED, place, age_restricted=True)


async def test_what_the_model_that_ships_draws_by_itself_is_not_taken_for_skin(
    chat: Chat, place: Guild
) -> None:
    line, eva = f"{BLUE} model:semilla", Member(f"{place.id}:eva", "Eva")
    assert (await ask(chat, f"a girl, {line}", place, eva)).pictures
    assert await previews(chat, f"{RED} model:semilla", place)
    over = await ask(chat, f"{line} strength:0.1", place, eva, image=png("navy"))
    assert "nobody saw it" in over.text


async def previews(chat: Chat, line: str, place: Guild, **where: bool) -> list[bytes]:
    with chat.semilla.events.follow(guild=place.id) as follower:
        await ask(chat, f"{line} steps:12", place, **where)
        events = [follower.queue.get_nowait() for _ in range(follower.queue.qsize())]
    assert any(getattr(event, "call", 0) > 4 for event in events)
    return [each for event in events if (each := getattr(event, "preview", None))]


async def test_what_passes_is_shown(chat: Chat, place: Guild) -> None:
    assert (await ask(chat, RED, place)).pictures
    assert chat.semilla.dispatch.checks


async def test_what_does_not_pass_is_held_and_its_author_can_edit(chat: Chat, place: Guild) -> None:
    await rule(chat, place, log_channel=LOG)
    told = len(chat.told)
    reply = await ask(chat, BLUE, place)
    assert not reply.pictures
    assert "didn't pass the check and nobody saw it" in reply.text
    form = (await chat.type(button(reply, "Edit").line, guild=place)).form
    assert form is not None
    channel, notice = (await chat.hear(told + 1))[-1]
    assert channel == LOG
    assert "didn't pass the picture check" in notice.text
    labels = [each.label for row in notice.buttons for each in row]
    assert labels == ["📢 Publish", "🗑 Delete", "⏸ Pause", "⛔ Ban", "👁 Look at it"]
    code = notice.pictures[0].code
    assert (await chat.type(f"/show {code}", guild=place)).tone is Tone.REFUSED
    assert code not in str(await chat.type("/history", guild=place, member=TEACHER))
    look = await chat.type(button(notice, "Look").line, guild=place, member=TEACHER)
    assert look.pictures[0].file != notice.pictures[0].file
    await chat.type(button(notice, "Publish").line, guild=place, member=TEACHER)
    assert reply.answer is not None
    assert (await chat.wait_for(reply.answer, times=2)).pictures[0].code == code


async def test_where_children_may_be_meant_it_is_thrown_away_unseen(
    chat: Chat, place: Guild
) -> None:
    await rule(chat, place, words="adults", nsfw="yes")
    files = set(chat.semilla.database.storage.folder.rglob("*.png"))
    reply = await ask(chat, "a girl, a red apple on a blue background seed:7 steps:8", place)
    assert not reply.pictures
    assert "nobody saw it" in reply.text
    answer = await chat.semilla.database.answers.get(reply.answer or 0)
    assert answer is not None
    assert [job.state for job in answer.jobs] == [JobState.FAILED]
    assert set(chat.semilla.database.storage.folder.rglob("*.png")) == files
    assert "thrown away unseen" in (await chat.type("/audit", guild=place, member=TEACHER)).text


async def test_the_third_picture_that_is_thrown_away_pauses_its_member(
    chat: Chat, place: Guild
) -> None:
    await rule(chat, place, words="adults", nsfw="yes", log_channel=LOG)
    told, sly = len(chat.told), Member(f"{place.id}:sly", "Sly")
    for _ in range(3):
        await ask(chat, f"a girl, {BLUE} steps:1", place, sly)
    notices = [notice.text for _, notice in (await chat.hear(told + 3))[told:]]
    assert "A picture of Sly was thrown away unseen" in notices[0]
    assert "paused everywhere" in notices[-1]
    assert "paused for 24 h" in (await chat.type(RED, guild=place, member=sly)).text


async def test_a_channel_of_adults_that_allows_it_shows_it(chat: Chat, place: Guild) -> None:
    await rule(chat, place, words="adults", nsfw="yes")
    assert not (await ask(chat, BLUE, place)).pictures, "the channel isn't age-restricted"
    assert (await ask(chat, BLUE, place, age_restricted=True)).pictures
    assert (
        await ask(chat, "a nude green apple on a red background seed:7", place, age_restricted=True)
    ).pictures


async def test_over_a_members_photo_it_is_thrown_away_even_there(chat: Chat, place: Guild) -> None:
    await rule(chat, place, words="adults", nsfw="yes")
    photo = png("navy")
    first = await ask(chat, f"{BLUE} strength:0.1", place, image=photo, age_restricted=True)
    assert "nobody saw it" in first.text
    between = await ask(chat, f"{RED} strength:1", place, image=photo, age_restricted=True)
    (shown,) = between.pictures
    line = f"{BLUE} image:{shown.code} strength:1"
    assert not (await ask(chat, line, place, age_restricted=True)).pictures


async def own_picture(chat: Chat, place: Guild) -> tuple[Shown, dict[str, Any]]:
    """One of Eva's in a channel of adults, and how she asks for the next there."""
    await rule(chat, place, words="adults", nsfw="yes")
    whose = {"member": Member(f"{place.id}:eva", "Eva"), "age_restricted": True}
    (own,) = (await ask(chat, RED, place, **whose)).pictures
    return own, whose


@pytest.mark.parametrize("again", ["mask:left", "mask:left seed:8", "mask:right"])
async def test_a_picture_of_semillas_own_is_no_photo_also_where_a_part_of_it_is_drawn_anew(
    chat: Chat, place: Guild, again: str
) -> None:
    own, whose = await own_picture(chat, place)
    line = f"{BLUE} image:{own.code} mask:left"
    (masked,) = (await ask(chat, line, place, **whose)).pictures
    line = f"/reroll {masked.code} {again}"
    assert (await ask(chat, line, place, **whose)).pictures


async def test_a_picture_of_semillas_own_is_no_photo_when_it_is_sent(
    chat: Chat, place: Guild
) -> None:
    own, whose = await own_picture(chat, place)
    file = chat.semilla.database.storage.path(own.file).read_bytes()
    (over,) = (await ask(chat, f"{BLUE} strength:1", place, image=file, **whose)).pictures
    assert (await ask(chat, f"/upscale {over.code} detail:no", place, **whose)).pictures


async def test_a_photo_that_comes_with_the_id_of_a_picture_is_a_photo(
    chat: Chat, place: Guild
) -> None:
    own, whose = await own_picture(chat, place)
    words = 'prompt:"a red apple on a blue background"'
    for line in (f"{BLUE} image:{own.code}", f"/reroll {own.code} {words}"):
        reply = await ask(chat, f"{line} strength:1", place, image=png("navy"), **whose)
        assert "nobody saw it" in reply.text


async def test_the_library_itself_takes_our_pictures() -> None:
    pytest.importorskip("nudenet", reason="the extra semilla[safety] is not installed")
    exposed = picture_check()
    assert exposed is not None
    assert exposed(png("tomato")) is False
