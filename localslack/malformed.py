"""What the app sent that could never be right: kept, so that a test can ask whether there was any.

A limit that is reached or a place that is gone is no fault of the app and is not kept here.
"""

from __future__ import annotations

from collections import deque

from localslack.errors import ApiError
from localslack.records import JSON

CODES = frozenset(
    {
        "alt_txt_too_large",
        "bad_answer",
        "invalid_arguments",
        "invalid_blocks",
        "invalid_chunks",
        "invalid_json",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "invalid_payload",
        "invalid_status",
        "json_not_object",
        "markdown_text_conflict",
        "metadata_too_large",
        "missing_recipient_team_id",
        "missing_recipient_user_id",
        "missing_scope",
        "msg_blocks_too_long",
        "msg_blocks_too_many",
        "msg_too_long",
        "no_text",
        "thread_ts_required",
        "too_many_attachments",
        "too_many_emoji",
        "unknown_method",
        "view_too_large",
    }
)
"""Error codes that say the payload itself, its size or the app's manifest is wrong."""
KEPT = 500


class Malformed:
    """The newest refusals of this kind."""

    def __init__(self) -> None:
        self._kept: deque[JSON] = deque(maxlen=KEPT)

    def note(self, where: str, refusal: ApiError) -> None:
        """Keeps a refusal if the app is to blame; ``where`` is a method, ``response_url`` or ``ack``."""
        if refusal.code in CODES:
            self._kept.append({"where": where, "error": refusal.code, "messages": refusal.messages})

    def forget(self) -> None:
        """Begins anew."""
        self._kept.clear()

    def list(self) -> list[JSON]:
        """The kept ones, oldest first."""
        return list(self._kept)
