"""Every command, declared by importing its family."""

from bot.commands import (  # noqa: F401
    access,
    imagine,
    knowledge,
    lineage,
    queueing,
    settings,
    stats,
)
