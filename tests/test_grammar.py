"""The prompt grammar, with what AUTOMATIC1111's own doctests say of it."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generator import habits, wildcards
from generator.grammar import Pass, parse, words
from generator.vocabulary import WORD

LONG = 10_000  # characters
BEYOND_MEASURE_SECONDS = 2.0  # bench/stall.py measures what it takes


def attended(text, part=0):
    return [
        [p.text, pytest.approx(p.weight)] for s in parse(text).parts[part].sections() for p in s
    ]


def schedule(text, steps=10, before=0):
    """[[last step, text], …] as AUTOMATIC1111's get_learned_conditioning_prompt_schedules."""
    found = []
    for step in range(1, steps + 1):
        sections = parse(text).parts[0].sections(step, Pass(steps, before))
        seen = "".join(
            p.text if p.weight == 1 else f"({p.text}:{p.weight:g})" for s in sections for p in s
        )
        if found and found[-1][1] == seen:
            found[-1][0] = step
        else:
            found.append([step, seen])
    return found


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("an (important) word", [["an ", 1.0], ["important", 1.1], [" word", 1.0]]),
        ("(unbalanced", [["unbalanced", 1.1]]),
        (r"\(literal\]", [["(literal]", 1.0]]),
        ("(unnecessary)(parens)", [["unnecessaryparens", 1.1]]),
        (
            "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
            [
                *(["a ", 1.0], ["house", 1.573], [" ", 1.1], ["on", 1.0], [" a ", 1.1]),
                *(["hill", 0.55], [", sun, ", 1.1], ["sky", 1.4641], [".", 1.1]),
            ],
        ),
        ("", []),
        ("(spaces : 1.3 )", [["spaces ", 1.3]]),
        ("[less]", [["less", 1 / 1.1]]),
        ("(two:1.2:3)", [["two:1.2", 3.0]]),
        ("(none:1.2.3)", [["none:1.2.3", 1.1]]),
        ("a clock, 10:30", [["a clock, 10:30", 1.0]]),
        ("odd ) brackets ] :) or :1.2)", [["odd ) brackets ] :) or :1.2)", 1.0]]),
        ("C:\\\\folder", [["C:\\folder", 1.0]]),
    ],
)
def test_weights_are_as_automatic1111_reads_them(text, pieces):
    assert attended(text) == pieces


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("a [b:3]", [[3, "a "], [10, "a b"]]),
        ("a [b : c : 1] d", [[1, "a b  d"], [10, "a  c  d"]]),
        ("a[b:[c:d:2]:1]e", [[1, "abe"], [2, "ace"], [10, "ade"]]),
        ("a [unbalanced", [[10, "a (unbalanced:0.909091)"]]),
        ("a [b:.5] c", [[5, "a  c"], [10, "a b c"]]),
        ("[(a:2):3]", [[3, ""], [10, "(a:2)"]]),
        ("[a::4] b", [[4, "a b"], [10, " b"]]),
        ("[a:b:1.0]", [[10, "a"]]),  # with a point: a fraction
        ("[a:b:99]", [[10, "a"]]),
        ("[x:1.3] y", [[10, " y"]]),  # no weight
        ("[fe|]male", [[n, "male" if n % 2 == 0 else "female"] for n in range(1, 11)]),
        (
            "[fe|||]male",
            [[1, "female"], [4, "male"], [5, "female"], [8, "male"], [9, "female"], [10, "male"]],
        ),
        ("([a:b:2]:1.5)", [[2, "(a:1.5)"], [10, "(b:1.5)"]]),
    ],
)
def test_scheduled_words_come_and_go_at_their_step(text, entries):
    assert schedule(text) == entries


def test_alternating_words_change_at_every_step():
    assert [text for _, text in schedule("[a|(b:1.1)]", 4)] == ["a", "(b:1.1)", "a", "(b:1.1)"]


def test_in_the_second_pass_of_hires_fix_fractions_count_on_from_one():
    assert schedule("a [b:.5] c", 10, before=10) == [[10, "a b c"]]
    assert schedule("a [b:1.5] c", 10, before=10) == [[5, "a  c"], [10, "a b c"]]
    assert schedule("a [b:13] c", 10, before=10) == [[3, "a  c"], [10, "a b c"]]


def test_and_makes_parts_with_weights_and_break_makes_sections():
    parts = parse("a cat :1.2 AND a (dog:0.5) AND a sAND castle :-0.3").parts
    assert [part.weight for part in parts] == [1.2, 1.0, -0.3]
    assert attended("a cat :1.2 AND a (dog:0.5)", part=1) == [[" a ", 1.0], ["dog", 0.5]]
    assert len(parse("a BREAK b BREAKFAST BREAK c").parts[0].sections()) == 3
    assert len(parse("cat AND dog", together=True).parts) == 1


def test_tags_are_no_words():
    prompt = parse("a <lora:My Style-v2:0.8> cat <lora:x:0.5:1.5><hypernet:y> <lora:z:te=0.2> <3")
    assert attended("a <lora:x:0.8>cat <3") == [["a cat <3", 1.0]]
    assert [(tag.kind, tag.name, tag.weights()) for tag in prompt.tags] == [
        ("lora", "My Style-v2", (0.8, 0.8)),
        ("lora", "x", (0.5, 1.5)),
        ("hypernet", "y", (1.0, 1.0)),
        ("lora", "z", (0.2, 1.0)),
    ]


@pytest.mark.parametrize(("version", "weight"), [(4, 0.3), (3, 1.0)])
def test_a_weight_may_have_a_decimal_comma(version, weight):
    """In recipes from before version 4 it was no number."""
    tags = parse("<lora:x:0,3> <lora:y:te=0,3:unet=0,3> <lora:z:strong>").tags
    assert [tag.weights(version) for tag in tags] == [(weight, weight)] * 2 + [(1.0, 1.0)]
    assert [tag.clear for tag in tags] == [True, True, False]


def test_the_seed_draws_choices_and_wildcards_and_always_the_same_ones():
    lines = {"animal": ("cat", "{red|blue} dog")}
    text = "a {big|small} __animal__, __unknown thing__, {no choice}, \\{a|b}"

    def drawn(seed):
        return wildcards.draw(text, seed, lambda name, version: lines.get(name, ()))

    assert drawn(7) == drawn(7)
    found = {drawn(seed)[0] for seed in range(60)}
    rest = ", unknown thing, {no choice}, \\{a|b}"
    animals = ("cat", "red dog", "blue dog")
    assert found == {f"a {size} {animal}{rest}" for size in ("big", "small") for animal in animals}
    assert drawn(1)[1] == ("unknown thing",)


def test_what_windows_begins_a_list_of_words_with_is_no_word_of_it(tmp_path):
    """It was in recipes from before version 6."""
    file = tmp_path / "pets.txt"
    file.write_text("\ufeffcat\ndog\n", encoding="utf-8")
    assert wildcards.lines(file, 6) == wildcards.lines(file) == ("cat", "dog")
    assert wildcards.lines(file, 5) == ("\ufeffcat", "dog")
    file.write_text("\ufeff# pets\ndog\n", encoding="utf-8")
    assert wildcards.lines(file, 6) == wildcards.lines(file) == ("dog",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_list_of_words_is_read_as_windows_editor_keeps_it(tmp_path, encoding):
    """Recipes from before version 7 have UTF-8 alone, and what it makes of the others."""
    file = tmp_path / "who.txt"
    file.write_bytes("niño\r\nun pingüino…\r\n".encode(encoding))
    assert wildcards.lines(file) == ("niño", "un pingüino…")
    assert (wildcards.lines(file, 6) == wildcards.lines(file)) == encoding.startswith("utf-8")


def test_a_list_of_words_that_cannot_be_read_or_be_there_is_none(tmp_path):
    folder = tmp_path / "wildcards" / "pets.txt"
    folder.mkdir(parents=True)
    assert wildcards.lines(folder) == ()
    assert wildcards.find([tmp_path], "x" * 5000) is None


def drawn_from(text, seeds=400, **more):
    found = [
        wildcards.draw(text, seed, lambda name, version: (), **more)[0] for seed in range(seeds)
    ]
    return {each: found.count(each) / seeds for each in found}


def test_options_may_be_likelier_and_several():
    """As in dynamic prompts; recipes from before version 4 are drawn as they were."""
    likely = drawn_from("{0.8::red|0.2::blue} cat")
    assert set(likely) == {"red cat", "blue cat"}
    assert likely["red cat"] == pytest.approx(0.8, abs=0.08)
    assert set(drawn_from("{1::red|blue}")) == {"red", "blue"}
    assert set(drawn_from("{0::red|0::blue}")) == {"red", "blue"}
    pairs = {f"{a}, {b}" for a in "abc" for b in "abc" if a != b}
    assert set(drawn_from("{2$$a|b | c}")) == pairs
    assert set(drawn_from("{1-2$$ and $$a|b}")) == {"a", "b", "a and b", "b and a"}
    assert set(drawn_from("{9$$a|b}")) == {"a, b", "b, a"}
    assert set(drawn_from("{2$$a|b}", version=3)) == {"2$$a", "b"}


def test_an_option_keeps_its_blanks():
    assert set(drawn_from("a {red |}cat")) == {"a red cat", "a cat"}
    assert set(drawn_from("a {red |}cat", version=3)) == {"a redcat", "a cat"}


def test_plain_options_are_drawn_as_ever():
    text = "a {red|blue|green} {cat|dog}"
    for seed in range(50):
        now, once = (
            wildcards.draw(text, seed, lambda name, version: (), version)[0] for version in (4, 3)
        )
        assert now == once


def test_a_wildcard_that_stands_for_itself_comes_to_an_end():
    assert "x" in wildcards.draw("__x__", 1, lambda name, version: ("__x__ " * 9,))[0]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a cat++ and a dog--", "a (cat:1.21) and a (dog:0.81)"),
        ("a (red hat)1.3, sun", "a (red hat:1.3), sun"),
        ("a (red hat)++", "a (red hat:1.21)"),
        ("hot::3 dog", "hot :0.75 AND dog :0.25"),
        ("a (red:1.2) cat::3 dog", "a (red:1.2) cat :0.75 AND dog :0.25"),
        ("a (hot::2 dog) (cat::1.2).", None),
        ("cat::1 dog::-1", "cat dog"),
        ("hot::1.5 dog::.5", "hot :0.75 AND dog :0.25"),
        ("hot::2 dog::-.5", "hot :1.333 AND dog :-0.3333"),
        ("gato::1,5 perro::0,5", "gato :0.75 AND perro :0.25"),
        ("hot::3, big dog::1, 🐶::1.", "hot :0.6 AND big dog :0.2 AND 🐶 :0.2"),
        ("a (red hat).8, sun", "a (red hat:.8), sun"),
        ("un (gato:1,3), [sol: 0,5 ]", "un (gato:1.3), [sol: 0.5 ]"),
        ("a book on C++, well-known -- and 1+1", None),
        ("(cat:1.2), (dog) 1.5", None),
        ("[from::0.5] here", None),
        ("cat:: 2 dogs", "cat :0.5 AND 2 dogs :0.5"),
        ("hot::2 2 dogs", "hot :0.6667 AND 2 dogs :0.3333"),
        ("(cat:.8), (dog:-.5), [a:b:.5]", None),
        ("(at 10:30,45), (16:9,10), (a:1,234)", None),
    ],
)
def test_weights_of_other_programs_are_translated_and_told(typed, read):
    translated = habits.weights(typed)
    assert translated.text == (read or typed)
    assert bool(translated.changes) == bool(read)


def test_the_parts_of_a_negative_prompt_stay_together_and_that_is_told():
    """AND is a word there, which recipes from before version 4 have in them."""
    found = habits.weights("ugly::2 blurry::1", negative=True)
    assert found.text == "ugly, blurry"
    assert found.changes == {"ugly::2 blurry::1": "ugly, blurry"}
    assert " AND " in habits.weights("ugly::2 blurry::1", 3, negative=True).text
    assert habits.weights("a (hot::2 dog)", 3).text != "a (hot::2 dog)"


def test_numbers_without_a_leading_digit_and_with_a_comma_are_weights_since_version_6():
    """What recipes from before it say is drawn as it was."""
    assert habits.weights("hot::2 dog::.5", 5).text == "hot :0.5 AND dog :0.25 AND .5 :0.25"
    assert habits.weights("hot::2, dog", 5).text == "hot :0.6667 AND , dog :0.3333"
    for text in ("a (red hat).8", "a (cat:1,3)"):
        assert habits.weights(text, 5).text == text


def test_a_number_behind_a_space_is_no_weight_of_midjourneys_since_version_7():
    """There it follows the colons at once."""
    assert habits.weights("cat:: 2 dogs", 6).text == "cat :0.6667 AND dogs :0.3333"
    assert habits.weights("cat:: .5 dogs", 6).text == "cat :0.3333 AND dogs :0.6667"


def test_midjourneys_options_become_ours_and_the_rest_is_told():
    found = habits.options(
        "a red cat --ar 16:9 --no dogs, birds --v 5.2 —seed 7 --tile --style raw"
    )
    assert found.text == "a red cat"
    assert found.options == {
        **{"size": "16:9", "negative": "dogs, birds", "seed": "7"},
        "tiling": "yes",
    }
    assert found.ignored == ("--v 5.2", "--style raw")
    assert habits.options("a cat -- not a dog --ar wide --house").text == (
        "a cat -- not a dog --ar wide --house"
    )


@pytest.mark.parametrize(
    ("typed", "options", "ignored"),
    [
        ("a cat --iw 1.5", {}, ("--iw 1.5",)),
        ("a cat --iw 0,5 --stylize .5", {}, ("--iw 0,5", "--stylize .5")),
        ("a cat --sref 77 https://a.b/c.png", {}, ("--sref 77 https://a.b/c.png",)),
        ("a cat --ar 3:2, --tile; --v 5.", {"size": "3:2", "tiling": "yes"}, ("--v 5",)),
        ("a cat --p --ar 1:1", {"size": "1:1"}, ("--p",)),
        ("a cat --V 6 --AR 1:1", {"size": "1:1"}, ("--V 6",)),
        (
            "a cat --exp 5 --draft --motion low --ow 40 --sv 4 --video",
            {},
            ("--exp 5", "--draft", "--motion low", "--ow 40", "--sv 4", "--video"),
        ),
        ("a cat --repeat 2 --tile", {"count": "2", "tiling": "yes"}, ()),
        ("a cat --repeat 40", {}, ("--repeat 40",)),
    ],
)
def test_no_option_of_midjourneys_becomes_words(typed, options, ignored):
    found = habits.options(typed)
    assert (found.text, found.options, found.ignored) == ("a cat", options, ignored)


@pytest.mark.parametrize("text", ["un gato —No, gracias", "un gato —no muy grande— con botas"])
def test_what_somebody_says_is_no_option(text):
    assert habits.options(text).text == text


def test_the_words_stand_where_they_stood():
    typed = r"a (red \(cat\):1.2) [x:y:0.5] <lora:dog:1> BREAK {a|b} __an__ 10:30"
    seen = words(typed)
    assert len(seen) == len(typed)
    assert [found[0] for found in WORD.finditer(seen)] == [
        "a",
        "red",
        "cat",
        "x",
        "y",
        "a",
        "b",
        "10",
        "30",
    ]


SYNTAX = st.sampled_from(
    [
        *"()[]:|\\{}<> ,.\n+-_",
        "(",
        ":1.2)",
        ":0.5]",
        "::",
        "AND",
        "BREAK",
        "__",
        "<lora:",
        "--ar ",
        "++",
    ]
)
PROMPTS = st.lists(st.one_of(SYNTAX, st.text(max_size=5)), max_size=60).map("".join)


@given(PROMPTS, st.integers(1, 5))
@example("(" * 3000 + ")" * 3000, 1)
def test_no_text_is_an_error_and_no_plain_word_is_lost(text, step):
    drawn, _ = wildcards.draw(
        habits.weights(habits.options(text).text).text, 1, lambda name, version: ()
    )
    for part in parse(drawn).parts:
        for section in part.sections(step, Pass(5)):
            assert all(piece.text and abs(piece.weight) <= 100 for piece in section)
    assert len(words(text)) == len(text)


@given(st.text("abc ()[]{}", max_size=40))
def test_odd_brackets_hide_no_word(text):
    seen = "".join(p.text for s in parse(text).parts[0].sections() for p in s)
    letters = "".join(filter(str.isalpha, text))
    assert "".join(filter(str.isalpha, seen)) == letters


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "(",
            ")",
            "([",
            "(a)",
            "[a|b]",
            "[a:b:3]",
            ":",
            ":1",
            "\\",
            "{",
            "{a|",
            "{9$$a|1::b}",
            "{1$$",
            "::(",
            "# a\n",
            "__ ",
            " ",
            ": ",
            "AND ",
        ),
        *(
            "BREAK ",
            "<lora:",
            "a",
            "1",
            "+",
            "a+",
            "a++ ",
            "--no ",
            "--ar",
            "::",
            "::1",
            "(a)1.2 ",
            "—",
            "-",
        ),
        *("embedding:", "1.", "a (b, c:1.2) [d|e], ", "\n", "easynegative "),
    ],
)
def test_no_text_of_ten_thousand_characters_stalls(unit):
    text = (unit * LONG)[:LONG]
    for once in (text, text[:1900], "(" * 900 + text[:100] + ")" * 900):
        parse.cache_clear()
        started = time.process_time()
        read = habits.weights(habits.options(once).text).text
        drawn, _ = wildcards.draw(read, 1, lambda name, version: ())
        for part in parse(drawn).parts:
            part.sections(2, Pass(20))
        words(once)
        assert time.process_time() - started < BEYOND_MEASURE_SECONDS
