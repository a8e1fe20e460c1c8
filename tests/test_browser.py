"""The page in a real Chromium, as a person uses it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    Route,
    sync_playwright,
)
from playwright.sync_api import expect as expect_that

from tests import page_server

expect_that.set_options(timeout=60_000)  # the worker imports torch before the first picture

FLAGS = [
    *("--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 800}
TYPED = {"en": "a red cat seed:7 steps:6", "es": "un gato rojo semilla:7 pasos:6"}
WORDS = {
    "en": {"vary": "Vary", "again": "Make it again, identical", "identical": "✓ Identical"},
    "es": {"vary": "Variar", "again": "Repetir idéntica", "identical": "✓ Idéntica"},
}

# A picture is dropped on the page, or pasted into it; from a table, with the table's words.
BRING = """async (event) => {
    const canvas = new OffscreenCanvas(64, 64);
    canvas.getContext("2d").fillRect(0, 0, 64, 64);
    const files = new DataTransfer();
    if (event === "table") {
        files.setData("text/plain", "a cell");
        files.setData("text/html", "<td>a cell</td>");
    }
    files.items.add(new File([await canvas.convertToBlob()], "a.png", { type: "image/png" }));
    const how = { bubbles: true, cancelable: true };
    document.body.dispatchEvent(event === "drop"
        ? new DragEvent("drop", { ...how, dataTransfer: files })
        : new ClipboardEvent("paste", { ...how, clipboardData: files }));
}"""

# As a phone that is locked, and unlocked.
LOOK = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""

# Before Safari 16.4 and Chrome 112 a form's data didn't know what had sent it, before Safari 15.4
# a submission neither.
OLDER = """
    delete SubmitEvent.prototype.submitter;
    delete HTMLFormElement.prototype.requestSubmit;
    window.FormData = class extends FormData { constructor(form) { super(form); } };
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[page_server.Page]:
    with page_server.running_page(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """A browser of its own. What it must never do is checked when it leaves."""

    def __init__(self, chromium: Browser, address: str, language: str, size: dict[str, int]):
        self.context = chromium.new_context(locale=language, viewport=size)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.address = address
        self.complaints: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._on_request)
        self.page.set_default_timeout(60_000)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.complaints.append(f"asked {request.url}")

    def come(self) -> None:
        """As somebody whom the page hasn't seen yet."""
        self.page.unroute_all()
        self.context.clear_cookies()
        self.page.goto(self.address)

    def rest(self) -> None:
        self.page.goto("about:blank")
        complaints, self.complaints = self.complaints, []
        assert complaints == []

    def leave(self) -> None:
        self.context.close()
        assert self.complaints == []


@pytest.fixture(scope="module")
def resting() -> dict[str, Visitor]:
    """To open a browser takes longer than most of what is tested in it."""
    return {}


@pytest.fixture
def visitor(
    chromium: Browser,
    server: page_server.Page,
    resting: dict[str, Visitor],
    request: pytest.FixtureRequest,
) -> Iterator[Visitor]:
    language, size = getattr(request, "param", ("en-US", LAPTOP))
    kind = f"{language} {size}"
    arrived = resting.get(kind) or Visitor(chromium, server.address, language, size)
    resting[kind] = arrived
    arrived.come()
    yield arrived
    arrived.rest()


def draw(page: Page, line: str) -> Locator:
    """Types a line; gives the answer's card, finished or not."""
    newest = page.locator("#feed .answer").first
    before = newest.get_attribute("id") if newest.count() else ""
    page.locator("#ask textarea[name=line]").fill(line)
    page.keyboard.press("Enter")
    expect_that(page.locator("#feed .answer.mine").first).not_to_have_id(before or "none")
    return page.locator(f"#{page.locator('#feed .answer.mine').first.get_attribute('id')}")


def finished(card: Locator) -> Locator:
    """The card, once its answer has been delivered."""
    card.and_(card.page.locator(":not([data-open])")).wait_for()
    card.locator("figure img").wait_for()
    return card


@pytest.mark.parametrize(
    "visitor",
    [("en-US", LAPTOP), ("es-CO", PHONE)],
    indirect=True,
    ids=["english on a laptop", "spanish on a phone"],
)
def test_a_picture_is_drawn_varied_and_made_again_identically(visitor: Visitor) -> None:
    page = visitor.page
    language = page.locator("html").get_attribute("lang") or ""
    words = WORDS[language]
    card = finished(draw(page, TYPED[language]))
    prompt = TYPED[language].partition(" se")[0]
    assert card.locator("figure img").get_attribute("alt") == prompt
    parent = card.locator("figure > a").get_attribute("href") or ""

    card.get_by_role("button", name=words["vary"], exact=True).click()
    expect_that(page.locator(f".answer figcaption p + p a[href='{parent}']")).to_be_visible()

    card.locator(".more summary").click()
    card.get_by_role("button", name=words["again"]).click()
    verdict = page.locator("figcaption p", has_text=words["identical"])
    expect_that(verdict.filter(has_text=parent.removeprefix("/p/"))).to_be_visible()


def test_a_phone_never_scrolls_sideways(chromium: Browser, server: page_server.Page) -> None:
    visitor = Visitor(chromium, server.address, "es-ES", PHONE)
    visitor.page.goto(server.moderator_address)
    for path in ("/", "/gallery", "/class", "/connect"):
        visitor.page.goto(server.address + path)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    visitor.leave()


def test_escape_on_a_page_without_a_conversation_is_no_mistake(
    chromium: Browser, server: page_server.Page
) -> None:
    visitor = Visitor(chromium, server.address, "en-US", LAPTOP)
    visitor.page.goto(server.moderator_address)
    visitor.page.goto(f"{server.address}/connect")
    visitor.page.get_by_label("Token of Telegram").fill(f"12345:{'a' * 35}")
    visitor.page.keyboard.press("Enter")
    expect_that(visitor.page.get_by_role("status")).to_contain_text("Saved")
    visitor.page.keyboard.press("Escape")
    visitor.leave()


def test_the_box_has_the_focus_at_first_sight(visitor: Visitor) -> None:
    expect_that(visitor.page.locator("#ask textarea[name=line]")).to_be_focused()


def test_progress_and_a_preview_are_seen_while_it_is_drawn(visitor: Visitor) -> None:
    newest = draw(visitor.page, "a blue boat steps:24")
    expect_that(newest.locator(".preview[src^='data:image/webp']")).to_be_visible()
    assert float(newest.locator("progress").get_attribute("value") or 0) >= 0
    expect_that(newest.locator("figure img")).to_be_visible()


def test_a_waiting_picture_can_be_cancelled(visitor: Visitor) -> None:
    newest = draw(visitor.page, "a green tree steps:150")
    newest.get_by_role("button", name="Cancel").click()
    expect_that(newest.get_by_text("Cancelled.")).to_be_visible()


def test_a_slow_answer_does_not_undo_what_the_page_was_told_since(visitor: Visitor) -> None:
    def late(route: Route) -> None:
        response = route.fetch()
        expect_that(newest).not_to_have_attribute("data-open", "")  # so the stream has told
        route.fulfill(response=response)

    newest = draw(visitor.page, "a green bush steps:150")
    visitor.page.route("**/call", late)
    newest.get_by_role("button", name="Cancel").click()
    expect_that(visitor.page.locator("#notes .reply")).to_be_visible()
    assert newest.get_attribute("data-open") is None


def test_a_slow_network_costs_no_typed_words_and_asks_for_nothing_twice(visitor: Visitor) -> None:
    page = visitor.page
    held: list[Route] = []
    page.route("**/call", lambda route: held.append(route))
    box = page.locator("#ask textarea[name=line]")
    box.fill("a yellow cat seed:30 steps:2")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    box.fill("a red house")
    (sent,) = held
    sent.continue_()
    finished(page.locator("#feed .answer.mine", has_text="a yellow cat"))
    expect_that(box).to_have_value("a red house")


def test_what_is_sent_again_after_a_failure_is_drawn_once(visitor: Visitor) -> None:
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page = visitor.page
    page.route("**/call", lose_the_answer, times=1)
    page.locator("#ask textarea[name=line]").fill("a white sheep seed:31 steps:2")
    page.keyboard.press("Enter")
    expect_that(page.get_by_role("alert")).to_be_visible()
    page.locator("#ask textarea[name=line]").focus()
    page.keyboard.press("Enter")
    expect_that(page.locator("#ask textarea[name=line]")).to_have_value("")
    expect_that(page.locator("#feed .answer", has_text="a white sheep")).to_have_count(1)
    assert all("ERR_FAILED" in each for each in visitor.complaints)
    visitor.complaints.clear()


def test_older_browsers_send_the_box_and_the_buttons_too(
    chromium: Browser, server: page_server.Page
) -> None:
    older = Visitor(chromium, server.address, "en-US", LAPTOP)
    older.context.add_init_script(OLDER)
    older.page.goto(server.address)
    card = finished(draw(older.page, "a green tree seed:32 steps:2"))
    card.get_by_role("button", name="Recipe").click()
    expect_that(older.page.locator("#notes dl")).to_contain_text("a green tree")
    older.leave()


def test_others_in_the_room_see_a_picture_without_loading_the_page(
    visitor: Visitor, chromium: Browser, server: page_server.Page
) -> None:
    other = Visitor(chromium, server.address, "es-ES", LAPTOP)
    other.page.goto(server.address)
    draw(visitor.page, "a yellow star seed:11 steps:4")
    seen = other.page.locator("#feed .answer:not(.mine)", has_text="a yellow star")
    expect_that(seen.locator("figure img").first).to_be_visible()
    other.leave()


def test_a_private_picture_is_seen_by_its_author_only(
    visitor: Visitor, chromium: Browser, server: page_server.Page
) -> None:
    other = Visitor(chromium, server.address, "en-US", LAPTOP)
    other.page.goto(server.address)
    draw(visitor.page, "a secret door seed:12 steps:4 private:yes")
    expect_that(
        visitor.page.locator("#feed .answer", has_text="secret door").locator("figure img")
    ).to_be_visible()
    draw(visitor.page, "an open window seed:12 steps:4")
    expect_that(
        other.page.locator("#feed .answer", has_text="open window").locator("figure img")
    ).to_be_visible()
    assert other.page.locator("#feed .answer", has_text="secret door").count() == 0
    other.leave()


def test_a_refusal_is_a_card_in_words_for_this_browser_only(visitor: Visitor) -> None:
    visitor.page.locator("#ask textarea[name=line]").fill("/vary 2222")
    visitor.page.keyboard.press("Enter")
    card = visitor.page.get_by_role("alert")
    expect_that(card).to_contain_text("no picture 2222")
    visitor.page.keyboard.press("Escape")
    expect_that(card).to_have_count(0)


def test_an_edit_keeps_what_was_not_touched(visitor: Visitor) -> None:
    newest = finished(draw(visitor.page, "a brown horse seed:13 steps:4"))
    newest.get_by_role("button", name="Edit").click()
    form = visitor.page.locator("#notes form")
    assert form.get_by_label("steps").input_value() == "4"
    form.get_by_label("steps").fill("5")
    form.get_by_role("button", name="Draw").click()
    changed = visitor.page.locator("#feed .answer").first
    expect_that(changed.locator(".said")).to_contain_text("steps 5")
    expect_that(changed.locator("figcaption")).to_contain_text("seed 13")


def test_what_is_emptied_in_an_edit_is_gone(visitor: Visitor) -> None:
    newest = finished(draw(visitor.page, "a fish negative:red seed:13 steps:4"))
    expect_that(newest.locator(".said")).to_contain_text("negative")
    newest.get_by_role("button", name="Edit").click()
    form = visitor.page.locator("#notes form")
    form.get_by_label("negative").fill("")
    form.get_by_role("button", name="Draw").click()
    expect_that(form).to_have_count(0)  # only then the first card is the new one
    changed = visitor.page.locator("#feed .answer").first
    expect_that(changed.locator("figcaption")).to_contain_text("seed 13")
    newest = finished(changed)
    newest.get_by_role("button", name="Recipe").click()
    expect_that(visitor.page.locator("#notes")).to_contain_text("seed")
    expect_that(visitor.page.locator("#notes")).not_to_contain_text("red")


def test_keys_alone_reach_the_menu_of_a_picture(visitor: Visitor) -> None:
    newest = finished(draw(visitor.page, "a pink flower seed:14 steps:4"))
    newest.get_by_role("button", name="Recipe").focus()
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    expect_that(newest.get_by_role("button", name="Delete")).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect_that(newest.get_by_role("button", name="Delete")).to_be_hidden()


def test_a_picture_can_be_deleted_and_leaves_the_page(visitor: Visitor) -> None:
    newest = finished(draw(visitor.page, "a grey stone seed:15 steps:4"))
    newest.locator(".more summary").click()
    newest.get_by_role("button", name="Delete").click()
    visitor.page.get_by_role("button", name="Yes, delete it").click()
    expect_that(newest.locator("figure")).to_have_count(0)


def test_a_page_that_was_hidden_learns_what_was_deleted_meanwhile(
    visitor: Visitor, chromium: Browser, server: page_server.Page
) -> None:
    kept = finished(draw(visitor.page, "a white cup seed:34 steps:4"))
    shown = finished(draw(visitor.page, "a black cup seed:34 steps:4"))
    visitor.page.evaluate(LOOK, True)
    kept.locator("figure").evaluate("each => each.untouched = true")
    code = (shown.locator("figure > a").get_attribute("href") or "").removeprefix("/p/")
    teacher = Visitor(chromium, server.address, "en-US", LAPTOP)
    teacher.page.goto(server.moderator_address)
    teacher.page.locator("#ask textarea[name=line]").fill(f"/delete {code} sure:yes")
    teacher.page.keyboard.press("Enter")
    expect_that(teacher.page.locator("#notes")).to_contain_text(code)
    teacher.leave()
    visitor.page.evaluate(LOOK, False)
    expect_that(shown.locator("figure")).to_have_count(0)
    assert kept.locator("figure").evaluate("each => each.untouched"), "its menu may be open"


def test_what_was_typed_into_a_form_outlives_a_refusal_and_a_lost_connection(
    visitor: Visitor,
) -> None:
    card = finished(draw(visitor.page, "a brown cow seed:33 steps:4"))
    card.get_by_role("button", name="Edit").click()
    form = visitor.page.locator("#notes form")
    prompt, size = (form.locator(f"[name='option.{name}']") for name in ("prompt", "size"))
    prompt.fill("a brown cow on a high mountain")
    size.fill("enormous")
    form.get_by_role("button", name="Draw").click()
    expect_that(visitor.page.get_by_role("alert")).to_contain_text("enormous")
    expect_that(prompt).to_have_value("a brown cow on a high mountain")
    size.fill("64x64")
    visitor.page.route("**/call", lambda route: route.abort(), times=1)
    form.get_by_role("button", name="Draw").click()
    expect_that(visitor.page.get_by_role("alert")).to_contain_text("no connection")
    expect_that(prompt).to_have_value("a brown cow on a high mountain")
    form.get_by_role("button", name="Draw").click()
    expect_that(form).to_have_count(0)
    said = visitor.page.locator("#feed .answer").first.locator(".said")
    expect_that(said).to_contain_text("on a high mountain")
    assert all("ERR_FAILED" in each for each in visitor.complaints)
    visitor.complaints.clear()


def test_a_file_that_is_no_picture_is_not_attached(visitor: Visitor, tmp_path: Path) -> None:
    (tmp_path / "song.mp3").write_bytes(b"ID3")
    attached = visitor.page.locator("input[type=file]")
    attached.set_input_files(tmp_path / "song.mp3")
    expect_that(visitor.page.get_by_role("alert")).to_contain_text("a picture that I can read")
    assert attached.evaluate("each => each.files.length") == 0


def test_a_wrong_number_in_closed_options_is_shown(visitor: Visitor) -> None:
    visitor.page.locator(".options summary").click()
    steps = visitor.page.get_by_label("steps", exact=True)
    steps.fill("900")
    visitor.page.locator(".options summary").click()
    visitor.page.locator("#ask textarea[name=line]").fill("a grey mouse")
    visitor.page.keyboard.press("Enter")
    expect_that(steps).to_be_visible()
    expect_that(steps).to_be_focused()


@pytest.mark.parametrize("visitor", [("en-US", PHONE)], indirect=True, ids=["on a phone"])
def test_open_options_and_long_words_leave_room_for_the_picture(visitor: Visitor) -> None:
    visitor.page.locator(".options summary").click()
    card = finished(draw(visitor.page, f"a red cup {'on a long table ' * 25} steps:2"))
    expect_that(card.locator("figure img")).to_be_in_viewport(ratio=0.7)
    assert card.locator("figure img").evaluate(
        """(each) => {
            const { left, top } = each.getBoundingClientRect();
            return document.elementFromPoint(left + 20, top + 20) === each;
        }"""
    )


def test_options_that_are_opened_far_down_come_into_sight(visitor: Visitor) -> None:
    page = visitor.page
    finished(draw(page, "a red cup steps:1"))
    page.evaluate(
        "document.querySelector('#feed').style.paddingBottom = '3000px'; scrollTo(0, 2000)"
    )
    page.locator(".options summary").click()
    expect_that(page.locator(".options .inputs")).to_be_in_viewport()
    expect_that(page.locator("textarea[name=line]")).to_be_in_viewport()


def test_a_picture_to_draw_over_is_attached_and_used(visitor: Visitor, tmp_path: Path) -> None:
    Image.new("RGB", (128, 128), "orange").save(tmp_path / "orange.png")
    visitor.page.locator("input[type=file]").set_input_files(tmp_path / "orange.png")
    expect_that(visitor.page.locator(".attached")).to_be_visible()
    newest = finished(draw(visitor.page, "an orange strength:0.3 steps:6"))
    newest.get_by_role("button", name="Recipe").click()
    expect_that(visitor.page.locator("#notes dl")).to_contain_text("strength")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_is_attached_by_dropping_it_and_by_pasting_it(
    visitor: Visitor, event: str
) -> None:
    visitor.page.evaluate(BRING, event)
    attached = visitor.page.locator(".attached img")
    expect_that(attached).to_have_attribute("src", re.compile("^data:image/png"))
    assert visitor.page.locator("input[type=file]").evaluate("each => each.files.length") == 1
    visitor.page.get_by_role("button", name="Remove the picture").click()
    expect_that(attached).to_be_hidden()


def test_what_is_copied_from_a_table_is_pasted_as_words(visitor: Visitor) -> None:
    visitor.page.evaluate(BRING, "table")
    assert visitor.page.locator("input[type=file]").evaluate("each => each.files.length") == 0


@pytest.mark.parametrize(
    "visitor",
    [("en-US", LAPTOP), ("es-CO", LAPTOP), ("es-CO", PHONE)],
    indirect=True,
    ids=["english on a laptop", "spanish on a laptop", "spanish on a phone"],
)
def test_the_buttons_of_a_picture_stand_in_one_row_and_its_menu_over_it(visitor: Visitor) -> None:
    card = draw(visitor.page, "a cat steps:2 count:2")
    expect_that(card).not_to_have_attribute("data-open", "")
    figure = card.locator("figure").last
    middles = {
        round(box["y"] + box["height"] / 2, -1)
        for each in figure.locator(".buttons > button, .more > summary").all()
        if (box := each.bounding_box())
    }
    assert len(middles) == 1
    figure.locator(".more summary").click()
    menu, screen = figure.locator(".more > div").bounding_box(), visitor.page.viewport_size
    assert menu is not None
    assert screen is not None
    assert menu["x"] >= 0
    assert menu["x"] + menu["width"] <= screen["width"]
    visitor.page.keyboard.press("Escape")


def test_a_page_that_is_open_follows_the_class(
    visitor: Visitor, chromium: Browser, server: page_server.Page
) -> None:
    finished(draw(visitor.page, "a red house seed:20 steps:2"))
    teacher = Visitor(chromium, server.address, "en-US", LAPTOP)
    teacher.page.goto(server.moderator_address)
    teacher.page.goto(f"{server.address}/class")
    teacher.page.get_by_role("button", name="Open to the class").click()
    if teacher.page.get_by_role("button", name="Close the class").count():
        expect_that(visitor.page.locator("#feed .answer")).to_have_count(0)
        teacher.page.get_by_role("button", name="Close the class").click()
        expect_that(visitor.page.locator("figure").first).to_be_visible()
        teacher.leave()
    else:  # this machine is in no network
        teacher.context.close()


def test_the_language_is_switched_where_one_stands(visitor: Visitor) -> None:
    visitor.page.goto(f"{visitor.address}/gallery")
    visitor.page.get_by_role("button", name="Español").click()
    expect_that(visitor.page.get_by_role("heading", name="Galería")).to_be_visible()


def test_a_first_page_weighs_less_than_60_kilobytes_before_pictures(
    chromium: Browser, server: page_server.Page
) -> None:
    visitor = Visitor(chromium, server.address, "en-US", LAPTOP)
    responses: list[Response] = []
    visitor.page.on("response", lambda response: responses.append(response))
    visitor.page.goto(server.address, wait_until="load")
    parts = {"document", "stylesheet", "script"}
    sizes = [len(r.body()) for r in responses if r.request.resource_type in parts]
    assert len(sizes) == 3
    assert sum(sizes) < 60_000, sizes
    visitor.leave()


def test_without_the_script_a_picture_is_drawn_too(
    chromium: Browser, server: page_server.Page
) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="en-US")
    page = context.new_page()
    page.goto(server.address)
    page.locator("#ask textarea[name=line]").fill("a white bird seed:16 steps:4")
    page.locator("#ask .send").click()
    assert "#answer-" in page.url
    for _ in range(60):
        page.goto(server.address)  # a fragment alone would not load it again
        if page.locator("figure", has_text="a white bird").count():
            break
        page.wait_for_timeout(500)
    expect_that(page.locator("figure", has_text="a white bird").first).to_be_visible()
    context.close()
