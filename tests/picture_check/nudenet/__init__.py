"""Stands in for the library of the extra `semilla[safety]`: a picture with a blue
corner is naked to it."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


class NudeDetector:
    def detect(self, image_path: bytes) -> list[dict[str, Any]]:
        with Image.open(io.BytesIO(image_path)) as image:
            red, _, blue = image.convert("RGB").resize((16, 16)).getpixel((0, 0))
        found = {"class": "FACE_FEMALE", "score": 0.9, "box": [0, 0, 8, 8]}
        naked = {"class": "FEMALE_BREAST_EXPOSED", "score": 0.7, "box": [0, 0, 8, 8]}
        return [found, naked] if blue > red else [found]
