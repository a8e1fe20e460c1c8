"""Figures of a model, the shipped one unless another folder is named.

    python -m bench.model [folder] [--quick] [--only things twos …]
    python -m bench.model [folder] --sheet sheet.jpg

A small classifier (generator/training/judge.py) is trained on the art the first time, in minutes, and
says whether pictures show what was asked; it and the art are kept in the work folder. What each
figure means is in generator/training/evaluation.py.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

import torch

from generator.catalogue import BUNDLED
from generator.training import concepts, data, evaluation
from generator.training.__main__ import WORK
from generator.training.loop import Stopped
from generator.training.scenes import Composer
from generator.training.sheet import draw_sheet


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.model", description=__doc__)
    parser.add_argument("model", nargs="?", type=Path, default=BUNDLED, help="its folder")
    parser.add_argument("--quick", action="store_true", help="a fifth of the pictures")
    parser.add_argument("--work", type=Path, default=WORK, help="keeps art and classifier")
    parser.add_argument("--packages", type=Path, help="the folder that npm puts the art into")
    parser.add_argument("--only", nargs="+", choices=evaluation.PARTS, default=evaluation.PARTS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sheet", type=Path, help="only draw 64 prompts into this file")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.sheet:
        draw_sheet(given.model, given.sheet)
        return
    taught = concepts.read()
    packages = given.packages or given.work / "npm"
    art = data.load(given.work / "art", packages, concepts.labels(taught))
    extent = evaluation.QUICK if given.quick else evaluation.FULL
    try:
        evaluation.report(given.model, Composer(taught, art), given.work, extent, given.only)
    except Stopped as stopped:  # while the classifier was trained
        print(stopped)


if __name__ == "__main__":
    main()
