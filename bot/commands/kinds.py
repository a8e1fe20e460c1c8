"""The kinds of options: how a typed text becomes a value, and what chats may know of it before."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from bot.conversation import Refusal
from bot.locales import LANGUAGES, choice, legible, shortened
from generator import sampler_names
from generator.request import SEED_LIMIT, Variation


class Type(StrEnum):
    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    SWITCH = "switch"
    PICTURE = "picture"  # the id of one
    SAMPLER = "sampler"
    SIZE = "size"
    MODEL = "model"
    STYLE = "style"
    EXTRA = "extra"  # a LoRA or an embedding
    UPSCALER = "upscaler"
    VARIATIONS = "variations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What an option takes.

    Args:
        low, high: bounds of a number, both included; of a text, its length.
        words: words understood beside numbers ("strong" → 0.35).
        choices: the only texts allowed; each is also understood by its name in any language.
        aliases: names by which the option is known besides its labels.
        free: takes the words of a typed line that belong to no other option.
        upload: instead of its id, the picture itself may come as a file.
        member: names one; in a chat a reply to somebody's message may, too.
        emptied: what is meant where it is given and empty; None is as if it were not given.
    """

    type: Type
    low: float | None = None
    high: float | None = None
    words: tuple[tuple[str, float], ...] = ()
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    free: bool = False
    upload: bool = False
    member: bool = False
    emptied: str | None = None

    def read(self, name: str, text: str) -> Any:
        """The value of `text`. Raises Refusal: what was wrong, what is allowed."""
        match self.type:
            case Type.WHOLE | Type.NUMBER:
                return self._number(name, text)
            case Type.SWITCH:
                return self._switch(name, text)
            case Type.SAMPLER:
                return _sampler(text)
            case Type.VARIATIONS:
                return _variations(name, self._text(name, text))
            case _:
                return self._text(name, text)

    def accepts(self, text: str) -> bool:
        if self.type is Type.SAMPLER:  # a refusal looks for the nearest name, which takes long
            return sampler_names.find(text) is not None
        try:
            self.read("", text)
        except Refusal:
            return False
        return True

    def shown(self, value: str, language: str) -> str:
        """An allowed value as its reader would type it."""
        allowed = YES_NO if self.type is Type.SWITCH else self.choices
        return choice(language, value) if value in allowed else value

    def _switch(self, name: str, text: str) -> bool:
        said = without_accents(text).strip(".,;!")
        if said not in ON and said not in OFF:
            raise Refusal("not-a-choice", option=name, value=short(text), choices=YES_NO)
        return said in ON

    def _number(self, name: str, text: str) -> float:
        words = dict(self.words)
        if (word := without_accents(text)) in words:
            return words[word]
        try:
            number = int(text) if self.type is Type.WHOLE else float(text.replace(",", "."))
        except ValueError:
            number = None
        if number is None or not self._within(number):
            key = "not-a-whole-number" if self.type is Type.WHOLE else "not-a-number"
            raise Refusal(
                key, option=name, value=short(text), low=f"{self.low:g}", high=_grouped(self.high)
            )
        return number

    def _within(self, number: float) -> bool:
        return (self.low is None or number >= self.low) and (
            self.high is None or number <= self.high
        )

    def _text(self, name: str, text: str) -> str:
        seen = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in UNSEEN)
        clean = legible(seen)
        if self.choices:
            if (meant := chosen(clean, self.choices)) is None:
                raise Refusal("not-a-choice", option=name, value=short(text), choices=self.choices)
            return meant
        if self.high is not None and len(clean) > self.high:
            raise Refusal("text-too-long", option=name, length=len(clean), limit=int(self.high))
        return clean


# Control, private-use and unassigned characters, and surrogates: nobody sees or means them.
# Format characters (Cf) hold emoji families together; those that turn text around are taken out by
# `legible`.
UNSEEN = {"Cc", "Cs", "Co", "Cn"}


def without_accents(text: str) -> str:
    """Lower case, without accents (ñ becomes n): for comparing, never for showing."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).strip()


def chosen(text: str, choices: Sequence[str]) -> str | None:
    """The one of `choices` that is meant, by itself or by its name in any language."""
    folded = without_accents(text)
    for each in choices:
        if folded in {each, *(without_accents(choice(language, each)) for language in LANGUAGES)}:
            return each
    return None


def short(text: str, limit: int = 40) -> str:
    """Someone's words, cut to quote them in a sentence."""
    return shortened(text, limit)


def _sampler(text: str) -> tuple[str, str]:
    found = sampler_names.find(text)
    if found is None:
        nearest = sampler_names.nearest(text)
        raise Refusal("unknown-sampler", ("/samplers",), value=short(text), nearest=nearest)
    return found


def _variations(name: str, text: str) -> tuple[Variation, ...]:
    """Of "9:0.15,12:0.35": seeds and strengths, in the order in which they are applied."""
    pairs = re.findall(r"(\d+):([\d.e-]+)", text)
    if ",".join(map(":".join, pairs)) != re.sub(r"\s", "", text):
        raise Refusal("not-variations", option=name, value=short(text))
    return tuple(Variation(SEED.read(name, s), STRENGTH.read(name, f)) for s, f in pairs)


def _grouped(number: float | None) -> str:
    # A thin space between thousands reads well in both languages.
    if number is None:
        return ""
    return (f"{number:,.0f}" if number == int(number) else f"{number:g}").replace(",", "\u202f")


YES_NO = ("yes", "no")
ON = {"yes", "y", "true", "1", "on", "si", "s", "verdadero"}
OFF = {"no", "n", "false", "0", "off", "falso"}
PROMPT_LIMIT = 4000
NUMBER_LIMIT = 2**53 - 1  # of whole numbers that every chat can tell apart
# As the field has it, -1 is "any seed": unlike no seed at all, it replaces that of a recipe.
ANY_SEED = -1
AT_RANDOM = tuple((word, ANY_SEED) for word in ("-1", "random", "azar", "aleatoria", "aleatorio"))
STRENGTHS = (
    *(("subtle", 0.08), ("sutil", 0.08), ("medium", 0.15), ("media", 0.15)),
    ("medio", 0.15),
    *(("strong", 0.35), ("fuerte", 0.35)),
)

Prompt = Annotated[str, Kind(type=Type.TEXT, high=PROMPT_LIMIT, free=True)]
Negative = Annotated[
    str,
    Kind(
        type=Type.TEXT,
        high=PROMPT_LIMIT,
        aliases=("negative prompt", "prompt negativo", "neg", "no"),
        emptied="",
    ),
]
SEED = Kind(type=Type.WHOLE, low=0, high=SEED_LIMIT - 1, words=AT_RANDOM, emptied="-1")
STRENGTH = Kind(type=Type.NUMBER, low=0, high=1, words=STRENGTHS)
Seed = Annotated[int, SEED]
Steps = Annotated[int, Kind(type=Type.WHOLE, low=1, high=150)]
SamplerName = Annotated[tuple[str, str], Kind(type=Type.SAMPLER, aliases=("sampler name",))]
Guidance = Annotated[
    float, Kind(type=Type.NUMBER, low=0, high=30, aliases=("cfg", "cfg scale", "scale"))
]
Size = Annotated[str, Kind(type=Type.SIZE, high=40, aliases=("ar", "aspect"))]
Side = Annotated[int, Kind(type=Type.WHOLE, low=8, high=4096)]
ModelName = Annotated[str, Kind(type=Type.MODEL, high=200)]
Count = Annotated[int, Kind(type=Type.WHOLE, low=1, high=9, aliases=("n", "batch"))]
# Long enough for a link, whose end is the id.
PictureCode = Annotated[str, Kind(type=Type.PICTURE, high=300, aliases=("id",))]
Image = Annotated[str, Kind(type=Type.PICTURE, high=300, upload=True)]
Redrawn = Annotated[float, Kind(type=Type.NUMBER, low=0, high=1)]
MaskArea = Annotated[str, Kind(type=Type.TEXT, high=40, aliases=("inpaint",))]
Enlarged = Annotated[
    float,
    Kind(
        type=Type.NUMBER,
        low=1,
        high=4,
        aliases=("hr", "hires fix", "hires upscale"),
        emptied="1",
    ),
]
ClipSkip = Annotated[int, Kind(type=Type.WHOLE, low=1, high=12, emptied="1")]
Emphasis = Annotated[
    str, Kind(type=Type.TEXT, choices=("original", "no norm", "none"), emptied="original")
]
VaeName = Annotated[str, Kind(type=Type.TEXT, high=200, emptied="")]
ExtraName = Annotated[str, Kind(type=Type.EXTRA, high=200)]
UpscalerName = Annotated[str, Kind(type=Type.UPSCALER, high=200)]
VariationStrength = Annotated[float, STRENGTH]
Variations = Annotated[tuple[Variation, ...], Kind(type=Type.VARIATIONS, high=1000, emptied="")]
StyleName = Annotated[str, Kind(type=Type.STYLE, high=40)]
NewStyleName = Annotated[str, Kind(type=Type.STYLE, high=40, free=True)]
Words = Annotated[str, Kind(type=Type.TEXT, high=200, free=True)]
Name = Annotated[str, Kind(type=Type.TEXT, high=60)]
Number = Annotated[int, Kind(type=Type.WHOLE, low=1, high=NUMBER_LIMIT, free=True)]
# Of a request; by a word that means each of one's own.
EVERY = 0
RequestNumber = Annotated[
    int,
    Kind(
        type=Type.WHOLE,
        low=1,
        high=NUMBER_LIMIT,
        free=True,
        words=tuple((word, EVERY) for word in ("all", "todo", "todos", "todas")),
    ),
]
Before = Annotated[int, Kind(type=Type.WHOLE, low=1, high=NUMBER_LIMIT)]
Switch = Annotated[bool, Kind(type=Type.SWITCH)]
Tiling = Annotated[bool, Kind(type=Type.SWITCH, emptied="no")]
Scope = Annotated[str, Kind(type=Type.TEXT, choices=("me", "channel", "guild"))]
Asker = Annotated[str, Kind(type=Type.TEXT, high=40)]  # an id without its platform
AccessCode = Annotated[str, Kind(type=Type.TEXT, high=12, free=True)]
PlaceName = Annotated[str, Kind(type=Type.TEXT, high=80, free=True)]
Who = Annotated[str, Kind(type=Type.TEXT, high=80, aliases=("who",), free=True, member=True)]
Until = Annotated[str, Kind(type=Type.TEXT, high=40, aliases=("for", "por"))]
Reason = Annotated[str, Kind(type=Type.TEXT, high=200)]
Item = Annotated[str, Kind(type=Type.TEXT, high=20, free=True)]
DraftCode = Annotated[str, Kind(type=Type.TEXT, high=12)]
OrderCode = Annotated[str, Kind(type=Type.TEXT, high=12, free=True)]
# What a guild's moderators set.
Tongue = Annotated[str, Kind(type=Type.TEXT, choices=("en", "es", "auto"))]
Place = Annotated[str, Kind(type=Type.TEXT, high=500)]
Places = Annotated[str, Kind(type=Type.TEXT, high=500, aliases=("channel", "canal"))]
Roles = Annotated[str, Kind(type=Type.TEXT, high=500)]
Many = Annotated[int, Kind(type=Type.WHOLE, low=0, high=1_000_000)]
Audience = Annotated[str, Kind(type=Type.TEXT, choices=("children", "general", "adults"))]
YesNo = Annotated[str, Kind(type=Type.TEXT, choices=YES_NO)]
ModelNames = Annotated[str, Kind(type=Type.TEXT, high=500)]
Step = Annotated[int, Kind(type=Type.WHOLE, low=0, high=20)]
Page = Annotated[int, Kind(type=Type.WHOLE, low=1, high=1000)]
