"""What was wrong, in its author's words and language."""

from __future__ import annotations

import secrets
from typing import Any

from bot.conversation import Button, Refusal, Reply, Tone
from bot.locales import choice, has, say
from db.codes import SYMBOLS


def refused(language: str, refusal: Refusal) -> Reply:
    """What was wrong, what is allowed, what to do: for its author only."""
    facts: dict[str, Any] = {**refusal.facts}
    if option := facts.get("option"):
        facts["option"] = say(language, f"option-{option}")
        facts["option_typed"] = facts["option"].replace(" ", "-")
        facts["help"] = say(language, f"option-{option}-help")
    if choices := facts.get("choices"):
        facts["choices"] = ", ".join(choice(language, each) for each in choices)
    if has(language, key := f"command-{facts.get('command', '')}".replace(" ", "-")):
        facts["command"] = say(language, key)
    lines = refusal.suggestions[:3]
    buttons = tuple(Button(label=_as_typed(line, language), line=line) for line in lines)
    buttons += tuple(
        Button(label=say(language, f"button-{name}"), line=line) for name, line in refusal.offers
    )
    text = say(language, f"refusal-{refusal.key}", **facts)
    return Reply(
        text=text[:1].upper() + text[1:],
        buttons=(buttons,) if buttons else (),
        private=True,
        tone=Tone.REFUSED,
        repeated=refusal.repeated,
    )


def _as_typed(line: str, language: str) -> str:
    """A suggested line with its command's name in a language."""
    name, _, rest = line.removeprefix("/").partition(" ")
    if not line.startswith("/") or not has(language, f"command-{name}"):
        return line
    return f"/{say(language, f'command-{name}')} {rest}".strip()


def fault(language: str, code: str, line: str = "") -> Reply:
    """`line`: what can be tried again."""
    again = Button(label=say(language, "button-retry"), line=line)
    text = say(language, "fault", code=code)
    return Reply(text=text, buttons=((again,),) if line else (), private=True, tone=Tone.FAULT)


def short_code() -> str:
    """By which a member's complaint is found in the log."""
    return "".join(secrets.choice(SYMBOLS) for _ in range(4))
