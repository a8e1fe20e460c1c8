"""What a picture's file tells of itself, and what pictures from outside may be."""

from __future__ import annotations

import io
import struct
import zlib
from time import thread_time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import ExifTags, Image, PngImagePlugin

from generator import metadata
from generator.metadata import ImageRefused, Reason
from generator.request import GenerationRequest, Variation
from generator.sampler_names import SAMPLERS, SCHEDULES, find

LIMIT = 1_000_000  # pixels
words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")) | st.just("\n"))
requests = st.builds(
    GenerationRequest,
    model=st.sampled_from(["semilla", "model, with: signs", 'a "quoted" one']),
    model_hash=st.just("ab" * 32),
    prompt=words,
    negative_prompt=words,
    width=st.integers(8, 256).map(lambda n: n * 8),
    height=st.integers(8, 256).map(lambda n: n * 8),
    steps=st.integers(1, 150),
    sampler=st.sampled_from([each.name for each in SAMPLERS]),
    schedule=st.sampled_from(SCHEDULES),
    guidance_scale=st.integers(0, 60).map(lambda n: n / 2),
    seed=st.integers(0, 2**32 - 1),
    variations=st.lists(
        st.builds(Variation, st.integers(0, 2**32 - 1), st.floats(0, 1)), max_size=3
    ).map(tuple),
    initial_image=st.none() | st.just("cd" * 32),
    strength=st.floats(0, 1),
)


def recipe(**changes) -> GenerationRequest:
    values = {"model": "semilla", "model_hash": "ab" * 32, "prompt": "a cat", "width": 128}
    values |= {"height": 96, "steps": 20, "sampler": "euler a", "guidance_scale": 4.5, "seed": 7}
    return GenerationRequest(**(values | changes))


def picture(size=(16, 8), colour=(200, 30, 60)) -> Image.Image:
    return Image.new("RGB", size, colour)


def file(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def trimmed(text: str) -> str:
    """As AUTOMATIC1111 reads it: the spaces at both ends of a text are lost."""
    return text.strip()


def tells_prompt_from_negative(text: str) -> bool:
    """No line of it begins like the line of the negative prompt (the format can't escape it)."""
    return not any(line.startswith(metadata.NEGATIVE) for line in text.split("\n"))


@given(requests)
def test_what_is_written_as_automatic1111s_text_is_read_again(request):
    assume(tells_prompt_from_negative(request.prompt))
    assume(tells_prompt_from_negative(request.negative_prompt))
    options = metadata.parse_infotext(metadata.infotext(request)).options
    assert options.get("prompt", "") == trimmed(request.prompt)
    assert options.get("negative", "") == trimmed(request.negative_prompt)
    assert options["seed"] == str(request.seed)
    assert options["steps"] == str(request.steps)
    assert float(options["guidance"]) == request.guidance_scale
    assert options["size"] == f"{request.width}x{request.height}"
    assert find(options["sampler"]) == (request.sampler, request.schedule)


def test_a_text_that_a_chat_has_put_on_one_line_is_read_too():
    text = metadata.infotext(recipe(prompt="a red cat, hat", negative_prompt="blurry, dog"))
    told = metadata.parse_infotext(text.replace("\n", " "))
    assert told == metadata.parse_infotext(text)
    assert told.options["negative"] == "blurry, dog"


def test_a_megabyte_of_blanks_is_read_in_a_moment():
    before = thread_time()
    assert metadata.parse_infotext("a" + " " * 1_000_000 + "b") is None
    assert thread_time() - before < 1


@given(requests)
def test_our_own_text_gives_the_recipe_to_the_last_digit(request):
    assert metadata.read(metadata.write(picture(), request, {}, "2e20")) == request


def test_the_text_has_the_fields_keys_in_its_order():
    text = metadata.infotext(
        recipe(negative_prompt="dogs", schedule="karras", variations=(Variation(9, 0.15),))
    )
    assert text == (
        "a cat\nNegative prompt: dogs\n"
        "Steps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 4.5, Seed: 7, "
        "Size: 128x96, Model hash: ababababab, Model: semilla, Variation seed: 9, "
        "Variation seed strength: 0.15, RNG: CPU, Version: Semilla"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "masterpiece, a cat (red:1.2)\nwith a hat\nNegative prompt: EasyNegative, (nsfw)\n"
            "Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 965400086, Size: 512x768, "
            "Model hash: 45dee52b, Model: v1-5, Clip skip: 2, Version: v1.6.0",
            {
                "prompt": "masterpiece, a cat (red:1.2)\nwith a hat",
                "negative": "EasyNegative, (nsfw)",
                "steps": "28",
                "sampler": "DPM++ 2M Karras",
                "guidance": "7",
                "seed": "965400086",
                "size": "512x768",
                "clip_skip": "2",
                "model": "v1-5",
            },
        ),
        (
            "a cat\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1, "
            'Lora hashes: "a: 12, b: 34", Version: v1.10.1',
            {
                "prompt": "a cat",
                "steps": "20",
                "sampler": "DPM++ 2M Karras",
                "guidance": "7",
                "seed": "1",
            },
        ),
        ("Estilo: x, luz: y, tono: z", None),
        ("a cat, Steps: 20", None),
        ("", None),
    ],
)
def test_texts_of_other_programs_are_read_as_options(text, expected):
    told = metadata.parse_infotext(text)
    assert (told and told.options) == expected


@pytest.mark.parametrize(
    ("changes", "written"),
    [
        ({"schedule": "sgm uniform"}, "Schedule type: SGM Uniform"),
        ({"schedule": "karras"}, "Schedule type: Karras"),
        ({"emphasis": "none"}, "Emphasis: Ignore"),
        ({"emphasis": "no norm"}, "Emphasis: No norm"),
    ],
)
def test_schedules_and_emphases_have_automatic1111s_names(changes, written):
    """Another letter, and it would draw with its default."""
    made = recipe(**changes)
    text = metadata.infotext(made)
    assert f", {written}," in text
    told = metadata.parse_infotext(text)
    assert told.options.get("emphasis", "original") == made.emphasis
    assert find(told.options["sampler"]) == (made.sampler, made.schedule)


def test_a_schedule_that_we_lack_leaves_the_sampler():
    text = "a cat\nSteps: 20, Sampler: Euler, Schedule type: KL Optimal, Seed: 3"
    assert metadata.parse_infotext(text).options["sampler"] == "Euler"


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("DPM++ 2M, Schedule type: Automatic", ("dpm++ 2m", "karras")),
        ("DPM++ 2M SDE, Schedule type: Automatic", ("dpm++ 2m sde", "exponential")),
        ("DPM++ 2M Karras, Schedule type: Automatic", ("dpm++ 2m", "karras")),
        ("Euler, Schedule type: Automatic", ("euler", "automatic")),
        ("DPM++ 2M", ("dpm++ 2m", "automatic")),
    ],
)
def test_what_is_automatic_is_what_it_is_there(told, meant):
    found = metadata.parse_infotext(f"a cat\nSteps: 20, Sampler: {told}, Seed: 3, RNG: CPU")
    assert find(found.options["sampler"]) == meant


def test_a_sampler_that_we_lack_is_told_and_the_rest_is_used():
    found = metadata.parse_infotext("a cat\nSteps: 20, Sampler: DPM++ 2S a, CFG scale: 7, Seed: 3")
    assert found.options == {"prompt": "a cat", "steps": "20", "guidance": "7", "seed": "3"}
    assert found.left_out(recipe()) == ["Sampler: DPM++ 2S a"]


@pytest.mark.parametrize(
    ("before", "encoding"),
    [
        (b"UNICODE\0", "utf-16-be"),
        (b"UNICODE\0", "utf-16-le"),
        (b"UNICODE\0\xff\xfe", "utf-16-le"),
        (b"ASCII\0\0\0", "utf-8"),
        (bytes(8), "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_a_jpeg_tells_in_its_exif_in_whatever_way_it_is_written(before, encoding):
    exif = Image.Exif()
    comment = before + metadata.infotext(recipe(prompt="un ñandú 🐧")).encode(encoding)
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    for kind in ("JPEG", "WEBP"):
        options = metadata.read_told(file(picture(), kind, exif=exif)).options
        assert options["prompt"] == "un ñandú 🐧"


@pytest.mark.parametrize(
    "chunk",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"request": []}',
        '{"request": {}}',
        '{"request": {"no": "such field"}}',
    ],
)
def test_a_broken_text_of_ours_is_no_recipe(chunk):
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("semilla", chunk)
    assert metadata.read(file(picture(), "PNG", pnginfo=texts)) is None


@given(requests)
def test_a_picture_of_ours_tells_its_recipe_by_our_own_text(request):
    told = metadata.read_told(metadata.write(picture(), request, {}, "2e20"))
    assert told.options.get("prompt", "") == request.prompt
    assert told.options.get("negative", "") == request.negative_prompt
    assert told.options["model"] == request.model
    assert told.left_out(request) == []


def test_what_a_recipe_tells_and_another_lacks_is_left_out():
    told = metadata.parse_infotext(
        "a cat\nSteps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 4.5, Seed: 7, "
        "Model: semilla, VAE: mild.safetensors, Face restoration: CodeFormer, Version: v1.10"
    )
    assert told.left_out(recipe(vae="mild")) == ["Face restoration: CodeFormer"]
    assert told.left_out(recipe()) == ["VAE: mild", "Face restoration: CodeFormer"]


def test_pictures_without_texts_and_files_that_are_none_have_no_recipe():
    for data in (file(picture(), "PNG"), b"", b"not a picture", b"\x89PNG\r\n\x1a\n"):
        assert metadata.read(data) is None
        assert metadata.read_told(data) is None


def test_a_recipe_is_read_without_unpacking_the_pixels():
    data = metadata.write(picture(), recipe(prompt="a cat"), {}, "")
    pixels = data.index(b"IDAT")
    assert metadata.read_told(data[:pixels] + b"IDAT" + b"no pixels").options["prompt"] == "a cat"


def test_equal_pixels_are_equal_whatever_the_file():
    with_text = Image.open(io.BytesIO(metadata.write(picture(), recipe(), {}, "")))
    plain = Image.open(io.BytesIO(file(picture(), "WEBP", lossless=True)))
    assert metadata.pixel_hash(with_text) == metadata.pixel_hash(plain)
    assert metadata.pixel_hash(plain) != metadata.pixel_hash(picture(colour=(200, 30, 61)))


def refused(data: bytes) -> Reason:
    with pytest.raises(ImageRefused) as refusal:
        metadata.open_image(data, LIMIT)
    return refusal.value.reason


def test_what_is_no_picture_is_refused():
    for data in (b"", b"hello", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>"):
        assert refused(data) is Reason.NOT_AN_IMAGE


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_picture_that_breaks_off_is_refused(kind):
    noisy = Image.effect_noise((64, 64), 90).convert("RGB")
    data = file(noisy, kind)
    assert refused(data[: len(data) // 2]) in (Reason.BROKEN, Reason.NOT_AN_IMAGE)
    assert metadata.open_image(data, LIMIT).size == (64, 64)


def test_a_picture_that_unpacks_to_gigabytes_is_refused_unread():
    """A PNG whose header promises 60,000 × 60,000 pixels, in a hundred bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    assert refused(bomb + chunk(b"IEND", b"")) is Reason.TOO_LARGE
    assert refused(file(picture((1001, 1000)), "PNG")) is Reason.TOO_LARGE


def test_a_text_that_unpacks_to_gigabytes_is_refused():
    packed = b"parameters\0\0" + zlib.compress(b"a" * 200_000_000)
    body = struct.pack(">I", len(packed)) + b"zTXt" + packed
    body += struct.pack(">I", zlib.crc32(b"zTXt" + packed))
    plain = file(picture(), "PNG")
    bomb = plain[:33] + body + plain[33:]
    assert refused(bomb) is Reason.BROKEN
    assert metadata.read_told(bomb) is None


def test_a_photograph_is_turned_as_the_camera_was_held():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    opened = metadata.open_image(file(picture((16, 8)), "JPEG", exif=exif), LIMIT)
    assert opened.size == (8, 16)


async def test_a_cleaned_picture_tells_nothing_of_whoever_took_it():
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ana"
    clean = await metadata.checked_png(file(picture(), "JPEG", exif=exif), LIMIT)
    opened = Image.open(io.BytesIO(clean))
    assert (opened.format, opened.mode, opened.size) == ("PNG", "RGB", (16, 8))
    assert not opened.getexif()
    assert b"Ana" not in clean
