"""What crosses the border between a chat process and the worker process.

Facts and closed enums only: the sentences for them are in the chat's locales.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from generator.request import GenerationRequest


class Failure(StrEnum):
    """Why a job ended without a picture."""

    MODEL_MISSING = "model-missing"
    MODEL_CHANGED = "model-changed"
    MODEL_BROKEN = "model-broken"
    OUT_OF_MEMORY = "out-of-memory"
    NOT_A_NUMBER = "not-a-number"
    IMAGE_BROKEN = "image-broken"
    WORKER_DIED = "worker-died"
    DISK_FULL = "disk-full"
    REFUSED = "refused"  # by the chat: such a picture is shown to nobody
    FAULT = "fault"


class NoteKind(StrEnum):
    """What was ignored or changed on the way to a picture."""

    NEGATIVE_WITHOUT_EFFECT = "negative-without-effect"
    SCHEDULE_WITHOUT_EFFECT = "schedule-without-effect"  # schedule: its type; sampler: its label
    PROMPT_CUT = "prompt-cut"  # words: those that did not fit; limit: tokens
    SIZE_ROUNDED = "size-rounded"  # asked: "100x100"; size: "104x104"
    UNKNOWN_WORDS = "unknown-words"  # words: that the model does not know; drawn: the rest
    EMBEDDING_MISSING = "embedding-missing"  # name: as typed
    EMBEDDING_UNFIT = "embedding-unfit"  # name; made for another family, or broken
    LORA_MISSING = "lora-missing"  # name: as typed
    LORA_UNFIT = "lora-unfit"  # name; made for another family, or broken
    EXTRA_CHANGED = "extra-changed"  # name: of a LoRA or other file that was replaced
    LESS_ENLARGED = "less-enlarged"  # name: of the upscaler; asked, size: "2048x2048"
    ONLY_ENLARGED = "only-enlarged"  # size: more than the model draws; side: the most
    TAG_IGNORED = "tag-ignored"  # tag: as typed, "<hypernet:x:1>"
    WILDCARD_MISSING = "wildcard-missing"  # name: without its underscores
    WORDS_DRAWN = "words-drawn"  # words: what the seed drew
    PROMPT_TRANSLATED = "prompt-translated"  # typed: "word++"; read: "(word:1.21)"
    OPTION_IGNORED = "option-ignored"  # typed: "--v 5"
    COMMENT_IGNORED = "comment-ignored"  # lines that begin with #
    DECODED_IN_TILES = "decoded-in-tiles"  # the memory did not suffice for the whole of it
    IMAGE_RESIZED = "image-resized"  # size: the picture's size


@dataclass(frozen=True, slots=True)
class Note:
    kind: NoteKind
    facts: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind.value, "facts": dict(self.facts)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Note:
        return cls(NoteKind(fields["kind"]), fields["facts"])


@dataclass(frozen=True, slots=True)
class Submit:
    """Draw this.

    Args:
        trace: of the picture that is made again: every network call has the width that it tells.
        behind: cost of the same member's pictures that were ordered before and aren't finished.
    """

    job: int
    request: GenerationRequest
    initial_image: bytes | None = None
    trace: str | None = None
    behind: int = 0


@dataclass(frozen=True, slots=True)
class Cancel:
    job: int


@dataclass(frozen=True, slots=True)
class Rest:
    """Ends the worker as soon as it has nothing to do, unless more is ordered before: all of its
    memory is wanted for something else."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has its libraries; `key` is what "identical" depends on besides the request:
    device, dtype, threads, instruction set, torch, diffusers. `checks`: it looks at pictures.
    `no_card`: what was said where a card was tried in vain, or none is there."""

    key: Mapping[str, str]
    checks: bool = False
    no_card: str = ""


@dataclass(frozen=True, slots=True)
class Loading:
    model: str


@dataclass(frozen=True, slots=True)
class Loaded:
    model: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Kept:
    """The names of all models in memory, whenever there may be others than before."""

    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    job: int
    calls: int


@dataclass(frozen=True, slots=True)
class Called:
    """Call `call` of `calls` has been answered. `preview` is a small WebP now and then."""

    job: int
    call: int
    calls: int
    preview: bytes | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A finished picture.

    Args:
        png: with `parameters` and `semilla` text chunks.
        pixel_hash: sha256 of the RGB bytes, in hexadecimal.
        key: what "identical" depends on besides the request.
        trace: widths and programs of the network calls as run lengths ("2e20").
        seconds: of the generator's time that it took: of a shared call its part.
        exposed: whether the picture check found nakedness in it; None where there is no check.
    """

    job: int
    png: bytes
    pixel_hash: str
    key: Mapping[str, str]
    trace: str
    seconds: float
    notes: tuple[Note, ...] = ()
    exposed: bool | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    job: int
    failure: Failure
    detail: str = ""  # for the log, never for a member


@dataclass(frozen=True, slots=True)
class Cancelled:
    job: int


@dataclass(frozen=True, slots=True)
class Resting:
    """The worker ends, as it was told to or had nothing to do for long: not even a card's driver
    keeps memory for it then. The next order starts another."""


@dataclass(frozen=True, slots=True)
class Died:
    """The worker process ended by itself while these jobs were in it, and a new one starts. With
    no jobs also each time that it couldn't be started. `ready`: it had begun to take orders; else
    it has read none, and the new one gets them."""

    jobs: tuple[int, ...]
    detail: str = ""
    ready: bool = True


Order = Submit | Cancel | Rest
Event = (
    Ready | Loading | Loaded | Kept | Started | Called | Drawn | Failed | Cancelled | Resting | Died
)
