"""Rows in other formats, as chat or preference rows. None wherever a meaning would have to be guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import orjson

from tuning.datasets.shapes import shape_of

Row = dict[str, Any]

_SPEAKERS = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "system": "system",
}
_PROMPT_ENDS = ("###", "->")
_COMPLETION_ENDS = ("###", " END")


def convert(row: Row) -> tuple[str, Row] | None:
    """The format a row is in and the row in the right one; None when it is right or cannot be told."""
    shape = shape_of(row)
    how = _HOW.get(shape)
    new = how(row) if how is not None else None
    return (shape, new) if new is not None else None


def _message(role: str, content: str) -> Row:
    return {"role": role, "content": content}


def _legacy(row: Row) -> Row | None:
    prompt, completion = row.get("prompt"), row.get("completion")
    if isinstance(prompt, list) and isinstance(completion, list):  # TRL's conversational pairs
        asked, answered = _messages(cast("list[Any]", prompt)), _messages(cast("list[Any]", completion))
        return {"messages": [*asked, *answered]} if asked and answered else None
    if not isinstance(prompt, str) or not isinstance(completion, str):
        return None
    asked, answer = prompt.strip(), completion.strip()
    for end in _PROMPT_ENDS:
        asked = asked.removesuffix(end).rstrip()
    for end in _COMPLETION_ENDS:
        answer = answer.removesuffix(end).rstrip()
    return {"messages": [_message("user", asked), _message("assistant", answer)]} if answer else None


def alpaca(row: Row) -> Row | None:
    instruction, answer = row.get("instruction"), row.get("output", row.get("response"))
    given = row.get("input") or row.get("context") or ""
    if not isinstance(instruction, str) or not isinstance(answer, str) or not isinstance(given, str):
        return None
    messages: list[Row] = []
    if isinstance(row.get("system"), str) and row["system"]:
        messages.append(_message("system", row["system"]))
    history: Any = row.get("history") or []
    if not isinstance(history, list):
        return None
    for turn in cast("list[Any]", history):
        pair = cast("list[Any]", turn) if isinstance(turn, list) else []
        if len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            return None
        messages += [_message("user", pair[0]), _message("assistant", pair[1])]
    asked = "\n\n".join(part for part in (instruction, given) if part.strip())
    return {"messages": [*messages, _message("user", asked), _message("assistant", answer)]}


def sharegpt(row: Row) -> Row | None:
    turns = row.get("conversations", row.get("conversation"))
    messages = _messages(cast("list[Any]", turns)) if isinstance(turns, list) else None
    if not messages:
        return None
    if isinstance(row.get("system"), str) and row["system"] and messages[0]["role"] != "system":
        messages.insert(0, _message("system", row["system"]))
    new: Row = {"messages": messages}
    if row.get("tools"):
        tools = _tools(row["tools"])
        if tools is None:
            return None
        new["tools"] = tools
    if "chosen" in row and "rejected" in row:
        return preference(new, row["chosen"], row["rejected"])
    return new


def _messages(turns: list[Any]) -> list[Row] | None:
    """Turns as messages; calls of a function get the ids that pair them with the answers after them."""
    messages: list[Row] = []
    call = 0
    for turn in turns:
        fields = cast("Row", turn) if isinstance(turn, dict) else {}
        speaker, text = fields.get("from", fields.get("role")), fields.get("value", fields.get("content"))
        if not isinstance(speaker, str) or not isinstance(text, str):
            return None
        if speaker in _SPEAKERS:
            messages.append(_message(_SPEAKERS[speaker], text))
        elif speaker == "function_call":
            call += 1
            message = _call(text, f"call_{call}")
            if message is None:
                return None
            messages.append(message)
        elif speaker in ("observation", "tool") and call:
            messages.append({"role": "tool", "tool_call_id": f"call_{call}", "content": text})
        else:
            return None
    return messages


def _call(text: str, call_id: str) -> Row | None:
    value = _json(text)
    if not isinstance(value, dict) or not isinstance(cast("Row", value).get("name"), str):
        return None
    call = cast("Row", value)
    arguments = call.get("arguments", call.get("parameters", {}))
    written = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
    function = {"name": call["name"], "arguments": written}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": call_id, "type": "function", "function": function}],
    }


def _tools(value: Any) -> list[Row] | None:
    tools = _json(value) if isinstance(value, str) else value
    if not isinstance(tools, list):
        return None
    made: list[Row] = []
    for item in cast("list[Any]", tools):
        if not isinstance(item, dict):
            return None
        tool = cast("Row", item)
        made.append(tool if "function" in tool else {"type": "function", "function": tool})
    return made


def trl(row: Row) -> Row | None:
    chosen, rejected = row.get("chosen"), row.get("rejected")
    if chosen is None:
        chosen, rejected = row.get("chosen_messages"), row.get("rejected_messages")
    prompt = row.get("prompt", row.get("question"))
    if prompt is None:
        return _implicit(chosen, rejected)
    asked = [_message("user", prompt)] if isinstance(prompt, str) else None
    if isinstance(prompt, list):
        asked = _messages(cast("list[Any]", prompt))
    if asked and isinstance(row.get("system"), str) and row["system"] and asked[0]["role"] != "system":
        asked.insert(0, _message("system", row["system"]))
    return preference({"messages": asked}, chosen, rejected) if asked else None


def _implicit(chosen: Any, rejected: Any) -> Row | None:
    """Two whole conversations: what they begin with in common is the input."""
    first = _messages(_flat(cast("list[Any]", chosen))) if isinstance(chosen, list) else None
    second = _messages(_flat(cast("list[Any]", rejected))) if isinstance(rejected, list) else None
    if not first or not second:
        return None
    shared = 0
    while shared < min(len(first), len(second)) - 1 and first[shared] == second[shared]:
        shared += 1
    if not shared or first[shared - 1]["role"] == "assistant":
        return None
    return preference({"messages": first[:shared]}, first[shared:], second[shared:])


def _flat(turns: list[Any]) -> list[Any]:
    """Turns whose content is a list of text parts, with that text as content."""
    flat: list[Any] = []
    for turn in turns:
        parts = cast("Row", turn).get("content") if isinstance(turn, dict) else None
        if isinstance(parts, list):
            texts = [
                cast("Row", part).get("text", cast("Row", part).get("value"))
                for part in cast("list[Any]", parts)
                if isinstance(part, dict) and cast("Row", part).get("type") == "text"
            ]
            whole = len(texts) == len(cast("list[Any]", parts)) and all(isinstance(t, str) for t in texts)
            turn = {**cast("Row", turn), "content": "".join(cast("list[str]", texts)) if whole else None}
        flat.append(turn)
    return flat


def preference(given: Row, chosen: Any, rejected: Any) -> Row | None:
    preferred, other = replies(chosen), replies(rejected)
    if preferred is None or other is None:
        return None
    return {"input": given, "preferred_output": preferred, "non_preferred_output": other}


def replies(value: Any) -> list[Row] | None:
    if isinstance(value, str):
        return [_message("assistant", value)]
    turns: Any = [value] if isinstance(value, dict) else value
    messages = _messages(cast("list[Any]", turns)) if isinstance(turns, list) else None
    if not messages or any(message["role"] not in ("assistant", "tool") for message in messages):
        return None
    return messages


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


_HOW: dict[str, Callable[[Row], Row | None]] = {
    "legacy": _legacy,
    "alpaca": alpaca,
    "sharegpt": sharegpt,
    "trl_preference": trl,
}
