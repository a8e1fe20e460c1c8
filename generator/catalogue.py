"""Finds the models: the one that ships, and those in the owner's folders."""

from __future__ import annotations

import json
import logging
import math
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from generator import pickles, wildcards
from generator.entries import Entry, Extra, Model, Refused
from generator.families import PIPELINES, SMALL, WIDTHS, Family, distillation, distilled
from generator.folders import Found, walk
from generator.hashes import Closed, Hashes, Later, Stamp
from generator.headers import Header, Kind, Reason, Unusable, identify
from generator.request import VERSION, GenerationRequest
from generator.sidecars import OWN_VAE, beside, marks_of, own_defaults, transformer_side

log = logging.getLogger(__name__)

BUNDLED = Path(__file__).parent / "bundled"
AGAIN_SECONDS = 60  # after which a file that couldn't be read is read again, then after twice that
LONGEST_SECONDS = 6 * 3600
LARGE_BYTES = 1 << 26  # takes a while to be hashed


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was there at the last look. `later`: names and bytes of models still to be hashed."""

    models: tuple[Model, ...] = ()
    extras: tuple[Extra, ...] = ()
    refused: tuple[Refused, ...] = ()
    later: Mapping[str, int] = field(default_factory=dict)


class Catalogue:
    """What lies in these folders. `refresh` looks again; all else tells what it saw.

    Safe to be refreshed in one thread and asked in another.
    """

    def __init__(self, folders: Sequence[Path], cache: Path) -> None:
        self._folders = tuple(folders)
        self._hashes = Hashes(cache / "hashes.json")
        self._known: dict[Path, tuple[list[Stamp], Entry]] = {}
        # What couldn't be read as it was then: for how long, and until when.
        self._waits: dict[Path, tuple[list[Stamp], float, float]] = {}
        self._shelf: Shelf | None = None
        self._looking = threading.Lock()
        self._large = math.inf

    def refresh(self, large: float = math.inf) -> bool:
        """Reads what is new or was replaced; whether anything changed.

        Hashing gigabytes takes a while: call it in a thread of its own, which `close` ends.

        Args:
            large: how many large models are hashed now; others are left out until they are.
        """
        with self._looking:
            self._large, known, later = large, {}, {}
            for each in (Found(BUNDLED), *walk(self._folders)):
                try:
                    known[each.path] = self._look(each)
                except Later as model:
                    later[model.name] = model.bytes
            self._known = known
            shelf = _shelf([entry for _, entry in self._known.values()], later)
            changed, self._shelf = shelf != self._shelf, shelf
            return changed

    def close(self) -> None:
        """Whoever refreshes it stops, with Closed."""
        self._hashes.close()

    def models(self) -> list[Model]:
        """The one that ships first."""
        return list(self._seen().models)

    def extras(self, kind: Kind, family: str | None = None) -> list[Extra]:
        """VAEs, LoRAs, embeddings or upscalers, all of them or those that fit a family."""
        found = [each for each in self._seen().extras if each.kind is kind]
        return [each for each in found if family is None or each.fits(family)]

    def refused(self) -> list[Refused]:
        return list(self._seen().refused)

    def find(self, text: str) -> Model | None:
        """By name, in any case, or by the beginning of only one name."""
        name = text.strip().casefold()
        exact = self.named(name)
        if exact or not name or self.being_read(name):
            return exact
        begun = [each for each in self.models() if each.name.casefold().startswith(name)]
        return begun[0] if len(begun) == 1 else None

    def named(self, name: str, hash: str = "") -> Model | None:
        """What was written down: the same weights, even by another name, else those of this name."""
        name = name.casefold()
        found = [m for m in self.models() if m.name.casefold() == name or m.hash == hash]
        return min(found, key=lambda m: (m.hash != hash, m.name.casefold() != name), default=None)

    def later(self) -> dict[str, int]:
        """Names of models that are there and still to be hashed, and how many bytes that takes."""
        return dict(self._seen().later)

    def being_read(self, text: str) -> bool:
        """Whether this is, or begins, the name of a model that is there and still to be hashed,
        and isn't the name of another one."""
        name, seen = text.strip().casefold(), self._seen()
        exact = any(each.name.casefold() == name for each in seen.models)
        later = any(each.casefold().startswith(name) for each in seen.later)
        return bool(name) and later and not exact

    def find_extra(
        self, kind: Kind, text: str, family: str | None = None, *, aliases: bool = True
    ) -> Extra | None:
        """By name, else by alias, in any case; not by a beginning, as these names stand among other
        words. Of those with one name it is one that fits the family, if any does."""
        if kind is Kind.WILDCARD:
            return next(iter(self.wildcards(f"__{text}__")), None)
        name = text.strip().casefold()
        there = self.extras(kind)
        named = [each for each in there if each.name.casefold() == name]
        if not named and aliases and name:
            named = [each for each in there if each.alias.casefold() == name]
        return next((each for each in named if family and each.fits(family)), (*named, None)[0])

    def hash_of(self, extra: Extra) -> str:
        """sha256 of its file. Raises OSError when it is gone."""
        return self._hashes.of(extra.path)

    def wildcard(self, name: str, version: int = VERSION) -> tuple[str, ...]:
        """The lines of wildcards/NAME.txt in the first folder that has it; none without.

        Args:
            version: of the recipe.
        """
        return wildcards.lines(wildcards.find(self._folders, name), version)

    def wildcards(self, text: str) -> list[Extra]:
        """Those that a text draws from."""
        found = wildcards.named(self._folders, text)
        return [Extra(Kind.WILDCARD, name, file, "") for name, file in found.items()]

    def harmless(self, request: GenerationRequest) -> bool:
        """What the model that ships draws by itself, which has seen simple drawings alone: the check
        took a peach, a pig and a teddy bear for skin, of 60 that were looked at."""
        model = self.named(request.model, request.model_hash)
        by_itself = request.initial_image is None and not request.extras
        return by_itself and model is not None and model.path == BUNDLED

    def default(self) -> Model:
        return self.models()[0]

    def _seen(self) -> Shelf:
        if self._shelf is None:
            self.refresh()
        return self._shelf or Shelf()

    def _look(self, found: Found) -> tuple[list[Stamp], Entry]:
        """What was known of it, as long as neither it nor what lies beside it has changed."""
        marks: list[Stamp] = []
        known = self._known.get(found.path)
        entry: Entry
        of, waited, until = self._waits.get(found.path, ([], 0.0, math.inf))
        try:
            marks = marks_of(found.path)
            if known and known[0] == marks and time.time() < until:
                return known
            entry = self._read(found)
        except Unusable as unusable:
            entry = Refused(found.name, found.path, unusable.reason, str(unusable))
        except (Later, Closed):
            raise
        except Exception as error:  # a stranger's file fails in many ways, and a disk for a while
            entry = Refused(found.name, found.path, Reason.UNREADABLE, repr(error))
            if known is None or known[1] != entry:
                log.warning("%s is no model that can be drawn with", found.path, exc_info=True)
            if isinstance(error, OSError):  # a bad sector stays, behind gigabytes that are read
                wait = min(max(2 * waited * (of == marks), AGAIN_SECONDS), LONGEST_SECONDS)
                self._waits[found.path] = marks, wait, time.time() + wait
                return marks, entry
        self._waits.pop(found.path, None)
        return marks, entry

    def _read(self, found: Found) -> Entry:
        """Raises Unusable, Later, Closed."""
        path = found.path
        if os.fsencode(path) != str(path).encode(errors="replace"):  # no library would open it
            raise Unusable(Reason.UNREADABLE, "its name is no UTF-8")
        if found.pickled:
            if found.embedding:
                return Extra(Kind.EMBEDDING, found.name, path, "")
            scale = pickles.upscaling(path, among_others=found.upscaler)
            return Extra(Kind.UPSCALER, found.name, path, "", scale=scale)
        if path.is_dir():
            return _folder_model(found, self._hash(found))
        header = Header.read(path)
        identity = identify(header)
        if identity.kind is Kind.MODEL:
            return _file_model(found, header, identity.family, self._hash(found))
        return Extra(
            identity.kind,
            found.name,
            path,
            identity.family,
            tuple(own_defaults(path, header).get("triggers", ())),
            identity.scale,
            header.metadata.get("ss_output_name", "") if identity.kind is Kind.LORA else "",
        )

    def _hash(self, found: Found) -> str:
        unread = self._hashes.unread(found.path)
        large = unread > LARGE_BYTES
        if large and not self._large:
            raise Later(own_defaults(found.path).get("name", found.name), unread)
        self._large -= large  # also where it fails half-way: it has taken as long
        return self._hashes.of(found.path)


def _shelf(entries: Sequence[Entry], later: Mapping[str, int]) -> Shelf:
    """Sorted by kind; of those with the same name all but the first are told apart by their folders'
    names."""
    models: dict[str, Model] = {}
    for model in (each for each in entries if isinstance(each, Model)):
        name, folder = model.name, model.path.parent
        while name.casefold() in models:
            name, folder = f"{folder.name}/{name}", folder.parent
        models[name.casefold()] = replace(model, name=name)
    return Shelf(
        tuple(models.values()),
        tuple(each for each in entries if isinstance(each, Extra)),
        tuple(each for each in entries if isinstance(each, Refused)),
        later,
    )


def _folder_model(found: Found, hash: str) -> Model:
    """Of a folder in the diffusers layout. Raises Unusable for what is no model to be drawn with."""
    folder = found.path
    index = _json(folder / "model_index.json")
    pipeline = str(index.get("_class_name", ""))
    if family := PIPELINES.get(pipeline):
        return _model(found, hash, family, pipeline, transformer_side(folder) or family.native)
    if not (folder / "unet").is_dir():
        raise Unusable(Reason.OTHER_FAMILY, pipeline)
    network, decoder = (_json(folder / part / "config.json") for part in ("unet", "vae"))
    native = network["sample_size"] * 2 ** (len(decoder["block_out_channels"]) - 1)
    family = WIDTHS.get(network["cross_attention_dim"], SMALL)
    scheduler = folder / "scheduler" / "scheduler_config.json"
    sampler = _json(scheduler).get("_class_name", "") if scheduler.exists() else ""
    lcm = "lcm" if network.get("time_cond_proj_dim") or sampler == "LCMScheduler" else ""
    return _model(found, hash, family, "StableDiffusionPipeline", native, hint=lcm)


def _file_model(found: Found, header: Header, name: str, hash: str) -> Model:
    family = next(each for each in WIDTHS.values() if each.name == name)
    own = own_defaults(found.path, header)
    large = name == "sd2" and own.get("prediction") == "v"  # the one that was trained at 768
    return _model(
        found, hash, family, "StableDiffusionPipeline", 768 if large else family.native, header
    )


def _model(
    found: Found,
    hash: str,
    family: Family,
    pipeline: str,
    native: int,
    header: Header | None = None,
    *,
    hint: str = "",
) -> Model:
    """With its own defaults over its family's."""
    own = own_defaults(found.path, header)
    by = distillation(hint, str(own.get("base", "")), found.name)
    if by is not None:
        family = distilled(family, by)
    vocabulary = found.path / "vocabulary.json"
    low, high = (int(native * factor) for factor in family.sides)
    own_vae = beside(found.path, OWN_VAE)
    width, height = (
        max(1, round(own.get(side, native) / family.grid)) * family.grid
        for side in ("width", "height")
    )
    return Model(
        name=own.get("name", found.name),
        hash=hash,
        path=found.path,
        family=family.name,
        pipeline=pipeline,
        native=(width, height),
        sides=(low, high),
        grid=family.grid,
        steps=own.get("steps", family.steps),
        sampler=own.get("sampler", family.sampler),
        schedule=own.get("schedule", "automatic"),
        guidance_scale=own.get("guidance_scale", family.guidance_scale),
        clip_skip=own.get("clip_skip", 1),
        prefix=own.get("prefix", ""),
        negative=own.get("negative", ""),
        triggers=tuple(own.get("triggers", ())),
        nsfw=own.get("nsfw", False),
        vae=own.get("vae", own_vae.stem if own_vae.exists() else None),
        prediction=own.get("prediction"),
        spacing=by.spacing if by and header else None,
        description=own.get("description", {}),
        vocabulary=vocabulary if vocabulary.exists() else None,
    )


def _json(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))
