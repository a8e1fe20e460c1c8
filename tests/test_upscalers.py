"""Pictures enlarged by the networks that people keep beside their models: RRDBNet, ESRGAN's."""

from __future__ import annotations

import io
import pickle
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import torch
from PIL import Image
from safetensors.torch import save_file

from bot.conversation import Tone
from generator import metadata
from generator.catalogue import Catalogue
from generator.headers import Kind, Reason
from generator.messages import Called, Drawn, Failed, Failure, Submit
from generator.request import ExtraFile
from tests import micro_models as micro
from tests.chat import Chat, open_chat
from tests.micro_models import Studio, studio


class Evil:
    """A pickle that does something on being opened."""

    def __reduce__(self):
        return Path.touch, (Path("/tmp/semilla-was-here"),)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    """Upscalers where AUTOMATIC1111, Forge and ComfyUI keep them."""
    root = tmp_path_factory.mktemp("webui")
    models = root / "models"
    for folder in ("ESRGAN", "RealESRGAN", "upscale_models"):
        (models / folder).mkdir(parents=True)
    torch.save(micro.upscaler(old=True), models / "ESRGAN" / "old.pth")
    torch.save(
        micro.upscaler(old=True),
        models / "ESRGAN" / "older.pth",
        _use_new_zipfile_serialization=False,
    )
    torch.save({"params_ema": micro.upscaler(), "iter": 3}, models / "RealESRGAN" / "new.pth")
    torch.save({"params": micro.upscaler(2)}, models / "RealESRGAN" / "twice.pth")
    save_file(micro.upscaler(plain=True), models / "upscale_models" / "plain.safetensors")
    save_file(micro.upscaler(1), models / "upscale_models" / "same.safetensors")
    torch.save({**micro.upscaler(), "evil": Evil()}, models / "ESRGAN" / "evil.pth")
    torch.save({"body.0.weight": torch.zeros(8, 3, 3, 3)}, models / "RealESRGAN" / "general.pth")
    (models / "ESRGAN" / "torn.pth").write_bytes((models / "ESRGAN" / "old.pth").read_bytes()[:900])
    return root


@pytest.fixture(scope="module")
def room(shelf, tmp_path_factory) -> Studio:
    return studio(tmp_path_factory.mktemp("cache"), shelf)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(shelf, tmp_path_factory) -> AsyncIterator[Chat]:
    more = {"SEMILLA_GENERATOR__MODELS_FOLDERS": str(shelf)}
    more |= {"SEMILLA_LIMITS__PICTURE_PIXELS": str(300 * 300)}
    async with open_chat(tmp_path_factory.mktemp("data"), **more) as opened:
        yield opened


def picture(width: int, height: int) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 255, (height // 8, width // 8, 3), "uint8")
    file = io.BytesIO()
    Image.fromarray(pixels).resize((width, height), Image.BICUBIC).save(file, "PNG")
    return file.getvalue()


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int)


def enlarge(room: Studio, name: str, data: bytes, scale: int, **more: object) -> Drawn | Failed:
    height, width = opened(data).shape[:2]
    recipe = room.recipe(
        "semilla",
        width=width * scale,
        height=height * scale,
        initial_image="0" * 64,
        upscaler=name,
        **more,
    )
    return room.told(recipe, initial_image=data)[0]


def test_they_are_found_by_what_they_hold_and_the_others_told_why_not(shelf, tmp_path):
    found = Catalogue([shelf], tmp_path)
    scales = {each.name: each.scale for each in found.extras(Kind.UPSCALER)}
    assert scales == {"old": 4, "older": 4, "new": 4, "twice": 2, "plain": 4, "same": 1}
    assert {each.name: each.reason for each in found.refused()} == {
        "evil": Reason.PICKLE,
        "general": Reason.OTHER_UPSCALER,
        "torn": Reason.UNREADABLE,
    }
    assert not Path("/tmp/semilla-was-here").exists()


@pytest.mark.parametrize(
    ("name", "scale"), [("old", 4), ("new", 4), ("twice", 2), ("same", 1), ("plain", 4)]
)
def test_a_picture_becomes_as_many_times_as_large_as_the_weights_tell(room, name, scale):
    drawn = enlarge(room, name, picture(40, 24), scale)
    assert opened(drawn.png).shape == (24 * scale, 40 * scale, 3)


def test_both_ways_of_naming_weights_are_the_same_network(room):
    data = picture(40, 24)
    hashes = {enlarge(room, name, data, 4).pixel_hash for name in ("old", "older", "new")}
    assert len(hashes) == 1


def test_a_network_that_adds_nothing_repeats_pixels_also_across_tiles(room):
    """One row of pixels more than a tile has, and sides that are no multiples of anything."""
    data = picture(200, 24)
    drawn = opened(enlarge(room, "plain", data, 4).png)
    assert (drawn == opened(data).repeat(4, 0).repeat(4, 1)).all()


def test_where_tiles_meet_nothing_is_seen(room):
    """What a pixel becomes hardly depends on where it lies in a tile."""
    data = picture(208, 24)
    cut = io.BytesIO()
    Image.open(io.BytesIO(data)).crop((60, 0, 148, 24)).save(cut, "PNG")
    whole = opened(enlarge(room, "new", data, 4).png)  # tiles meet at 104
    middle = opened(enlarge(room, "new", cut.getvalue(), 4).png)
    assert np.abs(whole[:, 320:512] - middle[:, 80:272]).max() <= 1


def test_a_size_that_is_not_the_networks_own_is_reached_from_it(room):
    assert opened(enlarge(room, "new", picture(40, 24), 2).png).shape == (48, 80, 3)


def test_a_picture_that_is_enlarged_gives_way_and_shares_no_call(room):
    large = room.recipe("semilla", width=1600, height=96, initial_image="0" * 64, upscaler="new")
    small = room.recipe("semilla", width=64, height=64, steps=4)
    alone = room.told(small)[0]
    events = room.run(Submit(1, large, picture(400, 24)), Submit(2, small))
    told = [each.call for each in events if isinstance(each, Called) and each.job == 1]
    assert told == [1, 2, 3]  # a block in each of three tiles
    drawn = {each.job: each for each in events if isinstance(each, Drawn)}
    assert drawn[2].pixel_hash == alone.pixel_hash
    assert drawn[1].pixel_hash == room.told(large, initial_image=picture(400, 24))[0].pixel_hash
    assert list(drawn) == [2, 1]  # the short one first


def test_one_that_is_gone_or_another_file_by_now_is_told(room):
    gone = enlarge(room, "nobody", picture(16, 16), 4)
    assert isinstance(gone, Failed)
    assert gone.failure is Failure.MODEL_MISSING
    other = (ExtraFile("upscaler", "new", "0" * 64),)
    changed = enlarge(room, "new", picture(16, 16), 4, extras=other)
    assert [each.kind.value for each in changed.notes] == ["extra-changed"]


def test_one_that_nobody_enlarges_with_is_forgotten_as_models_are(room, shelf):
    file = shelf / "models" / "RealESRGAN" / "new.pth"
    network = weakref.ref(room.models.upscaler(file).network)
    enlarge(room, "new", picture(16, 16), 4)
    assert network() is room.models.upscaler(file).network
    assert file.stem not in " ".join(room.models.kept)
    room.models.free_idle(seconds=0)
    assert network() is None


def test_one_that_comes_while_a_model_is_given_room_is_counted_without_trouble(shelf, tmp_path):
    """Models are loaded in a thread of their own."""
    models = studio(tmp_path, shelf).models
    kept = models.upscaler(shelf / "models" / "RealESRGAN" / "new.pth")

    class Bytes(int):
        def __radd__(self, counted: int) -> int:  # the other thread's turn
            models.upscaler(shelf / "models" / "ESRGAN" / "old.pth")
            return counted + int(self)

    models._taken[kept.network] = Bytes(1)
    assert models._fits(0)


def test_the_pickle_that_could_run_code_is_not_opened_by_the_engine_either(room, shelf, tmp_path):
    with (
        (shelf / "models" / "ESRGAN" / "evil.pth").open("rb") as file,
        pytest.raises(pickle.UnpicklingError),
    ):
        torch.load(file, weights_only=True)
    assert enlarge(room, "evil", picture(16, 16), 4).failure is Failure.MODEL_MISSING


@pytest.mark.asyncio(loop_scope="module")
async def test_a_member_enlarges_with_one_and_makes_it_again(chat):
    first = await chat.ask("a heart seed:5 steps:2 size:64x64")
    code = first.pictures[0].code
    large = await chat.ask(f"/upscale {code} upscaler:NEW")
    assert (large.pictures[0].width, large.pictures[0].height) == (256, 256)
    file = chat.semilla.database.storage.path(large.pictures[0].file).read_bytes()
    recipe = metadata.read(file)
    assert recipe.upscaler == "new"
    assert [(each.kind, each.name, len(each.hash)) for each in recipe.extras] == [
        ("upscaler", "new", 64)
    ]
    assert "Postprocess upscaler: new" in metadata.infotext(recipe)
    again = await chat.ask(f"/reroll {large.pictures[0].code}")
    other = chat.semilla.database.storage.path(again.pictures[0].file).read_bytes()
    assert (opened(other) == opened(file)).all()
    told = (await chat.type(f"/recipe {large.pictures[0].code}")).text
    assert "**new** upscaler" in told
    redrawn = await chat.ask(f"/upscale {code}")
    assert "upscaler" not in (await chat.type(f"/recipe {redrawn.pictures[0].code}")).text


@pytest.mark.asyncio(loop_scope="module")
async def test_one_that_cannot_be_used_is_refused_with_the_reason(chat):
    first = await chat.ask("a heart seed:5 steps:1 size:64x64")
    code = first.pictures[0].code
    for name, language, why in (
        ("evil", "en", "it is a pickle, which could run code"),
        ("general", "es", "amplía de otra forma que ESRGAN"),
        ("nothing", "en", "There are: lanczos, old, "),
    ):
        reply = await chat.type(f"/upscale {code} upscaler:{name}", language=language)
        assert reply.tone is Tone.REFUSED
        assert why in reply.text
    models = (await chat.type("/models")).text
    assert "new (×4)" in models
    assert "general: it enlarges in another way" in models


@pytest.mark.asyncio(loop_scope="module")
async def test_where_it_would_be_too_large_it_is_twice_as_large_and_told(chat):
    first = await chat.ask("a heart seed:5 steps:1")
    large = await chat.ask(f"/upscale {first.pictures[0].code} upscaler:new")
    assert (large.pictures[0].width, large.pictures[0].height) == (256, 256)
    told = (await chat.type(f"/recipe {large.pictures[0].code}")).text
    assert "new makes 512x512 of it, more than is allowed here: it became 256x256" in told
