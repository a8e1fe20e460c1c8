"""The stages of training, one after the other; each leaves what the next ones need in a folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from transformers import CLIPTextModel, CLIPTokenizer

from generator.training import (
    autoencoder,
    concepts,
    data,
    dataset,
    evaluation,
    export,
    text_encoder,
    tokenizer,
    unet,
)
from generator.training.captions import Captions
from generator.training.loop import duration
from generator.training.scenes import Composer, Scene

COST = {  # seconds of a step on two cores of an AMD EPYC with AVX-512, with other work beside
    "autoencoder": 0.45,
    "scenes": 0.015,
    "text": 0.3,
    "unet": 1.0,
}


@dataclass(frozen=True)
class Settings:
    """`work`: what is reached; `start`: the model to go on from; `batch`: of each process."""

    work: Path
    out: Path
    packages: Path
    start: Path | None
    concepts: Path
    scenes: int
    autoencoder_steps: int
    text_steps: int
    unet_steps: int
    device: str
    processes: int
    batch: int
    compiled: bool
    evaluated: bool


def default_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def run(settings: Settings) -> None:
    """Raises:
    Stopped: after a signal.
    SystemExit: the work folder holds another training, or the art can't be had.
    """
    taught = concepts.read(settings.concepts)
    _claim(settings, concepts.fingerprint(taught))
    art = data.load(settings.work / "art", settings.packages, concepts.labels(taught))
    composer = Composer(taught, art)
    _announce(settings, composer)
    training = Training(settings, composer)
    training.prepare()
    model = unet.train(training.unet_plan())
    parts = (training.autoencoder(), training.text_encoder(), training.tokenizer())
    export.write(settings.out, *parts, model, composer)
    print(f"The model is in {settings.out}.", flush=True)
    if settings.evaluated:
        evaluation.report(
            settings.out, composer, settings.work, evaluation.QUICK, scenes=settings.scenes
        )


def _claim(settings: Settings, fingerprint: str) -> None:
    """Data of other concepts or another model can't be gone on with."""
    mine = {
        "concepts": fingerprint,
        "scenes": settings.scenes,
        "start": str(settings.start and settings.start.resolve()),
    }
    path = settings.work / "settings.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(mine), encoding="utf-8")
    elif json.loads(path.read_text(encoding="utf-8")) != mine:
        raise SystemExit(f"{settings.work} holds another training: delete it, or name another.")


def _announce(settings: Settings, composer: Composer) -> None:
    steps = {
        "autoencoder": 0 if settings.start else settings.autoencoder_steps,
        "scenes": settings.scenes,
        "text": 0 if knows(settings.start, composer) else settings.text_steps,
        "unet": settings.unet_steps,
    }
    expected = sum(COST[name] * count for name, count in steps.items())
    print(
        f"{len(composer.concepts)} things, {len(composer.art.pictures)} drawings, "
        f"{settings.scenes} scenes. On two CPU cores all of it takes about {duration(expected)}; "
        "each stage says what it takes here. Ctrl+C stops, the same command goes on.",
        flush=True,
    )


def knows(model: Path | None, composer: Composer) -> bool:
    """Whether its words are those of all concepts: then its text encoder is kept as it is."""
    if model is None or not (model / "vocabulary.json").exists():
        return False
    vocabulary = json.loads((model / "vocabulary.json").read_text(encoding="utf-8"))
    known = {word for thing in vocabulary["things"] for word in thing["en"] + thing["es"]}
    nouns = [*composer.concepts, *concepts.kinds(composer.concepts)]
    words = (each.english + tuple(noun.text for noun in each.spanish) for each in nouns)
    return all(known.issuperset(each) for each in words)


class Training:
    """The stages before the UNet; what is there already isn't made again."""

    def __init__(self, settings: Settings, composer: Composer) -> None:
        self._settings, self._composer = settings, composer
        self._captions = Captions(composer)
        self._work = settings.work
        self._device = torch.device(settings.device)

    def prepare(self) -> None:
        scenes = self._composer.scenes(self._settings.scenes)
        if not self._has("tokenizer"):
            self._make_tokenizer()
        if not self._has("vae"):
            self._make_autoencoder()
        model = self.autoencoder()
        dataset.encode_scenes(self._composer, scenes, model, self._work, self._device)
        if not self._has("text_encoder"):
            self._make_text_encoder(scenes)
        if not (self._work / "captions.npy").exists():
            dataset.write_captions(self._captions, scenes, self.tokenizer(), self._work)

    def unet_plan(self) -> unet.Plan:
        settings = self._settings
        return unet.Plan(
            folder=self._work,
            start=settings.start,
            steps=settings.unet_steps,
            batch=settings.batch,
            processes=settings.processes,
            device=settings.device,
            compiled=settings.compiled,
        )

    def autoencoder(self) -> Any:
        return AutoencoderKL.from_pretrained(self._work / "vae", dtype=torch.float32).eval()

    def text_encoder(self) -> Any:
        folder = self._work / "text_encoder"
        return CLIPTextModel.from_pretrained(folder, dtype=torch.float32).eval()

    def tokenizer(self) -> Any:
        return CLIPTokenizer.from_pretrained(self._work / "tokenizer")

    def _has(self, part: str) -> bool:
        return (self._work / part).exists()

    def _keep(self, part: str, model: Any) -> None:
        """All of it or nothing, should this be interrupted."""
        beside = self._work / f"{part}.part"
        model.save_pretrained(beside)
        beside.rename(self._work / part)

    def _make_tokenizer(self) -> None:
        start = self._settings.start
        if start:
            self._keep("tokenizer", CLIPTokenizer.from_pretrained(start / "tokenizer"))
        else:
            self._keep("tokenizer", tokenizer.train(self._captions))

    def _make_autoencoder(self) -> None:
        """The UNet knows the latents of the autoencoder that it was trained with, so that one stays."""
        start, steps = self._settings.start, self._settings.autoencoder_steps
        if start:
            kept = AutoencoderKL.from_pretrained(start / "vae", dtype=torch.float32)
            self._keep("vae", kept)
            return
        model = autoencoder.train(self._composer, self._work, steps, self._device)
        self._keep("vae", model.to("cpu"))

    def _make_text_encoder(self, scenes: list[Scene]) -> None:
        start = self._settings.start
        words = self.tokenizer()
        if start:
            model = CLIPTextModel.from_pretrained(start / "text_encoder", dtype=torch.float32)
        else:
            model = text_encoder.build(words, self._composer.concepts)
        if not knows(start, self._composer):
            thumbnails = torch.from_numpy(np.load(self._work / "thumbnails.npy"))
            lessons = text_encoder.Lessons(words, self._captions, scenes, thumbnails)
            steps, peak = self._settings.text_steps, 6e-4 if start else 1e-3
            text_encoder.train(model, lessons, self._work, steps, self._device, peak)
        self._keep("text_encoder", model.to("cpu"))
