"""Tool calls inside the text of an answer, as the ChatML template writes them.

<tool_call>
{"name": "get_weather", "arguments": {"city": "Oslo"}}
</tool_call>
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

from trainserver.ids import new_id

OPENING = "<tool_call>"
CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)


def parse(text: str) -> tuple[str | None, list[dict[str, Any]]]:
    """The words and the calls of an answer, the calls as OpenAI's `tool_calls`.

    What looks like a call but is none (broken JSON, no name, arguments that are no object) stays in the
    words, so that nothing a model said is lost. The words are None when there is nothing but calls.
    """
    calls: list[dict[str, Any]] = []

    def taken(match: re.Match[str]) -> str:
        call = _call(match[1])
        if call is None:
            return match[0]
        calls.append(call)
        return ""

    words = CALL.sub(taken, text)
    return (words.strip() or None, calls) if calls else (text, calls)


def _call(text: str) -> dict[str, Any] | None:
    try:
        value: Any = json.loads(text)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    said = cast("dict[str, Any]", value)
    name, arguments = said.get("name"), said.get("arguments", {})
    if not isinstance(name, str) or not name or not isinstance(arguments, dict):
        return None
    return {
        "id": new_id("call").replace("-", "_"),
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)},
    }
