"""Bad input: what was wrong, what is allowed, what to do; never a stack trace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO

import pytest
import pytest_asyncio
from PIL import Image

from bot.conversation import Tone
from tests.chat import Chat, open_chat

pytestmark = pytest.mark.asyncio(loop_scope="module")


def png_of(width: int, height: int) -> bytes:
    buffer = BytesIO()
    Image.new("1", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with open_chat(tmp_path_factory.mktemp("data")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("a cat seed:-2", "4\u202f294\u202f967\u202f295"),
        ("a cat seed:4294967296", "4\u202f294\u202f967\u202f295"),
        ("a cat seed:seven", "seven"),
        ("a cat steps:0", "from 1 to 150"),
        ("a cat steps:1000000", "from 1 to 150"),
        ("a cat guidance:hot", "from 0 to 30"),
        ("a cat sampler:eulr", "nearest is euler"),
        ("a cat size:9x9", "square"),
        ("a cat size:100000x100000", "square"),
        ("a cat size:purple", "square"),
        ("a cat model:nothing", "nearest is semilla"),
        ("a cat strength:0.5", "attach one"),
        ("a cat style:nothing", "no style"),
        ("a cat count:100", "from 1 to 9"),
        ("/vary", "Which picture? Type its id: /vary K7QX."),
        ("/vary ZZZZ", "/history"),
        ("/imagine", "for example"),
        ("", "for example"),
        ("/imagine negative:dogs", "for example"),
        ("/nothing", "no command"),
        ("x" * 10_000, "at most 4,000"),
        ("/cancel 99999999", "no request"),
        ("/history before:soon", "whole number"),
        ("/settings scope:everyone", "me, channel, everybody"),
        ("/settings steps:5 scope:guild", "Only moderators"),
    ],
)
async def test_it_says_what_was_wrong_and_what_is_allowed(chat, typed, told):
    reply = await chat.type(typed)
    assert reply.tone is Tone.REFUSED
    assert told in reply.text
    assert reply.private


async def test_it_says_so_in_spanish(chat):
    reply = await chat.type("un gato semilla:siete", language="es")
    assert reply.text == (
        "Semilla tiene que ser un número entero entre 0 y 4\u202f294\u202f967\u202f295, no «siete»."
    )
    reply = await chat.type("/vary", language="es")
    assert reply.text == "¿Qué imagen? Escribe su id: /variar K7QX. Cada imagen lo lleva debajo."


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "isn't a picture"),
        (b"not a picture", "isn't a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "picture"),
        (b"GIF89a" + b"\xff\xff\xff\xff" + b"\0" * 20, "picture"),
        (png_of(9000, 9000), "at most 40 megapixels"),
    ],
)
async def test_a_broken_picture_is_refused(chat, data, told):
    reply = await chat.type("a cat", image=data)
    assert reply.tone is Tone.REFUSED
    assert told in reply.text


@pytest.mark.parametrize(
    "prompt", ["\0", "\u202egato", "a\0cat", "ca\u0301t" * 50, "<script>", "*" * 99]
)
async def test_strange_characters_break_nothing(chat, prompt):
    reply = await chat.type(prompt)
    assert reply.tone in (Tone.REFUSED, Tone.ACCEPTED)
