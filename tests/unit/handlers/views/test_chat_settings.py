"""The system prompt and the tools of new chats in a channel."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.views import chat_settings, settings_form
from localslack.blocks import check_view
from storage.chat_records import ChannelSettings

TOOL = {"type": "function", "function": {"name": "lookup", "parameters": {"type": "object"}}}


def sent(prompt_kind: str = "trained", tools_kind: str = "trained", **text: str) -> dict[str, Any]:
    """A submitted form; ``text``: what is written in its fields."""
    chosen = {"notices": "normal", "prompt_kind": prompt_kind, "tools_kind": tools_kind}
    values: dict[str, Any] = {k: {k: {"selected_option": {"value": v}}} for k, v in chosen.items()}
    values |= {k: {k: {"value": v}} for k, v in text.items()}
    return {"private_metadata": '{"channel": "C1"}', "state": {"values": values}}


@pytest.mark.parametrize(
    ("form", "prompt", "tools"),
    [
        (sent(), None, None),
        (sent("none", "none"), "", []),
        (sent("own", "own", prompt="Be brief.", tools=json.dumps([TOOL])), "Be brief.", [TOOL]),
        (sent("trained", "own", tools=json.dumps(TOOL)), None, [TOOL]),
    ],
)
def test_prompt_and_tools_are_those_trained_with_unless_others_are_chosen(
    form: dict[str, Any], prompt: str | None, tools: Any
) -> None:
    chosen = settings_form.parse(form, "U1", 1.0)
    assert isinstance(chosen, ChannelSettings)
    assert (chosen.system_prompt, chosen.tools, chosen.channel) == (prompt, tools, "C1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Write the tools"),
        ("[", "This is no JSON, line 1"),
        ("[1]", "needs type “function”"),
        ('[{"type": "function", "function": {"name": "two words"}}]', "two words"),
        (json.dumps([TOOL, TOOL]), "the same name: `lookup`"),
        ('[{"type": "function", "function": {"name": "a", "parameters": {"type": 7}}}]', "no JSON Schema"),
        ("[]", "Write the tools"),
    ],
)
def test_tools_that_no_model_could_use_are_refused_at_their_field(text: str, said: str) -> None:
    errors = settings_form.parse(sent("trained", "own", tools=text), "U1", 1.0)
    assert isinstance(errors, dict)
    assert list(errors) == ["tools"]
    assert said in errors["tools"]


@given(st.none() | st.text(), st.none() | st.lists(st.dictionaries(st.text(), st.text()), max_size=3))
def test_the_form_is_one_that_slack_takes_whatever_was_set(prompt: str | None, tools: Any) -> None:
    now = ChannelSettings("C1", "normal", prompt, "U1", 1.0, tools)
    assert check_view(settings_form.settings_form(now)) is None


def test_a_change_is_told_to_the_channel() -> None:
    before, now = ChannelSettings("C1"), ChannelSettings("C1", system_prompt="", tools=[TOOL], user="U1")
    message = settings_form.changed(before, now)
    assert message is not None
    assert "new chats use another system prompt: none at all" in message.text
    assert "new chats are given other tools: 1 tool written here" in message.text
    assert chat_settings.words(before) == ("what the model was trained with",) * 2
