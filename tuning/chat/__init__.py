"""Chat with bases, finished models and checkpoints."""

from __future__ import annotations

from tuning.chat.service import Chat, Done, ModelEntry, Reply, Waiting
from tuning.providers import Delta

__all__ = ["Chat", "Delta", "Done", "ModelEntry", "Reply", "Waiting"]
