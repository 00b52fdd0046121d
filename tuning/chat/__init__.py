"""Chat with bases, finished models and checkpoints."""

from __future__ import annotations

from tuning.chat.service import Chat, Done, ModelEntry, Part, Reply, Waiting
from tuning.providers import Delta, ToolCall

__all__ = ["Chat", "Delta", "Done", "ModelEntry", "Part", "Reply", "ToolCall", "Waiting"]
