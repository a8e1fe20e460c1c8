"""The class: its door, its code, its address, its own room."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

import bot.commands  # noqa: F401  declares them
from bot.adapters.web.adapter import WebAdapter
from bot.adapters.web.moderation import first_name
from bot.adapters.web.rooms import (
    JOINED_EACH,
    TRIES_ALL,
    TRIES_EACH,
    WINDOW_SECONDS,
    ClassRoom,
    NoNetwork,
    TooManyTries,
    choose_address,
)
from bot.app import App
from db.models import Ban, now
from tests import page_server
from tests.pages import AWAY, CLASS_ADDRESS, Browser, Opened, opened_page, serving, token_of


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    async with opened_page(tmp_path) as page:
        yield page


async def test_a_visitor_sees_nothing_before_the_code(opened: Opened) -> None:
    picture = await opened.picture(guild="web:class")
    opened.open_class()
    browser = opened.browser(AWAY, CLASS_ADDRESS)
    for path in ("/", "/gallery", f"/p/{picture.code}", "/connect", "/class"):
        assert (await browser.get(path)).headers["location"] == "/join"
    fields = {"token": token_of(await browser.get("/join"))}
    sent = await browser.post("/join", data=fields, files={"image": b"kept on the disk meanwhile"})
    assert sent.status_code == 400
    told = await browser.get("/events", headers={"accept": "text/event-stream"})
    assert "event: moved" in told.text, "a page that was open is loaded anew, and led to the door"


async def test_yesterdays_page_leads_to_the_door(opened: Opened) -> None:
    opened.open_class()
    visitor = await opened.visitor()
    token = token_of(await visitor.get("/"))
    opened.web.room.today = lambda: date(2999, 1, 1)
    sent = await visitor.post(
        "/call", data={"token": token, "line": "a cat"}, headers={"accept": "application/json"}
    )
    assert sent.json() == {"text": "First type the class's code.", "at": "/join"}


async def test_a_visitor_comes_in_with_the_code_and_a_first_name(opened: Opened) -> None:
    opened.open_class()
    picture = await opened.picture(guild="web:class")
    visitor = await opened.visitor()
    assert picture.file in (await visitor.get("/gallery")).text
    assert (await visitor.get("/connect")).status_code == 403


@pytest.mark.parametrize(
    "name",
    ["Mierda", "P u t a", "m1erda 7", "Bea Porn", "Pedófilo", "Big Dick", "My Dick", "Dick in me"],
)
async def test_a_listed_word_is_no_name(opened: Opened, name: str) -> None:
    code = opened.open_class()
    for language, told in (("en", "that isn&#39;t used here"), ("es", "que aquí no se usa")):
        browser = opened.browser(AWAY, CLASS_ADDRESS, **{"accept-language": language})
        fields = {"token": token_of(await browser.get("/join")), "code": code, "name": name}
        sent = await browser.post("/join", data=fields)
        assert sent.status_code == 422
        assert told in sent.text
        assert f'value="{code}" required>' in sent.text, "the code was right"
        assert (await browser.get("/")).headers["location"] == "/join"


@pytest.mark.parametrize("name", ["Dick", "Dick G. 2", "Pornchanok", "Fanny", "Concha"])
async def test_a_given_name_that_is_a_listed_word_too_comes_in(opened: Opened, name: str) -> None:
    opened.open_class()
    visitor = await opened.visitor(name)
    assert name in (await visitor.get("/")).text


async def test_the_class_does_not_see_the_pictures_of_home(opened: Opened) -> None:
    picture = await opened.picture()
    opened.open_class()
    visitor = await opened.visitor()
    assert picture.file not in (await visitor.get("/gallery")).text
    assert (await visitor.get(f"/files/{picture.file}")).status_code == 404


async def test_a_closed_class_lets_nobody_in(opened: Opened) -> None:
    opened.open_class()
    visitor = await opened.visitor()
    opened.web.room.address = ""
    # The address would refuse the name too; the cookie alone must not be enough.
    stayed = opened.browser(AWAY, cookie=f"semilla-8000={visitor.cookies['semilla-8000']}")
    assert (await stayed.get("/gallery")).headers["location"] == "/join"
    assert "isn&#39;t open" in (await stayed.get("/join")).text


async def test_whoever_takes_a_shared_tablet_next_comes_in_under_their_own_name(
    opened: Opened,
) -> None:
    code = opened.open_class()
    tablet = await opened.visitor("Ana")
    secret = await opened.picture("web:class", await member_of(opened, tablet), private=True)
    page = await tablet.get("/")
    assert re.search(r'href="/join"[^>]*>.*Ana.*Not you\?', page.text)
    for name, seen in (("ána", True), ("Bea", False)):
        door = await tablet.get("/join")
        fields = {"token": token_of(door), "code": code, "name": name}
        await tablet.post("/join", data=fields)
        assert name in (await tablet.get("/")).text
        assert (secret.file in (await tablet.get("/gallery")).text) is seen


async def test_the_next_at_a_moderators_browser_is_no_moderator(opened: Opened) -> None:
    code = opened.open_class()
    browser = await opened.visitor("Tea")
    await browser.get("/", params={"key": opened.web.sessions.key})
    assert (await browser.get("/class")).status_code == 200
    fields = {"token": token_of(await browser.get("/join")), "code": code, "name": "Ana"}
    await browser.post("/join", data=fields)
    assert (await browser.get("/class")).status_code == 403


@pytest.mark.parametrize("time", [None, timedelta(hours=1)], ids=["banned", "paused"])
async def test_whoever_is_stopped_still_looks_and_gets_round_it_by_no_other_name_and_no_new_code(
    opened: Opened, time: timedelta | None
) -> None:
    opened.open_class()
    picture = await opened.picture("web:class")
    pupil = await opened.visitor("Ana")
    who, until = await member_of(opened, pupil), now() + time if time else None
    moderation = opened.semilla.database.moderation
    await moderation.ban(Ban(guild="web:class", member=who, member_name="Ana", until=until))
    assert picture.file in (await pupil.get("/gallery")).text
    for renewed in (False, True):
        if renewed:
            opened.web.room.renew()
        for name in ("Bea", "Ana"):
            fields = {"code": opened.web.room.code, "name": name}
            token = token_of(await pupil.get("/join"))
            refused = await pupil.post("/join", data={"token": token, **fields})
            assert refused.status_code == 403
            assert "Moderators have stopped Ana" in refused.text
    assert (await pupil.get("/gallery")).headers["location"] == "/join", "a new code keeps it out"
    await moderation.lift("web:class", who)
    fields["token"] = token_of(await pupil.get("/join"))
    assert (await pupil.post("/join", data=fields)).headers["location"] == "/"


async def member_of(opened: Opened, browser: Browser) -> str:
    """Whom the page takes a browser for: the author of what it asks for."""
    token = token_of(await browser.get("/"))
    await browser.post("/call", data={"token": token, "line": "a cat"})
    (answer,) = await opened.semilla.database.answers.recent("web:class", "", limit=1)
    return answer.member


async def test_a_wrong_code_is_said_and_tries_are_limited(opened: Opened) -> None:
    code = opened.open_class()
    wrong = f"{(int(code) + 1) % 10_000:04}"
    browser = opened.browser(AWAY, CLASS_ADDRESS)
    token = token_of(await browser.get("/join"))
    for _ in range(TRIES_EACH):
        sent = await browser.post("/join", data={"token": token, "code": wrong, "name": "Ana"})
        assert sent.status_code == 403
    sent = await browser.post("/join", data={"token": token, "code": code, "name": "Ana"})
    assert sent.status_code == 429, "the right code has to wait too"


def test_many_addresses_together_cannot_try_all_codes() -> None:
    now = 0.0
    room = ClassRoom(clock=lambda: now, address=CLASS_ADDRESS)
    wrong = f"{(int(room.code) + 1) % 10_000:04}"
    for n in range(TRIES_ALL):
        assert not room.try_code(wrong, f"192.168.1.{n}")
    with pytest.raises(TooManyTries):
        room.try_code(room.code, "192.168.2.1")
    now = WINDOW_SECONDS + 1
    assert room.try_code(room.code, "192.168.2.1")


async def test_a_new_code_leads_the_class_to_the_door_and_its_teacher_not(opened: Opened) -> None:
    before = opened.open_class()
    moderator, visitor = await opened.moderator(), await opened.visitor()
    assert (await visitor.get("/")).status_code == 200
    token = token_of(await moderator.get("/class"))
    await moderator.post("/class", data={"token": token, "do": "renew"})
    assert opened.web.room.code != before
    assert opened.web.room.code in (await moderator.get("/class")).text
    assert (await visitor.get("/")).headers["location"] == "/join"
    assert (await moderator.get("/")).status_code == 200


def test_no_device_is_a_hundred_pupils() -> None:
    room = ClassRoom(address=CLASS_ADDRESS)
    for _ in range(JOINED_EACH):
        assert room.try_code(room.code, "192.168.1.7")
    with pytest.raises(TooManyTries):
        room.try_code(room.code, "192.168.1.7")
    assert room.try_code(room.code, "192.168.1.8")


def test_tomorrow_has_another_code() -> None:
    days = [date(2026, 1, day) for day in range(1, 29)]
    room = ClassRoom(today=lambda: days[0], address=CLASS_ADDRESS)
    first = room.code
    assert room.code == first
    codes = set()
    while days:
        codes.add(room.code)
        days.pop(0)
    assert len(codes) > 20


@pytest.mark.parametrize(
    ("adapters", "chosen"),
    [
        ({"lo": ["127.0.0.1"], "tun0": ["10.8.0.2"], "wlan0": ["192.168.1.5"]}, "192.168.1.5"),
        (
            {
                "Ethernet": ["192.168.0.9"],
                "Wi-Fi": ["192.168.1.5"],
                "vEthernet (WSL)": ["172.20.0.1"],
            },
            "192.168.1.5",
        ),
        ({"docker0": ["172.17.0.1"], "enp3s0": ["10.0.0.7"]}, "10.0.0.7"),
        (
            {"tailscale0": ["100.64.0.3"], "en0": ["169.254.3.3"], "en5": ["192.168.8.8"]},
            "192.168.8.8",
        ),
        ({"NordLynx": ["10.5.0.2"], "Ethernet 2": ["192.168.1.4"]}, "192.168.1.4"),
    ],
)
def test_the_class_gets_the_address_of_the_real_adapter(
    adapters: dict[str, list[str]], chosen: str
) -> None:
    assert choose_address(adapters) == chosen


def test_without_a_network_the_class_cannot_be_opened() -> None:
    with pytest.raises(NoNetwork):
        choose_address({"lo": ["127.0.0.1"], "tun0": ["10.8.0.2"], "eth0": ["8.8.8.8"]})


async def test_the_moderators_class_page_shows_address_code_and_qr(opened: Opened) -> None:
    moderator = await opened.moderator()
    code = opened.open_class()
    page = (await moderator.get("/class")).text
    assert CLASS_ADDRESS in page
    assert code in page
    assert "<svg" in page
    assert "Windows" in page


async def test_the_poster_shows_where_the_computer_is_now(opened: Opened) -> None:
    """A laptop is carried into another network, and into none."""
    moderator = await opened.moderator()
    opened.open_class()
    opened.web.room.find = lambda: "127.0.0.1"  # where the page listens already
    page = (await moderator.get("/class")).text
    assert '<b class="address">127.0.0.1:8000</b>' in page
    assert opened.web.room.address == "127.0.0.1:8000"

    def find() -> str:
        raise NoNetwork

    opened.web.room.find = find
    page = (await moderator.get("/class")).text
    assert "in no network" in page
    assert opened.web.room.is_open, "it may come back"


async def test_opening_the_class_listens_on_the_network_until_it_is_closed(tmp_path: Path) -> None:
    config = page_server.settings(tmp_path, page_server.free_port())
    async with App.open(config) as app:
        web = WebAdapter(app.semilla, config)
        async with serving(web):
            try:
                await web.open_class()
            except NoNetwork:
                pytest.skip("this machine is in no network")
            address = f"http://{web.room.address}"
            async with httpx.AsyncClient() as phone:
                assert (await phone.get(address)).headers["location"] == "/join"
            async with httpx.AsyncClient() as computer:
                assert (await computer.get(web.address)).status_code == 200
            await web.close_class()
            async with httpx.AsyncClient() as late:
                with pytest.raises(httpx.TransportError):
                    await late.get(address)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  José  Mª ", "José Mª"),
        ("<script>x", "scriptx"),
        ("名前", "名前"),
        ("@everyone", "everyone"),
        ("\u202e", ""),
    ],
)
def test_a_first_name_is_letters(typed: str, name: str) -> None:
    assert first_name(typed) == name
