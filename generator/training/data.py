"""The art: open emoji, fetched by the names of their npm packages and rendered to 128×128 RGBA."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Iterator, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 128
STYLES = {"noto": "noto", "twemoji": "twemoji", "fluent": "fluent-emoji-flat"}
VERSIONS = {  # their licences are in generator/bundled/README.md
    "@iconify-json/noto": "1.2.9",
    "@iconify-json/twemoji": "1.2.5",
    "@iconify-json/fluent-emoji-flat": "1.2.6",
    "emojibase-data": "17.0.0",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """`label`: the emoji's English name, lower case; `group`: Unicode's, 0 (smileys) to 9."""

    label: str
    style: str
    group: int


@dataclass(frozen=True)
class Art:
    """`rgba`: (pictures, 128, 128, 4) uint8."""

    rgba: NDArray[np.uint8]
    pictures: tuple[Picture, ...]


def fetch(packages: Path) -> Path:
    """The folder of packages; npm fetches those that aren't there.

    Raises:
        SystemExit: there is no npm, or it failed.
    """
    modules = packages / "node_modules"
    if all((modules / name / "package.json").exists() for name in VERSIONS):
        return modules
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("The art comes by npm, which isn't here: install Node.js (nodejs.org).")
    wanted = [f"{name}@{version}" for name, version in VERSIONS.items()]
    packages.mkdir(parents=True, exist_ok=True)
    options = ["--prefix", str(packages), "--ignore-scripts", "--no-audit", "--no-fund"]
    if subprocess.run([npm, "install", *options, *wanted], check=False).returncode != 0:
        raise SystemExit("npm couldn't fetch the art: check the network and start again.")
    return modules


def load(folder: Path, packages: Path, labels: Set[str]) -> Art:
    """The pictures of these emoji; rendered the first time, afterwards from `folder`.

    Raises:
        SystemExit: a label is no emoji's.
    """
    index, pixels = folder / "art.json", folder / "art.npz"
    wanted = sorted(labels)
    if index.exists():
        saved = json.loads(index.read_text(encoding="utf-8"))
        if saved["labels"] == wanted and saved["versions"] == VERSIONS:
            return Art(
                np.load(pixels)["rgba"], tuple(Picture(**each) for each in saved["pictures"])
            )
    art = _render_all(fetch(packages), labels)
    if missing := labels - {picture.label for picture in art.pictures}:
        raise SystemExit(f"No emoji is called {', '.join(sorted(missing))}: mend concepts.txt.")
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(pixels, rgba=art.rgba)
    pictures = [asdict(picture) for picture in art.pictures]
    fields = {"labels": wanted, "versions": VERSIONS, "pictures": pictures}
    index.write_text(json.dumps(fields), encoding="utf-8")
    return art


def _render_all(modules: Path, labels: Set[str]) -> Art:
    found = [*_drawings(modules, labels)]
    return Art(np.stack([_render(svg) for _, svg in found]), tuple(p for p, _ in found))


def _drawings(modules: Path, labels: Set[str]) -> Iterator[tuple[Picture, str]]:
    """In the emoji's usual order, each in the order of the styles: scenes count on it."""
    sets = {style: modules / "@iconify-json" / name for style, name in STYLES.items()}
    icons = {style: _json(folder / "icons.json") for style, folder in sets.items()}
    names = {
        style: {code.upper(): name for code, name in _json(folder / "chars.json").items()}
        for style, folder in sets.items()
    }
    emoji = _json(modules / "emojibase-data" / "en" / "data.json")
    for each in sorted(emoji, key=lambda e: e.get("order", 1 << 30)):
        if each["label"].lower() not in labels:
            continue
        for style in STYLES:
            code = each["hexcode"]
            plain = code.replace("-FE0F", "")  # some sets leave the variation selector out
            name = names[style].get(code) or names[style].get(plain, "")
            if name in icons[style]["icons"]:
                picture = Picture(each["label"].lower(), style, each["group"])
                yield picture, _svg(icons[style], name)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _svg(icons: dict[str, Any], name: str) -> str:
    icon = icons["icons"][name]
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    box = f"{icon.get('left', 0)} {icon.get('top', 0)} {width} {height}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{SIDE}" height="{SIDE}" viewBox="{box}">{icon["body"]}</svg>'
    )


def _render(svg: str) -> NDArray[np.uint8]:
    import resvg_py  # the optional extra "train"

    png = resvg_py.svg_to_bytes(svg_string=svg, width=SIDE, height=SIDE, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as image:
        return np.asarray(image.convert("RGBA").resize((SIDE, SIDE)))
