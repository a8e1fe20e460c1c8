"""The training of the model that ships, in miniature: three things, a few steps, real art files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

from generator.catalogue import BUNDLED
from generator.training import concepts, data, unet
from generator.training.__main__ import parse
from generator.training.captions import Captions
from generator.training.scenes import Composer, Scene, Thing
from generator.training.stages import run
from generator.training.words import an, english_plural, spanish_colour, spanish_plural
from generator.vocabulary import Vocabulary

STEPS = 13
CONCEPTS = "ball|ball|pelota f\nbox|box|caja f,cajón m\nkite|kite,big kite|cometa f\n"
SHAPES = {
    "1F534": ("ball", '<circle cx="16" cy="16" r="14" fill="{}"/>'),
    "1F4E6": ("box", '<rect x="4" y="4" width="24" height="24" fill="{}"/>'),
    "1FA81": ("kite", '<path d="M16 2 L30 16 L16 30 L2 16 Z" fill="{}"/>'),
}
FILLS = {"noto": "#d22", "twemoji": "#2a4", "fluent": "#24d"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that npm would have filled, in the packages' own format, with three emoji."""
    folder = tmp_path_factory.mktemp("packages")
    modules = folder / "node_modules"
    for style, package in data.STYLES.items():
        icons = {name: {"body": body.format(FILLS[style])} for name, body in SHAPES.values()}
        write(
            modules / "@iconify-json" / package / "icons.json",
            {"icons": icons, "width": 32} | {"height": 32},
        )
        chars = {code.lower(): name for code, (name, _) in SHAPES.items()}
        write(modules / "@iconify-json" / package / "chars.json", chars)
    emoji = [
        {"hexcode": code, "label": name, "group": 6, "order": order}
        for order, (code, (name, _)) in enumerate(SHAPES.items())
    ]
    write(modules / "emojibase-data" / "en" / "data.json", emoji)
    for name in data.VERSIONS:
        write(modules / name / "package.json", {"name": name})
    return folder


def write(path: Path, fields: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields), encoding="utf-8")


@pytest.fixture(scope="module")
def composer(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Composer:
    folder = tmp_path_factory.mktemp("art")
    listed = folder / "concepts.txt"
    listed.write_text(CONCEPTS, encoding="utf-8")
    taught = concepts.read(listed)
    return Composer(taught, data.load(folder, packages, concepts.labels(taught)))


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def options(work: Path, packages: Path) -> list[str]:
    listed = work.parent / "concepts.txt"
    listed.write_text(CONCEPTS, encoding="utf-8")
    given = {"work": work, "packages": packages, "concepts": listed, "device": "cpu"}
    given |= {"scenes": 40, "autoencoder-steps": 2, "text-steps": 2, "unet-steps": STEPS}
    given |= {"batch": 2, "processes": 1}
    values = [f"--{name}={value}" for name, value in given.items()]
    return ["--from-scratch", "--no-evaluation", *values]


def training(work: Path, packages: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "generator.training", *options(work, packages)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_a_training_that_was_stopped_goes_on_to_the_same_model(
    packages: Path, tmp_path: Path, one_thread: None, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    first = training(work, packages)
    assert first.stdout
    said = ""
    for line in first.stdout:
        said += line
        if line.startswith("unet: step 10"):
            first.send_signal(signal.SIGINT)
    assert first.wait() == 130, said
    assert f"of {STEPS}. The same command goes on" in said

    run(parse(options(work, packages)))
    assert "unet: goes on after step 1" in capsys.readouterr().out
    reached = torch.load(work / "unet.pt", weights_only=True)
    assert reached["step"] == STEPS

    again = tmp_path / "again"
    again.mkdir()
    for part in ("latents.npy", "captions.npy"):
        shutil.copy(work / part, again)
    shutil.copytree(work / "text_encoder", again / "text_encoder")
    unstopped = unet.train(unet.Plan(again, None, STEPS, 2, 1, "cpu", compiled=False))
    weights = load_file(work / "model" / "unet" / "diffusion_pytorch_model.safetensors")
    for name, parameter in unstopped.named_parameters():
        assert torch.equal(parameter.half(), weights[name]), name
    model_loads_and_draws(work / "model")


def model_loads_and_draws(folder: Path) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
    picture = pipeline("two boxes", num_inference_steps=2).images[0]
    assert picture.size == (128, 128)
    words = Vocabulary.load(folder / "vocabulary.json")
    assert words.things == 3
    assert words.unknown("dos cajones rojos y una cometa, on a blue background") == ()
    assert words.unknown("a purple dragon") == ("dragon",)


def test_a_work_folder_of_another_training_is_refused(packages: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    write(work / "settings.json", {"concepts": "others", "scenes": 1, "start": "None"})
    with pytest.raises(SystemExit, match="holds another training"):
        run(parse(options(work, packages)))
    assert not (work / "model").exists()


def test_an_emoji_that_does_not_exist_is_named(packages: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="unicorn"):
        data.load(tmp_path, packages, {"ball", "unicorn"})


def test_scenes_are_the_same_for_the_same_seed_and_show_every_drawing(composer: Composer) -> None:
    scenes = composer.scenes(60, seed=3)
    assert scenes == composer.scenes(60, seed=3) != composer.scenes(60, seed=4)
    on_white = {s.things[0].picture for s in scenes if s.background == "white"}
    assert on_white == set(range(9))


def test_a_blue_ball_on_the_left_of_a_yellow_background_is_drawn_there(composer: Composer) -> None:
    scene = Scene("noto", "yellow", (Thing(0, 0, "blue"),), place="left")
    pixels = composer.draw(scene)
    red, _, blue = pixels[64, 32].astype(int)
    assert blue > red + 60
    assert tuple(pixels[64, 100]) == (250, 225, 110)


def test_captions_say_what_the_scene_shows_in_both_languages(composer: Composer) -> None:
    captions, random = Captions(composer), Random(1)
    scene = Scene("noto", "blue", (Thing(1, 3, "red"),), count=2)
    for language, words in (
        ("en", ("box", "red", "blue background")),
        ("es", ("caj", "roj", "azul")),
    ):
        for _ in range(20):
            text = captions.write(scene, random, (language,))
            assert all(word in text for word in words), text


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("cat", "cats"),
        ("fox", "foxes"),
        ("butterfly", "butterflies"),
        ("tomato", "tomatoes"),
        ("snowman", "snowmen"),
        ("drop of water", "drops of water"),
        ("scissors", "scissors"),
        ("hourglass", "hourglasses"),
    ],
)
def test_english_plurals(noun: str, plural: str) -> None:
    assert english_plural(noun) == plural


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("gato", "gatos"),
        ("león", "leones"),
        ("pez tropical", "peces tropicales"),
        ("autobús", "autobuses"),
        ("paraguas", "paraguas"),
        ("reloj de arena", "relojes de arena"),
        ("robot", "robots"),
        ("papá noel", "papás noel"),
    ],
)
def test_spanish_plurals(noun: str, plural: str) -> None:
    assert spanish_plural(noun) == plural


def test_colours_agree_and_articles_fit() -> None:
    assert spanish_colour("red", feminine=True, plural=True) == "rojas"
    assert spanish_colour("blue", feminine=True, plural=True) == "azules"
    assert spanish_colour("brown", feminine=False, plural=True) == "marrones"
    assert [an("hourglass"), an("unicorn"), an("orange cat")] == [
        "an hourglass",
        "a unicorn",
        "an orange cat",
    ]


def test_the_shipped_model_knows_the_words_of_every_thing_that_is_taught() -> None:
    words = Vocabulary.load(BUNDLED / "vocabulary.json")
    taught = concepts.read()
    nouns = [*taught, *concepts.kinds(taught)]
    assert words.things == len(nouns)
    forms = [form for noun in nouns for each in noun.forms().values() for form in each]
    assert [form for form in forms if words.unknown(form)] == []
