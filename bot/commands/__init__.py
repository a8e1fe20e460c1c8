"""Every command, declared by importing its family."""

from bot.commands import access, imagine, knowledge, lineage, queueing, settings  # noqa: F401
