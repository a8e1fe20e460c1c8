"""The page without a browser: who may see what, what it refuses, what it sends."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

import bot.commands  # noqa: F401  declares them
from bot.adapters.web import guard, network
from bot.adapters.web.adapter import PortInUse, WebAdapter
from bot.adapters.web.guard import UPLOAD_BYTES
from bot.adapters.web.pages import RECENT
from bot.adapters.web.rendering import markup, rows
from bot.adapters.web.rooms import Moved, NoNetwork
from bot.adapters.web.sessions import Sessions, browser_language
from bot.app import App
from bot.events import BACKLOG, Delivered, Running, Unjudged, Waiting
from bot.showing import enlarged
from db.history import Asker
from db.models import Review, Visibility
from tests import page_server
from tests.pages import Opened, opened_page, serving, token_of


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    async with opened_page(tmp_path) as page:
        yield page


async def test_the_first_sight_is_a_box_three_examples_and_no_settings(opened: Opened) -> None:
    page = (await opened.browser().get("/")).text
    assert page.count('form="act" name="line"') == 3
    assert "autofocus" in page
    assert "maxlength" not in page, (
        "words that are too many are refused, and not cut off in silence"
    )
    assert "/class" not in page
    assert "/connect" not in page


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("en;q=0.4, es;q=0.9", "es"),
        ("de-DE,en;q=0.5", "en"),
        ("fr", "en"),
        (";q=x", "en"),
    ],
)
async def test_the_page_speaks_the_browsers_language(
    opened: Opened, accepted: str, language: str
) -> None:
    page = await opened.browser(**{"accept-language": accepted}).get("/")
    assert f'<html lang="{language}">' in page.text


async def test_the_language_can_be_switched_and_is_kept(opened: Opened) -> None:
    browser = opened.browser()
    token = token_of(await browser.get("/gallery?q=cat"))
    switched = await browser.post(
        "/language", data={"token": token, "language": "es", "back": "/gallery?q=cat"}
    )
    assert switched.headers["location"] == "/gallery?q=cat"
    assert '<html lang="es">' in (await browser.get("/")).text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_the_switch_leads_nowhere_else(opened: Opened, back: str) -> None:
    browser = opened.browser()
    token = token_of(await browser.get("/"))
    switched = await browser.post(
        "/language", data={"token": token, "language": "es", "back": back}
    )
    assert switched.headers["location"] == "/"


async def test_a_foreign_host_name_is_refused(opened: Opened) -> None:
    assert (await opened.browser(host="evil.example").get("/")).status_code == 421
    assert (await opened.browser(host="localhost:8000").get("/")).status_code == 200


async def test_a_form_from_another_page_is_refused(opened: Opened) -> None:
    browser = opened.browser()
    token = token_of(await browser.get("/"))
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9999"):
        sent = await browser.post(
            "/call", data={"token": token, "line": "/help"}, headers={"origin": origin}
        )
        assert sent.status_code == 421
    assert (
        await browser.post(
            "/call",
            data={"token": token, "line": "/help"},
            headers={"origin": "http://127.0.0.1:8000"},
        )
    ).status_code == 200


async def test_a_form_without_this_browsers_token_is_refused(opened: Opened) -> None:
    browser, other = opened.browser(), opened.browser()
    token = token_of(await other.get("/"))
    await browser.get("/")
    for wrong in ("", token):
        sent = await browser.post("/call", data={"token": wrong, "line": "/help"})
        assert sent.status_code == 403
        assert "too long" in sent.text


async def test_a_forged_cookie_makes_nobody_a_moderator(opened: Opened) -> None:
    browser = opened.browser()
    browser.cookies.set("semilla-8000", "eyJpZCI6IngiLCJtb2RlcmF0b3IiOnRydWV9.c2lnbmF0dXJl")
    assert (await browser.get("/connect")).status_code == 403


async def test_every_page_forbids_other_hosts_and_inline_scripts(opened: Opened) -> None:
    for path in ("/", "/gallery", "/nowhere"):
        policy = (await opened.browser().get(path)).headers["content-security-policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy


async def test_the_printed_key_makes_one_browser_the_moderator(opened: Opened) -> None:
    address = opened.web.moderator_address.removeprefix(opened.web.address)
    first, second = opened.browser(), opened.browser()
    redeemed = await first.get(address)
    assert redeemed.headers["location"] == "/", "the key leaves the address bar"
    spent = await second.get(address)
    assert "has been used already" in spent.text
    assert "next one stands where Semilla was started" in spent.text
    assert (await first.get(address)).headers["location"] == "/", "it is inside already"
    assert (await first.get("/class")).status_code == 200
    assert (await second.get("/class")).status_code == 403


async def test_a_help_card_is_for_this_browser_and_has_examples_to_tap(opened: Opened) -> None:
    browser = opened.browser()
    token = token_of(await browser.get("/"))
    sent = await browser.post(
        "/call", data={"token": token, "line": "/ayuda"}, headers={"accept": "application/json"}
    )
    card = sent.json()["html"]
    assert 'class="reply' in card
    assert 'name="line" value=' in card


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a cat seed:-7", "whole number"),
        ("a cat sampler:oiler", "nearest"),
        ("", "What should I draw?"),
        ("/vary 2222", "no picture 2222"),
        ("/nosuchthing", "no command"),
        ("x" * 10_000, "at most"),
    ],
)
async def test_what_cannot_be_done_is_said_in_words(opened: Opened, line: str, says: str) -> None:
    browser = opened.browser()
    token = token_of(await browser.get("/"))
    for accept in ("application/json", "text/html"):
        sent = await browser.post(
            "/call", data={"token": token, "line": line}, headers={"accept": accept}
        )
        text = sent.json()["html"] if accept == "application/json" else sent.text
        assert says in text
        assert "Traceback" not in text


async def test_styles_are_offered_to_those_who_have_some(opened: Opened) -> None:
    browser = opened.browser()
    page = await browser.get("/")
    assert "option.steps" in page.text
    assert "option.style" not in page.text
    line = "/style save calm steps:12"
    await browser.post("/call", data={"token": token_of(page), "line": line})
    assert "option.style" in (await browser.get("/")).text


async def test_options_beside_the_box_are_refused_by_the_same_rules(opened: Opened) -> None:
    browser = opened.browser()
    token = token_of(await browser.get("/"))
    sent = await browser.post(
        "/call", data={"token": token, "line": "a cat", "option.steps": "900"}
    )
    assert "whole number" in sent.text


async def test_without_the_script_a_refusal_leaves_the_options_as_they_were(opened: Opened) -> None:
    browser = opened.browser()
    fields = {"token": token_of(await browser.get("/")), "line": "a cat", "option.steps": "900"}
    page = (await browser.post("/call", data=fields | {"option.negative": "dogs"})).text
    assert re.search(r'<textarea name="option.negative"[^>]*>dogs<', page)
    assert re.search(r'name="option.steps" value="900"', page)
    assert '<details class="options" open>' in page
    drawn = await browser.post("/call", data=fields | {"option.steps": "9"}, follow_redirects=True)
    assert '<details class="options">' in drawn.text


async def test_what_a_picture_was_made_with_is_ticked_in_its_form_and_can_be_left_out(
    opened: Opened,
) -> None:
    picture, browser = await opened.picture(tiling=True), opened.browser()
    fields = {"token": token_of(await browser.get("/"))}
    form = await browser.post("/call", data=fields | {"line": f"/edit {picture.code}"})
    assert re.search(r'type="checkbox" name="option.tiling" value="yes" checked', form.text)
    fields |= {"command": "reroll", "option.picture": picture.code, "before.tiling": "yes"}
    await browser.post("/call", data=fields | {"option.tiling": "yes", "option.seed": "8"})
    await browser.post("/call", data=fields)
    without, with_it = await opened.semilla.database.answers.recent("web:home", "", limit=2)
    assert with_it.jobs[0].request.tiling
    assert not without.jobs[0].request.tiling


async def test_a_broken_picture_is_refused_in_words(opened: Opened) -> None:
    browser = opened.browser()
    token = token_of(await browser.get("/"))
    sent = await browser.post(
        "/call",
        data={"token": token, "line": "a cat"},
        files={"image": ("cat.png", b"\x89PNG\r\n\x1a\nnothing")},
    )
    assert re.search(r"can.{1,8}t be read|isn.{1,8}t a picture", sent.text)


async def test_an_announced_flood_is_refused_at_once(opened: Opened) -> None:
    headers = {
        "content-length": str(UPLOAD_BYTES + 1),
        "content-type": "multipart/form-data; boundary=x",
    }
    sent = await opened.browser().post("/call", content=b"", headers=headers)
    assert sent.status_code == 413
    assert "24 MB" in sent.text


async def test_a_flood_that_was_not_announced_is_cut_off(opened: Opened) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        while taken < 4 * UPLOAD_BYTES:
            taken += 1_000_000
            yield bytes(1_000_000)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    sent = await opened.browser().post("/call", content=endless(), headers=headers)
    assert sent.status_code == 413
    assert taken < 2 * UPLOAD_BYTES


async def test_unknown_pages_and_pictures_are_answered_in_words(opened: Opened) -> None:
    assert "doesn&#39;t exist" in (await opened.browser().get("/nowhere")).text
    unknown = await opened.browser().get("/p/2222")
    assert unknown.status_code == 404
    assert "no picture 2222" in unknown.text


async def test_a_picture_page_has_recipe_family_and_download(opened: Opened) -> None:
    picture = await opened.picture()
    page = (await opened.browser().get(f"/p/{picture.code.lower()}")).text
    assert "a red &lt;b&gt;square&lt;/b&gt;" in page
    assert "<b>square" not in page
    assert "417" in page
    assert f"/files/{picture.file}?save" in page
    assert "64x96, shown ×5" in page


async def test_the_page_of_a_picture_that_was_removed_offers_to_make_it_again(
    opened: Opened,
) -> None:
    picture = await opened.picture()
    await opened.semilla.database.history.retire(datetime.now(UTC) + timedelta(days=1))
    page = (await opened.browser().get(f"/p/{picture.code}")).text
    assert "its recipe is kept" in page
    assert f'<button form="act" name="line" value="/reroll {picture.code}">' in page
    assert "417" in page
    assert "/shown/" not in page
    assert "/files/" not in page


async def test_a_page_and_its_script_are_asked_for_anew_and_sent_when_they_are_new(
    opened: Opened,
) -> None:
    browser = opened.browser()
    script = await browser.get("/static/page.js")
    assert script.headers["cache-control"] == "no-cache"
    known = {"if-none-match": script.headers["etag"]}
    again = await browser.get("/static/page.js", headers=known)
    assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")


async def test_a_file_is_stored_bytes_and_is_kept_by_the_browser(opened: Opened) -> None:
    picture = await opened.picture()
    found = await opened.browser().get(f"/files/{picture.file}?save")
    assert found.content == await opened.semilla.database.storage.read(picture.file)
    assert f"semilla-{picture.code}.png" in found.headers["content-disposition"]
    assert "immutable" in found.headers["cache-control"]


async def test_a_small_picture_is_shown_enlarged_by_a_whole_number(opened: Opened) -> None:
    picture = await opened.picture()
    shown = await opened.browser().get(f"/shown/{picture.file}")
    assert Image.open(BytesIO(shown.content)).size == (64 * 5, 96 * 5)


async def test_enlarging_makes_no_blocks(tmp_path: Path) -> None:
    edge = Image.new("RGB", (8, 8), "white")
    edge.paste("black", (0, 0, 4, 8))
    edge.save(tmp_path / "edge.png")
    large = enlarged(tmp_path / "edge.png", tmp_path / "cache", 8)
    row = [Image.open(large).convert("L").getpixel((x, 32)) for x in range(64)]
    assert len({value for value in row if 40 < value < 215}) >= 3, (
        "between black and white there are greys"
    )


@pytest.mark.parametrize("path", ["/files/{file}", "/shown/{file}", "/p/{code}"])
async def test_a_private_picture_is_its_authors(opened: Opened, path: str) -> None:
    picture = await opened.picture(private=True)
    where = path.format(file=picture.file, code=picture.code)
    assert (await opened.browser().get(where)).status_code == 404
    assert (await (await opened.moderator()).get(where)).status_code == 200


async def test_another_rooms_picture_is_as_if_it_were_not_there(opened: Opened) -> None:
    picture = await opened.picture(guild="discord:1")
    for path in (f"/files/{picture.file}", f"/p/{picture.code}"):
        assert (await opened.browser().get(path)).status_code == 404


@pytest.mark.parametrize("name", ["..%2f..%2fweb.key", "x" * 64 + ".png", "../semilla.db"])
async def test_only_pictures_are_files(opened: Opened, name: str) -> None:
    assert (await opened.browser().get(f"/files/{name}")).status_code == 404


async def test_the_gallery_finds_words_without_their_accents(opened: Opened) -> None:
    picture = await opened.picture()
    assert picture.file in (await opened.browser().get("/gallery", params={"q": "squár"})).text
    assert picture.file not in (await opened.browser().get("/gallery", params={"q": "zebra"})).text


async def test_a_saved_token_is_never_shown(opened: Opened, tmp_path: Path) -> None:
    moderator = await opened.moderator()
    token = token_of(await moderator.get("/connect"))
    secret = "123456:" + "A" * 35
    saved = await moderator.post(
        "/connect", data={"token": token, "platform": "telegram", "secret": secret}
    )
    assert "Saved" in saved.text
    assert secret not in saved.text
    assert secret in (tmp_path / "tokens.toml").read_text()
    assert secret not in (await moderator.get("/connect")).text


async def test_what_is_no_token_is_not_saved(opened: Opened, tmp_path: Path) -> None:
    moderator = await opened.moderator()
    token = token_of(await moderator.get("/connect"))
    sent = await moderator.post(
        "/connect", data={"token": token, "platform": "discord", "secret": "my token"}
    )
    assert "look like a token" in sent.text
    assert not (tmp_path / "tokens.toml").exists()


@asynccontextmanager
async def messages(
    web: WebAdapter, query: str, address: str = ""
) -> AsyncIterator[AsyncIterator[tuple[str, dict]]]:
    """The stream of a page that was opened at `address`, as (event, data)."""

    async def read(response: httpx.Response) -> AsyncIterator[tuple[str, dict]]:
        event = ""
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield event, json.loads(line.removeprefix("data: "))

    async with httpx.AsyncClient() as browser:
        await browser.get(address or web.address)
        async with browser.stream("GET", f"{web.address}/events?{query}") as response:
            yield read(response)


async def test_a_page_that_comes_back_gets_what_it_missed_and_then_what_happens(
    tmp_path: Path,
) -> None:
    config = page_server.settings(tmp_path, page_server.free_port())
    async with App.open(config) as app:
        opened = Opened(app, config)
        async with serving(opened.web):
            first, second = await opened.picture(), await opened.picture()
            known = f"since={first.id}&open={first.id}"
            async with (
                messages(opened.web, known) as page,
                messages(opened.web, "since=99") as other,
            ):
                for picture in (first, second):
                    event, card = await anext(page)
                    assert event == "card"
                    assert f"/p/{picture.code}" in card["html"]
                running = Running(
                    guild="web:home", answer=second.id, call=3, calls=20, preview=b"x"
                )
                app.semilla.events.publish(running)
                for follower in (page, other):
                    event, progress = await anext(follower)
                    assert event == "progress"
                    assert (progress["call"], progress["calls"]) == (3, 20)
                    assert progress["preview"].startswith("data:image/webp;base64,")


async def test_a_moderators_page_says_that_something_waits_for_them(tmp_path: Path) -> None:
    config = page_server.settings(tmp_path, page_server.free_port())
    async with App.open(config) as app:
        opened = Opened(app, config)
        async with (
            serving(opened.web),
            messages(opened.web, "", opened.web.moderator_address) as page,
            messages(opened.web, "") as other,
        ):
            assert await anext(page) == ("unjudged", {"text": ""})
            moderation = app.semilla.database.moderation
            review = await moderation.keep(
                Review(
                    guild="web:home", adapter="web", channel="", thread="", age_restricted=False,
                    member="web:somebody", member_name="Bea", language="en", command="imagine",
                    options={"prompt": "a word"}, word="word",
                )
            )  # fmt: skip
            await moderation.ask(review, 5)
            app.semilla.events.publish(Unjudged(guild="web:home"))
            assert await anext(page) == ("unjudged", {"text": "1 waits for your review"})
            browser = await opened.moderator()
            assert "1 waits for your review" in (await browser.get("/")).text
            picture = await opened.picture()
            app.semilla.events.publish(Delivered(guild="web:home", answer=picture.job_id))
            event, _ = await anext(other)
            assert event == "card", "others are told nothing of it"


async def test_a_page_that_was_locked_gets_its_picture_though_the_room_went_on(
    tmp_path: Path,
) -> None:
    config = page_server.settings(tmp_path, page_server.free_port())
    async with App.open(config) as app:
        opened = Opened(app, config)
        async with serving(opened.web):
            awaited, secret = await opened.picture(), await opened.picture(private=True)
            for _ in range(RECENT):
                newest = await opened.picture()
            known = f"since={newest.id}&open={secret.id},{awaited.id}"
            async with messages(opened.web, known) as page:
                _, card = await anext(page)
                assert f"/p/{awaited.code}" in card["html"], "nobody else's private one"


async def test_a_picture_that_the_moderator_deletes_leaves_every_open_page(tmp_path: Path) -> None:
    config = page_server.settings(tmp_path, page_server.free_port())
    async with App.open(config) as app:
        opened = Opened(app, config)
        async with serving(opened.web):
            picture, moderator = await opened.picture(), await opened.moderator()
            async with messages(opened.web, "since=0") as page:
                assert picture.file in (await anext(page))[1]["html"]
                token = token_of(await moderator.get("/"))
                line = f"/delete {picture.code} sure:yes"
                await moderator.post("/call", data={"token": token, "line": line})
                event, card = await anext(page)
                assert event == "card"
                assert picture.file not in card["html"]


async def test_what_its_author_publishes_comes_to_every_open_page(tmp_path: Path) -> None:
    config = page_server.settings(tmp_path, page_server.free_port())
    async with App.open(config) as app:
        opened = Opened(app, config)
        async with serving(opened.web):
            author, answers = opened.browser(), app.semilla.database.answers
            fields = {"token": token_of(await author.get("/"))}
            await author.post("/call", data=fields | {"line": "/imagine a cat private:yes"})
            (asked,) = await answers.recent("web:home", "", moderator=True)
            picture = await opened.picture(member=asked.member, private=True)
            assert f"/publish {picture.code}" in (await author.get("/")).text
            async with messages(opened.web, "") as page:
                made = picture.job_id
                app.semilla.events.publish(Delivered(guild="web:home", answer=made))
                await author.post("/call", data=fields | {"line": f"/publish {picture.code}"})
                event, card = await anext(page)
                assert (event, picture.file in card["html"]) == ("card", True)
            assert f"/publish {picture.code}" not in (await author.get("/")).text


async def test_of_several_private_pictures_the_others_stay_private(opened: Opened) -> None:
    history = opened.semilla.database.history
    first, second = await opened.picture(private=True, count=2), opened.browser()
    author = Asker("web:home", "web:somebody")
    (answer,) = await opened.semilla.database.answers.recent("web:home", author.member)
    assert [job.picture is None for job in answer.jobs] == [False, True], "it is still drawn"
    await history.set_visibility(author, first.code, Visibility.PUBLIC)
    assert "<article" not in (await second.get("/")).text


async def test_ones_own_pictures_stay_in_the_conversation_of_a_busy_class(opened: Opened) -> None:
    opened.open_class()
    visitor = await opened.visitor()
    token = token_of(await visitor.get("/"))
    await visitor.post("/call", data={"token": token, "line": "a cat of mine"})
    for _ in range(RECENT):
        await opened.picture(guild="web:class")
    page = (await visitor.get("/")).text
    assert page.count("<article") == RECENT + 1
    assert "a cat of mine" in page


async def test_an_open_page_is_told_when_the_class_opens_and_when_it_closes(tmp_path: Path) -> None:
    config = page_server.settings(tmp_path, page_server.free_port())
    async with App.open(config) as app:
        web = Opened(app, config).web
        async with serving(web):
            async with messages(web, "room=web:home") as page:
                try:
                    await web.open_class()
                except NoNetwork:
                    pytest.skip("this machine is in no network")
                assert (await anext(page))[0] == "moved"
            async with messages(web, "room=web:home") as late:
                assert (await anext(late))[0] == "moved", "it was hidden meanwhile"
            async with messages(web, "room=web:class") as page:
                await web.close_class()
                assert (await anext(page))[0] == "moved"


async def test_a_page_that_lags_is_led_to_the_door_too(tmp_path: Path) -> None:
    async with served(tmp_path) as (app, web), messages(web, "room=web:home") as page:
        for place in range(BACKLOG + 1):
            waiting = Waiting(guild="web:home", answer=1, place=place, seconds=None)
            app.semilla.events.publish(waiting)
        app.semilla.events.publish(Moved(guild="web:home", answer=0))
        async with asyncio.timeout(20):
            assert [event async for event, _ in page] == ["moved"]


async def test_a_port_in_use_is_told_with_its_number(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = page_server.settings(tmp_path, port)
        async with App.open(config) as app:
            with pytest.raises(PortInUse) as caught:
                await WebAdapter(app.semilla, config).run()
    assert caught.value.port == port


def test_a_session_outlives_a_restart(tmp_path: Path) -> None:
    first, second = Sessions(tmp_path, 8000), Sessions(tmp_path, 8000)
    session = first.new()
    assert second.token(session) == first.token(session)


def test_markup_becomes_html_and_users_words_stay_words() -> None:
    assert markup("**a <i> cat** \\*\\* `K7QX`") == (
        '<b>a &lt;i&gt; cat</b> ** <a class="code" href="/p/K7QX">K7QX</a>'
    )
    assert markup("**open") == "<b>open</b>"
    assert 'onclick="' not in markup('`/x" onclick="alert()`')


def test_a_recipe_is_read_as_rows() -> None:
    assert rows("**prompt** a cat\nMade by Ana") == [("prompt", "a cat"), ("", "Made by Ana")]


def test_a_browser_without_languages_gets_the_configured_one() -> None:
    assert browser_language("", "es") == "es"


@asynccontextmanager
async def served(data: Path) -> AsyncIterator[tuple[App, WebAdapter]]:
    """A page on a port of its own."""
    config = page_server.settings(data, page_server.free_port())
    async with App.open(config) as app:
        web = WebAdapter(app.semilla, config)
        async with serving(web):
            yield app, web


async def connected(web: WebAdapter) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """To its port, and nothing is asked yet."""
    return await asyncio.open_connection("127.0.0.1", urlsplit(web.address).port)


async def test_connections_that_ask_nothing_take_the_page_from_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "FROM_ONE_ADDRESS", 20)
    monkeypatch.setattr(network, "REQUEST_SECONDS", 1.0)
    async with served(tmp_path) as (_, web), httpx.AsyncClient() as browser:
        assert (await browser.get(web.address)).status_code == 200
        mute = [await connected(web) for _ in range(40)]
        mute[0][1].write(b"GET / HTTP/1.1\r\nhost: 127.0.0")  # and never goes on
        async with asyncio.timeout(20):
            ends = [await reader.read() for reader, _ in mute]
        assert ends == [b""] * 40
        assert (await browser.get(web.address)).status_code == 200
        for _, writer in mute:
            writer.close()


async def test_however_many_are_connected_whoever_is_at_the_computer_gets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "CONNECTIONS", 20)
    async with served(tmp_path) as (_, web), httpx.AsyncClient() as browser:
        mute = [await connected(web) for _ in range(40)]
        assert (await browser.get(web.address)).status_code == 200
        for _, writer in mute:
            writer.close()


async def test_what_was_announced_and_never_comes_is_given_up_and_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.5)
    async with served(tmp_path) as (_, web):
        reader, writer = await connected(web)
        form = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 1000"
        writer.write(f"POST /call HTTP/1.1\r\nhost: 127.0.0.1\r\n{form}\r\n\r\nline=".encode())
        async with asyncio.timeout(20):
            assert b"HTTP/1.1 408" in await reader.readuntil(b"\r\n")
        writer.close()
    assert not [each for each in caplog.records if each.exc_info or "fault" in each.message]


async def test_a_page_that_follows_what_happens_stays_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "REQUEST_SECONDS", 0.2)
    async with served(tmp_path) as (app, web), httpx.AsyncClient() as browser:
        await browser.get(web.moderator_address)
        async with browser.stream("GET", f"{web.address}/events") as told:
            await asyncio.sleep(1)
            app.semilla.events.publish(Unjudged(guild="web:home"))
            async with asyncio.timeout(20):
                assert [line async for line in until_told(told)]


async def test_a_browser_keeps_its_newest_streams_and_takes_no_more_connections(
    tmp_path: Path,
) -> None:
    async with (
        served(tmp_path) as (_, web),
        httpx.AsyncClient() as browser,
        AsyncExitStack() as all_,
    ):
        await browser.get(web.moderator_address)
        query = f"{web.address}/events"
        pages = [await all_.enter_async_context(browser.stream("GET", query)) for _ in range(9)]
        async with asyncio.timeout(20):
            ends = [await page.aread() for page in pages[:3]]
            assert not [end for end in ends if b"moved" in end], "it isn't loaded anew"
            for page in pages[3:]:
                assert [line async for line in until_told(page)]


async def until_told(told: httpx.Response) -> AsyncIterator[str]:
    async for line in told.aiter_lines():
        if line.startswith("event:"):
            yield line
            return
