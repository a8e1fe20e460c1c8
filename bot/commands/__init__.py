"""Every command, declared by importing its family."""

from bot.commands import (  # noqa: F401
    access,
    appeals,
    enlarging,
    guide,
    imagine,
    knowledge,
    lineage,
    moderation,
    privacy,
    queueing,
    settings,
    setup,
    stats,
)
