# pyright: basic
"""A conversation is rendered whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trainserver.errors import BaseUnavailable, JobFailed
from trainserver.messages import Message, in_call_order, read_message
from trainserver.rows import Row
from trainserver.template import TemplateLoses, check, encode_prompt, load_tokenizer
from trainserver.tokenising import encode_rows

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def _call(id: str, city: str) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": "look", "arguments": f'{{"city": "{city}"}}'}}


TALK = tuple(
    read_message(message)
    for message in (
        {"role": "user", "name": "ann", "content": [{"type": "text", "text": "Weather?"}]},
        {"role": "assistant", "content": None, "tool_calls": [_call("a", "Oslo"), _call("b", "Rome")]},
        {"role": "tool", "tool_call_id": "b", "content": "hot"},
        {"role": "tool", "tool_call_id": "a", "content": "cold"},
        {"role": "assistant", "content": "Cold and hot."},
    )
)


def _with(tiny: Path, folder: Path, template: str):
    path = folder / "template.jinja"
    path.write_text(template)
    return load_tokenizer(tiny, path)


@pytest.fixture(scope="module")
def tokenizer(tiny: Path):
    return load_tokenizer(tiny, None)


def test_tools_calls_and_results_are_in_the_text_and_calls_carry_loss(tokenizer):
    ((example,),) = encode_rows(tokenizer, [Row(1, TALK, (TOOL,))], 2000, "training_file")
    text = tokenizer.decode(example.ids)
    assert '"name": "look", "parameters"' in text
    assert "user name=ann\nWeather?" in text
    learnt = tokenizer.decode(
        [one for one, target in zip(example.ids, example.targets, strict=True) if target]
    )
    oslo, rome = (
        f'<tool_call>\n{{"name": "look", "arguments": {{"city": "{city}"}}}}\n</tool_call>'
        for city in ("Oslo", "Rome")
    )
    assert learnt == f"{oslo}\n{rome}<|im_end|>Cold and hot.<|im_end|>"


def test_results_stand_in_the_order_of_their_calls(tokenizer):
    assert [message.content for message in in_call_order(TALK)][2:4] == ["cold", "hot"]
    prompt = tokenizer.decode(encode_prompt(tokenizer, TALK[:-1], (TOOL,)))
    assert prompt.index("cold") < prompt.index("hot")


def test_tools_stand_behind_the_words_of_a_system_prompt(tokenizer):
    said = (Message("system", "Be brief."), Message("user", "Hi"))
    prompt = tokenizer.decode(encode_prompt(tokenizer, said, (TOOL,)))
    assert prompt.startswith("<|im_start|>system\nBe brief.\n\n# Tools")
    assert prompt.count("# Tools") == 1


NAMELESS = (replace(TALK[0], name=None), *TALK[1:])
HEAD = "{% for m in messages %}<|im_start|>{{ m.role }}\n"
ANSWER = "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}"
REST = "{% else %}{{ m.content }}<|im_end|>{% endif %}\n{% endfor %}"
LOSING = {
    "a tool call": HEAD + ANSWER + REST,
    "message 1 (user)": HEAD.replace("messages", "messages[1:]") + ANSWER + REST,
    "loses tool 1": "{{ '' if tools else '' }}" + HEAD + ANSWER + REST,
}


@pytest.mark.parametrize(("lost", "template"), LOSING.items())
def test_a_template_that_loses_something_fails_the_row_and_says_what(
    tiny: Path, tmp_path: Path, lost: str, template: str
):
    tokenizer = _with(tiny, tmp_path, template)
    tools = (TOOL,) if "tool 1" in lost else ()
    with pytest.raises(JobFailed) as caught:
        encode_rows(tokenizer, [Row(7, NAMELESS, tools)], 2000, "training_file")
    assert "ine 7 cannot be trained" in caught.value.message
    assert lost in caught.value.message


def test_a_template_that_drops_what_a_message_says_is_noticed(tiny: Path, tmp_path: Path):
    template = (HEAD + ANSWER + REST).replace("{{ m.content }}", "{{ m.content.split('</think>')[-1] }}")
    tokenizer = _with(tiny, tmp_path, template)
    check(tokenizer, (Message("user", "Hi"), Message("assistant", "plain")))
    with pytest.raises(TemplateLoses, match="message 2"):
        check(tokenizer, (Message("user", "Hi"), Message("assistant", "<think>so</think>plain")))


def test_a_template_that_refuses_a_conversation_fails_the_row(tiny: Path, tmp_path: Path):
    tokenizer = _with(tiny, tmp_path, "{{ raise_exception('roles must alternate') }}" + HEAD + ANSWER + REST)
    with pytest.raises(JobFailed, match=r"Line 3 cannot be trained.*alternate"):
        encode_rows(tokenizer, [Row(3, TALK)], 2000, "training_file")


def test_weight_0_holds_with_a_template_that_knows_no_weights(tiny: Path, tmp_path: Path):
    tokenizer = _with(tiny, tmp_path, HEAD + ANSWER + REST)
    turns = (Message("user", "a"), Message("assistant", "no"), Message("assistant", "yes", trained=True))
    ((example,),) = encode_rows(tokenizer, [Row(1, turns)], 100, "training_file")
    learnt = [one for one, target in zip(example.ids, example.targets, strict=True) if target]
    assert tokenizer.decode(learnt) == "yes<|im_end|>"


def test_a_missing_template_is_said(tiny: Path, tmp_path: Path):
    with pytest.raises(BaseUnavailable, match="cannot be read"):
        load_tokenizer(tiny, tmp_path / "none.jinja")
