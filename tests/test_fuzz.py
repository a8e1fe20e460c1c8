"""Whatever comes in: an answer goes out, at once, and it says no more than it should."""

from __future__ import annotations

import io
import itertools
import json
import pickle
import struct
import time
import zipfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from bot.app import App
from bot.conversation import Member, Reply, Tone
from bot.locales import LANGUAGES, escape, legible, plain
from bot.replies import answer_reply
from generator.catalogue import Catalogue
from generator.request import GenerationRequest
from tests import chat as chats
from tests.chat import Chat

LONG = 100_000
BEYOND_MEASURE_SECONDS = 2
EXAMPLES = settings.default.max_examples
PIECES = (
    *(
        '"',
        "“",
        "»",
        "—",
        "\\",
        ":",
        "--",
        "/",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "|",
        "<lora:",
        ">",
        "AND",
        "BREAK",
    ),
    *("seed:", "--steps", "negative:", "size:", "sampler:", "/imagine", "/show K7QX", "/history"),
    *(
        "Steps: 5, Sampler: Euler a, CFG scale: 7, Seed: 1",
        "\nNegative prompt:",
        "1.3",
        "-1",
        "9" * 30,
    ),
    *(
        "**",
        "`",
        "<script>alert(1)</script>",
        "@everyone",
        "[/red]",
        "\x1b[31m",
        "\0",
        "a\u0301\u0301",
    ),
    *(
        "\u202egnp.",
        "\u2066",
        "👨\u200d👩\u200d👧",
        "漢字",
        "ñ",
        "ß",
        "İ",
        " ",
        "\n",
        "a red cat",
        "__animal__",
    ),
)
LINES = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=14).map("".join)
QUIETLY = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ENDLESS = {
    "one word": "a" * LONG,
    "words": " ".join(f"w{n}x" for n in range(LONG // 7)),
    "letters": "d e s n u d a " * (LONG // 14),
    "quotes": '"' * LONG,
    "escaped quotes": '"' + '\\"' * (LONG // 2),
    "bent quotes": "“«" * (LONG // 2),
    "long dashes": " —no" * (LONG // 4),
    "options": "seed:1 " * (LONG // 7),
    "quoted options": '"" seed:1 ' * (LONG // 10),
    "unknown options": "a:b " * (LONG // 4),
    "pasted recipe": "cat\nSteps: 5, " + 'b: "\\' * (LONG // 5),
    "pasted words": "Steps: 5, " + "a b-" * (LONG // 4),
    "brackets": "([{" * (LONG // 3),
    "schedules": "[a:b:" * (LONG // 5),
    "weights": "(a:1.1)" * (LONG // 7),
    "alternatives": "{a|" * (LONG // 3),
    "files": "<lora:" * (LONG // 6),
    "number": "a cat seed:" + "9" * LONG,
    "age": "sexy age" + " " * LONG,
    "marks": "a" + "\u0301" * LONG,
    "turns": "\u202e" * LONG,
    "nothing": "\0" * LONG,
    "name of a command": "/" + "a" * LONG,
    "id": "/show " + "A" * LONG,
}
_members = itertools.count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture
async def chat(folder: Path) -> AsyncIterator[Chat]:
    """Nothing is drawn here: the worker isn't started."""
    async with App.open(chats.settings(folder, SEMILLA_LIMITS__GUILD_WAITING="100000")) as app:
        yield Chat(app)


async def typed(chat: Chat, text: str, image: bytes | None = None, language: str = "en") -> Reply:
    """The reply, which is never a fault."""
    member = Member(f"chat:{next(_members)}", "Ana")
    reply = await chat.type(text, member=member, image=image, language=language)
    assert reply.tone is not Tone.FAULT, (text, reply)
    return reply


@QUIETLY
@given(line=LINES, language=st.sampled_from(LANGUAGES))
async def test_every_line_is_answered(chat: Chat, line: str, language: str) -> None:
    await typed(chat, line, language=language)


@pytest.mark.parametrize("name", ENDLESS)
async def test_no_line_keeps_semilla_busy_without_end(chat: Chat, name: str) -> None:
    """A hundred times what it takes; bench/stall.py measures that."""
    before = time.thread_time()
    await typed(chat, ENDLESS[name])
    await typed(chat, ENDLESS[name][:4000])
    assert time.thread_time() - before < BEYOND_MEASURE_SECONDS


async def test_a_line_of_a_hundred_thousand_characters_is_told_the_limit(chat: Chat) -> None:
    reply = await typed(chat, "a" * LONG)
    assert reply.tone is Tone.REFUSED
    assert "10,000" in reply.text


@QUIETLY
@given(text=LINES)
async def test_every_recipe_inside_a_picture_is_answered(chat: Chat, text: str) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("parameters", f"{text}\nSteps: 5, Sampler: {text}, Seed: {text}, Size: {text}")
    await typed(chat, "/imagine", image=saved("PNG", pnginfo=chunks))


async def test_whatever_stands_in_a_recipe_of_our_own_form_is_answered(chat: Chat) -> None:
    usual = {"model": "semilla", "model_hash": "", "prompt": "cat", "width": 128, "height": 128}
    usual |= {"steps": 1, "sampler": "euler", "guidance_scale": 1.5, "seed": 1}
    odd = (None, -1, 1e999, "", "x", [], {}, [{}], [[1, 2]], [{"seed": [], "strength": "x"}])
    odd += ({"width": 0, "height": 0, "steps": 1, "strength": 0.5},)
    for field, value in itertools.product(GenerationRequest.__dataclass_fields__, odd):
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("semilla", json.dumps({"request": {**usual, field: value}}))
        await typed(chat, "/imagine", image=saved("PNG", pnginfo=chunks))


def saved(form: str, size: tuple[int, int] = (24, 16), **more: object) -> bytes:
    file = io.BytesIO()
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.paste((250, 20, 20), (0, 0, size[0] // 2, size[1] // 2))
    image.save(file, form, **more)
    return file.getvalue()


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved("JPEG", exif=exif, quality=95)


FILES = [saved("PNG"), saved("JPEG"), saved("WEBP"), saved("GIF"), saved("BMP"), turned(6)]


@QUIETLY
@given(data=st.data(), whole=st.sampled_from(FILES))
async def test_a_damaged_picture_is_refused_or_read(
    chat: Chat, data: st.DataObject, whole: bytes
) -> None:
    damaged = bytearray(whole[: data.draw(st.integers(1, len(whole)))])
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    await typed(chat, "a cat", image=bytes(damaged))
    await typed(chat, "/show", image=bytes(damaged))


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    written = (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def bombs() -> dict[str, bytes]:
    nothing = zlib.compress(bytes(50_000_000), 9)
    return {
        "pixels": png(50_000, 50_000, (b"IDAT", nothing)),
        "more pixels": png(2**31 - 1, 2**31 - 1, (b"IDAT", nothing)),
        "text": png(8, 8, (b"zTXt", b"parameters\0\0" + nothing)),
        "profile": png(8, 8, (b"iCCP", b"a\0\0" + nothing), (b"IDAT", nothing[:4000])),
    }


@pytest.mark.parametrize("name", list(bombs()))
async def test_a_decompression_bomb_is_refused_before_it_is_unpacked(chat: Chat, name: str) -> None:
    before = time.process_time()
    reply = await typed(chat, "a cat", image=bombs()[name])
    assert reply.tone is Tone.REFUSED
    assert time.process_time() - before < BEYOND_MEASURE_SECONDS


async def initial_image(chat: Chat, upload: bytes) -> bytes:
    """What is kept of a picture that is to be drawn over."""
    reply = await typed(chat, "a cat", image=upload)
    assert reply.answer is not None
    answer = await chat.semilla.database.answers.get(reply.answer)
    assert answer is not None
    file = answer.jobs[0].request.initial_image
    assert file is not None
    return await chat.semilla.database.storage.read(file)


async def test_nothing_but_pixels_is_kept_of_a_picture(chat: Chat) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        file.writestr("index.html", "<script>alert('polyglot')</script>")
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Comment", "polyglot")
    kept = await initial_image(chat, saved("PNG", pnginfo=chunks) + archive.getvalue())
    assert b"polyglot" not in kept
    assert not zipfile.is_zipfile(io.BytesIO(kept))


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, (2, 2)), (3, (21, 13)), (6, (13, 2)), (8, (2, 21))]
)
async def test_a_photo_is_drawn_over_the_way_it_is_looked_at(
    chat: Chat, orientation: int, corner: tuple[int, int]
) -> None:
    with Image.open(io.BytesIO(await initial_image(chat, turned(orientation)))) as image:
        red, green, _ = image.getpixel(corner)
        assert image.size == ((24, 16) if orientation < 5 else (16, 24))
    assert red > 200
    assert green < 80


async def test_a_photo_is_drawn_over_though_what_its_camera_wrote_is_broken(chat: Chat) -> None:
    broken = turned(6).replace(b"MM\0*\0\0\0\x08", b"MM\0*\1\0\0\x08")
    assert broken != turned(6)
    assert await initial_image(chat, broken)
    assert (await typed(chat, "/show", image=broken)).tone is Tone.REFUSED, "none of Semilla's"


class Payload:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


async def test_a_pickle_is_never_opened_whatever_it_is_called(tmp_path: Path) -> None:
    models, touched = tmp_path / "models", tmp_path / "touched"
    models.mkdir()
    for name in ("evil.safetensors", "evil.ckpt", "evil.pt", "evil.bin"):
        (models / name).write_bytes(pickle.dumps(Payload(touched)))
    names = [model.name for model in Catalogue([models], tmp_path / "cache").models()]
    assert not [name for name in names if "evil" in name]
    assert names, "the shipped model is still there"
    assert not touched.exists()


@given(st.text() | LINES)
def test_words_are_shown_as_they_were_written(words: str) -> None:
    shown = plain(escape(words))
    assert shown == legible(words)
    assert not set(shown) & {"\0", "\x1b", "\u202e", "\u2066"}


async def test_a_name_can_neither_format_nor_turn_an_answer(chat: Chat) -> None:
    name = "**Eve**`\u202e\0\x1b[31m" + "e\u0301" + "\u0301" * 200
    reply = await chat.type("a cat seed:1", member=Member("chat:eve", name))
    assert reply.answer is not None
    answer = await chat.semilla.database.answers.get(reply.answer)
    assert answer is not None
    refused = await chat.type(f"/cancel {answer.id}", member=Member("chat:bob", "Bob"))
    assert "\\*\\*Eve\\*\\*\\`[31me" in refused.text
    assert len(refused.text) < 200
    assert answer_reply(answer, "en").text
