# pyright: basic
# torch and transformers are only partly typed.
"""The process that answers: `python -m trainserver.serve --data DIR [--config FILE]`.

It reads one JSON object a line from stdin and writes one a line to stdout; closing stdin ends it.

    in   {"id", "op": "generate", "base", "adapter": folder or null, "messages", "tools", "sampling"}
         {"id", "op": "cancel"}
         {"op": "forget", "adapter": folder}
    out  {"op": "ready"}
         {"id", "text", "logprobs"}                       a piece of an answer
         {"id", "done": {"finish_reason", "prompt_tokens", "completion_tokens"}}
         {"id", "error", "kind": "context" | "messages" | "server"}

Requests are answered in their order; those behind the first that ask the same model go with it in one batch.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import threading
import traceback
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainserver import bases, template
from trainserver.config import Config, load
from trainserver.errors import TrainserverError
from trainserver.layout import Layout
from trainserver.messages import Message, Tool, from_plain
from trainserver.sampling import Sampling

BATCH = 8


class TooLong(TrainserverError):
    """The conversation does not fit into the model's context."""


@dataclass(frozen=True, slots=True)
class Request:
    """One answer that was asked for."""

    id: str
    base: str
    adapter: Path | None
    messages: tuple[Message, ...]
    sampling: Sampling
    tools: tuple[Tool, ...] = ()


class Loaded:
    """The base in memory."""

    def __init__(self, name: str, layout: Layout, config: Config) -> None:
        from trainserver.adapters import Switch
        from trainserver.lora import load_model

        base = config.bases[name]
        folder = bases.prepare(base, layout)
        self.name = name
        self.tokenizer = template.load_tokenizer(folder, base.template)
        self.model = load_model(folder)
        self.switch = Switch(self.model, config.adapters_in_memory)
        self.context: int = getattr(self.model.config, "max_position_embeddings", 2048)


class Server:
    """Takes requests off stdin and answers them one batch after the other."""

    def __init__(self, layout: Layout, config: Config, out: Any) -> None:
        self.layout = layout
        self.config = config
        self.out = out
        self.inbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.waiting: deque[Request] = deque()
        self.cancelled: set[str] = set()
        self.loaded: Loaded | None = None

    def read(self, lines: Any) -> None:
        """Fill the inbox until stdin closes (runs in a thread of its own)."""
        for line in lines:
            message = json.loads(line)
            if message["op"] == "cancel":
                self.cancelled.add(message["id"])
            else:
                self.inbox.put(message)
        self.inbox.put(None)

    def run(self) -> None:
        """Answer until stdin closes."""
        while self._collect():
            if self.waiting:
                self._answer(self._batch())

    def _collect(self) -> bool:
        """Take in all that has come, waiting only when there is nothing to do; False at the end."""
        while True:
            try:
                message = self.inbox.get(block=not self.waiting)
            except queue.Empty:
                return True
            if message is None:
                return False
            if message["op"] == "forget":
                if self.loaded is not None:
                    self.loaded.switch.forget(Path(message["adapter"]))
            else:
                self.waiting.append(_request(message))

    def _batch(self) -> list[Request]:
        first = self.waiting[0]
        same = [one for one in self.waiting if (one.base, one.adapter) == (first.base, first.adapter)][:BATCH]
        self.waiting = deque(one for one in self.waiting if one not in same)
        gone = [one for one in same if one.id in self.cancelled]
        self.cancelled -= {one.id for one in gone}
        return [one for one in same if one not in gone]

    def _answer(self, batch: list[Request]) -> None:
        try:
            self._generate(self._fitting(batch))
        except (TrainserverError, RuntimeError, OSError, KeyError) as error:
            traceback.print_exc()
            for request in batch:
                self.say({"id": request.id, "error": str(error), "kind": "server"})
        self.cancelled -= {request.id for request in batch}

    def _fitting(self, batch: list[Request]) -> list[tuple[Request, list[int], Sampling]]:
        loaded = self._load(batch[0].base) if batch else None
        fitting = []
        for request in batch:
            assert loaded is not None
            try:
                prompt = template.encode_prompt(loaded.tokenizer, request.messages, request.tools)
            except template.TemplateLoses as error:
                text = f"These messages cannot be asked: {error}"
                self.say({"id": request.id, "error": text, "kind": "messages"})
                continue
            room = loaded.context - len(prompt)
            if room < 1:
                text = (
                    f"This model's maximum context length is {loaded.context} tokens, "
                    f"but the messages have {len(prompt)}. Shorten them."
                )
                self.say({"id": request.id, "error": text, "kind": "context"})
                continue
            wanted = request.sampling
            fitting.append((request, prompt, replace(wanted, max_tokens=min(wanted.max_tokens, room))))
        return fitting

    def _generate(self, fitting: list[tuple[Request, list[int], Any]]) -> None:
        from trainserver.generation import generate

        if not fitting:
            return
        requests = [request for request, _, _ in fitting]
        loaded = self._load(requests[0].base)
        loaded.switch.to(requests[0].adapter)
        answers = generate(
            loaded.model,
            loaded.tokenizer,
            [prompt for _, prompt, _ in fitting],
            [sampling for _, _, sampling in fitting],
            on_text=lambda i, text, logprobs: self.say(
                {"id": requests[i].id, "text": text, "logprobs": logprobs}
            ),
            on_done=lambda i, answer: self.say({"id": requests[i].id, "done": _done(answer)}),
            stopped=lambda i: requests[i].id in self.cancelled,
        )
        assert len(answers) == len(requests)

    def _load(self, name: str) -> Loaded:
        if self.loaded is None or self.loaded.name != name:
            self.loaded = None
            self.loaded = Loaded(name, self.layout, self.config)
        return self.loaded

    def say(self, message: dict[str, Any]) -> None:
        self.out.write(json.dumps(message) + "\n")
        self.out.flush()


def _done(answer: Any) -> dict[str, Any]:
    return {
        "finish_reason": answer.finish_reason,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
    }


def _request(message: dict[str, Any]) -> Request:
    return Request(
        message["id"],
        message["base"],
        None if message["adapter"] is None else Path(message["adapter"]),
        tuple(from_plain(one) for one in message["messages"]),
        Sampling(**{**message["sampling"], "stop": tuple(message["sampling"]["stop"])}),
        tuple(message.get("tools") or ()),
    )


def main(arguments: list[str] | None = None) -> int:
    """Serve until stdin closes."""
    parser = argparse.ArgumentParser(prog="trainserver.serve")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    options = parser.parse_args(arguments)
    # What libraries print must not come between our lines.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    server = Server(Layout(options.data), load(options.config), out)
    threading.Thread(target=server.read, args=(sys.stdin,), daemon=True).start()
    server.say({"op": "ready"})
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
