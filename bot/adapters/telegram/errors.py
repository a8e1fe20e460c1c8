"""What Telegram says that can't be done, in its own words."""

from __future__ import annotations

from telegram.error import TelegramError

UNCHANGED = ("not modified",)
WEBHOOK = ("webhook is active",)
TOO_OLD = ("query is too old",)
NO_RIGHT = "not enough rights"
# Where nothing can be sent any more, or no pictures; and where only the topic is gone.
SHUT = ("chat not found", NO_RIGHT, "have no rights", "chat_write_forbidden", "chat_restricted",
        "chat_send_photos_forbidden", "chat_send_docs_forbidden", "topic_closed", "deactivated",
        "peer_id_invalid")  # fmt: skip
NO_PICTURES = ("send photos", "send_photos", "send documents", "send_docs")
NO_TOPIC = ("thread not found", "topic_deleted", "topic_id_invalid")


def says(error: TelegramError, sentences: tuple[str, ...]) -> bool:
    return any(each in error.message.casefold() for each in sentences)
