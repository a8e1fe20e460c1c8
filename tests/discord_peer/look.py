"""What a person sees of messages: as text for snapshots, and as a page that looks like Discord."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable
from pathlib import Path

from tests.discord_peer.kept import Message

STYLE = """
body {background:#313338; color:#dbdee1; font:16px/1.375 'gg sans','Noto Sans',sans-serif;
      width:640px; padding:16px; margin:0}
.message {padding:4px 0 12px 56px; position:relative}
.message::before {content:'🌱'; position:absolute; left:0; top:4px; width:40px; height:40px;
      border-radius:50%; background:#5865f2; text-align:center; line-height:40px}
.name {font-weight:600; color:#f2f3f5} .name small {background:#5865f2; color:#fff; font-size:10px;
      border-radius:3px; padding:1px 4px; margin-left:4px}
img {max-width:350px; max-height:350px; border-radius:8px; display:block; margin:6px 0}
.many {display:grid; grid-template-columns:1fr 1fr; gap:4px; width:400px} .many img {width:100%}
code {background:#1e1f22; border-radius:4px; padding:0 3px; font-size:85%}
button {background:#4e5058; color:#fff; border:0; border-radius:8px; padding:7px 12px; margin:4px 4px 0 0;
      font:500 14px sans-serif} select {background:#1e1f22; color:#dbdee1; border:0; border-radius:8px;
      padding:10px; width:400px; margin-top:6px} a {color:#00a8fc; text-decoration:none}
.only {color:#949ba4; font-size:12px}
"""
VARYING = (
    (r"\b[2-9B-DF-HJ-NP-TV-Z]{4}\b", "CODE"),
    (r"\([0-9a-f]{10}\)", "(HASH)"),
    (r"\([^()]*torch[^()]*\)", "(MACHINE)"),
    (r"\d+[.,]\d s", "0 s"),
    (r"channels/\d+/\d+/\d+", "channels/…"),
)


def as_text(messages: Iterable[Message]) -> str:
    """With what differs from run to run left out."""
    found = "\n\n".join(_text(each) for each in messages) + "\n"
    for pattern, instead in VARYING:
        found = re.sub(pattern, instead, found, flags=re.MULTILINE)
    return found


def _text(message: Message) -> str:
    lines = ["(only you)"] if message.ephemeral else []
    lines += message.content.split("\n")
    lines += [f"<{name}: {message.alts.get(name, '')}>" for name in message.files]
    for row in message.components:
        lines.append(" ".join(_component(each) for each in row["components"]))
    return "\n".join(lines)


def _component(item: dict[str, object]) -> str:
    if item["type"] == 2:
        return f"[{item['label']}]"
    options = item["options"]
    assert isinstance(options, list)
    return " / ".join([f"[{item.get('placeholder')} ▾]", *(each["label"] for each in options)])


def as_page(messages: Iterable[Message]) -> str:
    return f"<meta charset=utf-8><style>{STYLE}</style>" + "".join(map(_html, messages))


def _html(message: Message) -> str:
    pictures = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(data).decode()}">'
        for name, data in message.files.items()
    )
    many = f'<div class="many">{pictures}</div>' if len(message.files) > 1 else pictures
    rows = "".join(
        f"<div>{''.join(map(_control, row['components']))}</div>" for row in message.components
    )
    only = '<div class="only">👁 Only you can see this</div>' if message.ephemeral else ""
    name = '<div class="name">Semilla<small>APP</small></div>'
    return (
        f'<div class="message">{name}<div>{_markup(message.content)}</div>{many}{rows}{only}</div>'
    )


def _control(item: dict[str, object]) -> str:
    if item["type"] == 2:
        return f"<button>{html.escape(str(item['label']))}</button>"
    return f"<select><option>{html.escape(str(item.get('placeholder')))}</select>"


def _markup(text: str) -> str:
    found = html.escape(text)
    found = re.sub(r"\[(.+?)\]\(&lt;.+?&gt;\)", r"<a href='#'>\1</a>", found)
    found = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", found)
    found = re.sub(r"`` ?(.+?) ?``|`(.+?)`", lambda m: f"<code>{m[1] or m[2]}</code>", found)
    return re.sub(r"\\(.)", r"\1", found).replace("\n", "<br>")


async def photograph(page: str, file: Path) -> None:
    """By Chromium."""
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path="/usr/bin/chromium")
        view = await browser.new_page(viewport={"width": 672, "height": 400})
        await view.set_content(page)
        await view.screenshot(path=file, full_page=True)
        await browser.close()
