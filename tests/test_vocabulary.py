from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import generator
from generator.vocabulary import Vocabulary

THINGS = {
    "food": ["apple|manzana", "orange|naranja", "cherry|cereza"],
    "animals": ["cat|gato", "polar bear|oso polar", "fish|pez", "cow|vaca", "monkey|mono"],
    "places": ["tent|tienda de campaña", "castle|castillo", "island|isla"],
    "objects": ["fire truck|camión de bomberos", "truck|camión", "snowman|muñeco de nieve"],
    "objects too": [
        "leaf|hoja",
        "glasses|gafas",
        "bus|autobús",
        "t-shirt|camiseta",
        "hat|sombrero",
    ],
}
COLOURS = {"red": "rojo", "blue": "azul", "orange": "naranja", "pink": "rosa"}
VOCABULARY = {
    "things": [
        {"name": name.split("|")[0], "en": [name.split("|")[0]], "es": [name.split("|")[1]]}
        | {"group": group}
        for group, names in THINGS.items()
        for name in names
    ],
    "other": {
        "colours": {en: {"en": [en], "es": [es]} for en, es in COLOURS.items()},
        "sizes": {"small": {"en": ["small", "tiny"], "es": ["pequeño"]}},
        "places": {"next to": {"en": ["next to"], "es": ["al lado de"]}},
        "background": {"background": {"en": ["background"], "es": ["fondo"]}},
    },
    "ignored": [
        "a",
        "an",
        "the",
        "and",
        "of",
        "on",
        "with",
        "cute",
        "4k",
        "un",
        "una",
        "el",
        "la",
        "de",
        "con",
        "en",
        "y",
        "sobre",
    ],
    "examples": {
        "en": ["a red cat", "an apple on a blue background", "a castle"],
        "es": ["un gato rojo", "una manzana sobre fondo azul", "un castillo"],
    },
}

NUMBERS = count()


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory) -> Vocabulary:
    path = tmp_path_factory.mktemp("model") / "vocabulary.json"
    path.write_text(json.dumps(VOCABULARY), encoding="utf-8")
    return Vocabulary.load(path)


@pytest.mark.parametrize(
    "prompt",
    [
        "a red cat, blue background",
        "UN GATO ROJO",
        "un camion y un camión de bomberos",
        "tienda de campana",
        "muneco de nieve",
        "manzanas rojas y pequeñas",
        "osos polares, polar bears",
        "peces, leaves, cherries, glasses, autobuses, camiones",
        "the cat's hat",
        "2 cats",
        "T-SHIRT",
        "cat_hat",
        "gato\u0301 y tienda de campan\u0303a",
        "(cat:1.2), ((hat)), [apple|castle], [cat:fish:0.5] <lora:detail:0.8> BREAK tent AND bus:1.3",
        r"cat \(tiny\)",
        "",
    ],
)
def test_these_words_are_known(vocabulary, prompt):
    assert vocabulary.unknown(prompt) == ()


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a cyberpunk cat in Tokyo", ("cyberpunk", "in", "Tokyo")),
        ("Dragón, cat, dragon, DRAGÓN", ("Dragón",)),
        ("a cyber-punk cat_girl", ("cyber-punk", "girl")),
        ("(steampunk:1.3) cat <lora:steam:1>", ("steampunk",)),
        ("un moño", ("moño",)),  # a bow; without its tilde it would be a monkey
        ("polar cat", ("polar",)),
        ("猫 cat 🚀", ("猫",)),
        ("plan, care, cater", ("plan", "care", "cater")),
    ],
)
def test_unknown_words_are_named_as_typed_in_order_once_each(vocabulary, prompt, words):
    assert vocabulary.unknown(prompt) == words


@pytest.mark.parametrize(
    ("prompt", "rest"),
    [
        ("a red cat", "a red cat"),
        ("un gato cyberpunk", "un gato"),
        ("a blue cyberpunk cat", "a blue cat"),
        ("un cyberpunk, azul, gato", "azul, gato"),
        ("un gato rojo con sombrero steampunk y una manzana", "un gato rojo con sombrero, manzana"),
        ("a cyberpunk cat on the moon", "cat"),
        ("(cat:1.2) , [dragon|fish]", "cat, fish"),
        ("red dragon", "red"),
        ("a dragon and the moon", ""),
        ("", ""),
    ],
)
def test_the_rest_is_what_is_drawn(vocabulary, prompt, rest):
    assert vocabulary.known(prompt) == rest


@pytest.mark.parametrize(
    ("prompt", "mended"),
    [
        ("gatto", "gato"),
        ("kat", "cat"),
        ("una baca rosa en tokio", "una vaca rosa"),
        ("a tiny castel", "a tiny castle"),
    ],
)
def test_a_misspelt_word_is_put_right_first(vocabulary, prompt, mended):
    assert vocabulary.suggestions(prompt, "es")[0] == mended


def test_suggestions_keep_the_thing_and_its_colour_in_the_members_language(vocabulary):
    for prompt in ("a red apple from outer space", "una manzana roja del espacio exterior"):
        assert all("manzana roja" in text for text in vocabulary.suggestions(prompt, "es"))
        assert all("red apple" in text for text in vocabulary.suggestions(prompt, "en"))


def test_orange_is_a_fruit_when_alone_and_a_colour_beside_a_cat(vocabulary):
    assert all("orange cat" in text for text in vocabulary.suggestions("orange cat in tokyo", "en"))
    assert vocabulary.suggestions("orange in tokyo", "en")[0].startswith("orange")


def test_where_nothing_is_known_the_examples_are_suggested(vocabulary):
    suggestions = vocabulary.suggestions("xyzzy qwerty", "es")
    assert set(suggestions) == set(vocabulary.examples("es"))


WORDS = st.sampled_from(
    [
        "gato",
        "rojo",
        "cat",
        "blue",
        "un",
        "and",
        "dragon",
        "cyberpunk",
        "gatto",
        "ñ",
        ",",
        "(",
        ":1.2)",
        "<lora:x:1>",
    ]
)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)  # lone surrogates too


@given(st.lists(WORDS | ANY_TEXT, max_size=12).map(" ".join), st.sampled_from(["en", "es"]))
def test_suggestions_are_short_known_different_and_always_the_same(vocabulary, prompt, language):
    suggestions = vocabulary.suggestions(prompt, language)
    assert len(suggestions) == len(set(suggestions)) == 3
    assert vocabulary.known(prompt) not in suggestions
    assert all(vocabulary.unknown(text) == () for text in suggestions)
    assert all(len(text.encode()) <= 48 for text in suggestions)
    assert vocabulary.suggestions(prompt, language) == suggestions


@given(ANY_TEXT)
def test_any_text_is_read_and_its_rest_is_known(vocabulary, prompt):
    assert all(word in prompt or not prompt.isascii() for word in vocabulary.unknown(prompt))
    assert vocabulary.unknown(vocabulary.known(prompt)) == ()


def test_things_are_counted_listed_and_named_in_a_sentence(vocabulary):
    assert vocabulary.things == len(vocabulary.list("es")) == 19
    assert vocabulary.list("en")[:2] == ("apple", "orange")
    assert vocabulary.sample("en", 3) == "apple, cow and truck"
    assert vocabulary.sample("es", 3) == "manzana, vaca y camión"
    assert vocabulary.sample("es", 1) == "manzana"


BUNDLED = Path(generator.__file__).parent / "bundled" / "vocabulary.json"


@pytest.mark.skipif(not BUNDLED.exists(), reason="the bundled model has no list of words yet")
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_bundled_model_knows_its_own_words_and_what_is_suggested(language):
    bundled = Vocabulary.load(BUNDLED)
    assert bundled.things > 100
    assert bundled.unknown(" ".join([*bundled.list(language), *bundled.examples(language)])) == ()
    assert len(bundled.examples(language)) >= 3
    word = bundled.list(language)[0]
    suggestions = bundled.suggestions(f"{word} xyzzy", language)
    assert len(suggestions) == 3
    assert all(word in text for text in suggestions)


@pytest.mark.parametrize(
    "repeated",
    [
        "gato xyz ",
        "cat        ",
        "<",
        "<a:",
        "a",
        ":",
        "(",
        "[a|",
        "tienda de ",
        "x-",
        "un ",
        "ñ",
        "a'",
    ],
)
def test_reading_takes_time_in_proportion_to_the_length(vocabulary, repeated):
    def seconds(characters: int) -> float:
        # Another one each time: what has been read once is remembered.
        prompt = f"cat {next(NUMBERS)} " + (repeated * characters)[:characters]
        start = thread_time()
        vocabulary.unknown(prompt)
        vocabulary.suggestions(prompt, "en")
        return thread_time() - start

    short = min(seconds(1_250) for _ in range(5))
    long = min(seconds(10_000) for _ in range(5))
    assert long < max(24 * short, 0.005)  # in proportion: 8 times; in its square: 64 times
