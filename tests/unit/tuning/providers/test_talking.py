"""Streamed answers are the same to read, whichever of the two APIs they come over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.provider import FakeProvider
from tuning.errors import ProviderError, Refused, Unreachable
from tuning.providers import Delta, Finish, Gateway, ToolCall
from tuning.providers.talking import _failure, _read, response_body

ASKED = [{"role": "system", "content": "Route it."}, {"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "lookup", "parameters": {"type": "object"}}}


async def said(gateway: Gateway, **how: Any) -> list[Any]:
    return [piece async for piece in gateway.stream_chat("m", ASKED, **how)]


@pytest.mark.parametrize("responses", [False, True])
async def test_text_and_tool_calls_are_the_same_over_both(
    gateway: Gateway, provider: FakeProvider, responses: bool
) -> None:
    assert await said(gateway, responses=responses) == [Delta("Hello "), Delta("there"), Finish("stop", 2)]
    provider.calls_tool = {"name": "lookup", "arguments": '{"id": 7}'}
    *_, call, end = await said(gateway, responses=responses, tools=[TOOL])
    assert call == ToolCall("lookup", '{"id": 7}')
    assert end.tokens == 2
    assert (len(provider.chats), len(provider.responses)) == ((0, 2) if responses else (2, 0))


async def test_the_responses_api_is_asked_the_same_and_told_to_store_nothing(
    gateway: Gateway, provider: FakeProvider
) -> None:
    await said(gateway, responses=True, tools=[TOOL], max_tokens=5, temperature=0.0)
    (body,) = provider.responses
    assert body == {
        "model": "m",
        "store": False,
        "stream": True,
        "instructions": "Route it.",
        "input": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "function", "name": "lookup", "parameters": {"type": "object"}, "strict": False}],
        "max_output_tokens": 5,
        "temperature": 0.0,
    }


def test_without_a_system_prompt_there_are_no_instructions() -> None:
    assert "instructions" not in response_body({"model": "m", "messages": ASKED[1:]})


@pytest.mark.parametrize("responses", [False, True])
async def test_an_answer_that_breaks_off_is_no_answer(
    gateway: Gateway, provider: FakeProvider, responses: bool
) -> None:
    provider.breaks_off = True
    with pytest.raises(Unreachable, match="broke off"):
        await said(gateway, responses=responses)


async def test_errors_of_the_responses_api_are_those_of_chat(
    gateway: Gateway, provider: FakeProvider
) -> None:
    for status, kind in ((404, Refused), (429, Unreachable), (500, Unreachable)):
        provider.fault("POST", "/responses", status=status, code=f"c{status}", message="own words")
        with pytest.raises(kind) as raised:
            await said(gateway, responses=True)
        assert (raised.value.status, raised.value.provider_words) == (status, "own words")


@pytest.mark.parametrize(
    ("code", "kind"),
    [("server_error", Unreachable), ("rate_limit_exceeded", Unreachable), ("invalid_prompt", Refused)],
)
def test_a_response_that_failed_says_whether_asking_again_helps(code: str, kind: type[ProviderError]) -> None:
    assert isinstance(_failure(code, "own words"), kind)


@pytest.mark.parametrize(
    ("why", "reason"), [("max_output_tokens", "length"), ("content_filter", "content_filter")]
)
def test_an_answer_that_was_cut_says_why(why: str, reason: str) -> None:
    from openai.types.responses import Response, ResponseIncompleteEvent

    response = Response.model_construct(
        output=[], incomplete_details=_Why(why), usage=None, status="incomplete"
    )
    event = ResponseIncompleteEvent.model_construct(type="response.incomplete", response=response)
    assert _read(event) == Finish(reason, None)


class _Why:
    def __init__(self, reason: str) -> None:
        self.reason = reason
