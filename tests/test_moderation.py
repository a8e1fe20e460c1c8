"""Who may ask, what is refused, and what waits for a moderator."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from errno import EIO, ENOSPC
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from bot import delivery
from bot.app import App
from bot.conversation import Button, Guild, Member, Reply, Tone
from bot.events import Notice
from db.history import Asker
from db.models import Answer, Ban, now
from db.storage import DiskFull
from tests import page_server
from tests.chat import ANA, Chat, open_chat
from tests.pages import Opened, token_of
from tests.served import photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEACHER = Member("chat:teacher", "Tea", moderator=True)
BEA = Member("chat:bea", "Bea")
BOSS = Member("chat:boss", "Boss", moderator=True)
APPLE = "a red apple steps:1"
LOG = "999"
_places = iter(range(10_000))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    nothing_is_large = {"SEMILLA_LIMITS__ASK_SECONDS": "3600"}  # however slow it goes
    async with open_chat(tmp_path_factory.mktemp("data"), **nothing_is_large) as opened:
        yield opened


@pytest.fixture
def place() -> Guild:
    """A place of the test's own, so that what happens in it stays there."""
    return Guild(f"chat:place{next(_places)}", "Place")


async def rule(chat: Chat, place: Guild, **rules: str) -> None:
    for name, value in rules.items():
        await chat.semilla.database.settings.set(place.id, "guild", "", name, value)


def button(reply: Reply, label: str) -> Button:
    rows = [*reply.buttons, *(row for each in reply.pictures for row in each.buttons)]
    return next(each for row in rows for each in row if label in each.label)


async def test_a_blocked_word_is_named_to_its_author_alone(chat: Chat, place: Guild) -> None:
    reply = await chat.type("a NUDE woman", guild=place)
    assert reply.tone is Tone.REFUSED
    assert reply.private
    assert reply.text == 'The word "nude" isn\'t used here. Change it and go on.'
    assert [each.label for row in reply.buttons for each in row] == ["✏️ Edit", "Ask for a review"]
    spanish = await chat.type("mujer desnuda", guild=place, language="es")
    assert spanish.text == "La palabra «desnuda» no se usa aquí. Cámbiala y listo."


async def test_its_author_changes_the_words_and_goes_on(chat: Chat, place: Guild) -> None:
    blocked = await chat.type("a naked apple steps:1 seed:5", guild=place)
    line = button(blocked, "Edit").line
    form = (await chat.type(line, guild=place)).form
    assert form is not None
    assert [field.value for field in form.fields if field.name == "prompt"] == ["a naked apple"]
    assert (await chat.type(line, guild=place, member=BEA)).tone is Tone.REFUSED
    drawn = await chat.ask(f'{line} prompt:"a red apple"', guild=place)
    assert "a red apple" in drawn.pictures[0].caption
    assert "`5`" in drawn.pictures[0].caption


@pytest.mark.parametrize(
    "prompt",
    [
        *("a {clothed|naked} woman", "a [clothed|naked] woman", "[a cat:naked:0.9]"),
        *("na<lora:ink:0>ked", "na[x::0]ked", "na{ked|ked}", r"na\ked", "na(k:1.1)ed"),
    ],
)
async def test_a_word_that_the_syntax_hides_is_the_word(
    chat: Chat, place: Guild, prompt: str
) -> None:
    sly = Member(f"{place.id}:sly", "Sly")  # whom the floor pauses in the end
    reply = await chat.type(f"an apple, {prompt} steps:10", guild=place, member=sly)
    assert "isn't used here" in reply.text
    below = await chat.type(f"an apple, a child, {prompt} steps:10", guild=place, member=sly)
    assert below.text == "I don't draw that."


@pytest.mark.parametrize(
    "negative",
    [
        *("(clothes:1.4), blurry", "fea, toda la ropa", "Dressed", "clothes++", "clothes::1.5"),
        *("{clothes|clothing}", "(clothes)1.4", "ugly BREAK clothes", "clothes and shoes"),
        *("clothes!", "[clothes:0.2]", "blurry\nropa", "clo(th)es", "[ugly|clothes]"),
        *("[ugly:clothes:0.5]", "[clothes:ugly:5]", "fully clothed"),
    ],
)
async def test_clothes_are_not_taken_away_by_the_negative_prompt(
    chat: Chat, place: Guild, negative: str
) -> None:
    who = {"guild": place, "member": Member(f"{place.id}:sly", "Sly")}
    reply = await chat.type(f'a woman steps:10 negative:"{negative}"', **who)
    assert "Leave it out of the negative prompt" in reply.text
    below = await chat.type(f'a girl negative:"{negative}"', **who)
    assert below.text == "I don't draw that."


@pytest.mark.parametrize(
    "prompt",
    ["{}, (clothes:-1.2)", "{} AND clothes :-0.5", "{}::1 clothes::-.5", "{}, [cat|(ropa:-1)]"],
)
async def test_nor_by_a_weight_that_is_less_than_nothing(
    chat: Chat, place: Guild, prompt: str
) -> None:
    who = {"guild": place, "member": Member(f"{place.id}:sly", "Sly")}
    reply = await chat.type(prompt.format("a woman"), **who)
    assert "Leave it out of the negative prompt" in reply.text
    assert (await chat.type(prompt.format("a girl"), **who)).text == "I don't draw that."


async def test_what_a_negative_prompt_turns_away_from_is_asked_for(
    chat: Chat, place: Guild
) -> None:
    who = {"guild": place, "member": Member(f"{place.id}:sly", "Sly")}
    reply = await chat.type('a woman negative:"ugly, (naked:-1)"', **who)
    assert reply.text == 'The word "naked" isn\'t used here. Change it and go on.'
    reply = await chat.type('a girl negative:"ugly, (naked:-1)"', **who)
    assert reply.text == "I don't draw that."


@pytest.mark.parametrize("negative", ["torn clothes, bad hands", "underwear, vestido rojo", "nude"])
async def test_what_else_a_negative_prompt_says_is_free(
    chat: Chat, place: Guild, negative: str
) -> None:
    reply = await chat.type(f'a girl steps:1 negative:"{negative}"', guild=place)
    assert reply.tone is Tone.ACCEPTED


async def test_nobody_fills_the_moderators_list_alone(chat: Chat, place: Guild) -> None:
    member = Member("chat:insistent", "Zoe")
    for n in range(30):
        blocked = await chat.type(f"a naked apple {n}", guild=place, member=member)
        asked = await chat.type(
            button(blocked, "Ask for a review").line, guild=place, member=member
        )
    assert asked.tone is Tone.REFUSED
    assert "5 requests of yours wait" in asked.text
    assert await chat.semilla.database.moderation.unjudged(place.id) == 5
    edited = await chat.type(button(blocked, "Edit").line, guild=place, member=member)
    assert edited.form is not None, "the newest can be changed"


async def test_nor_by_asking_all_at_once(chat: Chat, place: Guild) -> None:
    quick = {"guild": place, "member": Member("chat:quick", "Zoe")}
    blocked = [await chat.type(f"a naked apple {n}", **quick) for n in range(12)]
    lines = [button(each, "Ask for a review").line for each in blocked]
    asked = await asyncio.gather(*(chat.type(line, **quick) for line in [*lines, *lines[:2]]))
    assert sum("5 requests of yours wait" in each.text for each in asked) >= 7
    assert len(await chat.semilla.database.moderation.asked(place.id)) == 5


async def test_a_moderator_allows_what_its_author_asked_for(chat: Chat, place: Guild) -> None:
    await rule(chat, place, log_channel=LOG)
    told = len(chat.told)
    blocked = await chat.type("a naked apple steps:1", guild=place)
    line = button(blocked, "Ask for a review").line
    assert "moderator" in (await chat.type(line, guild=place)).text
    channel, notice = (await chat.hear(told + 1))[-1]
    assert channel == LOG
    assert "Ana" in notice.text
    assert "naked" in notice.text
    allow = button(notice, "Allow").line
    assert (await chat.type(allow, guild=place)).tone is Tone.REFUSED, "members don't decide"
    await chat.type(allow, guild=place, member=TEACHER)
    (answer,) = await chat.semilla.database.answers.recent(place.id, ANA.id, limit=1)
    assert (await chat.wait_for(answer.id)).pictures
    again = await chat.type(allow, guild=place, member=TEACHER)
    assert "just decided" in again.text


async def test_what_a_moderator_allows_is_drawn_where_only_some_roles_may_ask(
    chat: Chat, place: Guild
) -> None:
    artist = replace(ANA, roles=("artists",))
    await rule(chat, place, roles="artists")
    blocked = await chat.type("a naked apple steps:1", guild=place, member=artist)
    await chat.type(button(blocked, "Ask for a review").line, guild=place, member=artist)
    waiting = await chat.type("/review", guild=place, member=TEACHER)
    allowed = await chat.type(button(waiting, "Allow").line, guild=place, member=TEACHER)
    assert "Allowed" in allowed.text
    (answer,) = await chat.semilla.database.answers.recent(place.id, ANA.id, limit=1)
    assert (await chat.wait_for(answer.id)).pictures


async def test_what_a_moderator_allows_is_held_to_the_limits_of_its_authors_roles(
    chat: Chat, place: Guild
) -> None:
    artist = replace(ANA, roles=("artists",))
    await rule(chat, place, max_steps="1")
    await chat.semilla.database.settings.set(place.id, "role", "artists", "max_steps", "2")
    blocked = await chat.type("a naked apple steps:2", guild=place, member=artist)
    await chat.type(button(blocked, "Ask for a review").line, guild=place, member=artist)
    waiting = await chat.type("/review", guild=place, member=TEACHER)
    allowed = await chat.type(button(waiting, "Allow").line, guild=place, member=TEACHER)
    assert "Allowed" in allowed.text


async def test_what_is_stopped_in_private_about_the_guilds_picture_is_the_guilds_to_review(
    chat: Chat, place: Guild
) -> None:
    await rule(chat, place, log_channel=LOG)
    alone, told = Guild(ANA.id, private=True), len(chat.told)
    (made,) = (await chat.ask(APPLE, guild=place)).pictures
    blocked = await chat.type(f'/reroll {made.code} prompt:"a naked apple"', guild=alone)
    form = (await chat.type(button(blocked, "Edit").line, guild=alone)).form
    assert form is not None
    assert (
        "moderator" in (await chat.type(button(blocked, "Ask for a review").line, guild=alone)).text
    )
    _, notice = (await chat.hear(told + 1))[-1]
    await chat.type(button(notice, "Allow").line, guild=place, member=TEACHER)
    (answer,) = await chat.semilla.database.answers.recent(place.id, ANA.id, limit=1)
    assert answer.private, "what came of a private chat stays there"
    (drawn,) = (await chat.wait_for(answer.id)).pictures
    history = await chat.type("/history", guild=place, member=BEA)
    assert drawn.code not in [each.code for each in history.pictures]


async def test_a_request_that_is_too_large_now_can_be_allowed_later(
    chat: Chat, place: Guild
) -> None:
    blocked = await chat.type("a naked apple steps:1 size:128x128", guild=place)
    await chat.type(button(blocked, "Ask for a review").line, guild=place)
    line = button(await chat.type("/review", guild=place, member=TEACHER), "Allow").line
    await rule(chat, place, max_side="64")
    assert (await chat.type(line, guild=place, member=TEACHER)).tone is Tone.REFUSED
    await rule(chat, place, max_side="512")
    assert (await chat.type(line, guild=place, member=TEACHER)).tone is Tone.PLAIN


async def test_of_two_moderators_who_decide_at_once_one_does(chat: Chat, place: Guild) -> None:
    blocked = await chat.type("a naked apple steps:1", guild=place)
    await chat.type(button(blocked, "Ask for a review").line, guild=place)
    waiting = await chat.type("/review", guild=place, member=TEACHER)
    said = await asyncio.gather(
        chat.type(button(waiting, "Allow").line, guild=place, member=TEACHER),
        chat.type(button(waiting, "Refuse").line, guild=place, member=BOSS),
    )
    assert sorted(each.tone for each in said) == [Tone.PLAIN, Tone.REFUSED]
    made = await chat.semilla.database.answers.recent(place.id, ANA.id)
    assert len(made) == (said[0].tone is Tone.PLAIN)


async def test_a_refused_review_stays_refused(chat: Chat, place: Guild) -> None:
    blocked = await chat.type("a naked apple", guild=place)
    await chat.type(button(blocked, "Ask for a review").line, guild=place)
    waiting = await chat.type("/review", guild=place, member=TEACHER)
    await chat.type(button(waiting, "Refuse").line, guild=place, member=TEACHER)
    assert "Nothing waits" in (await chat.type("/review", guild=place, member=TEACHER)).text
    assert not await chat.semilla.database.answers.recent(place.id, ANA.id)


async def test_the_floor_is_neutral_recorded_and_pauses_whoever_goes_on(
    chat: Chat, place: Guild
) -> None:
    await rule(chat, place, words="adults", nsfw="yes", log_channel=LOG)
    told = len(chat.told)
    somebody = Member("chat:somebody", "Sam")
    for _ in range(3):
        reply = await chat.type("a naked child", guild=place, member=somebody)
        assert (reply.tone, reply.text) == (Tone.REFUSED, "I don't draw that.")
        assert reply.private
        assert not reply.buttons
    notices = [notice for _, notice in (await chat.hear(told + 3))[told:]]
    assert "paused everywhere" in notices[-1].text
    assert not any("naked" in notice.text for notice in notices)
    elsewhere = await chat.type(APPLE, guild=Guild("chat:elsewhere"), member=somebody)
    assert "paused for 24 h" in elsewhere.text
    audit = await chat.type("/audit", guild=place, member=TEACHER)
    assert audit.text.count("Sam asked for what is never drawn") == 3


@pytest.mark.parametrize(
    "line",
    [
        *('a nude woman negative:"adult, ugly"', "una mujer desnuda negativo:(adultos:1.3)"),
        *("a nude woman (grown ups:-1)", 'sexy witch negative:"[an adult|blurry]"'),
    ],
)
async def test_adults_cannot_be_kept_out_of_what_only_they_may_be_in(
    chat: Chat, place: Guild, line: str
) -> None:
    await rule(chat, place, words="adults", nsfw="yes")
    assert (await chat.type(line, guild=place)).text == "I don't draw that."
    drawn = await chat.type(f'{APPLE} steps:1 negative:"adults, mature trees"', guild=place)
    assert drawn.tone is Tone.ACCEPTED


async def test_whose_words_may_mean_adults_is_refused_and_not_paused(
    chat: Chat, place: Guild
) -> None:
    await rule(chat, place, words="adults", nsfw="yes", log_channel=LOG)
    told, nina = len(chat.told), Member(f"{place.id}:nina", "Nina")
    for prompt in ("a naked child", "a naked child", *["a nude girl"] * 3):
        reply = await chat.type(prompt, guild=place, member=nina)
        assert (reply.tone, reply.text) == (Tone.REFUSED, "I don't draw that.")
    notices = [notice for _, notice in (await chat.hear(told + 5))[told:]]
    assert "may have asked" in notices[-1].text
    assert (await chat.type("/help", guild=place, member=nina)).tone is Tone.PLAIN
    audit = await chat.type("/audit", guild=place, member=TEACHER)
    assert audit.text.count("Nina may have asked for what is never drawn") == 3


async def test_a_banned_member_is_told_why_until_it_is_lifted(chat: Chat, place: Guild) -> None:
    assert (await chat.ask(APPLE, guild=place, member=BEA)).pictures
    assert (await chat.type("/ban Bea", guild=place)).tone is Tone.REFUSED, "for moderators"
    banned = await chat.type('/ban Bea reason:"spam"', guild=place, member=TEACHER)
    assert banned.tone is Tone.PLAIN
    for line in (APPLE, "/help", "/history"):
        reply = await chat.type(line, guild=place, member=BEA)
        assert reply.tone is Tone.REFUSED
        assert "Reason: spam" in reply.text
    other = Guild("chat:other")
    assert (await chat.type("/help", guild=other, member=BEA)).tone is Tone.PLAIN
    alone = await chat.type(APPLE, guild=Guild("chat:bea", private=True), member=BEA)
    assert alone.tone is Tone.REFUSED, "in private what stands in shared places stands too"
    await chat.type("/unban Bea", guild=place, member=TEACHER)
    assert (await chat.type("/help", guild=place, member=BEA)).tone is Tone.PLAIN
    audit = await chat.type("/audit", guild=place, member=TEACHER)
    assert "Tea banned Bea · spam" in audit.text
    assert "Tea let Bea in again" in audit.text


async def test_a_name_is_known_in_capitals_and_in_small_letters(chat: Chat, place: Guild) -> None:
    drawn = await chat.ask(APPLE, guild=place, member=Member("chat:angel", "Ángel"))
    paused = await chat.type("/pausar ángel", guild=place, member=TEACHER)
    assert paused.tone is Tone.PLAIN
    shown = await chat.type("/history member:ÁNGEL", guild=place)
    assert [each.code for each in shown.pictures] == [drawn.pictures[0].code]


async def test_a_time_and_a_reason_may_follow_the_name_as_people_say_it(
    chat: Chat, place: Guild
) -> None:
    hugo = Member("chat:hugo", "Hugo 6 D")
    for member in (ANA, hugo):
        await chat.ask(APPLE, guild=place, member=member)
    paused = await chat.type("/pausar Ana 10 min habla mucho", guild=place, member=TEACHER)
    assert paused.text.startswith("Ana can't use me here for 10 min")
    assert "Reason: habla mucho" in (await chat.type("/help", guild=place)).text
    banned = await chat.type("/ban Hugo 6 D", guild=place, member=TEACHER)
    assert banned.text.startswith("Hugo 6 D can't use me here any more"), "it is his whole name"


async def test_of_two_of_the_same_name_the_meant_one_is_banned_as_it_was_said(
    chat: Chat, place: Guild
) -> None:
    second = Member("chat:ana2", "Ana")
    await chat.ask(APPLE, guild=place)
    drawn = await chat.ask(APPLE, guild=place, member=second)
    code = drawn.pictures[0].code
    asked = await chat.type("/ban Ana until:2h reason:spam", guild=place, member=TEACHER)
    assert f": {code}, " in asked.text, "who was there last is named first"
    await chat.type(button(asked, code).line, guild=place, member=TEACHER)
    stopped = await chat.type("/help", guild=place, member=second)
    assert "2 h" in stopped.text
    assert "spam" in stopped.text
    assert (await chat.type("/help", guild=place)).tone is Tone.PLAIN
    long = f'/ban Ana reason:"{"spam " * 20}"'
    assert not (await chat.type(long, guild=place, member=TEACHER)).buttons, "none drops its reason"


@pytest.mark.parametrize(
    ("until", "told"), [("2h", "2 h"), ("3 days", "3 days"), ("1 semana", "7 days"), ("", "24 h")]
)
async def test_a_pause_ends_by_itself(chat: Chat, place: Guild, until: str, told: str) -> None:
    made = await chat.ask(APPLE, guild=place)
    for_how_long = f' until:"{until}"' if until else ""
    line = f"/pause {made.pictures[0].code}{for_how_long}"  # whoever made that picture
    assert told in (await chat.type(line, guild=place, member=TEACHER)).text
    assert told in (await chat.type(APPLE, guild=place)).text
    over = Ban(
        guild=place.id,
        member=ANA.id,
        member_name="Ana",
        until=now() - timedelta(seconds=1),
    )
    await chat.semilla.database.moderation.ban(over)
    assert (await chat.type("/help", guild=place)).tone is Tone.PLAIN


async def test_what_moderators_are_told_stops_whoever_has_been_given_nothing_yet(
    chat: Chat, place: Guild
) -> None:
    await rule(chat, place, log_channel=LOG)
    told, new = len(chat.told), Member(f"{place.id}:new", "Nora")
    await chat.type("a naked child", guild=place, member=new)
    floor = (await chat.hear(told + 1))[-1][1]
    blocked = await chat.type("a naked apple", guild=place, member=new)
    await chat.type(button(blocked, "Ask for a review").line, guild=place, member=new)
    asked = (await chat.hear(told + 2))[-1][1]
    for notice, label, done in ((floor, "Pause", "for 24 h"), (asked, "Ban", "any more")):
        line = button(notice, label).line
        stopped = await chat.type(line, guild=place, member=TEACHER)
        assert stopped.text.startswith("Nora can't use me here")
        assert done in stopped.text
        assert (await chat.type("/help", guild=place, member=new)).tone is Tone.REFUSED


async def test_the_author_of_a_held_picture_is_stopped_after_it_was_deleted(
    chat: Chat, place: Guild
) -> None:
    await rule(chat, place, approve="yes")
    await chat.ask(APPLE, guild=place, member=BEA)
    held = await chat.type("/review", guild=place, member=TEACHER)
    await chat.type(button(held, "Delete").line, guild=place, member=TEACHER)
    banned = await chat.type(button(held, "Ban").line, guild=place, member=TEACHER)
    assert "Bea can't use me here any more" in banned.text


@pytest.mark.parametrize("named", [False, True])
async def test_whoever_has_erased_themselves_can_be_let_in_again(
    chat: Chat, place: Guild, named: bool
) -> None:
    gone = Member(f"{place.id}:gone", "Gael")
    nobody = await chat.type("/unban", guild=place, member=TEACHER)
    assert "Nobody is banned" in nobody.text
    await chat.type("a naked apple", guild=place, member=gone)
    await chat.type("/ban Gael", guild=place, member=TEACHER)
    await chat.type("/privacy delete sure:yes", guild=place, member=gone)
    audit = await chat.type("/audit", guild=place, member=TEACHER)
    assert f"stopped now: {gone.id}" in audit.text
    assert "Tea banned somebody" in audit.text
    assert "Gael" not in audit.text
    stopped = await chat.type("/unban", guild=place, member=TEACHER)
    line = f"/unban {gone.id}" if named else button(stopped, gone.id).line
    lifted = await chat.type(line, guild=place, member=TEACHER)
    assert lifted.text == f"{gone.id} can use me here again."
    assert (await chat.type("/help", guild=place, member=gone)).tone is Tone.PLAIN


async def test_nobody_stops_others_from_their_own_private_chat(chat: Chat, place: Guild) -> None:
    spiteful = Member(f"{place.id}:spiteful", "Sam")
    alone = {"guild": Guild(spiteful.id, private=True), "member": spiteful}
    await chat.ask(APPLE, guild=place, member=BEA)
    for line in (f"/ban {BEA.id}", f"/pause {BEA.id} until:2h"):
        assert (await chat.type(line, **alone)).tone is Tone.REFUSED
    assert (await chat.type("/help", guild=Guild(BEA.id, private=True), member=BEA)).text


async def test_nobody_is_not_whoever_has_erased_themselves(chat: Chat, place: Guild) -> None:
    gone = {"guild": place, "member": Member(f"{place.id}:gone", "Gael")}
    await chat.type("a naked apple", **gone)
    await chat.type("/privacy delete sure:yes", **gone)
    reply = await chat.type("/ban @", guild=place, member=TEACHER)
    assert reply.tone is Tone.REFUSED
    assert (await chat.type("/help", **gone)).tone is Tone.PLAIN


async def test_a_ban_reaches_what_is_just_being_asked_for(chat: Chat, place: Guild) -> None:
    quick = {"guild": place, "member": Member(f"{place.id}:quick", "Zoe")}
    await chat.ask(APPLE, **quick)
    asked = [chat.type("a red apple steps:150 size:512x512", **quick) for _ in range(5)]
    banned = chat.type("/ban Zoe", guild=place, member=TEACHER)
    replies = await asyncio.gather(*asked[:2], banned, *asked[2:])
    assert "can't use me here" in replies[2].text
    mine = [task for task in chat.semilla.dispatch.tasks() if task.member == quick["member"].id]
    for task in mine:  # told to stop, and gone by the next call
        await chat.wait_for(task.answer)
    waiting = [t for t in chat.semilla.dispatch.tasks() if t.member == quick["member"].id]
    assert not waiting


async def test_a_ban_empties_the_members_line(chat: Chat, place: Guild) -> None:
    """In private too, where the same member waits; nobody else's, and not what waits elsewhere."""
    member, told = Member(f"{place.id}:bea", "Bea"), len(chat.told)
    alone, other = Guild(member.id, private=True), Guild(f"{place.id}:other")
    line = "a cat steps:20 count:4"
    kept = [
        await chat.type("a cat steps:1", guild=place),
        await chat.type("a cat steps:1", guild=other, member=member),
    ]
    accepted = [await chat.type(line, guild=each, member=member) for each in (place, alone)]
    await chat.type("/ban Bea reason:spam", guild=place, member=TEACHER)
    for each in accepted:
        assert each.answer is not None
        assert "Cancelled" in (await chat.wait_for(each.answer)).text
    for each in kept:
        assert each.answer is not None
        assert (await chat.wait_for(each.answer)).pictures
    ((who, notice),) = (await chat.hear(told + 1))[told:]
    assert who == member.id
    assert notice.text == (
        "**Place**: Moderators have stopped your requests. Reason: spam. Only they can lift it."
        " Your 8 pictures that were waiting are cancelled."
    )


async def test_whoever_the_floor_pauses_has_nothing_left_in_line(chat: Chat, place: Guild) -> None:
    member, told = Member(f"{place.id}:sly", "Sly"), len(chat.told)
    accepted = await chat.type("a cat steps:20 count:4", guild=Guild("chat:far"), member=member)
    for _ in range(3):
        await chat.type("a naked child", guild=place, member=member)
    assert accepted.answer is not None
    assert "Cancelled" in (await chat.wait_for(accepted.answer)).text
    ((who, notice),) = (await chat.hear(told + 1))[told:]
    assert who == member.id
    assert "paused for 24 h" in notice.text
    await chat.semilla.database.access.add_owner(BOSS.id, "chat")
    stopped = await chat.type("/unban", guild=Guild("chat:elsewhere"), member=BOSS)
    await chat.type(button(stopped, "Sly").line, guild=Guild("chat:elsewhere"), member=BOSS)
    assert (await chat.type("/help", guild=place, member=member)).tone is Tone.PLAIN


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="where a process has no zone of its own")
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2099-07-01", "2099-06-30 22:00"),
        ("2099-07-01 18:00", "2099-07-01 16:00"),
        ("2099-07-01T18:00+05:00", "2099-07-01 13:00"),
        ("2099-07-01T18:00Z", "2099-07-01 18:00"),
    ],
)
async def test_a_typed_time_is_the_clocks_of_this_computer_or_of_the_zone_it_names(
    chat: Chat, place: Guild, monkeypatch: pytest.MonkeyPatch, typed: str, meant: str
) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        line = f'/pause <@123456789> until:"{typed}"'
        await chat.type(line, guild=place, member=TEACHER)
    finally:
        monkeypatch.undo()
        time.tzset()
    (pause,) = await chat.semilla.database.moderation.bans(place.id)
    assert f"{pause.until:%Y-%m-%d %H:%M}" == meant


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/ban Nobody", 'I don\'t know "Nobody"'),
        ("/pause Tea until:soon", "isn't a time"),
        ("/ban Tea", "neither against yourself"),
        ("/unban 123456789012", "Nothing stands"),
        ("/approve K7QX", "no picture K7QX"),
        ("/rewrite K7QX", "no longer there"),
    ],
)
async def test_what_cannot_be_done_is_said(chat: Chat, place: Guild, line: str, told: str) -> None:
    await chat.type("/imagine negative:x", guild=place, member=TEACHER)
    await chat.ask(APPLE, guild=place, member=TEACHER)
    reply = await chat.type(line, guild=place, member=TEACHER)
    assert reply.tone is Tone.REFUSED
    assert told in reply.text


async def test_where_pictures_are_approved_nobody_sees_them_before(
    chat: Chat, place: Guild
) -> None:
    await rule(chat, place, approve="yes", log_channel=LOG)
    told, previews = len(chat.told), []
    with chat.semilla.events.follow(guild=place.id) as follower:
        reply = await chat.ask("a red apple steps:12", guild=place)
        while not follower.queue.empty():
            event = follower.queue.get_nowait()
            previews += [] if isinstance(event, Notice) else [getattr(event, "preview", None)]
    assert not any(previews)
    assert not reply.pictures
    assert "A moderator looks at it first" in reply.text
    assert "No pictures" in (await chat.type("/history", guild=place)).text
    channel, notice = (await chat.hear(told + 1))[-1]
    (shown,) = notice.pictures
    assert channel == LOG
    assert (await chat.type(f"/show {shown.code}", guild=place)).tone is Tone.REFUSED
    await _is_blurred(chat, shown.file)
    await chat.type(button(notice, "Publish").line, guild=place, member=TEACHER)
    assert reply.answer is not None
    assert (await chat.wait_for(reply.answer, times=2)).pictures[0].code == shown.code
    assert shown.code in str(await chat.type("/history", guild=place, member=BEA))


async def test_what_is_approved_while_the_answer_is_being_shown_is_shown_too(
    chat: Chat, place: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rule(chat, place, approve="yes")
    reply = await chat.ask("a red apple count:2 steps:1", guild=place)
    first, second = await chat.semilla.database.moderation.held(place.id)
    deliver = chat.deliver

    async def deliver_slowly(answer: Answer, shown: Reply) -> None:
        monkeypatch.setattr(chat, "deliver", deliver)
        await chat.type(f"/approve {second.code}", guild=place, member=TEACHER)
        await deliver(answer, shown)

    monkeypatch.setattr(chat, "deliver", deliver_slowly)
    monkeypatch.setattr(delivery, "FIRST_DELAY_SECONDS", 0.0)
    await chat.type(f"/approve {first.code}", guild=place, member=TEACHER)
    assert reply.answer is not None
    shown = await chat.wait_for(reply.answer, times=3)
    assert [each.code for each in shown.pictures] == [first.code, second.code]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DiskFull(ENOSPC, "no room"), "disk is full"),
        (OSError(EIO, "a disk that fails"), "failed on our side"),
    ],
)
async def test_a_picture_to_be_held_that_cannot_be_kept_fails_alone(
    chat: Chat, place: Guild, monkeypatch: pytest.MonkeyPatch, error: OSError, sentence: str
) -> None:
    await rule(chat, place, approve="yes")
    storage = chat.semilla.database.storage
    with monkeypatch.context() as system:
        kept, room = storage.put, iter([True])

        async def put(data: bytes) -> str:
            if next(room, False):
                return await kept(data)
            raise error

        system.setattr(storage, "put", put)
        told = await chat.ask(APPLE, guild=place)
    assert sentence in told.text
    await chat.type(f"/retry {told.answer}", guild=place)
    assert told.answer is not None
    assert "A moderator looks at it first" in (await chat.wait_for(told.answer, times=2)).text


async def _is_blurred(chat: Chat, file: str) -> None:
    """Neighbouring pixels of what moderators see first are nearly equal; no recipe is inside."""
    with Image.open(chat.semilla.database.storage.path(file)) as image:
        pixels = image.convert("L")
        texts = getattr(image, "text", {})
    steps = [
        abs(pixels.getpixel((x + 1, y)) - pixels.getpixel((x, y)))
        for x in range(pixels.width - 1)
        for y in range(0, pixels.height, 8)
    ]
    assert max(steps) < 16
    assert not texts


async def test_a_moderators_own_picture_needs_no_approval(chat: Chat, place: Guild) -> None:
    await rule(chat, place, approve="yes")
    assert (await chat.ask(APPLE, guild=place, member=TEACHER)).pictures


async def test_the_older_part_of_a_members_record_is_theirs_too(chat: Chat, place: Guild) -> None:
    for _ in range(8):
        await chat.type("/ban 55555", guild=place, member=TEACHER)
        await chat.type("/unban 55555", guild=place, member=TEACHER)
        await chat.type("/ban 66666", guild=place, member=TEACHER)
    audit = await chat.type("/audit member:55555", guild=place, member=TEACHER)
    older = await chat.type(button(audit, "Older").line, guild=place, member=TEACHER)
    assert older.text.count("55555") == 1
    assert "66666" not in older.text


async def test_without_a_log_channel_what_waits_is_under_review(chat: Chat, place: Guild) -> None:
    await rule(chat, place, approve="yes")
    for _ in range(3):
        await chat.ask(APPLE, guild=place)
    waiting = await chat.type("/review", guild=place, member=TEACHER)
    assert "3 pictures" in waiting.text
    await chat.type(button(waiting, "Delete").line, guild=place, member=TEACHER)
    second = await chat.type("/review", guild=place, member=TEACHER)
    assert second.pictures[0].code != waiting.pictures[0].code
    shown = await chat.type(button(second, "Publish").line, guild=place, member=TEACHER)
    third = await chat.type(button(shown, "Next").line, guild=place, member=TEACHER)
    assert "1 picture" in third.text
    audit = await chat.type("/audit", guild=place, member=TEACHER)
    assert "Tea deleted a picture of Ana" in audit.text
    asker = Asker(place.id, TEACHER.id, True)
    assert await chat.semilla.database.history.get(asker, waiting.pictures[0].code) is None


async def test_a_log_channel_that_is_gone_is_told_to_the_owner_once_and_to_moderators(
    chat: Chat, place: Guild
) -> None:
    lost = "the log channel is gone"
    await rule(chat, place, log_channel="404")
    await chat.semilla.database.access.add_owner(BOSS.id, "chat")
    told = len(chat.told)
    for turn, gone in enumerate((True, False, True)):
        chat.gone = {"404": 0} if gone else {}
        for number in range(2 if gone else 1):
            new = Member(f"{place.id}:{turn}{number}", "New")
            await chat.type("a naked child", guild=place, member=new)
        who, notice = (await chat.hear(told + turn + 1))[-1]
        assert (who, lost in notice.text) == ((BOSS.id, True) if gone else ("404", False))
        async with asyncio.timeout(10):
            while chat.gone.get("404", 2) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        review = await chat.type("/review", guild=place, member=TEACHER)
        assert (lost in review.text) is gone
        assert "Nothing waits" in review.text
    chat.gone = {}
    await chat.type("/setup log-channel:404", guild=place, member=TEACHER)
    assert len(chat.told) == told + 4, "once each time, and in the channel now that it works"
    review = await chat.type("/review", guild=place, member=TEACHER)
    assert lost not in review.text


async def test_a_class_takes_no_photos_of_its_pupils(chat: Chat, place: Guild) -> None:
    await rule(chat, place, words="children")
    reply = await chat.type(APPLE, guild=place, image=photo(7))
    assert "off here" in reply.text
    assert (await chat.type(APPLE, guild=place, member=TEACHER, image=photo(7))).answer
    await rule(chat, place, photos="yes")
    assert (await chat.type(APPLE, guild=place, image=photo(7))).answer


async def test_the_guilds_negative_joins_every_prompt_and_stands_in_the_recipe(
    chat: Chat, place: Guild
) -> None:
    await rule(chat, place, negative="EasyNegative, (nsfw)")
    for line, negative in (
        (APPLE, "EasyNegative, (nsfw)"),
        (f"{APPLE} negative:blurry", "blurry, EasyNegative, (nsfw)"),
    ):
        made = await chat.ask(line, guild=place)
        recipe = await chat.type(f"/recipe {made.pictures[0].code}", guild=place)
        assert f"negative** {negative}\n" in recipe.text


async def test_in_private_the_strictest_shared_place_decides(chat: Chat) -> None:
    carla = Member("chat:carla", "Carla")
    alone = Guild("chat:carla", private=True)
    strict, loose = Guild("chat:strict"), Guild("chat:loose")
    await rule(chat, strict, words="children")
    await rule(chat, loose, words="adults")
    await chat.ask(APPLE, guild=loose, member=carla)
    assert (await chat.type("a gory apple", guild=alone, member=carla)).answer
    await chat.ask(APPLE, guild=strict, member=carla)
    assert (await chat.type("a gory apple", guild=alone, member=carla)).tone is Tone.REFUSED


async def test_nobody_judges_their_own_pictures_in_private(chat: Chat) -> None:
    alone = Guild("chat:dora", private=True)
    dora = Member("chat:dora", "Dora")
    reply = await chat.type("/review", guild=alone, member=dora)
    assert reply.tone is Tone.REFUSED


async def test_after_a_restart_a_paused_member_is_still_paused(tmp_path: Path) -> None:
    async with open_chat(tmp_path) as first:
        paused = await first.type("/pause <@123456789> reason:rest", member=TEACHER)
        assert paused.tone is Tone.PLAIN, "somebody who hasn't asked for anything yet"
    async with open_chat(tmp_path) as second:
        reply = await second.type("/help", member=Member("chat:123456789", "Bea"))
        assert "Reason: rest" in reply.text


async def test_the_page_shows_moderators_the_blurred_file_and_others_nothing(
    tmp_path: Path,
) -> None:
    config = page_server.settings(tmp_path)
    async with App.open(config) as app:
        opened = Opened(app, config)
        moderator, visitor = await opened.moderator(), opened.browser()
        picture = await opened.picture()
        blur = await app.semilla.database.storage.put(photo(9))
        async with app.semilla.database.engine.begin() as connection:
            held = "UPDATE pictures SET visibility = 'HELD', held_for = 'check', blurred = ?"
            await connection.exec_driver_sql(held, (blur,))
        for path in ("files", "shown"):
            assert (await visitor.get(f"/{path}/{blur}")).status_code == 404
            assert (await visitor.get(f"/{path}/{picture.file}")).status_code == 404
        whole = await moderator.get(f"/files/{blur}")
        assert whole.content == photo(9)
        assert picture.file not in (await moderator.get("/gallery")).text


async def test_on_the_page_a_refused_request_is_edited_in_a_form(tmp_path: Path) -> None:
    config = page_server.settings(tmp_path)
    async with App.open(config) as app:
        browser = Opened(app, config).browser()
        token = token_of(await browser.get("/"))

        async def send(**fields: str) -> str:
            headers = {"accept": "application/json"}
            sent = await browser.post("/call", data={"token": token, **fields}, headers=headers)
            return str(sent.json()["html"])

        refused = await send(line="a naked apple")
        assert "&#34;naked&#34;" in refused
        lines = re.findall(r'value="(/\w+ \w+)"', refused)
        assert [line.split()[0] for line in lines] == ["/rewrite", "/appeal"]
        form = await send(line=lines[0])
        assert "a naked apple</textarea>" in form
        given = {
            "command": "rewrite",
            "option.item": lines[0].split()[1],
            "option.prompt": "a red apple",
            "before.prompt": "a naked apple",
        }
        assert "data-open" in await send(**given), "it is in line"
        (answer,) = await app.semilla.database.answers.recent("web:home", "", moderator=True)
        assert answer.jobs[0].request.prompt == "a red apple"
        assert "a red apple" in answer.line
