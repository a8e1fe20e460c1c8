"""The tables. Rows leave this package detached and are only read outside of it."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, literal_column
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from generator.request import GenerationRequest

ATTACHED = "attached"  # beside a draft's options, none of which is called so: a file that came
EVERYWHERE = ""  # in the place of a guild: what holds in all of them


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Visibility(StrEnum):
    PUBLIC = "public"  # its guild
    PRIVATE = "private"  # its author and moderators
    HELD = "held"  # awaits approval


class Hold(StrEnum):
    """Why a picture is held."""

    APPROVAL = "approval"  # every picture is looked at in its guild
    CHECK = "check"  # the picture check found something


class Relation(StrEnum):
    """How a picture came from its parent."""

    REROLL = "reroll"  # the same recipe, for the same pixels
    CHANGED = "changed"  # the recipe with something changed
    ANOTHER = "another"  # another seed
    VARIATION = "variation"
    UPSCALE = "upscale"
    IMAGE = "image"  # drawn over it


def now() -> datetime:
    """UTC without a zone, as SQLite keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


class Base(AsyncAttrs, DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {dict[str, Any]: JSON, list[Any]: JSON}


class Answer(Base):
    """What a call owes: where, to whom, in which language, and which jobs it waits for."""

    __tablename__ = "answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(unique=True)
    adapter: Mapped[str]
    guild: Mapped[str] = mapped_column(index=True)
    channel: Mapped[str] = mapped_column(default="")
    thread: Mapped[str] = mapped_column(default="")
    message: Mapped[str] = mapped_column(default="")
    token: Mapped[str | None] = mapped_column(default=None)
    member: Mapped[str]
    member_name: Mapped[str]
    language: Mapped[str]
    private: Mapped[bool] = mapped_column(default=False)
    line: Mapped[str] = mapped_column(default="")
    age_restricted: Mapped[bool] = mapped_column(default=False)
    trusted: Mapped[bool] = mapped_column(default=False)  # a moderator's: nobody need approve it
    created: Mapped[datetime] = mapped_column(default=now)
    delivered: Mapped[datetime | None] = mapped_column(default=None)
    jobs: Mapped[list[Job]] = relationship(
        back_populates="answer", order_by="Job.position", lazy="selectin"
    )

    __table_args__ = (
        Index("answers_outbox", "id", sqlite_where=delivered.is_(None)),
        Index("answers_of_members", "member", "guild"),
        Index("answers_tokens", "created", sqlite_where=token.is_not(None)),
    )


class Job(Base):
    """One picture to be made."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    guild: Mapped[str]
    member: Mapped[str]
    state: Mapped[JobState] = mapped_column(default=JobState.QUEUED, index=True)
    recipe: Mapped[dict[str, Any]]
    trace: Mapped[str | None] = mapped_column(default=None)
    # use_alter: jobs and pictures name each other, so neither can be the first to be made
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("pictures.id", name="jobs_parent", use_alter=True), default=None
    )
    relation: Mapped[Relation | None] = mapped_column(default=None)
    over_photo: Mapped[bool] = mapped_column(default=False)  # as of a picture
    notes: Mapped[list[Any]] = mapped_column(default=list)
    failure: Mapped[str | None] = mapped_column(default=None)
    failure_code: Mapped[str | None] = mapped_column(default=None)
    created: Mapped[datetime] = mapped_column(default=now)
    started: Mapped[datetime | None] = mapped_column(default=None)
    ended: Mapped[datetime | None] = mapped_column(default=None)
    answer: Mapped[Answer] = relationship(back_populates="jobs", lazy="joined", innerjoin=True)
    picture: Mapped[Picture | None] = relationship(
        back_populates="job", foreign_keys="Picture.job_id", lazy="selectin"
    )
    parent: Mapped[Picture | None] = relationship(
        foreign_keys="Job.parent_id", lazy="selectin", join_depth=1
    )

    __table_args__ = (
        Index("jobs_of_members", "member", "created"),
        Index("jobs_of_parents", "parent_id", sqlite_where=parent_id.is_not(None)),
    )

    @property
    def request(self) -> GenerationRequest:
        return GenerationRequest.from_json(self.recipe)


class Spent(Base):
    """All that is left, for as long as limits look back, of a job that its member has had erased."""

    __tablename__ = "spent"

    id: Mapped[int] = mapped_column(primary_key=True)
    member: Mapped[str] = mapped_column(index=True)
    created: Mapped[datetime] = mapped_column(default=now)
    cost: Mapped[int]


class Picture(Base):
    """Finished pixels with their recipe. A deleted one keeps its row and loses file and words."""

    __tablename__ = "pictures"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild: Mapped[str]
    code: Mapped[str]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"), unique=True, default=None)
    member: Mapped[str] = mapped_column(index=True)
    member_name: Mapped[str]
    visibility: Mapped[Visibility] = mapped_column(default=Visibility.PUBLIC)
    recipe: Mapped[dict[str, Any]]
    prompt: Mapped[str]
    file: Mapped[str] = mapped_column(index=True)
    pixel_hash: Mapped[str] = mapped_column(index=True)
    width: Mapped[int]
    height: Mapped[int]
    key: Mapped[dict[str, Any]]
    trace: Mapped[str]
    seconds: Mapped[float]
    notes: Mapped[list[Any]] = mapped_column(default=list)
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("pictures.id"), index=True, default=None
    )
    relation: Mapped[Relation | None] = mapped_column(default=None)
    over_photo: Mapped[bool] = mapped_column(default=False)  # a member's own, however far below
    link: Mapped[str] = mapped_column(default="")
    held_for: Mapped[str] = mapped_column(default="")  # a Hold, while it is held
    blurred: Mapped[str] = mapped_column(default="")  # the file that moderators see of it first
    age_restricted: Mapped[bool] = mapped_column(default=False)  # made in a channel for adults
    created: Mapped[datetime] = mapped_column(default=now)
    deleted: Mapped[datetime | None] = mapped_column(default=None)
    job: Mapped[Job | None] = relationship(
        back_populates="picture", foreign_keys="Picture.job_id", lazy="raise", viewonly=True
    )
    parent: Mapped[Picture | None] = relationship(
        remote_side="Picture.id", foreign_keys="Picture.parent_id", lazy="selectin", join_depth=1
    )

    __table_args__ = (
        UniqueConstraint("guild", "code"),
        Index("pictures_newest", "guild", "id"),
        Index("pictures_blurred", "blurred", sqlite_where=blurred != ""),
        Index("pictures_held", "guild", "id", sqlite_where=visibility == literal_column("'HELD'")),
    )

    @property
    def request(self) -> GenerationRequest:
        return GenerationRequest.from_json(self.recipe)


class Draft(Base):
    """A recipe in the making: a button has no room for a prompt, so it names a draft."""

    __tablename__ = "drafts"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild: Mapped[str]
    code: Mapped[str]
    member: Mapped[str]
    options: Mapped[dict[str, Any]]
    created: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (UniqueConstraint("guild", "code"),)


class Setting(Base):
    """A default of a guild, of a channel in it, or of a member in it."""

    __tablename__ = "settings"

    guild: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)  # guild, channel, role, member
    owner: Mapped[str] = mapped_column(primary_key=True)  # "" for the guild, else whose it is
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Style(Base):
    """A member's preset: options of imagine under a name."""

    __tablename__ = "styles"

    guild: Mapped[str] = mapped_column(primary_key=True)
    member: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    options: Mapped[dict[str, Any]]


class Ban(Base):
    """A member who may not ask: until a time, or for good. `guild` "" is everywhere."""

    __tablename__ = "bans"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild: Mapped[str]
    member: Mapped[str] = mapped_column(index=True)
    member_name: Mapped[str]
    until: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(default="")
    created: Mapped[datetime] = mapped_column(default=now)
    lifted: Mapped[datetime | None] = mapped_column(default=None)


class RecordKind(StrEnum):
    """What the record of a guild tells."""

    BAN = "ban"
    PAUSE = "pause"
    LIFT = "lift"
    DELETE = "delete"
    APPROVE = "approve"
    ALLOW = "allow"
    DENY = "deny"
    WORD = "word"
    FLOOR = "floor"  # asked for what is never drawn
    UNSURE = "unsure"  # the same, in words that mean adults or things as well
    UNDRAWN = "undrawn"  # the picture check found it
    HELD = "held"


class Record(Base):
    """Something that a moderator did, or that was refused. `by` "" is Semilla herself."""

    __tablename__ = "records"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild: Mapped[str] = mapped_column(index=True)
    kind: Mapped[RecordKind]
    member: Mapped[str] = mapped_column(index=True)
    member_name: Mapped[str]
    by: Mapped[str] = mapped_column(default="")
    by_name: Mapped[str] = mapped_column(default="")
    detail: Mapped[str] = mapped_column(default="")
    created: Mapped[datetime] = mapped_column(default=now)


class Review(Base):
    """A request that a word has stopped: to be edited, or looked at by a moderator.

    `asked`: when its author asked for that; `decided`: when somebody did. The rest is the call's, so
    that it can be made again as its author made it.
    """

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild: Mapped[str]
    code: Mapped[str]
    adapter: Mapped[str]
    channel: Mapped[str] = mapped_column(default="")
    thread: Mapped[str] = mapped_column(default="")
    age_restricted: Mapped[bool] = mapped_column(default=False)
    aside: Mapped[bool] = mapped_column(default=False)
    member: Mapped[str] = mapped_column(index=True)
    member_name: Mapped[str]
    moderator: Mapped[bool] = mapped_column(default=False)
    roles: Mapped[list[Any]] = mapped_column(default=list)
    language: Mapped[str]
    command: Mapped[str]
    options: Mapped[dict[str, Any]]
    word: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)
    asked: Mapped[datetime | None] = mapped_column(default=None)
    decided: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (UniqueConstraint("guild", "code"),)


class PlaceState(StrEnum):
    """Whether Semilla answers in a guild."""

    ASKED = "asked"  # waits for an owner's word
    ACTIVE = "active"
    IGNORED = "ignored"


class Place(Base):
    """A guild that Semilla was brought into."""

    __tablename__ = "places"

    guild: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")  # of a private chat, the person's
    private: Mapped[bool] = mapped_column(default=False)
    state: Mapped[PlaceState]
    changed: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Owner(Base):
    """Somebody who typed the code that Semilla's host was shown."""

    __tablename__ = "owners"

    member: Mapped[str] = mapped_column(primary_key=True)
    adapter: Mapped[str]
    since: Mapped[datetime] = mapped_column(default=now)
