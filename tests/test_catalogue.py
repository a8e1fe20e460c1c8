"""The models that can be asked for, and the sizes that they draw."""

from __future__ import annotations

import errno
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import time_machine

from generator.catalogue import AGAIN_SECONDS, BUNDLED, Catalogue
from generator.entries import Model
from generator.hashes import Hashes


def model_folder(folder: Path, *, width: int = 768, sample_size: int = 64) -> Path:
    """A model of Stable Diffusion's shape, with weights that are none."""
    for part, config in (
        ("unet", {"cross_attention_dim": width, "sample_size": sample_size}),
        ("vae", {"block_out_channels": [128, 256, 512, 512]}),
    ):
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text(json.dumps(config))
        (folder / part / "diffusion_pytorch_model.safetensors").write_bytes(part.encode())
    (folder / "model_index.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def shipped(tmp_path_factory) -> Model:
    return Catalogue((), tmp_path_factory.mktemp("cache")).default()


def test_the_model_that_ships_is_there_and_speaks_both_languages(shipped):
    assert (shipped.name, shipped.native) == ("semilla", (128, 128))
    assert set(shipped.description) == {"en", "es"}
    assert len(shipped.examples("es")) == 3
    assert shipped.examples("es") != shipped.examples("en")


@pytest.mark.parametrize(
    ("width", "sample_size", "family", "native"),
    [(768, 64, "sd1", 512), (1024, 96, "sd2", 768), (2048, 128, "sdxl", 1024)],
)
def test_families_are_known_by_what_they_attend_to(tmp_path, width, sample_size, family, native):
    model_folder(tmp_path / "models" / "mine", width=width, sample_size=sample_size)
    model = Catalogue([tmp_path / "models"], tmp_path).find("mine")
    assert (model.family, model.native) == (family, (native, native))


def test_a_model_is_found_in_any_case_and_by_a_beginning_that_only_it_has(tmp_path):
    for name in ("Dream", "dreamer", "Anything"):
        model_folder(tmp_path / "models" / name)
    catalogue = Catalogue([tmp_path / "models"], tmp_path)
    assert catalogue.find("DREAM").name == "Dream"
    assert catalogue.find(" any ").name == "Anything"
    assert catalogue.find("drea") is None
    assert catalogue.find("") is None
    assert catalogue.find("nothing") is None


def test_a_folder_may_be_a_model_itself(tmp_path):
    folder = model_folder(tmp_path / "mine")
    assert Catalogue([folder], tmp_path).find("mine").path == folder


def test_a_folder_that_is_missing_or_no_model_costs_nobody_the_others(tmp_path):
    model_folder(tmp_path / "models" / "good")
    shutil.rmtree(model_folder(tmp_path / "models" / "transformer") / "unet")
    (model_folder(tmp_path / "models" / "torn") / "vae" / "config.json").write_text("{")
    catalogue = Catalogue([tmp_path / "models", tmp_path / "nowhere"], tmp_path)
    assert [each.name for each in catalogue.models()] == ["semilla", "good"]


def test_a_model_that_could_not_be_read_for_a_while_is_there_again(tmp_path, monkeypatch):
    model_folder(tmp_path / "models" / "mine")
    catalogue = Catalogue([tmp_path / "models"], tmp_path / "cache")
    reading = Path.open

    def fails(path, *how, **more):
        if "mine" in path.parts:
            raise OSError(errno.EIO, "the share is gone")
        return reading(path, *how, **more)

    with monkeypatch.context() as system:
        system.setattr(Path, "open", fails)
        assert [each.name for each in catalogue.refused()] == ["mine"]
    with time_machine.travel(time.time() + AGAIN_SECONDS):
        assert catalogue.refresh()
        assert catalogue.find("mine")
        assert catalogue.refused() == []


def test_a_model_that_is_being_copied_is_there_as_soon_as_it_is_whole(tmp_path):
    config = model_folder(tmp_path / "models" / "mine") / "vae" / "config.json"
    config.rename(tmp_path / "config.json")
    catalogue = Catalogue([tmp_path / "models"], tmp_path / "cache")
    assert catalogue.find("mine") is None
    (tmp_path / "config.json").rename(config)
    assert catalogue.refresh()
    assert catalogue.find("mine")


def test_many_may_hash_at_once(tmp_path):
    files = [tmp_path / str(number) for number in range(100)]
    for file in files:
        file.write_bytes(file.name.encode())
    with ThreadPoolExecutor(8) as threads:
        hashes = [threads.submit(Hashes(tmp_path / "cache" / "hashes.json").of, f) for f in files]
        assert len({each.result() for each in hashes}) == len(files)
    assert [each.name for each in (tmp_path / "cache").iterdir()] == ["hashes.json"]


def test_the_hash_is_of_the_weights_and_of_nothing_else(tmp_path):
    model_folder(tmp_path / "a" / "one")
    shutil.copytree(tmp_path / "a" / "one", tmp_path / "b" / "other")
    (tmp_path / "b" / "other" / "README.md").write_text("words")
    one, other = (Catalogue([tmp_path / each], tmp_path).models()[1].hash for each in ("a", "b"))
    assert one == other
    weights = tmp_path / "b" / "other" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(b"others")
    assert Catalogue([tmp_path / "b"], tmp_path).models()[1].hash != one


def test_weights_are_read_once_and_a_torn_memory_of_it_does_no_harm(tmp_path):
    cache = tmp_path / "cache"
    first = Catalogue((), cache).default().hash
    remembered = (cache / "hashes.json").stat().st_mtime_ns
    assert Catalogue((), cache).default().hash == first
    assert (cache / "hashes.json").stat().st_mtime_ns == remembered
    (cache / "hashes.json").write_text('{"/some')
    assert Catalogue((), cache).default().hash == first


def large(folder: Path, gigabytes: float) -> Path:
    """A model's folder with so much of nothing in it."""
    with (model_folder(folder) / "unet" / "more.safetensors").open("wb") as file:
        file.truncate(int(gigabytes * 2**30))
    return folder


def test_large_models_that_are_new_are_read_one_after_the_other_and_small_ones_at_once(tmp_path):
    for name in ("one", "two"):
        large(tmp_path / "models" / name, 0.1)
    model_folder(tmp_path / "models" / "small")
    catalogue = Catalogue([tmp_path / "models"], tmp_path / "cache")
    seen = []
    for number in (0, 1, 1):
        catalogue.refresh(large=number)
        seen.append([each.name for each in catalogue.models()])
    whole = ["semilla", "one", "small", "two"]
    assert seen == [["semilla", "small"], whole[:3], whole]
    later = Catalogue([tmp_path / "models"], tmp_path / "cache")
    later.refresh(large=0)
    assert [each.name for each in later.models()] == whole


def test_until_a_large_model_has_been_read_no_other_one_is_taken_for_it(tmp_path):
    large(tmp_path / "models" / "dream", 0.1)
    (tmp_path / "models" / "dream.toml").write_text('name = "Sueño"')
    for name in ("sueño-turbo", "other"):
        model_folder(tmp_path / "models" / name)
    catalogue = Catalogue([tmp_path / "models"], tmp_path / "cache")
    catalogue.refresh(large=0)
    assert catalogue.being_read("sueño")
    assert catalogue.find("SUEÑO") is None
    assert catalogue.find("sueño-t").name == "sueño-turbo"
    assert not any(map(catalogue.being_read, ("", "other", "nobody")))
    catalogue.refresh(large=1)
    assert catalogue.find("sueño").name == "Sueño"
    assert not catalogue.being_read("sueño")


def test_a_model_with_a_bad_sector_is_read_less_and_less_often_and_alone(tmp_path, monkeypatch):
    for name in ("one", "two"):
        large(tmp_path / "models" / name, 0.1)
    catalogue = Catalogue([tmp_path / "models"], tmp_path / "cache")
    catalogue.refresh(large=0)
    tried = []

    def bad(_hashes: Hashes, path: Path) -> str:
        tried.append(path.name)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Hashes, "_of_folder", bad)
    for minute in range(0, 60 * 10):
        with time_machine.travel(1_900_000_000 + minute * 60, tick=False):
            before = len(tried)
            catalogue.refresh(large=1)
            assert len(tried) <= before + 1
    assert all(5 < tried.count(name) < 12 for name in ("one", "two"))


@pytest.mark.parametrize("text", ["square", "Cuadrado", "1:1", "128x128", "128 × 128"])
def test_a_square_is_the_native_size(shipped, text):
    assert shipped.size(text) == (128, 128, False)


@pytest.mark.parametrize(
    ("words", "wider"),
    [
        (("landscape", "horizontal", "4:3"), True),
        (("wide", "ancho", "16:9"), True),
        (("portrait", "vertical", "3:4"), False),
        (("tall", "alto", "9:16"), False),
    ],
)
def test_shapes_have_words_in_both_languages_and_about_as_many_pixels(shipped, words, wider):
    (size,) = {shipped.size(each) for each in words}
    width, height, rounded = size
    assert (width > height) == wider
    assert not rounded
    assert width * height == pytest.approx(128 * 128, rel=0.2)


def test_sizes_are_rounded_to_what_the_model_draws_and_it_is_told(shipped):
    for text in ("100x100", "130x70", "300x300", "65x250"):
        width, height, rounded = shipped.size(text)
        assert rounded
        assert all(side % 8 == 0 and 64 <= side <= 256 for side in (width, height))
    assert shipped.size("192x128") == (192, 128, False)


@pytest.mark.parametrize(
    "text", ["", "big", "0x0", "1x1", "128", "128x", "-8x128", "99999x99999", "1:0", "1:100"]
)
def test_what_is_no_size_is_refused(shipped, text):
    with pytest.raises(ValueError, match=r".*"):
        shipped.size(text)


def test_the_shipped_folder_holds_all_that_a_clone_needs():
    parts = {path.parent.name for path in BUNDLED.rglob("*.safetensors")}
    assert parts == {"unet", "vae", "text_encoder"}
