"""What members bring along from other programs: AUTOMATIC1111's, Compel's and Midjourney's ways of
writing a prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from generator.request import VERSION

NEGATIVE = r"(?i:negative prompt|prompt negativo)"  # what its line begins with
NEGATIVE_LINE = re.compile(rf"(?:^|\s){NEGATIVE}:")
COMMENT = re.compile(r"^#.*(?:\n|$)", re.MULTILINE)
BOUNDARY = r"(?=[\s,.;:!?)\]|]|$)"
SIGNS = r"(\++|-{2,})"
COMPEL_WORD = re.compile(rf"\b([^\W\d_]{{2,}}){SIGNS}{BOUNDARY}")  # word++, but not C++ or a dash
# (a b)1.3, (a b)++
COMPEL_GROUP = re.compile(rf"\)(?:(\d{{0,2}}\.\d{{1,6}})|{SIGNS}){BOUNDARY}")
# hot::2 dog::.5 sun::0,5, but not "cat:: 2 dogs"
MULTI_WEIGHT = r"(-?(?:\d{1,3}(?:[.,]\d{1,6})?|\.\d{1,6}))?"
MULTI_PROMPT = re.compile(rf"(?<!:)::(?!:){MULTI_WEIGHT}")
DECIMAL_COMMA = re.compile(r"(:\s*[-+]?[01]),(\d{1,2}\s*[)\]])")  # (a b:1,3), but not (4:3,10)
BETWEEN_PARTS = " \t\n,.;"
# In recipes from before version 7, and from before version 6.
MULTI_PROMPT_6 = re.compile(rf"(?<!:)::(?!:)\s*{MULTI_WEIGHT}")
COMPEL_GROUP_5 = re.compile(rf"\)(?:(\d{{1,2}}\.\d{{1,6}})|{SIGNS}){BOUNDARY}")
MULTI_PROMPT_5 = re.compile(r"(?<!:)::(?!:)\s*(-?\d{1,3}(?:\.\d{1,6})?)?")
MULTI_PROMPTS = {7: MULTI_PROMPT, 6: MULTI_PROMPT_6, 0: MULTI_PROMPT_5}
# Telephones turn two into a long one; before a capital that begins what somebody says, and —with
# another one behind— it is an aside.
DASHES = r"(?:--|[—–](?![A-Z]|[^—–]*\w[—–](?!\w)))"
OPTION = re.compile(
    rf"(?:^|(?<=\s)){DASHES}([a-zA-Z]+)\b(?:[ =](?!{DASHES}))?((?:(?!\s{DASHES}[a-zA-Z]).)*)",
    re.DOTALL,
)
MOST_SIGNS = 8
NAMED = re.compile(  # ComfyUI, where a file's ending may be left out
    r"\bembedding:([\w.+-]+?)(\.(?:pt|bin|safetensors))?(?=[,.;:)\]]*(?:\s|$|:|\)|\]|,))",
    re.IGNORECASE,
)
# Files that recipes name as if they were words. Where they are missing nothing would tell.
USUAL = re.compile(
    r"\b(?:easynegative(?:v2)?|bad[-_ ]?hand(?:s-5|v[45](?:-75t)?)|bad[-_]prompt(?:_version2)?"
    r"|bad[-_]artist(?:-anime)?|bad-image-v2-39000|bad-picture-chill-75v|badpic|baddream"
    r"|ng_deepnegative_v1_75t|deepnegative|verybadimagenegative_v1\.3|unrealisticdream"
    r"|fastnegative(?:v2|embedding)|realisticvision-negative-embedding|negative_hand(?:-neg)?"
    r"|negativexl(?:_[a-z])?|unaestheticxl\w*|ac_neg[12]|aid\d+|bad_?quality\w*v\d+)\b",
    re.IGNORECASE,
)

NAMES = {
    **dict.fromkeys(("ar", "aspect"), "size"),
    **dict.fromkeys(("repeat", "r"), "count"),
    "no": "negative",
    "seed": "seed",
    "tile": "tiling",
}
VALUES = {
    "count": r"[1-9]\Z",
    "size": r"\d{1,4}(?:\.\d{1,3})?:\d{1,4}(?:\.\d{1,3})?\Z",
    "negative": r"(?s:.+)",
    "seed": r"\d{1,10}\Z",
    "tiling": "",
}
RAW = "raw"
AMOUNT = r"[\d.]+(?:,\d+)?"
# Midjourney's that have no counterpart, with what a value of theirs looks like.
WITHOUT = {
    **dict.fromkeys(("s", "stylize", "c", "chaos", "w", "weird", "exp", "q", "quality"), AMOUNT),
    **dict.fromkeys(("iw", "sw", "cw", "ow", "sv", "stop", "repeat", "r"), AMOUNT),
    **dict.fromkeys(("v", "version", "niji"), r"[\d.]*"),
    **dict.fromkeys(("style", "motion"), r"\w+"),
    **dict.fromkeys(("personalize", "p", "profile"), r"\w*"),
    **dict.fromkeys(("sref", "cref", "oref"), r"\S+(?:\s+(?:\d+|\w+://\S+))*"),
    **dict.fromkeys(("fast", "relax", "turbo", "draft", "video", "hd", "uplight", "upbeta"), ""),
    RAW: "",
}


@dataclass(frozen=True, slots=True)
class Translated:
    """A text in our grammar.

    Args:
        changes: what was typed → what it was read as.
        options: our options' names → values.
        ignored: what has no counterpart here, as typed.
    """

    text: str
    changes: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def without_comments(text: str) -> str:
    """Without the lines that begin with #, unless there is nothing else."""
    return COMMENT.sub("", text).strip() or text


def weights(text: str, version: int = VERSION, *, negative: bool = False) -> Translated:
    """Compel's weights and Midjourney's parts in AUTOMATIC1111's grammar.

    Args:
        version: of the recipe.
        negative: of a negative prompt, whose parts can't be weighed against each other.
    """
    changes: dict[str, str] = {}

    def word(found: re.Match[str]) -> str:
        changes[found[0]] = f"({found[1]}:{_power(found[2])})"
        return changes[found[0]]

    def group(found: re.Match[str]) -> str:
        weight = found[1] or _power(found[2])
        changes[f"( ){found[0][1:]}"] = f"( :{weight})"
        return f":{weight})"

    def pointed(found: re.Match[str]) -> str:
        changes[found[0]] = f"{found[1]}.{found[2]}"
        return changes[found[0]]

    text = COMPEL_WORD.sub(word, text)
    if "(" in text:
        text = (COMPEL_GROUP if version > 5 else COMPEL_GROUP_5).sub(group, text)
    if version > 5:
        text = DECIMAL_COMMA.sub(pointed, text)
    if "::" in text and "[" not in text:
        text = _parts(text, changes, version, together=negative and version > 3)
    return Translated(text, changes)


def options(text: str) -> Translated:
    """The text without Midjourney's options, which stand at its end."""
    found: dict[str, str] = {}
    changes: dict[str, str] = {}
    ignored: list[str] = []

    def take(match: re.Match[str]) -> str:
        name, value = match[1].lower(), match[2].strip().rstrip(".,;")
        ours = NAMES.get(name)
        if ours and (taken := re.match(VALUES[ours], value)):
            found[ours] = taken[0] or "yes"
            changes[f"--{match[1]} {taken[0]}".strip()] = f"{ours}:{found[ours]}"
        elif name in WITHOUT and (taken := re.match(WITHOUT[name], value)):
            ignored.append(f"--{match[1]} {taken[0]}".strip())
        else:
            return match[0]
        return value[taken.end() :]

    return Translated(OPTION.sub(take, text).strip(), changes, found, tuple(ignored))


def _power(signs: str) -> str:
    """Compel: each + is 1.1, each - is 0.9."""
    return f"{(1.1 if signs[0] == '+' else 0.9) ** min(len(signs), MOST_SIGNS):.4g}"


def _parts(text: str, changes: dict[str, str], version: int, *, together: bool) -> str:
    """Weights relative to each other, as Midjourney has them: their sum is 1. Where all stays
    together they are left out."""
    parts: list[tuple[str, float]] = []
    begun = 0
    between = BETWEEN_PARTS if version > 5 else None
    separator = next(each for since, each in MULTI_PROMPTS.items() if version >= since)
    for found in separator.finditer(text):
        if version < 4 or text.count("(", 0, found.start()) <= text.count(")", 0, found.start()):
            weight = float((found[1] or "1").replace(",", "."))
            parts.append((text[begun : found.start()].strip(between), weight))
            begun = found.end()
    if not begun:
        return text.strip()
    parts.append((text[begun:].strip(between), 1.0))
    parts = [(words, weight) for words, weight in parts if words]
    total = sum(weight for _, weight in parts)
    if together:
        read = ", ".join(words for words, _ in parts)
    elif len(parts) < 2 or total <= 0:
        read = " ".join(words for words, _ in parts)
    else:
        read = " AND ".join(f"{words} :{weight / total:.4g}" for words, weight in parts)
    if read != text.strip():
        changes[text.strip()] = read
    return read


def unmarked(text: str, version: int = VERSION) -> str:
    """Names of embeddings without ComfyUI's mark.

    Args:
        version: of the recipe.
    """
    return NAMED.sub(r"\1" if version > 5 else r"\1\2", text)


def embeddings(text: str) -> list[str]:
    """Names in a text that are those of embeddings and no words, whether these are there or not."""
    named = [found[1] for found in NAMED.finditer(text)]
    return list(dict.fromkeys([*named, *(found[0] for found in USUAL.finditer(text))]))
