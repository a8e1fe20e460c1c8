"""Lists of words, and prompts read for them: whole words, however they are disguised.

The lists are data (wordlists/*.toml, one file a language); all languages are read together, because
a group writes in several. Folded are case, accents (but ñ: año is no ano), look-alike letters of
other alphabets, plurals, d1g1ts for letters, s p a c e d words and phrases, and repeated letters.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "wordlists"
HARMLESS = "harmless"
LONGEST = 20  # letters of a word that are looked at
SHORTEST = 3  # of a word that is joined to another

# Letters of other alphabets that look like Latin ones, and the apostrophe that phones write.
ALIKE = str.maketrans("аеорсухіјѕԁһкмтвнοαερυνικτ’", "aeopcyxijsdhkmtbhoaepuvikt'")
LEET = str.maketrans("034578@$€|!1", "oeastbaseiii")
LEET_L = str.maketrans("034578@$€|!1", "oeastbaselll")
ENDS = ".,;:!?()[]{}<>\"'`´“”«»¡¿|*_~-/\\"
PARTS = re.compile(r"[^\W_]+")
CENSORED = re.compile(r"[a-zñ]+(?:[*#]+[a-zñ]+)+")
REPEATED = re.compile(r"(.)\1{2,}")
SOFT = {"Cf", "Mn", "Me"}
# What divides: "naked, feet" isn't "naked feet", while "Philip K. Dick" is one.
PART_OR_DIVIDER = re.compile(r"[^\W_]+|(?P<divides>[,;:?]|(?<=\w\w)[.!])")


@dataclass(frozen=True, slots=True)
class Found:
    """A listed word: in which list, and how it was typed."""

    category: str
    typed: str


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a prompt: as typed, and every way to read it. It stands for the words `start` to
    `end` (not included): more than one where it is glued together, of "po-rn" or "p o r n"."""

    typed: str
    readings: frozenset[str]
    start: int
    end: int


@dataclass(slots=True)
class Index:
    """Entries by their forms: single words, beginnings of words, and phrases by their first word."""

    words: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    beginnings: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    phrases: dict[str, list[tuple[str, tuple[frozenset[str], ...]]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, category: str, entry: str) -> None:
        parts = [frozenset(_forms(part)) for part in entry.split()]
        if entry.startswith("="):
            self.words[fold(entry[1:])].add(category)
        elif entry.endswith("*"):
            beginning = fold(entry.rstrip("*"))
            self.beginnings[beginning].add(category)
            self.words[beginning].add(category)
        elif len(parts) == 1:
            for form in parts[0]:
                self.words[form].add(category)
        else:
            for form in parts[0]:
                self.phrases[form].append((category, tuple(parts)))

    def of_word(self, word: str) -> Set[str]:
        found = set(self.words.get(word, ()))
        for length in range(4, min(len(word), LONGEST) + 1):
            found |= self.beginnings.get(word[:length], set())
        return found | self._joined(word)

    def is_harmless(self, token: Token) -> bool:
        """A word that begins or ends as a listed one does, "Nudeln" or "who're": as it is typed,
        in no disguise, and not letter by letter, where it may be two words."""
        whole = len(token.typed) > token.end - token.start
        return whole and HARMLESS in self.words.get(token.typed, ())

    def _joined(self, word: str) -> Set[str]:
        """Of two listed words without a space between them."""
        if len(word) > 2 * LONGEST:
            return set()
        cuts = ((word[:cut], word[cut:]) for cut in range(SHORTEST, len(word) - SHORTEST + 1))
        both = [{*self.words[a], *self.words[b]} for a, b in cuts if self._lists(a, b)]
        return set().union(*both)

    def _lists(self, *words: str) -> bool:
        return all(word in self.words for word in words)


def find(text: str, categories: Set[str], passing: Set[str] = frozenset({HARMLESS})) -> list[Found]:
    """The listed words in the text, in its order; those inside a passing phrase pass, which isn't
    one across a comma."""
    tokens, divided = tokens_of(text)
    index = _index()
    phrases = list(_phrases(tokens, index))
    harmless = [
        (start, end)
        for start, end, category in phrases
        if category in passing and divided.isdisjoint(range(start + 1, end))
    ]
    harmless += [(each.start, each.end) for each in tokens if index.is_harmless(each)]
    passed = {place for start, end in harmless for place in range(start, end)}
    lists = {word: index.of_word(word) for word in {w for each in tokens for w in each.readings}}
    found = [
        (token.start, Found(category, token.typed))
        for token in tokens
        if not passed.issuperset(range(token.start, token.end))
        for category in {each for word in token.readings for each in lists[word]}
        if category in categories
    ]
    found += [
        (start, Found(category, " ".join(token.typed for token in tokens[start:end])))
        for start, end, category in phrases
        if category in categories and not passed.issuperset(range(start, end))
    ]
    return [each for _, each in sorted(found, key=lambda pair: (pair[0], pair[1].category))]


def fold(text: str) -> str:
    """Lower case without accents, but for the tilde of ñ."""
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    kept = [
        after
        for before, after in pairwise(f" {decomposed}")
        if unicodedata.category(after) not in SOFT or (after == "\u0303" and before == "n")
    ]
    return unicodedata.normalize("NFC", "".join(kept)).translate(ALIKE)


@lru_cache(maxsize=4)
def tokens_of(text: str) -> tuple[tuple[Token, ...], Set[int]]:
    """The words of a text in order, each with all its readings, and the glued ones after them; and
    the places before which a comma or the like stands.

    The floor and the place's own lists read the same prompt, one after the other.
    """
    tokens: list[Token] = []
    glued: list[Token] = []
    divided: set[int] = set()
    for chunk in fold(text).replace("\n", " , ").split():
        divided.update(_divided(chunk, len(tokens)))
        start = len(tokens)
        bare = chunk.strip(ENDS)
        for part in _parts(bare):
            tokens.append(Token(part, _readings(part), len(tokens), len(tokens) + 1))
        whole = re.sub(r"[^\w@$€|!*#]|_", "", bare)
        if whole and len(tokens) > start and (len(tokens) - start > 1 or whole != tokens[-1].typed):
            glued.append(Token(bare, _readings(whole), start, len(tokens)))
    return (*tokens, *glued, *_spaced(tokens)), divided


def _divided(chunk: str, place: int) -> Iterator[int]:
    """Where what stands between two spaces is divided, when its first word is at a place."""
    for each in PART_OR_DIVIDER.finditer(chunk):
        if each["divides"]:
            yield place
        else:
            place += 1


def _parts(chunk: str) -> Iterator[str]:
    """The words in what stands between two spaces: "red/blue" has two, "$3x" one."""
    if re.search(r"[@$€|!]", chunk) and PARTS.search(chunk):
        yield from (each for each in re.split(r"[^\w@$€|!*#]|_", chunk) if PARTS.search(each))
    else:
        yield from PARTS.findall(chunk)


@lru_cache(maxsize=4096)
def _readings(word: str) -> frozenset[str]:
    """Every way to read a word; "f*ck" is read with each letter that makes a listed word."""
    read = {word}
    if word.isalpha() and not REPEATED.search(word):
        return frozenset(read)
    if any(letter.isalpha() for letter in word):
        read |= {word.translate(LEET), word.translate(LEET_L)}
    read |= {REPEATED.sub(again, each) for each in tuple(read) for again in (r"\1", r"\1\1")}
    if CENSORED.fullmatch(word):
        read |= _uncensored(word)
    return frozenset(re.sub(r"[^\w]", "", each) for each in read)


def _uncensored(word: str) -> set[str]:
    pattern = re.compile(re.sub(r"[*#]", ".", word))
    return {each for each in _words_by_length().get(len(word), ()) if pattern.fullmatch(each)}


def _spaced(tokens: list[Token]) -> Iterator[Token]:
    """What is listed and written l e t t e r by letter."""
    spelt = _spelt()
    run: list[Token] = []
    for token in [*tokens, None]:
        if token is not None and len(token.typed) == 1:
            run.append(token)
            continue
        letters = "".join(each.typed for each in run)
        for word in {letters, letters.translate(LEET), letters.translate(LEET_L)}:
            for first in range(len(word) - 1):
                last = first + 2
                while last <= len(word) and (found := word[first:last]) in spelt:
                    if spelt[found]:
                        start, end = run[first].start, run[last - 1].end
                        yield Token(letters[first:last], frozenset((found,)), start, end)
                    last += 1
        run = []


def _phrases(tokens: Sequence[Token], index: Index) -> Iterator[tuple[int, int, str]]:
    """Where listed phrases begin and end; any of their words may be glued together."""
    following: dict[int, list[Token]] = defaultdict(list)
    for token in tokens:
        following[token.start].append(token)
    for token in tokens:
        for first in token.readings:
            for category, parts in index.phrases.get(first, ()):
                for end in _ends(parts[1:], token.end, following):
                    yield token.start, end, category


def _ends(
    parts: Sequence[Set[str]], place: int, following: Mapping[int, Sequence[Token]]
) -> Iterator[int]:
    """Where these words may end that begin at a place."""
    if not parts:
        yield place
    else:
        for token in following.get(place, ()):
            if parts[0] & token.readings:
                yield from _ends(parts[1:], token.end, following)


def _forms(entry: str) -> Iterator[str]:
    """A word with its plurals; "desnudo/a" has both genders."""
    word, _, other = fold(entry).partition("/")
    feminine = word[:-1] + other if word.endswith("o") else word + other
    for each in {word, feminine} if other else {word}:
        yield each
        yield f"{each}s"
        yield f"{each}es"
        if each.endswith("y"):
            yield f"{each[:-1]}ies"
        if each.endswith("z"):
            yield f"{each[:-1]}ces"


@cache
def _index() -> Index:
    index = Index()
    for path in sorted(FOLDER.glob("*.toml")):
        lists: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        for category, text in lists.items():
            for entry in _entries(text):
                index.add(category, entry)
    return index


@cache
def _spelt() -> dict[str, bool]:
    """What may be written letter by letter: listed words and those of listed phrases (True), and
    all their beginnings (False)."""
    index = _index()
    phrases = {parts for each in index.phrases.values() for _, parts in each}
    whole = {word for word in index.words if len(word) >= SHORTEST}
    whole |= {form for parts in phrases for part in parts for form in part if len(form) > 1}
    return {word[:end]: word[:end] in whole for word in whole for end in range(2, len(word) + 1)}


@cache
def _words_by_length() -> dict[int, list[str]]:
    lengths: dict[int, list[str]] = defaultdict(list)
    for word in _index().words:
        lengths[len(word)].append(word)
    return lengths


def _entries(text: str) -> Iterable[str]:
    return filter(None, (entry.strip() for entry in re.split(r"[,\n]", text)))
