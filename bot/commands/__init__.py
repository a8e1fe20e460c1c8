"""Every command, declared by importing its family."""

from bot.commands import imagine, knowledge, lineage, queueing, settings  # noqa: F401
