"""Streams of answers: over the Responses API where a provider has it, else over Chat Completions.

Both give the same pieces: text, calls of tools as a whole, then one end.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from time import perf_counter

from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent

from tuning.errors import ProviderError, Refused, Unreachable
from tuning.providers.answers import Delta, Finish, Json, ToolCall
from tuning.providers.asking import ToolCalls
from tuning.providers.meters import FIRST_TOKEN
from tuning.providers.trouble import provider_errors

Piece = Delta | ToolCall | Finish

PASSING = frozenset({"server_error", "rate_limit_exceeded", "vector_store_timeout"})
"""Codes of a failed response after which asking again may help."""


class _Stopwatch:
    """Measures the time to the first piece, once."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self._heard = False

    def heard(self) -> None:
        if not self._heard:
            self._heard = True
            FIRST_TOKEN.observe(perf_counter() - self._began)


class _Completion:
    """Reads the chunks of a streamed chat completion."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.tokens: int | None = None
        self.calls = ToolCalls()

    def read(self, chunk: ChatCompletionChunk) -> Iterator[Delta]:
        """The text in a chunk; what ended the answer is kept."""
        self.tokens = chunk.usage.completion_tokens if chunk.usage else self.tokens
        for choice in chunk.choices:
            self.reason = choice.finish_reason or self.reason
            self.calls.add(choice.delta.tool_calls)
            for text in (choice.delta.content, choice.delta.refusal):
                if text:
                    yield Delta(text)


async def stream_completion(client: AsyncOpenAI, body: Json) -> AsyncGenerator[Piece]:
    """The answer to a chat request in pieces.

    Raises:
        Unreachable: also when the stream ended before the answer did. Refused: as the provider said.
    """
    watch, answer = _Stopwatch(), _Completion()
    with provider_errors():
        stream = await client.chat.completions.create(
            stream=True, stream_options={"include_usage": True}, **body
        )
    async with stream:
        with provider_errors():
            async for chunk in stream:
                for piece in answer.read(chunk):
                    watch.heard()
                    yield piece
    if answer.reason is None and answer.tokens is None:
        raise _broken_off()
    for call in answer.calls.all():
        yield call
    yield Finish(answer.reason or "stop", answer.tokens)


async def stream_response(client: AsyncOpenAI, body: Json) -> AsyncGenerator[Piece]:
    """The answer to a request of the Responses API in pieces.

    Raises:
        Unreachable: also when the stream ended before the answer did. Refused: as the provider said.
    """
    watch = _Stopwatch()
    with provider_errors():
        stream = await client.responses.create(stream=True, **body)
    async with stream:
        with provider_errors():
            async for event in stream:
                piece = _read(event)
                if piece is None:
                    continue
                watch.heard()
                yield piece
                if isinstance(piece, Finish):
                    return
    raise _broken_off()


def _broken_off() -> Unreachable:
    return Unreachable("cut_off", None, "The provider broke off its answer.")


def _read(event: ResponseStreamEvent) -> Piece | None:
    """What one event says; ``None`` for those that only tell how far it is.

    Raises:
        Unreachable, Refused: it says that there will be no answer.
    """
    match event.type:
        case "response.output_text.delta" | "response.refusal.delta":
            return Delta(event.delta) if event.delta else None
        case "response.output_item.done" if event.item.type == "function_call":
            return ToolCall(event.item.name, event.item.arguments)
        case "response.completed" | "response.incomplete":
            return _end(event.response)
        case "response.failed":
            failed = event.response.error
            raise _failure(failed.code if failed else None, failed.message if failed else "")
        case "error":
            raise _failure(event.code, event.message)
        case _:
            return None


def _end(response: Response) -> Finish:
    called = any(item.type == "function_call" for item in response.output)
    why = response.incomplete_details.reason if response.incomplete_details else None
    reason = {"max_output_tokens": "length"}.get(str(why), str(why)) if why else None
    tokens = response.usage.output_tokens if response.usage else None
    return Finish(reason or ("tool_calls" if called else "stop"), tokens)


def _failure(code: str | None, words: str) -> ProviderError:
    code = code or "failed"
    if code in PASSING:
        return Unreachable(code, None, "The provider could not finish its answer.", words)
    return Refused(code, None, "The provider refused to answer this.", words)


def response_body(body: Json) -> Json:
    """A chat request as the Responses API takes it; the provider is asked to store nothing."""
    messages: list[Json] = list(body["messages"])
    asked: Json = {"model": body["model"], "store": False}
    if messages and messages[0].get("role") == "system":
        asked["instructions"] = messages.pop(0)["content"]
    asked["input"] = [{"role": m["role"], "content": m["content"]} for m in messages]
    tools: list[Json] = body.get("tools") or []
    if tools:
        asked["tools"] = [_tool(tool) for tool in tools]
    if body.get("max_tokens") is not None:
        asked["max_output_tokens"] = body["max_tokens"]
    if body.get("temperature") is not None:
        asked["temperature"] = body["temperature"]
    return asked


def _tool(tool: Json) -> Json:
    """A tool in the flat form; here ``strict`` is on unless it is said, in chat requests it is off."""
    function: Json | None = tool.get("function")
    if not function:
        return tool
    parameters: Json = {"type": "object", "properties": {}}
    return {"type": "function", "parameters": parameters, "strict": False, **function}
