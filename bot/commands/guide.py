"""/imagine without words: what, in which colour, before what — each a button, none needs typing."""

from __future__ import annotations

from random import Random

from bot.commands.declaration import command
from bot.commands.kinds import Page, Step, Words
from bot.commands.semilla import Semilla
from bot.conversation import Button, Call, Reply
from bot.locales import say
from generator.vocabulary import Vocabulary

OFFERED, A_ROW = 9, 3
COLOURS = 6


@command()
async def guide(
    semilla: Semilla, call: Call, prompt: Words = "", step: Step = 0, page: Page = 1
) -> Reply:
    """`prompt`: the words chosen so far; at the last step each button draws."""
    path = semilla.catalogue.default().vocabulary
    if path is None:
        return _examples(semilla, call)
    vocabulary = Vocabulary.load(path)
    match step:
        case 0:
            return _things(vocabulary, call, page)
        case 1:
            return _colours(vocabulary, call, prompt)
        case _:
            return _backgrounds(vocabulary, call, prompt)


def _examples(semilla: Semilla, call: Call) -> Reply:
    buttons = [Button(each, each) for each in semilla.catalogue.default().examples(call.language)]
    return Reply(text=say(call.language, "guide-what"), buttons=_rows(buttons), private=True)


def _things(vocabulary: Vocabulary, call: Call, page: int) -> Reply:
    """There are hundreds, and each page has some of all kinds; after the last comes the first."""
    things = [*vocabulary.list(call.language)]
    Random(0).shuffle(things)  # noqa: S311  the same order for all
    pages = [things[i : i + OFFERED] for i in range(0, len(things), OFFERED)]
    found = pages[(page - 1) % len(pages)]
    buttons = [Button(each, f"/guide step:1 {each}") for each in found]
    other = Button(say(call.language, "guide-others"), f"/guide page:{page % len(pages) + 1}")
    text = say(call.language, "guide-what")
    return Reply(text=text, buttons=(*_rows(buttons), (other,)), private=True)


def _colours(vocabulary: Vocabulary, call: Call, words: str) -> Reply:
    colours = vocabulary.coloured(words, call.language)[:COLOURS]
    buttons = [Button(each, f"/guide step:2 {each}") for each in colours]
    any_ = Button(say(call.language, "guide-any-colour"), f"/guide step:2 {words}")
    text = say(call.language, "guide-colour", words=words)
    return Reply(text=text, buttons=(*_rows(buttons), (any_,)), private=True)


def _backgrounds(vocabulary: Vocabulary, call: Call, words: str) -> Reply:
    prompts = vocabulary.on_backgrounds(words, call.language)[:COLOURS]
    buttons = [Button(prompt.removeprefix(f"{words}, "), prompt) for prompt in prompts]
    plain = Button(say(call.language, "guide-draw"), words)
    text = say(call.language, "guide-background", words=words)
    return Reply(text=text, buttons=(*_rows(buttons), (plain,)), private=True)


def _rows(buttons: list[Button]) -> tuple[tuple[Button, ...], ...]:
    fitting = [each for each in buttons if each.fits]
    return tuple(tuple(fitting[i : i + A_ROW]) for i in range(0, len(fitting), A_ROW))
