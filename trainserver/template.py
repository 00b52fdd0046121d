# pyright: basic
# transformers is only partly typed, and this module hands everything to its tokenizer.
"""A base's chat template: rendering conversations, and making sure that nothing of them is lost.

One template serves training and answering. The one that comes with ftbot is ChatML with tools; it adds
nothing that the messages do not hold, so a model is asked exactly as it was trained (SmolLM2's own template
knows no tools and puts a system prompt of its own in front of every conversation that has none).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from trainserver.errors import BaseUnavailable, TrainserverError
from trainserver.messages import Call, Message, Tool, in_call_order


class TemplateLoses(TrainserverError):
    """The template of the base cannot render a conversation whole; the text says what is lost."""


def load_tokenizer(folder: Path, template: Path | None) -> Any:
    """The tokenizer of a base, with our template in place of its own. Raises `BaseUnavailable`."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise BaseUnavailable(f"The tokenizer in {folder} does not load: {error}") from error
    if template is None:
        text = resources.files("trainserver").joinpath("data/chatml.jinja").read_text(encoding="utf-8")
    else:
        try:
            text = template.read_text(encoding="utf-8")
        except OSError as error:
            raise BaseUnavailable(f"The template {template} cannot be read: {error}") from error
    if "generation" not in text:
        raise BaseUnavailable(
            f"{template} has no {{% generation %}} marks, so nothing could be learnt with it."
        )
    tokenizer.chat_template = text.removesuffix("\n")
    return tokenizer


def render(
    tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] = (), **options: Any
) -> dict[str, Any]:
    """`input_ids`, and what else `options` ask for. Raises `TemplateLoses` when the template refuses."""
    return _apply(tokenizer, messages, tools, return_dict=True, **options)


def encode_prompt(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> list[int]:
    """Token ids of a conversation, ready for the assistant to speak. Raises `TemplateLoses`."""
    check(tokenizer, messages, tools)
    return render(tokenizer, messages, tools, add_generation_prompt=True)["input_ids"]


def _apply(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool], **options: Any) -> Any:
    plain = [message.plain() for message in in_call_order(messages)]
    try:
        return tokenizer.apply_chat_template(plain, tools=list(tools) or None, **options)
    except (TemplateError, TypeError, KeyError) as error:
        raise TemplateLoses(f"the template of the base cannot render it: {error}") from error


def check(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> None:
    """Raises `TemplateLoses` unless every message, call and tool is in the rendered text.

    Looked for twice: marks in place of every text show that each place is rendered at all and in order,
    and the real texts show that none of them is left out for what it says.
    """
    marked, marked_tools = _marked(messages, tools)
    for said, given in ((marked, marked_tools), (messages, tools)):
        text = _apply(tokenizer, said, given, tokenize=False)
        for what, piece in _tool_pieces(given):
            if piece not in text:
                raise TemplateLoses(f"the template of the base loses {what}")
        place = 0
        for what, piece in _pieces(in_call_order(said)):
            place = text.find(piece, place)
            if place < 0:
                raise TemplateLoses(f"the template of the base loses {what}")
            place += len(piece)


def _marked(messages: Sequence[Message], tools: Sequence[Tool]) -> tuple[list[Message], list[Tool]]:
    said: list[Message] = []
    for i, message in enumerate(messages):
        calls = tuple(
            Call(call.id, f"qz{i}f{k}xq", {"a": f"qz{i}a{k}xq"}) for k, call in enumerate(message.calls)
        )
        content = f"qz{i}cxq" if message.content.strip() else message.content
        name = f"qz{i}nxq" if message.name else None
        said.append(replace(message, content=content, calls=calls, name=name))
    given = [{**tool, "function": {**tool["function"], "name": f"qzt{i}xq"}} for i, tool in enumerate(tools)]
    return said, given


def _tool_pieces(tools: Sequence[Tool]) -> Iterator[tuple[str, str]]:
    for i, tool in enumerate(tools, start=1):
        yield f"tool {i}", tool["function"]["name"]


def _pieces(messages: Sequence[Message]) -> Iterator[tuple[str, str]]:
    """What must be found in the text, in this order."""
    for i, message in enumerate(messages, start=1):
        if message.role != "tool" and message.name:
            yield f"the name of message {i}", message.name
        if message.content.strip():
            yield f"message {i} ({message.role})", message.content.strip()
        for call in message.calls:
            yield f"a tool call of message {i}", call.name
            for value in call.arguments.values():
                if isinstance(value, str) and value.isalnum() and value.isascii():
                    yield f"the arguments of a tool call of message {i}", value


def texts(messages: Sequence[Message], tools: Sequence[Tool]) -> Iterator[str]:
    """Every text that a person wrote into a conversation."""
    for message in messages:
        yield message.content
        yield message.name or ""
        for call in message.calls:
            yield f"{call.name} {call.arguments}"
    for tool in tools:
        yield str(tool)
