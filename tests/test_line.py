"""The typed grammar: what people type in chats, in the page's box and on buttons."""

import pytest

from bot.commands.declaration import COMMANDS
from bot.commands.line import parse, typed
from bot.conversation import Refusal


def test_free_text_is_the_prompt_of_imagine():
    assert parse("un gato rojo") == ("imagine", {"prompt": "un gato rojo"})


def test_the_words_of_both_languages_set_options():
    spanish = parse("un gato rojo negativo:borroso semilla:7 pasos:12 guía:4")
    english = parse("un gato rojo negative:borroso seed:7 steps:12 guidance:4")
    assert spanish == english
    assert spanish[1] == {
        "prompt": "un gato rojo",
        "negative": "borroso",
        "seed": "7",
        "steps": "12",
        "guidance": "4",
    }


def test_missing_accents_and_any_case_are_understood():
    assert parse("gato Guia:3 TAMANO:16:9")[1] == {
        "prompt": "gato",
        "guidance": "3",
        "size": "16:9",
    }


def test_two_dashes_set_options_too():
    assert parse("a cat --seed 5 --ar 16:9 --no dogs")[1] == {
        "prompt": "a cat",
        "seed": "5",
        "size": "16:9",
        "negative": "dogs",
    }


@pytest.mark.parametrize("dash", ["—", "–"])
def test_a_telephone_may_make_one_dash_of_two(dash):
    assert parse(f"a cat {dash}ar 16:9 {dash}seed 5 {dash}no dogs")[1] == {
        "prompt": "a cat",
        "size": "16:9",
        "seed": "5",
        "negative": "dogs",
    }


@pytest.mark.parametrize(
    "text",
    [
        "un gato —no muy grande— con botas",
        "un perro (tamaño: enorme) –modelo de paciencia–, de noche",
        "a cat — seed of all — and a dog",
        "un gato —No, gracias",
        "a tram–seed 1990–2000",
    ],
)
def test_the_dashes_of_a_sentence_are_no_options(text):
    assert parse(text)[1] == {"prompt": text}


@pytest.mark.parametrize("quoted", ["“{}”", "«{}»", "„{}“", "”{}”"])
def test_the_quotes_of_telephones_hold_as_well(quoted):
    text = f"negative:{quoted.format('red, seed:5')} a cat"
    assert parse(text)[1] == {"prompt": "a cat", "negative": "red, seed:5"}
    assert parse(quoted.format("a cat, seed:5"))[1] == {"prompt": "a cat, seed:5"}


def test_quotes_within_a_prompt_stay():
    text = "a sign that says “open” and «abierto»"
    assert parse(text)[1] == {"prompt": text}


def test_a_negative_prompt_runs_to_the_next_option():
    assert parse("a cat negative:blurry, ugly dog seed:3")[1] == {
        "prompt": "a cat",
        "negative": "blurry, ugly dog",
        "seed": "3",
    }


def test_quotes_hold_options_and_spaces():
    options = parse(r'negative:"say \"no\", seed:5" a cat')[1]
    assert options == {"prompt": "a cat", "negative": 'say "no", seed:5'}


def test_a_sampler_of_several_words_leaves_the_rest_to_the_prompt():
    options = parse("sampler:dpm++ 2m karras un gato")[1]
    assert options == {"sampler": "dpm++ 2m karras", "prompt": "un gato"}


def test_weights_and_colons_in_a_prompt_are_no_options():
    assert parse("a (seed:1.2) cat, note: happy")[1] == {"prompt": "a (seed:1.2) cat, note: happy"}


def test_the_first_word_after_vary_is_the_picture():
    assert parse("/variar k7qx fuerza:fuerte") == (
        "vary",
        {"picture": "k7qx", "strength": "fuerte"},
    )


@pytest.mark.parametrize("space", [" ", "\n", "\u00a0", " \n\n"])
def test_reroll_takes_a_new_prompt_after_the_id(space):
    options = {"picture": "K7QX", "prompt": "un perro azul"}
    assert parse(f"/reroll{space}K7QX{space}un perro azul")[1] == options


@pytest.mark.parametrize("word", ["strong", "fuerte", "0.35"])
def test_how_far_to_vary_needs_no_name(word):
    assert parse(f"/vary K7QX {word}") == ("vary", {"picture": "K7QX", "strength": word})


def test_a_command_addressed_to_the_bot_by_name_is_understood():
    assert parse("/imagina@semilla_bot un gato") == ("imagine", {"prompt": "un gato"})


def test_a_group_of_two_words_is_one_command():
    assert parse('/style save acuarela prompt:"a watercolour"') == (
        "style save",
        {"name": "acuarela", "prompt": "a watercolour"},
    )


def test_an_unknown_command_names_the_nearest():
    with pytest.raises(Refusal) as refusal:
        parse("/imagin un gato")
    assert refusal.value.suggestions[0] in ("/imagina", "/imagine")


def test_words_that_no_option_takes_are_told():
    with pytest.raises(Refusal):
        parse("/queue please")


def test_a_pasted_recipe_stays_whole():
    text = "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5"
    assert parse(text) == ("imagine", {"prompt": text})


@pytest.mark.parametrize("name", ["Negative prompt:", "negative prompt: ", "Prompt negativo: "])
@pytest.mark.parametrize("before", ["\n", " "])
def test_a_pasted_negative_prompt_is_one(name, before):
    text = f"a girl and a dog{before}{name}nsfw, nude"
    options = {"prompt": "a girl and a dog", "negative": "nsfw, nude"}
    assert parse(text) == ("imagine", options)
    assert parse(f"/reroll K7QX {text}")[1] == {"picture": "K7QX", **options}


def test_an_embedding_is_named_among_the_words():
    text = "a cat, embedding:my-cat, (ugly)"
    assert parse(text)[1] == {"prompt": text}


def test_the_name_of_a_lora_ends_before_its_comma():
    assert parse("a cat lora:ink, seed:7")[1] == {"prompt": "a cat", "lora": "ink", "seed": "7"}
    assert parse("a cat lora:ink:0,5, seed:7")[1]["lora"] == "ink:0,5"
    assert parse("/upscale K7QX upscaler:lanczos.")[1]["upscaler"] == "lanczos"


@pytest.mark.parametrize("prompt", ['un "gato" rojo, seed:5', "«gato»", "“gato", "un “gato” —no"])
def test_what_typed_writes_is_read_back(prompt):
    options = {"prompt": prompt, "negative": "", "seed": "7"}
    assert parse(typed("imagine", options))[1] == options


def test_values_are_written_in_the_readers_language_and_read_back():
    line = typed("setup", {"words": "children", "approve": "yes", "reset": "no"}, "es")
    assert line == "/configurar palabras:niños aprobar:sí reiniciar:no"
    assert typed("setup", parse(line)[1]) == "/setup words:niños approve:sí reset:no"


def test_a_picture_is_read_back_in_whatever_order_the_options_came():
    options = {"prompt": "gato", "picture": "K7QX"}
    assert parse(typed("reroll", options)) == ("reroll", options)
    assert typed("reroll", {"seed": "-1", "picture": "K7QX"}) == "/reroll K7QX seed:-1"


def test_no_two_options_of_a_command_share_a_name():
    for command in COMMANDS.values():
        names = [name for option in command.options for name in option.names()]
        assert len(names) == len(set(names)), command.name


def test_no_two_commands_share_a_name():
    names = [name for command in COMMANDS.values() for name in command.names()]
    assert len(names) == len(set(names))


def test_members_see_at_most_eight_commands():
    assert sum(command.listed for command in COMMANDS.values()) <= 8


@pytest.mark.parametrize(
    ("line", "private", "prompt"),
    [
        ("/imagina --privado un gato rojo", "yes", "un gato rojo"),
        ("un gato privado:sí", "sí", "un gato"),
        ("un gato privado: no", "no", "un gato"),
        ("un gato --private", "yes", "un gato"),
        ("un gato privado:", "yes", "un gato"),
    ],
)
def test_a_switch_may_stand_alone(line, private, prompt):
    assert parse(line)[1] == {"private": private, "prompt": prompt}


def test_a_switch_is_yes_or_no_and_nothing_else():
    kind = COMMANDS["imagine"].option("private").kind
    assert kind.read("private", "verdadero") is True
    assert kind.read("private", "si.") is True
    assert kind.read("private", "False") is False
    with pytest.raises(Refusal) as told:
        kind.read("private", "claro")
    assert told.value.key == "not-a-choice"


def test_a_value_ends_before_its_comma():
    options = parse("un gato pasos: 12, semilla: 7.")[1]
    assert options == {"prompt": "un gato", "steps": "12", "seed": "7"}


def test_a_size_ends_before_its_comma_too():
    assert parse("un gato tamaño:cuadrado, semilla:7")[1]["size"] == "cuadrado"


@pytest.mark.parametrize(
    "text",
    ["a man, weight: 180", "a group of eight: 8 cats", '"a card: step:1 mix flour"'],
)
def test_a_sentence_with_a_colon_is_a_sentence(text):
    assert parse(text)[1] == {"prompt": text.strip('"')}
