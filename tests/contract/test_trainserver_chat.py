"""Chat completions by the official client, both of its kinds; each answer is held to the description."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.contract import openai_wire
from tests.contract.conftest import KEY
from tests.contract.trainserver_client import Trainer

ASK: list[Any] = [{"role": "user", "content": "n 3"}]
TICKET: dict[str, Any] = {
    "type": "object",
    "properties": {"kind": {"enum": ["bug", "wish"]}, "urgent": {"type": "boolean"}},
    "required": ["kind", "urgent"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "ticket", "schema": TICKET, "strict": True}}
TOOLS: Any = [
    {"type": "function", "function": {"name": "file", "parameters": TICKET}},
    {"type": "function", "function": {"name": "wait"}},
]
# The tokens of the tiny model, as its clients must name them.
TOKEN = {chr(code): str(code - ord("!")) for code in range(ord("!"), ord("~") + 1)}
Call = Callable[..., Awaitable[Any]]


@pytest.fixture(params=["sync", "async"])
async def call(request: pytest.FixtureRequest, trainer: Trainer) -> AsyncIterator[Call]:
    """`await call(n=2)` by one client or the other; a stream comes back as the list of its chunks."""
    options: Any = {"base_url": str(trainer.http.base_url), "api_key": KEY, "max_retries": 0}
    usual: dict[str, Any] = {"model": "tiny", "messages": ASK}
    if request.param == "sync":
        with OpenAI(**options, http_client=openai_wire.client()) as client:

            def ask(**asked: Any) -> Any:
                answer: Any = client.chat.completions.create(**usual | asked)
                return list(answer) if asked.get("stream") else answer

            yield lambda **asked: asyncio.to_thread(ask, **asked)
        return
    async with AsyncOpenAI(**options, http_client=openai_wire.async_client()) as client:

        async def ask_async(**asked: Any) -> Any:
            create: Any = client.chat.completions.create
            answer = await create(**usual | asked)
            return [chunk async for chunk in answer] if asked.get("stream") else answer

        yield ask_async


@pytest.fixture(autouse=True)
def every_answer_is_as_described() -> Iterator[None]:
    yield
    assert openai_wire.faults() == []


def texts(chunks: list[Any]) -> dict[int, str]:
    """What each choice of a stream says."""
    said: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            said[choice.index] = said.get(choice.index, "") + (choice.delta.content or "")
    return said


async def test_several_choices_are_several_answers(call: Call) -> None:
    asked: dict[str, Any] = {"n": 3, "seed": 5, "max_tokens": 12, "temperature": 1.5}
    whole = await call(**asked)
    said = {choice.index: choice.message.content for choice in whole.choices}
    assert len(set(said.values())) == 3
    assert whole.usage.completion_tokens > 12
    chunks = await call(**asked, stream=True, stream_options={"include_usage": True})
    assert texts(chunks) == said
    ended = [choice.index for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert sorted(ended) == [0, 1, 2]
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_without_being_asked_a_stream_tells_no_usage(call: Call) -> None:
    assert all(chunk.usage is None for chunk in await call(stream=True, max_tokens=2))


async def test_a_seed_gives_the_same_answer_alone_and_in_a_crowd(call: Call) -> None:
    async def say(seed: int) -> str:
        answer = await call(seed=seed, temperature=1.5, max_completion_tokens=12)
        return answer.choices[0].message.content

    together = await asyncio.gather(*(say(seed) for seed in range(6)))
    assert together == [await say(seed) for seed in range(6)]
    assert len(set(together)) == 6


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_keeps_to_a_json_schema(call: Call, stream: bool) -> None:
    answer = await call(response_format=FORMAT, max_tokens=64, temperature=1.5, stream=stream)
    text = texts(answer)[0] if stream else answer.choices[0].message.content
    ticket = json.loads(text)
    assert set(ticket) == {"kind", "urgent"}
    assert ticket["kind"] in ("bug", "wish")
    assert (answer[-1] if stream else answer).choices[0].finish_reason == "stop"


async def test_an_answer_is_a_json_object(call: Call) -> None:
    closing = {TOKEN["}"]: 100}
    answer = await call(response_format={"type": "json_object"}, max_tokens=16, logit_bias=closing)
    assert json.loads(answer.choices[0].message.content) == {}
    plain = await call(response_format={"type": "text"}, max_tokens=2, temperature=0)
    assert (
        plain.choices[0].message.content
        == (await call(max_tokens=2, temperature=0)).choices[0].message.content
    )


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "file"}}])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_is_insisted_on_is_made(call: Call, choice: Any, stream: bool) -> None:
    answer = await call(
        tools=TOOLS if choice != "required" else TOOLS[:1],
        tool_choice=choice,
        parallel_tool_calls=False,
        max_tokens=200,
        stream=stream,
    )
    if stream:
        (made,) = [one for chunk in answer for one in chunk.choices[0].delta.tool_calls or []]
    else:
        (made,) = answer.choices[0].message.tool_calls
    assert made.function.name == "file"
    assert json.loads(made.function.arguments)["kind"] in ("bug", "wish")
    assert (answer[-1] if stream else answer).choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("stream", [False, True])
async def test_log_probabilities_tell_each_token_and_its_likeliest_others(call: Call, stream: bool) -> None:
    asked: dict[str, Any] = {"max_tokens": 8, "temperature": 0, "logprobs": True, "top_logprobs": 3}
    answer = await call(**asked, stream=stream)
    choices = [chunk.choices[0] for chunk in answer] if stream else answer.choices
    tokens = [token for choice in choices if choice.logprobs for token in choice.logprobs.content]
    text = texts(answer)[0] if stream else answer.choices[0].message.content
    assert bytes(byte for token in tokens for byte in token.bytes).decode("utf-8", "replace") == text
    for token in tokens:
        assert len(token.top_logprobs) == 3
        assert token.logprob == token.top_logprobs[0].logprob <= 0
    without = await call(max_tokens=1)
    assert without.choices[0].logprobs is None


async def test_a_stop_text_ends_the_answer_in_a_stream_as_in_one_piece(call: Call) -> None:
    letters = {TOKEN[letter]: 60 for letter in "abcdefgh"}
    asked: dict[str, Any] = {"max_tokens": 40, "temperature": 1.5, "seed": 11, "logit_bias": letters}
    text = (await call(**asked)).choices[0].message.content
    stop = text[20:24]
    whole = await call(**asked, stop=[stop, "nowhere"])
    chunks = await call(**asked, stop=stop, stream=True)
    assert whole.choices[0].message.content == texts(chunks)[0] == text[: text.index(stop)]
    assert whole.choices[0].finish_reason == chunks[-1].choices[0].finish_reason == "stop"


async def test_a_penalty_makes_an_answer_less_of_the_same(call: Call) -> None:
    async def letters(**more: Any) -> int:
        answer = await call(temperature=0, max_tokens=24, logprobs=True, **more)
        return len({token.token for token in answer.choices[0].logprobs.content})

    assert await letters(frequency_penalty=2) > await letters()
    assert await letters(presence_penalty=2) > await letters()


BAD_SCHEMA = {"name": "x", "schema": {"type": "nonsense"}}


@pytest.mark.parametrize(
    ("asked", "status", "code", "param"),
    [
        ({"model": "nobody"}, 404, "model_not_found", "model"),
        ({"messages": [{"role": "user", "content": "x" * 3000}]}, 400, "context_length_exceeded", "messages"),
        ({"n": 0}, 400, None, "n"),
        ({"n": 129}, 400, None, "n"),
        ({"presence_penalty": 3}, 400, None, "presence_penalty"),
        ({"logit_bias": {"5": 101}}, 400, None, "logit_bias.5"),
        ({"response_format": {"type": "xml"}}, 400, "unsupported_value", "response_format"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {}}},
            400,
            None,
            "response_format.json_schema.name",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": BAD_SCHEMA}},
            400,
            None,
            "response_format.json_schema.schema",
        ),
        ({"tool_choice": "required"}, 400, None, "tool_choice"),
        (
            {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "other"}}},
            400,
            None,
            "tool_choice",
        ),
        ({"tools": TOOLS, "tool_choice": {"type": "custom"}}, 400, "unsupported_value", "tool_choice"),
        ({"modalities": ["text", "audio"]}, 400, "unsupported_value", "modalities"),
        ({"store": True}, 400, "unsupported_parameter", "store"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_cannot_be_answered_says_what_and_why(
    call: Call, asked: dict[str, Any], status: int, code: str | None, param: str, stream: bool
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        await call(**asked, stream=stream)
    error = caught.value
    assert (error.status_code, error.code, error.param) == (status, code, param)
    assert error.type == "invalid_request_error"
