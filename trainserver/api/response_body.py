"""The body of a responses call, and its items as chat messages."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, Field

from trainserver.api.asking import Json
from trainserver.errors import BadRequest

LOGPROBS = "message.output_text.logprobs"
UNSUPPORTED = ("background", "conversation", "prompt", "context_management")
TEXTS = ("input_text", "output_text", "text", "refusal")


class Ask(BaseModel):
    """The body of a responses call. What only tunes OpenAI's own service is accepted and has no effect."""

    model: str
    input: str | Annotated[list[dict[str, Any]], Field(min_length=1)]
    instructions: str | None = None
    previous_response_id: str | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    include: list[str] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    text: dict[str, Any] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    metadata: Annotated[dict[str, str], Field(max_length=16)] | None = None
    stream: bool | None = None
    store: bool | None = None

    model_config = {"extra": "allow"}

    def check(self) -> None:
        """Refuse what cannot be done. Raises `BadRequest`."""
        for name in UNSUPPORTED:
            if (self.model_extra or {}).get(name):
                raise BadRequest(
                    f"'{name}' is not supported by this server.", param=name, code="unsupported_parameter"
                )
        if self.truncation == "auto":
            raise BadRequest("Only the truncation 'disabled' is supported.", param="truncation")

    @property
    def format(self) -> Json:
        """How the text is wanted."""
        return (self.text or {}).get("format") or {"type": "text"}

    @property
    def wants_logprobs(self) -> bool:
        return LOGPROBS in (self.include or []) or bool(self.top_logprobs)

    def offered(self) -> list[Json] | None:
        """The tools in chat form; what is no function goes through as it is and is refused there."""
        if self.tools is None:
            return None
        return [_chat_tool(tool) if tool.get("type") == "function" else tool for tool in self.tools]


def _chat_tool(tool: Json) -> Json:
    function = {key: tool[key] for key in ("name", "description", "parameters") if tool.get(key) is not None}
    return {"type": "function", "function": function}


def messages(items: str | list[Json]) -> list[Json]:
    """Input items in chat form. Raises `BadRequest` for an item that is neither text nor a function's."""
    if isinstance(items, str):
        return [{"role": "user", "content": items}]
    found: list[Json] = []
    for i, item in enumerate(items):
        _add(found, item, f"input[{i}]")
    return found


def _add(found: list[Json], item: Json, param: str) -> None:
    kind = item.get("type", "message")
    if kind == "message":
        found.append({"role": item.get("role"), "content": _content(item.get("content"), param)})
    elif kind == "function_call":
        call = {
            "id": item.get("call_id"),
            "type": "function",
            "function": {"name": item.get("name"), "arguments": item.get("arguments")},
        }
        if found and found[-1]["role"] == "assistant":
            found[-1].setdefault("tool_calls", []).append(call)
        else:
            found.append({"role": "assistant", "content": None, "tool_calls": [call]})
    elif kind == "function_call_output":
        output = _content(item.get("output"), param)
        found.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": output})
    else:
        raise BadRequest(
            f"Items of type {kind!r} are not supported, only messages, function calls and their outputs.",
            param=param,
            code="unsupported_value",
        )


def _content(content: Any, param: str) -> Any:
    if not isinstance(content, list):
        return content
    parts: list[Json] = []
    for part in cast("list[Any]", content):
        value = cast("Json", part) if isinstance(part, dict) else Json()
        kind: Any = value.get("type")
        if kind not in TEXTS:
            raise BadRequest(
                f"Content of type {kind!r} is not supported, only text.",
                param=f"{param}.content",
                code="unsupported_value",
            )
        parts.append({"type": "text", "text": value.get("text", value.get("refusal"))})
    return parts
