"""AUTOMATIC1111's prompt grammar, and what other programs' habits mean in it. Without torch.

Agrees with modules/prompt_parser.py (weights, scheduling, alternation, AND, BREAK) and
modules/extra_networks.py (tags). Nothing is an error: what is no syntax is words, as there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from lark import Lark, Token, Tree
from lark.lark import PostLex

from generator.request import VERSION

STRONGEST = 100.0
MARKS = 2000  # brackets and colons of a prompt; with more of them it is read as nothing but words
PARTS = 8  # each is a row of every network call; further ANDs are words

MARK = re.compile(r"[()\[\]\\:|]")
TAG = re.compile(r"<(lora|lyco|hypernet|hypernetwork):([^<>]+)>", re.IGNORECASE)
BREAK = re.compile(r"\bBREAK\b")
AND = re.compile(r"\bAND\b")
NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)")
PART_WEIGHT = re.compile(rf"\s*:\s*({NUMBER.pattern})\s*$")
SILENT = re.compile(rf"{TAG.pattern}|\b(?-i:BREAK|AND)\b|__[\w/ -]+?__|\bembedding:", TAG.flags)

# Text that is bracketed but not closed is closed at the end; what closes nothing is text: Balanced.
GRAMMAR = r"""
start: _item*
round: "(" _item* (")" | WEIGHT)
square: "[" _item* ("]" | WHEN)
_item: TEXT | ESCAPE | COLON | BAR | round | square

WEIGHT.2: /:\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*\)/
WHEN.2: /:\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*\]/
ESCAPE.2: /\\(.|\n)?/
COLON: ":"
BAR: "|"
TEXT: /[^\\()\[\]:|]+/
"""
BRACES = str.maketrans("{}", "  ")
OPENED = {"LPAR": "RPAR", "LSQB": "RSQB"}
CLOSING = {"RPAR": "RPAR", "WEIGHT": "RPAR", "RSQB": "RSQB", "WHEN": "RSQB"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that are attended to alike."""

    text: str
    weight: float


Section = tuple[Piece, ...]
"""What stands between two BREAKs."""


@dataclass(frozen=True, slots=True)
class Tag:
    """<kind:name:0.8:key=value>"""

    text: str
    kind: str
    name: str
    values: tuple[str, ...] = ()
    named: tuple[tuple[str, str], ...] = ()

    def weights(self, version: int = VERSION) -> tuple[float, float]:
        """Of a LoRA, in the text encoders and in the network; 1 where none, or no number, is typed.

        Args:
            version: of the recipe.
        """
        text, network = (_weight(each, version) for each in self._weights)
        return text, network

    @property
    def clear(self) -> bool:
        """Whether its weights are numbers."""
        return all(map(is_weight, self._weights))

    @property
    def _weights(self) -> tuple[str, str]:
        named = dict(self.named)
        first = self.values[0] if self.values else "1"
        second = self.values[1] if len(self.values) > 1 else first
        return named.get("te", first), named.get("unet", second)


@dataclass(frozen=True, slots=True)
class Pass:
    """The steps that a schedule is about.

    Args:
        before: the steps of the pass before this one: in the second pass of hires fix whole numbers
            count on from there and fractions from 1.0.
    """

    steps: int
    before: int = 0

    def step(self, when: str) -> int:
        """The last step, counted from 1, before what is scheduled `when`."""
        fraction = "." in when
        value = float(when)
        if fraction:
            value = (value - (1.0 if self.before else 0.0)) * self.steps
        else:
            value -= self.before
        return int(max(min(value, self.steps), -1))


def passes(steps: Sequence[int]) -> list[Pass]:
    """One after the other, by the steps that each schedules a prompt over."""
    return [Pass(each, sum(steps[:number])) for number, each in enumerate(steps)]


@dataclass(frozen=True, slots=True)
class Part:
    """A prompt between two ANDs, and how much it counts."""

    tree: Tree[Token]
    weight: float = 1.0

    def sections(self, step: int = 1, during: Pass | None = None) -> tuple[Section, ...]:
        """What is attended to at a step, counted from 1."""
        pieces = _merged(_walk(self.tree, step, during or Pass(1)))
        sections: list[list[Piece]] = [[]]
        for piece in pieces:
            first, *others = BREAK.split(piece.text)
            sections[-1].append(Piece(first, piece.weight))
            sections += [[Piece(text, piece.weight)] for text in others]
        return tuple(tuple(p for p in section if p.text) for section in sections)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt with its syntax understood; at least one part."""

    parts: tuple[Part, ...]
    tags: tuple[Tag, ...] = ()

    @property
    def loras(self) -> tuple[Tag, ...]:
        return tuple(tag for tag in self.tags if tag.kind in ("lora", "lyco"))


class Balanced(PostLex):
    """Closes what was left open, and turns what closes nothing into text."""

    always_accept = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        closers: list[str] = []
        for token in stream:
            closer = CLOSING.get(token.type)
            if token.type in OPENED:
                closers.append(OPENED[token.type])
            elif closer and closer not in closers:
                token = Token.new_borrow_pos("TEXT", str(token), token)
            elif closer:
                while (last := closers.pop()) != closer:
                    yield Token(last, "")
            yield token
        yield from (Token(closer, "") for closer in reversed(closers))


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="basic", postlex=Balanced(), maybe_placeholders=False)


@lru_cache(64)
def parse(text: str, *, together: bool = False) -> Prompt:
    """Never raises. Choices and wildcards are to be drawn, other habits to be translated before.

    Args:
        together: AND is a word, so that there is one part.
    """
    tags = tuple(_tag(found) for found in TAG.finditer(text))
    text = TAG.sub("", text)
    texts = [text] if together else AND.split(text, PARTS - 1)
    return Prompt(tuple(_part(each, weighted=len(texts) > 1) for each in texts), tags)


def words(text: str) -> str:
    """The text with blanks in the place of syntax: as long as before, letter by letter."""
    text = SILENT.sub(lambda found: " " * len(found[0]), text)
    if len(MARK.findall(text)) > MARKS:
        return text
    blank = [" "] * len(text)
    for token in _parser().lex(text):
        if token.type == "TEXT":
            blank[_span(token)] = token.translate(BRACES)
        elif token.type == "ESCAPE":
            blank[_span(token)] = [" ", *token[1:]]
    return "".join(blank)


def stands(name: str, text: str) -> bool:
    """Whether it stands in the text in any case, and not inside another word."""
    return re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", text.casefold()) is not None


def is_weight(text: str) -> bool:
    """Whether it is a number; a comma may be its point."""
    return NUMBER.fullmatch(text.replace(",", ".")) is not None


@lru_cache(64)
def readings(text: str, during: Pass) -> frozenset[str]:
    """What is attended to at each step in one line, with nothing between the pieces of a section."""
    parts = parse(text).parts
    sections = (
        [s for part in parts for s in part.sections(n, during)] for n in _steps(text, during)
    )
    return frozenset(" ".join("".join(p.text for p in s) for s in each) for each in sections)


@lru_cache(64)
def averted(text: str, during: Pass, *, together: bool = False) -> frozenset[str]:
    """What is turned away from at any step: pieces, or parts, that weigh less than nothing.

    Args:
        together: as in `parse`.
    """
    if "-" not in text:
        return frozenset()
    parts = parse(text, together=together).parts
    weighed = (
        (part.weight * piece.weight, piece.text)
        for step in _steps(text, during)
        for part in parts
        for section in part.sections(step, during)
        for piece in section
    )
    return frozenset(text for weight, text in weighed if weight < 0)


def _steps(text: str, during: Pass) -> Sequence[int]:
    """At which of them a text may be another one."""
    return range(1, during.steps + 1) if "[" in text else (1,)


def _span(token: Token) -> slice:
    return slice(token.start_pos, token.end_pos)


def _part(text: str, *, weighted: bool) -> Part:
    found = PART_WEIGHT.search(text) if weighted else None
    weight = _bounded(float(found[1])) if found else 1.0
    text = text[: found.start()] if found else text
    if len(MARK.findall(text)) > MARKS:
        return Part(Tree("start", [Token("TEXT", text)]), weight)
    return Part(_parser().parse(text), weight)


def _tag(found: re.Match[str]) -> Tag:
    name, *rest = found[2].split(":")
    named = [each.partition("=")[::2] for each in rest if "=" in each]
    return Tag(
        found[0],
        found[1].lower(),
        name.strip(),
        tuple(each.strip() for each in rest if "=" not in each),
        tuple((key.strip(), value.strip()) for key, value in named),
    )


def _weight(text: str, version: int) -> float:
    text = text.replace(",", ".") if version > 3 else text
    return _bounded(float(text)) if NUMBER.fullmatch(text) else 1.0


def _walk(tree: Tree[Token], step: int, during: Pass) -> Iterator[Piece]:
    """Not recursive: brackets may be nested deeper than Python likes."""
    open_: list[tuple[Iterator[Any], float]] = [(iter(tree.children), 1.0)]
    while open_:
        children, weight = open_[-1]
        node = next(children, None)
        if node is None:
            open_.pop()
        elif isinstance(node, Token):
            yield Piece(node[1:] if node.type == "ESCAPE" else str(node), _bounded(weight))
        else:
            chosen, factor = _chosen(node, step, during)
            open_.append((iter(chosen), weight * factor))


def _chosen(node: Tree[Token], step: int, during: Pass) -> tuple[Sequence[Any], float]:
    """What of a bracket's content counts at a step, and by how much."""
    content, end = _ended(node.children)
    if node.data == "round":
        return content, float(end[1:-1]) if end else 1.1
    options = _split(content, "BAR")
    if end is None and len(options) > 1:
        return options[(step - 1) % len(options)], 1.0
    texts = _split(content, "COLON")
    if end is None or len(options) > 1 or len(texts) > 2:
        return [*content, *([Token("TEXT", end[:-1])] if end else [])], 1 / 1.1
    before, after = texts if len(texts) == 2 else ([], texts[0])
    return before if step <= during.step(end[1:-1].strip()) else after, 1.0


def _ended(children: Sequence[Any]) -> tuple[Sequence[Any], Token | None]:
    """A bracket's content, and the weight or step that it ended with."""
    last = children[-1] if children else None
    if isinstance(last, Token) and last.type in ("WEIGHT", "WHEN"):
        return children[:-1], last
    return children, None


def _split(children: Sequence[Any], separator: str) -> list[list[Any]]:
    found: list[list[Any]] = [[]]
    for child in children:
        if isinstance(child, Token) and child.type == separator:
            found.append([])
        else:
            found[-1].append(child)
    return found


def _merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    texts: list[str] = []
    weight = 1.0
    for piece in pieces:
        if piece.weight != weight and texts:
            yield Piece("".join(texts), weight)
            texts = []
        weight = piece.weight
        texts.append(piece.text)
    if texts:
        yield Piece("".join(texts), weight)


def _bounded(weight: float) -> float:
    return max(min(weight, STRONGEST), -STRONGEST)
