"""The typed events of a streamed response, numbered, in the order that OpenAI's come in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trainserver.api.asking import Json
from trainserver.api.telling import event
from trainserver.ids import new_id


def text_part(text: str, tokens: Sequence[Json]) -> Json:
    """A text part of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": list(tokens)}


def call_item(call: Json, status: str = "completed") -> Json:
    """A chat tool call as an output item."""
    return {
        "id": new_id("fc", "_"),
        "type": "function_call",
        "call_id": call["id"],
        "name": call["function"]["name"],
        "arguments": call["function"]["arguments"],
        "status": status,
    }


def _plain(tokens: Sequence[Json]) -> list[Json]:
    """Tokens as text events tell them: without bytes."""
    return [
        {
            "token": token["token"],
            "logprob": token["logprob"],
            "top_logprobs": [
                {"token": other["token"], "logprob": other["logprob"]} for other in token["top_logprobs"]
            ],
        }
        for token in tokens
    ]


class Events:
    """Makes the events of one response; the message, if there is one, is its first item."""

    def __init__(self, response: Json, message_id: str) -> None:
        self._response = response
        self._message_id = message_id
        self._number = -1
        self._begun = False

    def of(self, type: str, **values: Any) -> str:
        """The next event."""
        self._number += 1
        return event({"type": type, "sequence_number": self._number, **values}, type)

    def message(self, status: str, content: list[Json]) -> Json:
        """The message item."""
        return {
            "id": self._message_id,
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        }

    def _at(self, type: str, **values: Any) -> str:
        return self.of(type, item_id=self._message_id, output_index=0, content_index=0, **values)

    def _begin(self) -> Iterator[str]:
        if not self._begun:
            self._begun = True
            item = self.message("in_progress", [])
            yield self.of("response.output_item.added", output_index=0, item=item)
            yield self._at("response.content_part.added", part=text_part("", ()))

    def words(self, text: str, tokens: Sequence[Json]) -> Iterator[str]:
        """A piece of the message; opens it first."""
        if text:
            yield from self._begin()
            yield self._at("response.output_text.delta", delta=text, logprobs=_plain(tokens))

    def items(self, output: Sequence[Json]) -> Iterator[str]:
        """What is left to say at the end: the message as a whole, then each call."""
        for index, item in enumerate(output):
            if item["type"] == "message":
                yield from self._begin()
                part = item["content"][0]
                text, tokens = part["text"], _plain(part["logprobs"])
                yield self._at("response.output_text.done", text=text, logprobs=tokens)
                yield self._at("response.content_part.done", part=part)
            else:
                yield from self._call(index, item)
            yield self.of("response.output_item.done", output_index=index, item=item)

    def _call(self, index: int, item: Json) -> Iterator[str]:
        begun = item | {"arguments": "", "status": "in_progress"}
        yield self.of("response.output_item.added", output_index=index, item=begun)
        where = {"item_id": item["id"], "output_index": index}
        yield self.of("response.function_call_arguments.delta", **where, delta=item["arguments"])
        yield self.of(
            "response.function_call_arguments.done",
            **where,
            name=item["name"],
            arguments=item["arguments"],
        )
