"""A guild's own rules: set in one short conversation, and kept to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app import App
from bot.commands import door, line
from bot.conversation import Call, Guild, Member, Reply, Tone
from generator.vocabulary import Vocabulary
from tests.chat import ANA, CLASS, Chat, settings

MARTA = Member("chat:marta", "Marta", moderator=True)
ASK = "a red apple steps:1"


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    """Nothing is drawn here."""
    async with App.open(settings(tmp_path)) as app:
        chat = Chat(app)
        app.semilla.chats[chat.name] = chat
        yield chat


async def in_channel(chat: Chat, text: str, channel: str, member: Member = ANA) -> Reply:
    command, options = line.parse(text)
    call = Call(
        origin=f"{channel}{text}{member.id}",
        adapter="chat",
        guild=CLASS,
        member=member,
        language="en",
        command=command,
        options=options,
        channel=channel,
        here=f"<#{channel}>",
    )
    return await door.run(chat.semilla, call)


async def test_buttons_alone_lead_through_it_and_it_ends_with_what_members_see(
    chat: Chat,
) -> None:
    marta = replace(MARTA, roles=("5",))
    reply = await in_channel(chat, "/setup", "7", marta)
    asked = []
    while re.match(r"\*\*\d (of|de) 8", reply.text):
        asked.append(reply.text)
        first = reply.buttons[0][0]
        assert len(first.line.encode()) <= 64
        reply = await in_channel(chat, first.line, "7", marta)
    assert len(asked) == 8
    assert "Los miembros ven:" in reply.text, "it speaks the language that was chosen"
    assert "/imagina " in reply.text
    assert "10" in reply.text
    values = await chat.semilla.database.settings.of_guild(CLASS.id)
    assert (values["language"], values["words"]) == ("es", "children")


async def test_where_there_are_no_channels_and_roles_nobody_counts_their_questions(
    chat: Chat,
) -> None:
    reply, numbers = await chat.type("/setup", member=MARTA), []
    while found := re.match(r"\*\*(\d of \d)", reply.text):
        numbers.append(found[1])
        reply = await chat.type(reply.buttons[-1][0].line, member=MARTA)  # leave it as it is
    assert numbers == [f"{n} of 5" for n in range(1, 6)]


async def test_its_values_are_understood_in_spanish_and_stored_as_one_word(chat: Chat) -> None:
    rules = "aprobar:sí palabras:Niños fotos:SI ajenas:no idioma:español"
    await chat.type(f"/configurar {rules} canales:todos", member=MARTA, language="es")
    values = await chat.semilla.database.settings.of_guild(CLASS.id)
    stored = {"approve": "yes", "words": "children", "photos": "yes", "others": "no"}
    assert values == {**stored, "language": "es"}
    english = await chat.type("/setup words:Adults language:English approve:no", member=MARTA)
    assert "Members see" in english.text, "who is spoken to in English from now on"
    values = await chat.semilla.database.settings.of_guild(CLASS.id)
    assert (values["words"], values["language"], values["approve"]) == ("adults", "en", "no")


async def test_what_a_value_can_be_is_told_in_the_readers_language(chat: Chat) -> None:
    refused = await chat.type("/configurar palabras:bebés", member=MARTA, language="es")
    assert refused.text == "Palabras puede ser niños, general, adultos, no «bebés»."
    shown = await chat.type("/configurar palabras:niños aprobar:sí", member=MARTA, language="es")
    assert "**aprobar** sí" in shown.text
    assert "**palabras** niños" in shown.text
    shown = await chat.type("/configurar nsfw:sí", member=MARTA, language="es")
    assert "**nsfw** no, porque las palabras son para niños" in shown.text


async def test_members_cannot_set_up_and_private_chats_have_nothing_to(chat: Chat) -> None:
    assert (await chat.type("/setup per_hour:5")).tone is Tone.REFUSED
    alone = Guild("chat:ana", private=True)
    assert "server or group" in (await chat.type("/setup", guild=alone)).text


async def test_where_nothing_is_drawn_the_way_is_told(chat: Chat) -> None:
    await in_channel(chat, "/setup channels:here", "11", MARTA)
    refused = await in_channel(chat, ASK, "12")
    assert refused.text == "I don't draw here: go to <#11>."
    assert (await in_channel(chat, ASK, "11")).tone is Tone.ACCEPTED
    assert (await in_channel(chat, "/help", "12")).tone is Tone.PLAIN
    await in_channel(chat, "/setup channels:<#12>,<#13>", "11", MARTA)
    assert (await in_channel(chat, ASK, "13")).tone is Tone.ACCEPTED
    assert (await in_channel(chat, ASK, "14")).text == "I don't draw here: go to <#12>,<#13>."
    await in_channel(chat, "/setup channels:all", "11", MARTA)
    assert (await in_channel(chat, "a cat steps:1", "12")).tone is Tone.ACCEPTED


async def test_some_roles_only(chat: Chat) -> None:
    await chat.type("/setup roles:<@&5>", member=MARTA)
    refused = await chat.type(ASK)
    assert "for some roles only: <@&5>" in refused.text
    assert (await chat.type(ASK, member=replace(ANA, roles=("5",)))).tone is Tone.ACCEPTED


async def test_the_default_model_and_language_are_the_guilds(chat: Chat) -> None:
    unknown = await chat.type("/setup model:dreamshaper", member=MARTA)
    assert unknown.tone is Tone.REFUSED
    await chat.type("/setup model:semilla language:es", member=MARTA)
    assert "imagen" in (await chat.type("/show ZZZ9")).text


@pytest.mark.parametrize(("language", "first"), [("en", "What shall"), ("es", "¿Qué dibujo")])
async def test_a_picture_step_by_step_without_typing(chat: Chat, language: str, first: str) -> None:
    alone = await chat.type("/imagine", language=language)
    guided = next(each for row in alone.buttons for each in row if each.line == "/guide")
    reply = await chat.type(guided.line, language=language)
    assert reply.text.startswith(first)
    colour = await chat.type(reply.buttons[0][0].line, language=language)
    background = await chat.type(colour.buttons[0][1].line, language=language)
    done = await chat.type(background.buttons[0][0].line, language=language)
    assert done.tone is Tone.ACCEPTED
    answer = await chat.semilla.database.answers.get(done.answer)
    assert answer.jobs[0].notes == [], "every word of it is known"


async def test_the_guide_offers_other_things_each_time_until_all_were_shown(chat: Chat) -> None:
    path = chat.semilla.catalogue.default().vocabulary
    assert path is not None
    line, offered = "/guide", list[str]()
    while len(offered) < len(Vocabulary.load(path).list("en")):
        *things, (others,) = (await chat.type(line)).buttons
        offered += [each.label for row in things for each in row]
        line = others.line
    assert len({*offered}) == len(offered)
    assert line == "/guide page:1", "after the last come the first again"
