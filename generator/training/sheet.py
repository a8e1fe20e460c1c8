"""A contact sheet of 64 prompts, half of them Spanish: to be looked at."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from generator.training.painter import Painter
from generator.training.words import without_accents

PROMPTS = Path(__file__).parent / "sheet.txt"
COLUMNS, CELL, LABEL = 8, 134, 16  # pixels


def draw_sheet(model: Path, path: Path) -> None:
    """With the model's own settings, one seed each."""
    prompts = PROMPTS.read_text(encoding="utf-8").splitlines()
    painter = Painter(model)
    pictures = painter.paint(prompts, painter.settings())
    rows = -(-len(prompts) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL, rows * (CELL + LABEL)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(10)
    for number, (prompt, picture) in enumerate(zip(prompts, pictures, strict=True)):
        x, y = number % COLUMNS * CELL, number // COLUMNS * (CELL + LABEL)
        sheet.paste(Image.fromarray(picture), (x + 3, y + LABEL))
        label = without_accents(prompt)[:26]  # Pillow's own font has none
        draw.text((x + 3, y + 2), label, fill="black", font=font)
    sheet.save(path, quality=88)
