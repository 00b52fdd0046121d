"""Responses by the official client, both of its kinds; each answer and event is held to the description."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import reduce
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.contract import openai_wire
from tests.contract.conftest import KEY
from tests.contract.trainserver_client import Trainer

CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"enum": ["Oslo", "Lima"]}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL: dict[str, Any] = {"type": "function", "name": "weather", "parameters": CITY, "strict": True}
LOGPROBS = "message.output_text.logprobs"
Call = Callable[..., Awaitable[Any]]


@pytest.fixture(params=["sync", "async"])
async def call(request: pytest.FixtureRequest, trainer: Trainer) -> AsyncIterator[Call]:
    """`await call("retrieve", id)` by one client or the other; a stream comes as the list of its events."""
    options: Any = {"base_url": str(trainer.http.base_url), "api_key": KEY, "max_retries": 0}

    def prepared(path: str, asked: dict[str, Any]) -> dict[str, Any]:
        return (
            {"model": "tiny", "input": "n 3", "max_output_tokens": 12} | asked if path == "create" else asked
        )

    if request.param == "sync":
        with OpenAI(**options, http_client=openai_wire.client()) as client:

            def ask(path: str, *values: Any, **asked: Any) -> Any:
                method: Any = reduce(getattr, path.split("."), client.responses)
                answer = method(*values, **prepared(path, asked))
                return list(answer) if asked.get("stream") else answer

            yield lambda *values, **asked: asyncio.to_thread(ask, *values, **asked)
        return
    async with AsyncOpenAI(**options, http_client=openai_wire.async_client()) as client:

        async def ask_async(path: str, *values: Any, **asked: Any) -> Any:
            method: Any = reduce(getattr, path.split("."), client.responses)
            answer = await method(*values, **prepared(path, asked))
            return [event async for event in answer] if asked.get("stream") else answer

        yield ask_async


@pytest.fixture(autouse=True)
def every_answer_is_as_described() -> Iterator[None]:
    yield
    assert openai_wire.faults() == []


def kinds(events: list[Any]) -> list[str]:
    """The types of events in their order, each run of the same once."""
    told = [event.type.removeprefix("response.") for event in events]
    return [kind for i, kind in enumerate(told) if i == 0 or told[i - 1] != kind]


async def test_a_text_streams_as_events_in_openais_order(call: Call) -> None:
    asked: dict[str, Any] = {"temperature": 0, "instructions": "Say the number."}
    whole = await call("create", **asked)
    events = await call("create", **asked, stream=True)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        whole.status,
    ]
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    last = events[-1].response
    assert said == last.output_text == whole.output_text
    assert last.usage == whole.usage
    assert last.instructions == "Say the number."
    assert len({event.item_id for event in events if hasattr(event, "item_id")}) == 1


async def test_a_conversation_goes_on_from_a_stored_response_without_its_instructions(call: Call) -> None:
    first = await call("create", instructions="Say it " * 20)
    second = await call("create", previous_response_id=first.id, input="and?")
    both = [
        {"role": "user", "content": "n 3"},
        {"role": "assistant", "content": first.output_text},
        {"role": "user", "content": "and?"},
    ]
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens == (await call("create", input=both)).usage.input_tokens
    kept = await call("retrieve", second.id)
    assert kept.output_text == second.output_text
    await call("delete", second.id)
    with pytest.raises(openai.NotFoundError):
        await call("retrieve", second.id)


async def test_what_is_not_stored_cannot_be_gone_on_from(call: Call) -> None:
    gone = await call("create", store=False)
    with pytest.raises(openai.NotFoundError):
        await call("retrieve", gone.id)
    with pytest.raises(openai.BadRequestError) as caught:
        await call("create", previous_response_id=gone.id)
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "weather"}])
async def test_a_function_is_called_and_its_output_answered(call: Call, choice: Any) -> None:
    asked: dict[str, Any] = {"tools": [TOOL], "tool_choice": choice, "parallel_tool_calls": False}
    first = await call("create", **asked, max_output_tokens=200)
    (item,) = first.output
    assert item.type == "function_call"
    assert json.loads(item.arguments)["city"] in ("Oslo", "Lima")
    output = {"type": "function_call_output", "call_id": item.call_id, "output": "-4"}
    second = await call("create", previous_response_id=first.id, input=[output], tools=[TOOL])
    assert second.usage.input_tokens > first.usage.input_tokens
    again = await call(
        "create", input=[{"role": "user", "content": "n 3"}, item.to_dict(), output], tools=[TOOL]
    )
    assert again.usage.input_tokens == second.usage.input_tokens


async def test_a_function_call_streams_as_an_item_of_its_own(call: Call) -> None:
    asked: dict[str, Any] = {"tools": [TOOL], "tool_choice": "required", "parallel_tool_calls": False}
    events = await call("create", **asked, max_output_tokens=200, stream=True)
    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    (item,) = events[-1].response.output
    assert events[-2].item == item
    arguments = "".join(
        event.delta for event in events if event.type == "response.function_call_arguments.delta"
    )
    assert arguments == item.arguments


async def test_a_text_keeps_to_a_json_schema(call: Call) -> None:
    wanted = {"type": "json_schema", "name": "city", "schema": CITY, "strict": True}
    answer = await call("create", text={"format": wanted}, max_output_tokens=100)
    assert json.loads(answer.output_text)["city"] in ("Oslo", "Lima")
    assert answer.text.format.type == "json_schema"


@pytest.mark.parametrize("stream", [False, True])
async def test_log_probabilities_come_when_included(call: Call, stream: bool) -> None:
    answer = await call("create", include=[LOGPROBS], top_logprobs=2, temperature=0, stream=stream)
    response = answer[-1].response if stream else answer
    (part,) = response.output[0].content
    assert "".join(token.token for token in part.logprobs).replace("\ufffd", "") == part.text.replace(
        "\ufffd", ""
    )
    assert all(len(token.top_logprobs) == 2 for token in part.logprobs)


@pytest.mark.parametrize(
    ("asked", "status", "code", "param"),
    [
        ({"model": "nobody"}, 404, "model_not_found", "model"),
        ({"background": True}, 400, "unsupported_parameter", "background"),
        ({"conversation": "conv_1"}, 400, "unsupported_parameter", "conversation"),
        ({"input": "x" * 3000}, 400, "context_length_exceeded", "input"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, 400, None, "text.format.name"),
        ({"tools": [{"type": "web_search"}]}, 400, None, "tools"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "name": "x"}}, 400, None, "tool_choice"),
        ({"max_output_tokens": 0}, 400, None, "max_output_tokens"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_cannot_be_answered_says_what_and_why(
    call: Call, asked: dict[str, Any], status: int, code: str | None, param: str, stream: bool
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        await call("create", **asked, stream=stream)
    assert (caught.value.status_code, caught.value.code, caught.value.param) == (status, code, param)
