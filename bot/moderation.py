"""What may be asked for in a place: its rules, the lists of words, and the floor below them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from bot.conversation import Call
from bot.words import HARMLESS, find, fold
from db.session import Database
from generator import grammar, habits, wildcards
from generator.request import GenerationRequest

CLASSES = frozenset({"web:class"})  # places that are for children until somebody says otherwise
YES, NO = "yes", "no"
LOST = "log_channel_lost"  # set to the log channel that can't be written to
RECORDS_KEPT = timedelta(days=90)  # what was refused, and what moderators did

SEXUAL = frozenset({"sexual", "nudity"})
SUGGESTIVE = SEXUAL | {"suggestive"}
# The same in languages that have lists for the floor only.
SEXUAL_ANYWHERE = SEXUAL | {"floor_sexual"}
SUGGESTIVE_ANYWHERE = SUGGESTIVE | SEXUAL_ANYWHERE | {"floor_suggestive"}
FLOOR = frozenset({"never", "minors", "young"})
THINGS, PERHAPS_THINGS = "things", "perhaps_things"
PASSING = frozenset({HARMLESS, "swearing"})
GROWN_UP_YEARS = 18
NUMBERS = {
    word: number
    for words in (
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen",
        "un dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
        "dieciseis diecisiete dieciocho",
        "um dois tres quatro cinco seis sete oito nove dez onze doze treze catorze quinze "
        "dezesseis dezessete dezoito",
        "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
        "uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici "
        "quindici sedici diciassette diciotto",
        # "aged elf" is somebody else
        "ein zwei drei vier funf sechs sieben acht neun zehn 11 zwolf dreizehn vierzehn funfzehn "
        "sechzehn siebzehn achtzehn",
    )
    for number, word in enumerate(words.split(), 1)
}
NUMBER = rf"(?P<age>\d{{1,2}}|{'|'.join(NUMBERS)})"
# Smaller numbers in words count things, or are other words: "under one roof", "at once".
TEEN = rf"(?P<age>\d{{1,2}}|{'|'.join(word for word, number in NUMBERS.items() if number > 12)})"
STOP = r"(?=\s*(?:[,.;)]|$))"
YOUTH = r"(?:girl|boy|chic[ao]|muchach[ao]|morr[ao]|chav[ao]|alguien|someone)s?"
ADULT = r"wom[ae]n|m[ae]n|lady|guy|model|student|sister|brother|actress|princess|she|he|her|him"
AGES = (
    re.compile(rf"\b{NUMBER}[\s-]*(?:(?:year|month)s?[\s-]*(?:olds?|young|of age)|yrs?)\b"),
    re.compile(rf"\b{NUMBER}[\s-]*(?:yo|y/o|y\.o\.?)s?(?!\w)"),
    re.compile(rf"\b{NUMBER}[\s-]*(?:jahre? alt\b|jahrig|jaehrig)"),
    re.compile(rf"\b(?:age|aged|edad|idade)\s*:?\s*(?:of|de|only|just)?\s*{NUMBER}\b"),
    re.compile(
        rf"\b(?:is|she's|he's|turned|looks|tiene|cumple)\s+(?:only\s+|just\s+)?{TEEN}{STOP}"
    ),
    re.compile(rf"\b(?:{YOUTH}|{ADULT})\s*,?\s*(?:at|only|just)\s+{TEEN}{STOP}"),
    re.compile(rf"\b(?:at|only)\s+(?P<age>1[3-7]){STOP}"),
    re.compile(rf"\b{YOUTH}\s+(?:of|de)\s+(?!(?:un|um|one|two|three|dos|tres)\b){NUMBER}\b"),
    re.compile(rf"\b{YOUTH}\s+(?:of|de|con)\s+{NUMBER}{STOP}"),
)
# Of somebody, or of a wine or a marriage.
AGES_OF_ANYTHING = (
    re.compile(rf"(?<!for )(?<!after )(?<!in )\b{NUMBER}\s+years?{STOP}"),
    re.compile(r"\b(?P<age>\d{1,2})y(?![\w/.])"),
    re.compile(
        rf"(?<!il y a )(?<!depuis )(?<!pendant )(?<!da )(?<!per )\b{NUMBER}\s+(?:ans|anni)\b(?! fa\b)"
    ),
    re.compile(
        rf"(?<!hace )(?<!durante )(?<!tras )(?<!por )\b{NUMBER}\s+(?:(?:añ|an)(?:it|inh)?os|primaveras)\b"
        r"(?! de (?:experiencia|carrera)\b)"
    ),
)
UNDER = (
    re.compile(rf"\b(?:younger than|menor(?:es)? [ad]e?)\s+{NUMBER}\b"),
    re.compile(rf"\b(?:under|below|menos de|moins de|meno di|unter)[\s-]+{TEEN}s?\b"),
    re.compile(r"\b(?:almost|nearly|not yet|casi)\s+(?P<age>18|eighteen|dieciocho)\b"),
    re.compile(r"\b(?:u-?|sub[\s-]?)(?P<age>1[0-8])s?\b"),
)
# An age, or an hour, or how many: beside an act or nakedness it is not taken for these on trust.
PERHAPS_AGES = (re.compile(rf"(?<!meet )\b(?:at|only)\s+{TEEN}{STOP}"),)
# In what is turned away from, as a whole part of it: "torn clothes" and "underwear" are kept out for
# decency's sake.
GARMENTS = (
    r"clothes|clothing|clothed|dressed|garments?|ropas?|vestid(?:a|as|os)|vestimentas?|prendas"
)
CLOTHES = re.compile(
    r"(?:(?:any|all|her|his|their|the|wearing|with|fully|toda|con|la|su|completamente|"
    rf"{GARMENTS})\s+)*(?:{GARMENTS})"
)
# Beside anything sexual: who is then left.
ADULTS = re.compile(
    r"(?:(?:any|all|an|the|un|una|los|las)\s+)*"
    r"(?:adults?|grown ups?|adult[oa]s?|mayor(?:es)? de edad|adulthood|adultez)"
)
PARTS = re.compile(r"[^\w\s]|\d|\n|\s{2,}|\b(?:BREAK|AND|and|or|y|o)\b")


class Kind(StrEnum):
    """For whom a place is."""

    CHILDREN = "children"
    GENERAL = "general"
    ADULTS = "adults"


LISTS = {
    Kind.CHILDREN: SUGGESTIVE | {"gore", "slurs", "swearing", "drugs", "self_harm"},
    Kind.GENERAL: SEXUAL | {"slurs", "self_harm"},
    Kind.ADULTS: SEXUAL | {"slurs"},
}
STRICTEST = (Kind.CHILDREN, Kind.GENERAL, Kind.ADULTS)


@dataclass(frozen=True, slots=True)
class Rules:
    """A guild's rules, as its moderators set them.

    Args:
        words: whose lists of words apply.
        nsfw: whether its age-restricted channels allow nakedness.
        approve: whether a moderator sees every picture before the others do.
        photos: whether members may bring pictures of their own.
        log_channel: the platform's id of where moderators are told; "" for nowhere.
        log_lost: it can't be written to.
        negative: joins every negative prompt.
        language: that its moderators read; "" for whatever the others do.
    """

    words: Kind = Kind.GENERAL
    nsfw: bool = False
    approve: bool = False
    photos: bool = True
    log_channel: str = ""
    log_lost: bool = False
    negative: str = ""
    language: str = ""


def read_rules(guild: str, values: Mapping[str, str]) -> Rules:
    """The rules in a guild's settings. What can't be read is taken as the strictest."""
    usual = Kind.CHILDREN if guild in CLASSES else Kind.GENERAL
    typed = values.get("words", usual)
    kind = Kind(typed) if typed in set(Kind) else Kind.CHILDREN
    photos = values.get("photos", NO if kind is Kind.CHILDREN else YES)
    return Rules(
        words=kind,
        nsfw=values.get("nsfw") == YES and kind is not Kind.CHILDREN,
        approve=values.get("approve", NO) != NO,
        photos=photos == YES,
        log_channel=values.get("log_channel", ""),
        log_lost=LOST in values and values[LOST] == values.get("log_channel"),
        negative=values.get("negative", ""),
        language=values.get("language", ""),
    )


def strictest(all_: Sequence[Rules]) -> Rules:
    """For a private chat: the words and photos of the strictest place that its member belongs to."""
    if not all_:
        return Rules()
    words = min((each.words for each in all_), key=STRICTEST.index)
    return Rules(words=words, photos=all(each.photos for each in all_))


async def rules_of(database: Database, guild: str) -> Rules:
    return read_rules(guild, await database.settings.get(guild, "", ""))


async def rules_for(database: Database, call: Call) -> Rules:
    """The rules that apply to a call, in private chats too."""
    if not call.guild.private:
        return await rules_of(database, call.guild.id)
    shared = await database.moderation.shared_guilds(call.member.id, call.guild.id)
    return strictest([await rules_of(database, guild) for guild in shared])


def in_channel(rules: Rules, age_restricted: bool, checked: bool) -> Rules:
    """Nakedness is for channels of adults, and only where the pictures are looked at."""
    return replace(rules, nsfw=rules.nsfw and age_restricted and checked)


def said(request: GenerationRequest, wildcard: Callable[[str, int], Sequence[str]]) -> set[str]:
    """Everything that a prompt says, however its syntax cuts it up: as it is typed, all its words
    side by side, and what its seed makes of it at each step; and beside its words what the
    negative prompt turns away from.

    Args:
        wildcard: the lines that a wildcard stands for.
    """
    drawn, read = _read(request, wildcard)
    _, negative = _read(request, wildcard, negative=True)
    words = grammar.words(drawn)
    texts = {request.prompt, grammar.words(request.prompt), words}
    for each in grammar.passes(request.scheduled):
        texts |= grammar.readings(read, each)
        asked = grammar.averted(negative, each, together=True)
        texts |= {f"{words}, {text}" for text in asked}
    return texts


def kept_out(
    request: GenerationRequest,
    wildcard: Callable[[str, int], Sequence[str]],
    what: re.Pattern[str],
) -> str:
    """The part of its negative prompt that keeps this out, or of its prompt that weighs less than
    nothing; "" where none does. They are read as the generator reads them: what its seed draws and
    what there is at each step, weights in anybody's way of writing."""
    _, read = _read(request, wildcard)
    _, negative = _read(request, wildcard, negative=True)
    texts = [grammar.words(negative)]
    for each in grammar.passes(request.scheduled):
        texts += [*grammar.readings(negative, each), *grammar.averted(read, each)]
    parts = (part.strip() for text in texts for part in PARTS.split(text))
    return next((each for each in parts if what.fullmatch(fold(each))), "")


def _read(
    request: GenerationRequest,
    wildcard: Callable[[str, int], Sequence[str]],
    *,
    negative: bool = False,
) -> tuple[str, str]:
    """What its seed makes of a prompt, as it is drawn and in our grammar."""
    typed = request.negative_prompt if negative else request.prompt
    drawn, _ = wildcards.draw(typed, request.seed, wildcard, request.version)
    return drawn, habits.weights(drawn, request.version, negative=negative).text


def blocked_word(rules: Rules, prompt: str) -> str | None:
    """The first listed word of a prompt, as it was typed."""
    lists = LISTS[rules.words] - (SEXUAL if rules.nsfw else frozenset())
    found = find(prompt, lists)
    return found[0].typed if found else None


def below_floor(prompt: str, plainly: bool = False) -> bool:
    """Whether a prompt asks for sexual content with minors, which no setting allows.

    Args:
        plainly: whether it does so in words that don't mean adults or things as well.
    """
    passing = PASSING | ({THINGS, PERHAPS_THINGS} if plainly else {THINGS})
    ages = AGES if plainly else AGES + AGES_OF_ANYTHING
    found = find(prompt, FLOOR | SUGGESTIVE_ANYWHERE, passing)
    categories = {each.category for each in found}
    if "never" in categories:
        return True
    if categories & SUGGESTIVE_ANYWHERE and ("minors" in categories or _tells_age(prompt, ages)):
        return True
    return not plainly and bool(categories & SEXUAL_ANYWHERE) and mentions_minor(prompt)


def mentions_minor(prompt: str) -> bool:
    """Whether somebody in the picture is a child, or may be one."""
    return bool(find(prompt, FLOOR, PASSING)) or _tells_age(
        prompt, PERHAPS_AGES + AGES + AGES_OF_ANYTHING
    )


def _tells_age(prompt: str, patterns: Sequence[re.Pattern[str]]) -> bool:
    text = " ".join(fold(prompt).split())  # endless spaces could be divided in endless ways
    under = any(age <= GROWN_UP_YEARS for age in _ages(text, UNDER))
    return under or any(age < GROWN_UP_YEARS for age in _ages(text, patterns))


def _ages(text: str, patterns: Sequence[re.Pattern[str]]) -> Iterator[int]:
    ages = (match["age"] for pattern in patterns for match in pattern.finditer(text))
    return (NUMBERS.get(age) or int(age) for age in ages)
