"""Has the SDK build what it builds at the first answer: half a second in which nothing else would happen."""

from __future__ import annotations

from typing import Any

from openai._models import construct_type
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent

_ANSWER: dict[str, Any] = {
    "type": "response.completed",
    "sequence_number": 1,
    "response": {"id": "warm", "output": [{"type": "message", "content": [{"type": "output_text"}]}]},
}
_CHUNK: dict[str, Any] = {"id": "warm", "choices": [{"index": 0, "delta": {"content": "warm"}}]}


def warm_up() -> None:
    """Call it in a thread, soon after the start."""
    construct_type(type_=ResponseStreamEvent, value=_ANSWER)
    construct_type(type_=ChatCompletionChunk, value=_CHUNK)
