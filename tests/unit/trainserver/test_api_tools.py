"""Tools, logprobs and typed events: what is taken out of an answer, plain and streamed."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests.unit.trainserver.inprocess import Inside

CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
TOOL: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
ASK: list[Any] = [{"role": "user", "content": "How is Oslo?"}]


def pieces(text: str) -> list[str]:
    """The text as it might stream: three characters at a time."""
    return [text[i : i + 3] for i in range(0, len(text), 3)]


async def test_a_call_comes_back_parsed(app: Inside, client: AsyncOpenAI):
    app.script.says = pieces(f"Let me look.\n{CALL}")
    answer = await client.chat.completions.create(model="tiny", messages=ASK, tools=[TOOL])
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Let me look."
    call: Any = (choice.message.tool_calls or [])[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Oslo"})
    assert app.script.asked[0]["tools"][0]["function"]["name"] == "weather"


async def test_a_streamed_call_comes_in_one_piece_and_its_markup_never(app: Inside, client: AsyncOpenAI):
    app.script.says = pieces(f"Let me <look>.\n{CALL}\n{CALL}")
    stream = await client.chat.completions.create(model="tiny", messages=ASK, tools=[TOOL], stream=True)
    chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(delta.content or "" for delta in deltas) == "Let me <look>."
    calls = [call for delta in deltas for call in delta.tool_calls or []]
    assert [call.index for call in calls] == [0, 1]
    assert all(call.function and call.function.name == "weather" for call in calls)
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("stream", [False, True])
async def test_what_only_looks_like_a_call_stays_text(app: Inside, client: AsyncOpenAI, stream: bool):
    text = "I use <tool_call> and {braces}"
    app.script.says = pieces(text)
    create: Any = client.chat.completions.create
    answer = await create(model="tiny", messages=ASK, tools=[TOOL], stream=stream)
    if stream:
        said = "".join([chunk.choices[0].delta.content or "" async for chunk in answer])
    else:
        said = answer.choices[0].message.content
    assert said == text


async def test_one_call_at_a_time_when_asked_so(app: Inside, client: AsyncOpenAI):
    app.script.says = pieces(CALL + CALL)
    answer = await client.chat.completions.create(
        model="tiny", messages=ASK, tools=[TOOL], parallel_tool_calls=False
    )
    assert len(answer.choices[0].message.tool_calls or []) == 1
    assert answer.choices[0].message.content is None


async def test_without_tools_or_with_the_choice_none_nothing_is_parsed(app: Inside, client: AsyncOpenAI):
    app.script.says = [CALL]
    plain = await client.chat.completions.create(model="tiny", messages=ASK)
    none = await client.chat.completions.create(model="tiny", messages=ASK, tools=[TOOL], tool_choice="none")
    assert plain.choices[0].message.content == none.choices[0].message.content == CALL
    assert app.script.asked[1]["tools"] is None


async def test_results_of_calls_reach_the_model(app: Inside, client: AsyncOpenAI):
    app.script.says = ["Cold."]
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    messages: list[Any] = [
        *ASK,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "-4"}]},
    ]
    await client.chat.completions.create(model="tiny", messages=messages, tools=[TOOL])
    asked = app.script.asked[0]["messages"]
    assert asked[1]["tool_calls"][0]["function"]["arguments"] == {"city": "Oslo"}
    assert asked[2]["content"] == "-4"
    with pytest.raises(openai.BadRequestError):
        await client.chat.completions.create(model="tiny", messages=[messages[0], messages[2]])


async def test_an_image_is_refused_and_named(app: Inside, client: AsyncOpenAI):
    image: Any = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}
    ]
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(model="tiny", messages=image)
    assert caught.value.param == "messages.[0]"
    items: Any = [{"role": "user", "content": [{"type": "input_image", "image_url": "https://x/y.png"}]}]
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(model="tiny", input=items)
    assert caught.value.param == "input[0].content"


@pytest.mark.parametrize("stream", [False, True])
async def test_logprobs_cover_every_token(app: Inside, client: AsyncOpenAI, stream: bool):
    app.script.says = ["It ", "is ", "cold."]
    create: Any = client.chat.completions.create
    answer = await create(
        model="tiny", messages=ASK, logprobs=True, top_logprobs=1, tools=[TOOL], stream=stream
    )
    if stream:
        found = [
            token.token
            async for chunk in answer
            for token in (chunk.choices[0].logprobs.content if chunk.choices[0].logprobs else [])
        ]
    else:
        found = [token.token for token in answer.choices[0].logprobs.content]
    assert found == app.script.says
    assert app.script.asked[0]["sampling"].logprobs == 1


async def test_a_response_goes_from_call_to_result_to_answer(app: Inside, client: AsyncOpenAI):
    app.script.says = pieces(f"Wait. {CALL}")
    tool: Any = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}
    asked: dict[str, Any] = {"model": "tiny", "input": "How is Oslo?", "tools": [tool]}
    first = await client.responses.create(**asked, include=["message.output_text.logprobs"])
    assert [item.type for item in first.output] == ["message", "function_call"]
    call: Any = first.output[1]
    app.script.says = ["Cold."]
    second = await client.responses.create(
        model="tiny",
        previous_response_id=first.id,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "-4"}],
    )
    assert second.output_text == "Cold."
    roles = [message["role"] for message in app.script.asked[1]["messages"]]
    assert roles == ["user", "assistant", "tool"]


async def test_a_streamed_response_tells_text_and_call_as_typed_events(app: Inside, client: AsyncOpenAI):
    app.script.says = pieces(f"Wait. {CALL}")
    tool: Any = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}
    stream = await client.responses.create(model="tiny", input="Oslo?", tools=[tool], stream=True)
    told = [event async for event in stream]
    kinds = list(dict.fromkeys(event.type for event in told))
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.completed",
    ]
    last: Any = told[-1]
    assert [item.type for item in last.response.output] == ["message", "function_call"]


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format"),
        ({"truncation": "auto"}, "truncation"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"previous_response_id": "resp_unknown"}, "previous_response_id"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
    ],
)
async def test_a_response_that_cannot_be_made_is_refused(
    client: AsyncOpenAI, options: dict[str, Any], param: str
):
    create: Any = client.responses.create
    with pytest.raises(openai.BadRequestError) as caught:
        await create(**{"model": "tiny", "input": "x", **options})
    assert caught.value.param == param
