"""What a person sees of the loopback's messages: as lines for a snapshot, as a page for the eye.

python -m tests.telegram_peer.look FOLDER    plays a lesson in both languages, a picture for each
"""

from __future__ import annotations

import asyncio
import base64
import html
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.telegram_peer.server import ANA, LUIS, PRIVATE, TEACHER, Sent, Telegram

CHANGING = (
    (re.compile(r"\b(?=\w*\d)(?=\w*[A-Z])[2-9B-DF-HJ-NP-TV-Z]{4}\b"), "K7QX"),
    (re.compile(r"\d+[.,]\d s\b"), "1.3 s"),
    (re.compile(r"(~|about |unos )\d+ s\b"), r"\g<1>9 s"),
    (re.compile(r"\(device [^)]*\)"), "(this computer)"),
    (re.compile(r"\([0-9a-f]{10}\)"), "(hash)"),
)
STYLE = """
body { margin: 0; background: #d6e4d0; font: 15px/1.35 system-ui, "Noto Color Emoji", sans-serif }
main { width: 460px; padding: 12px 14px; display: flex; flex-direction: column; gap: 8px }
article { max-width: 400px; align-self: flex-start } article.asked { align-self: flex-end }
.bubble { background: #fff; border-radius: 14px; padding: 7px 11px; white-space: pre-wrap;
  overflow-wrap: anywhere; box-shadow: 0 1px 1px #0002 }
.asked .bubble { background: #e2fbcb } .who { color: #3a8bc9; font-weight: 600; font-size: 13px }
img { display: block; width: 100%; border-radius: 10px; margin-bottom: 5px }
code { color: #a3472d } small { color: #6b7f6b; font-size: 11.5px }
.row { display: flex; gap: 4px; margin-top: 4px }
.row span { flex: 1; text-align: center; background: #4b7a4f; color: #fff; border-radius: 8px;
  padding: 7px 3px; font-size: 13.5px; white-space: nowrap; overflow: hidden }
.file { background: #eef3ee; border-radius: 9px; padding: 8px; margin-bottom: 5px }
.toast { align-self: center; background: #000b; color: #fff; border-radius: 10px; padding: 8px 14px }
"""


async def lesson(peer: Telegram, language: str) -> None:
    """One of each thing that is seen in a group and in private."""
    spanish = language == "es"
    say = {"user": LUIS if spanish else ANA, "language": language}
    imagine = "/imagina" if spanish else "/imagine"
    cat = "un gato rojo" if spanish else "a red cat"
    await peer.invite(user=TEACHER, language=language)
    await peer.until(lambda: peer.messages)
    picture = await peer.shown(await peer.say(f"{imagine} {cat} semilla:7 pasos:12", **say))
    await peer.press(picture, next(b for b in picture.buttons() if b.startswith("📋")), **say)
    await peer.until(lambda: [m for m in peer.messages.values() if "(device " in m.text])
    await peer.answered(await peer.say(f"{imagine} {cat} semilla:tomate", **say))
    await peer.answered(await peer.say(imagine, **say))
    await peer.answered(await peer.say("/ayuda" if spanish else "/help", **say))
    await peer.answered(await peer.say("/cola" if spanish else "/queue", **say))
    await peer.shown(await peer.say(f"{imagine} {cat} count:4 steps:8 seed:3", **say))
    await peer.press(picture, next(b for b in picture.buttons() if b.startswith("🌱")), **say)
    await peer.shown(count=3)
    await peer.say(f"{imagine} {cat} pasos:1", ago=14 * 60, **say)
    await peer.until(lambda: [m for m in peer.messages.values() if "14 min" in m.text])
    alone = await peer.say(f"{cat} semilla:7 pasos:12", chat=PRIVATE, user=ANA, language=language)
    own = await peer.shown(alone, chat=PRIVATE)
    await peer.press(own, "⋯", language=language)
    await peer.until(lambda: len(own.buttons()) > 5)
    for label in ("✏️", "📎"):
        before = len(peer.messages)
        button = next(b for b in own.buttons() if b.startswith(label))
        await peer.press(own, button, language=language)
        await peer.until(lambda before=before: len(peer.messages) > before)


def lines(messages: Iterable[Sent]) -> list[str]:
    """Without what differs each time: ids, seconds, who waited."""
    found = []
    for message in messages:
        if message.text.startswith("🎨"):
            continue
        kind = "photo" if message.photo else "file" if message.document else "text"
        found.append(f"--- {kind}{', silent' if message.silent else ''}")
        found += message.lines()
        found += [" ".join(f"[{b['text']}]" for b in row) for row in message.keyboard]
    text = "\n".join(found)
    for pattern, usual in CHANGING:
        text = pattern.sub(usual, text)
    return text.splitlines()


def page(peer: Telegram, chat: int) -> str:
    """One chat, as an app shows it."""
    said = [(n, who, text) for n, (c, who, text) in peer.said.items() if c == chat]
    shown = [(m.id, "", _message(m)) for m in peer.messages.values() if m.chat == chat]
    asked = [(n, who, _asked(who, text)) for n, who, text in said]
    body = "\n".join(each for _, _, each in sorted(shown + asked))
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><main>{body}</main>'


def _asked(who: str, text: str) -> str:
    return (
        f'<article class="asked"><div class="bubble"><div class="who">{html.escape(who)}</div>'
        f"{html.escape(text)}</div></article>"
    )


def _message(message: Sent) -> str:
    inside = '<div class="who">Semilla</div>'
    if message.photo:
        data = base64.b64encode(message.photo).decode()
        inside += f'<img src="data:image/jpeg;base64,{data}">'
    if message.document:
        inside += f'<div class="file">📄 {html.escape(message.document[0])}</div>'
    notes = [word for word, is_so in (("silent", message.silent), ("deleted", message.deleted),
             ("seen by one", message.receiver)) if is_so]  # fmt: skip
    inside += _marked(message) + f" <small>{', '.join(notes)}</small>"
    rows = "".join(
        '<div class="row">' + "".join(f"<span>{html.escape(b['text'])}</span>" for b in row) + "</div>"
        for row in message.keyboard
    )  # fmt: skip
    return f'<article><div class="bubble">{inside}</div>{rows}</article>'


def _marked(message: Sent) -> str:
    """The text with its entities, which count in UTF-16 units."""
    units, tags = message.text.encode("utf-16-le"), {"bold": "b", "code": "code"}
    found, end = "", 0
    for each in sorted(message.entities, key=lambda e: e["offset"]):
        start, stop = 2 * each["offset"], 2 * (each["offset"] + each["length"])
        tag = tags[each["type"]]
        found += html.escape(units[end:start].decode("utf-16-le"))
        found += f"<{tag}>{html.escape(units[start:stop].decode('utf-16-le'))}</{tag}>"
        end = stop
    return found + html.escape(units[end:].decode("utf-16-le"))


async def main(folder: Path) -> None:
    from playwright.async_api import async_playwright

    from tests.test_telegram import semilla_on, serving_telegram
    from tests.test_telegram_class import hold

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium")
        for language in ("en", "es"):
            async with serving_telegram() as peer, semilla_on(peer, folder / f"data-{language}"):
                await lesson(peer, language)
                shown = {"group": page(peer, peer.group), "private": page(peer, PRIVATE)}
                peer.forget()
                await hold(peer, members=10, rounds=3, minutes=0.2)
                shown["class"] = page(peer, peer.group)
                for name, content in shown.items():
                    tab = await browser.new_page(viewport={"width": 490, "height": 800})
                    await tab.set_content(content)
                    await tab.screenshot(path=folder / f"{name}-{language}.png", full_page=True)
        await browser.close()


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1])))
