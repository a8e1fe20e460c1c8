"""A job as the queue and the worker know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from bot.queue import Waiting
from db.models import Job
from generator.request import GenerationRequest


@dataclass(frozen=True, slots=True)
class Task(Waiting):
    """A job in line or in the worker."""

    answer: int
    request: GenerationRequest
    trace: str | None

    @classmethod
    def of(cls, job: Job) -> Self:
        request = job.request
        return cls(
            job=job.id,
            guild=job.guild,
            member=job.member,
            model=request.model,
            cost=request.cost,
            answer=job.answer_id,
            request=request,
            trace=job.trace,
        )
