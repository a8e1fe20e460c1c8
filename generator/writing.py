"""Finished pictures become PNGs, which are looked at where there is a picture check, in threads of
their own: a card need not stand still meanwhile, which takes as long as several calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from PIL import Image

from generator import metadata
from generator.batching import run_lengths
from generator.catalogue import Catalogue
from generator.messages import Drawn, Note, Submit

WRITERS = 2


class Writer:
    """Takes pictures at any time, and tells which of them are written.

    Args:
        key: what "identical" depends on besides a request.
        catalogue: knows whose pictures needn't be looked at.
        exposed: looks for nakedness in a PNG; None where there is no such check.
    """

    def __init__(
        self,
        key: Mapping[str, str],
        catalogue: Catalogue,
        exposed: Callable[[bytes], bool] | None,
    ) -> None:
        self._key = key
        self._catalogue = catalogue
        self._exposed = exposed
        self._threads = ThreadPoolExecutor(WRITERS, "writer")
        self._written: dict[int, Future[Drawn]] = {}

    @property
    def at_work(self) -> list[Future[Drawn]]:
        return list(self._written.values())

    def write(
        self,
        order: Submit,
        image: Image.Image,
        seconds: float,
        calls: Sequence[tuple[int, str]],
        notes: Sequence[Note],
    ) -> None:
        """`calls`: widths and programs of its network calls."""
        made = order, image, seconds, run_lengths(calls), tuple(notes)
        self._written[order.job] = self._threads.submit(self._drawn, *made)

    def give_up(self, job: int) -> bool:
        """Whether it was being written."""
        return self._written.pop(job, None) is not None

    def finished(self) -> Iterator[tuple[int, Future[Drawn]]]:
        """Those that are done by now, each once."""
        for job, written in list(self._written.items()):
            if written.done():
                del self._written[job]
                yield job, written

    def _drawn(
        self,
        order: Submit,
        image: Image.Image,
        seconds: float,
        trace: str,
        notes: tuple[Note, ...],
    ) -> Drawn:
        png = metadata.write(image, order.request, self._key, trace)
        return Drawn(
            job=order.job,
            png=png,
            pixel_hash=metadata.pixel_hash(image),
            key=self._key,
            trace=trace,
            seconds=seconds,
            notes=notes,
            exposed=self._look_at(png, order),
        )

    def _look_at(self, png: bytes, order: Submit) -> bool | None:
        if self._exposed is None:
            return None
        return not self._catalogue.harmless(order.request) and self._exposed(png)
