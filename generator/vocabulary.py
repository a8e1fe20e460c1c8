"""The words that a small model knows, and what to ask it instead of those that it doesn't."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from itertools import chain, groupby, islice, pairwise, takewhile, zip_longest
from pathlib import Path
from typing import Any, Self
from zlib import crc32

from generator import grammar
from generator.inflections import inflections, numbers

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
ACCENTS = re.compile(r"(?<!n)\u0303|[\u0300-\u0302\u0304-\u036f]")  # the tilde of ñ stays
SOUNDS = str.maketrans("kqvzjyñ", "ccbsgin")  # what one language or child writes for another
DOUBLED = re.compile(r"(.)\1")
NEAR_CUTOFF = 0.75  # difflib's ratio: "gatito" is near "gato"
NEAR_LETTERS = 30  # longer words are not compared
SUGGESTED_BYTES = 48  # with its command it must fit into a button
MENDED_WORDS = 5  # unknown words of a prompt that are compared
FEMININE = {"flor", "nube", "llave", "leche", "serpiente", "nariz", "luz", "mano", "moto", "foto"}
MASCULINE = {"koala", "panda", "gorila", "planeta", "mapa", "sofa", "paraguas", "fantasma"}


@dataclass(frozen=True, slots=True, eq=False)
class Concept:
    """Something that the model knows. `forms`: language → its words, the usual one first."""

    name: str
    group: str
    forms: Mapping[str, tuple[str, ...]]
    thing: bool

    def word(self, language: str) -> str:
        return self.forms[language][0]


Meaning = tuple[Concept, ...] | None
"""What a word may mean; nothing: grammar or filler; None: the model doesn't know it."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Words of the prompt from `start` to `end`."""

    start: int
    end: int
    concepts: Meaning


def fold(word: str) -> str:
    """Without case, accents (but for ñ) and the English genitive."""
    word = word.casefold().replace("’", "'").removesuffix("'s")
    if word.isascii():
        return word
    plain = ACCENTS.sub("", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", plain)


def tokens(text: str) -> tuple[str, ...]:
    return tuple(fold(word) for word in WORD.findall(text))


def sound(folded: str) -> str:
    """For likeness only: "kat" is "cat", "gatto" is "gato", "baca" is "vaca"."""
    return DOUBLED.sub(r"\1", folded.translate(SOUNDS))


def _letter_pairs(word: str) -> Iterator[tuple[str, str]]:
    return pairwise(f" {word} ")


class Vocabulary:
    """What the words of a prompt mean to the model, in both languages at once.

    Case, accents, missing accents and plurals make no difference; words of several tokens are
    matched longest first; prompt syntax is not words.
    """

    def __init__(
        self,
        concepts: Iterable[Concept],
        ignored: Iterable[str] = (),
        examples: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._concepts = tuple(concepts)
        self._things = tuple(concept for concept in self._concepts if concept.thing)
        self._colours = tuple(c for c in self._concepts if c.group == "colours")
        self._examples = examples or {}
        self._known: dict[str, tuple[Concept, ...]] = {}
        self._index(ignored)
        # One prompt is asked for its unknown words, its known ones and what is near.
        self._read = lru_cache(16)(self._read_anew)
        self._longest: dict[str, int] = defaultdict(int)  # first token → tokens of its longest form
        for form in self._known:
            first, *rest = form.split(" ")
            self._longest[first] = max(self._longest[first], 1 + len(rest))
        self._by_sound = {
            sound(fold(form)): form for c in self._concepts for form in chain(*c.forms.values())
        }
        self._by_letters: dict[tuple[str, str], list[str]] = defaultdict(list)
        for form in self._by_sound:
            for letters in set(_letter_pairs(form)):
                self._by_letters[letters].append(form)

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Reads a model's vocabulary.json: things, other words by group, ignored, examples.

        Its index takes 30 ms and every prompt asks for it, so it is made once for each file.
        """
        return _loaded(path, path.stat().st_mtime_ns)

    @classmethod
    def _from_file(cls, path: Path) -> Self:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        things = (
            _concept(thing["name"], thing["group"], thing, True) for thing in fields["things"]
        )
        other = (
            _concept(name, group, forms, False)
            for group, names in fields["other"].items()
            for name, forms in names.items()
        )
        examples = {language: tuple(texts) for language, texts in fields["examples"].items()}
        return cls(chain(things, other), fields["ignored"], examples)

    @property
    def things(self) -> int:
        return len(self._things)

    def list(self, language: str) -> tuple[str, ...]:
        """The usual name of every thing."""
        return tuple(thing.word(language) for thing in self._things)

    def sample(self, language: str, n: int = 8) -> str:
        """Things of all kinds as they stand in a sentence: "manzana, gato e isla"."""
        names = self.list(language)
        n = min(n, len(names))
        return _joined([names[index * len(names) // n] for index in range(n)], language)

    def examples(self, language: str) -> tuple[str, ...]:
        """Prompts that come out well."""
        return self._examples.get(language, ())

    def coloured(self, thing: str, language: str) -> tuple[str, ...]:
        """ "gato rojo", "gato azul" …"""
        return tuple(_coloured(thing, each, language) for each in self._colours)

    def on_backgrounds(self, phrase: str, language: str) -> tuple[str, ...]:
        """A phrase before each colour that isn't in it."""
        free = [each for each in self._colours if each not in self._meant(phrase)[1]]
        return tuple(f"{phrase}, {_background(each, language)}" for each in free)

    def unknown(self, prompt: str) -> tuple[str, ...]:
        """The words that mean something but not to this model: as typed, in order, once each."""
        text, spans = self._read(prompt)
        found: dict[str, str] = {}
        for span in spans:
            if span.concepts is None:
                word = text[span.start : span.end]
                found.setdefault(fold(word), word)
        return tuple(found.values())

    def known(self, prompt: str) -> str:
        """What is left without the unknown words and the grammar beside them; "" if nothing."""
        text, spans = self._read(prompt)
        if any(span.concepts for span in spans) and all(
            span.concepts is not None for span in spans
        ):
            return _tidy(text)
        rest = ""
        for part in _known_parts(spans):
            rest += _tidy(text[part[0].start : part[-1].end])
            rest += ", " if any(_names_thing(span) for span in part) else " "
        return _tidy(rest)

    def suggestions(self, prompt: str, language: str, n: int = 3) -> tuple[str, ...]:
        """Prompts of known words only, made of what is known or nearly known in this one.

        The same ones each time for the same prompt.
        """
        return tuple(
            islice(self._suggested(prompt, language, crc32(prompt.encode("utf-8", "replace"))), n)
        )

    def _forms(self) -> Iterator[tuple[tuple[str, ...], str, Concept]]:
        for concept in self._concepts:
            for language, forms in concept.forms.items():
                for form in forms:
                    yield tokens(form), language, concept

    def _index(self, ignored: Iterable[str]) -> None:
        """What is listed goes before what the rules make of it."""
        for words, _, concept in self._forms():
            form = " ".join(words)
            self._known[form] = (*self._known.get(form, ()), concept)
        for text in ignored:
            self._known.setdefault(" ".join(tokens(text)), ())
        for words, language, concept in self._forms():
            for form in inflections(words, language, concept.thing):
                self._known.setdefault(form, (concept,))
        for form, concepts in [*self._known.items()]:
            self._known.setdefault(form.replace("ñ", "n"), concepts)

    def _read_anew(self, prompt: str) -> tuple[str, Sequence[_Span]]:
        """The prompt with blanks for its syntax, and all its words."""
        text = unicodedata.normalize("NFC", prompt)
        text = grammar.words(text)
        return text, _compounds(text, self._spans([*WORD.finditer(text)]))

    def _spans(self, found: Sequence[re.Match[str]]) -> Iterator[_Span]:
        words = [fold(word[0]) for word in found]
        index = 0
        while index < len(words):
            length, concepts = self._match(words, index)
            yield _Span(found[index].start(), found[index + length - 1].end(), concepts)
            index += length

    def _match(self, words: Sequence[str], index: int) -> tuple[int, Meaning]:
        """How many words from `index` on the longest known form takes, and what it means."""
        for length in range(self._longest.get(words[index], 1), 0, -1):
            concepts = self._known.get(" ".join(words[index : index + length]))
            if concepts is not None and index + length <= len(words):
                return length, concepts
        return 1, () if words[index].isdecimal() else None

    def _suggested(self, prompt: str, language: str, choice: int) -> Iterator[str]:
        mended = self.known(self._mended(prompt))
        start = choice % max(len(self.examples(language)), 1)
        examples = self.examples(language)[start:] + self.examples(language)[:start]
        tried = {tokens(prompt), tokens(self.known(prompt)), ()}
        for text in chain([mended], self._composed(mended, language, choice), examples):
            short = len(text.encode(errors="replace")) <= SUGGESTED_BYTES
            if short and tokens(text) not in tried and not self.unknown(text):
                tried.add(tokens(text))
                yield text

    def _near(self, word: str) -> str:
        """What it may be a misspelling of; otherwise the word itself."""
        if len(word) > NEAR_LETTERS:
            return word
        heard = sound(fold(word))
        shared = Counter(
            form for letters in _letter_pairs(heard) for form in self._by_letters.get(letters, ())
        )
        likely = [form for form, _ in shared.most_common(12)]
        near = get_close_matches(heard, likely, 1, NEAR_CUTOFF)
        return self._by_sound[near[0]] if near else word

    def _mended(self, prompt: str) -> str:
        """The prompt with its first unknown words put right where something known is near."""
        text, spans = self._read(prompt)
        unknown = [span for span in spans if span.concepts is None][:MENDED_WORDS]
        for span in reversed(unknown):
            text = text[: span.start] + self._near(text[span.start : span.end]) + text[span.end :]
        return text

    def _meant(self, prompt: str) -> tuple[Sequence[Concept], Sequence[Concept]]:
        """Its things and their colours, in order."""
        text, spans = self._read(prompt)
        found = [span.concepts for span in spans if span.concepts and not _behind(text, span)]
        # "orange" is a fruit when alone and a colour beside a cat
        alone = not any(len(concepts) == 1 and concepts[0].thing for concepts in found)
        meant = dict.fromkeys(concepts[0 if alone else -1] for concepts in found)
        things = [concept for concept in meant if concept.thing]
        return things, [concept for concept in meant if concept.group == "colours"]

    def _composed(self, prompt: str, language: str, choice: int) -> Iterator[str]:
        things, colours = self._meant(prompt)
        others = [self._things[(choice + 37 * k) % self.things] for k in range(8)]
        if colours and not things:
            things = others[:1]
        if not things:
            return
        phrases = [_phrase(*pair, language) for pair in zip_longest(things, colours[: len(things)])]
        if backgrounds := self.on_backgrounds(phrases[0], language):
            yield backgrounds[choice % len(backgrounds)]
        for other in others:
            if other not in things:
                yield _joined([phrases[0], other.word(language)], language)


def _concept(name: str, group: str, forms: Mapping[str, Any], thing: bool) -> Concept:
    words = {language: tuple(forms[language]) for language in ("en", "es")}
    return Concept(name, group, words, thing)


def _tidy(text: str) -> str:
    return re.sub(r" (?=[,.;!?])", "", " ".join(text.split())).strip(" ,;")


def _behind(text: str, span: _Span) -> bool:
    """Whether it is the colour of the background."""
    before = text[max(span.start - 8, 0) : span.start].casefold()
    after = text[span.end : span.end + 12].casefold()
    return "fondo" in before or after.strip().startswith("background")


def _compounds(text: str, spans: Iterable[_Span]) -> Sequence[_Span]:
    """An unknown "cyber-punk" in one piece."""
    whole: list[_Span] = []
    for span in spans:
        unknown = whole and whole[-1].concepts is span.concepts is None
        if unknown and text[whole[-1].end : span.start] in ("-", "_"):
            span = replace(span, start=whole.pop().start)
        whole.append(span)
    return whole


def _names_thing(span: _Span) -> bool:
    return any(concept.thing for concept in span.concepts or ())


def _known_parts(spans: Iterable[_Span]) -> Iterator[Sequence[_Span]]:
    """The stretches without unknown words, grammar at these words' side trimmed."""
    spans = [*spans]
    for unknown, stretch in groupby(spans, lambda span: span.concepts is None):
        known = [*stretch]
        first = 0 if known[0] is spans[0] else _grammar(known)
        end = len(known) - (0 if known[-1] is spans[-1] else _grammar(reversed(known)))
        if not unknown and any(span.concepts for span in known):
            yield known[first:end]


def _grammar(spans: Iterable[_Span]) -> int:
    """How many of the first spans are grammar."""
    return sum(1 for _ in takewhile(lambda span: not span.concepts, spans))


def _joined(phrases: Sequence[str], language: str) -> str:
    """ "apple", "apple and cat", "apple, cat and moon"."""
    *before, last = phrases
    if not before:
        return last
    conjunction = "and"
    if language == "es":  # "e" before the sound of i: isla, hijo, but not hielo
        conjunction = "e" if re.match(r"h?i(?!e)", fold(last)) else "y"
    return f"{', '.join(before)} {conjunction} {last}"


def _phrase(thing: Concept, colour: Concept | None, language: str) -> str:
    noun = thing.word(language)
    return noun if colour is None else _coloured(noun, colour, language)


def _coloured(noun: str, colour: Concept, language: str) -> str:
    return f"{noun} {_agreed(colour, noun)}" if language == "es" else f"{colour.word('en')} {noun}"


def _background(colour: Concept, language: str) -> str:
    return f"fondo {colour.word('es')}" if language == "es" else f"{colour.word('en')} background"


def _agreed(colour: Concept, noun: str) -> str:
    """The Spanish colour in the noun's gender and number, guessed from the noun's first word."""
    head = fold(noun.split()[0])
    plural = head.endswith(("as", "os", "es", "ines")) and head not in MASCULINE
    single = head.removesuffix("s") if plural else head
    feminine = single in FEMININE or (single.endswith("a") and single not in MASCULINE)
    word = colour.word("es")
    if feminine and word.endswith("o"):
        word = word[:-1] + "a"
    return next(numbers(word, "es")) if plural and word[-1] in "aeo" else word


@lru_cache(maxsize=8)
def _loaded(path: Path, _changed: int) -> Vocabulary:
    return Vocabulary._from_file(path)
