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

Whoever asks joins the answers that are being given, whichever model of the base it is about; who asks another
base waits until those have ended. Messages are read between two tokens.
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
from trainserver.sampling import from_plain as sampling_from_plain

FAILURES = (TrainserverError, RuntimeError, OSError, KeyError)


class CannotAnswer(TrainserverError):
    """A request that this model cannot answer; `kind` is `context` or `messages`."""

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(text)
        self.kind = kind


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
        from trainserver.generation import Answering
        from trainserver.lora import load_model

        base = config.bases[name]
        folder = bases.prepare(base, layout)
        self.name = name
        self.tokenizer = template.load_tokenizer(folder, base.template)
        model = load_model(folder)
        self.switch = Switch(model, config.adapters_in_memory)
        self.answering = Answering(model, self.tokenizer, self.switch)
        self.context: int = getattr(model.config, "max_position_embeddings", 2048)

    def begin(self, request: Request) -> None:
        """Let the request join. Raises `CannotAnswer`, and `ServingFailed` without its adapter."""
        try:
            prompt = template.encode_prompt(self.tokenizer, request.messages, request.tools)
        except template.TemplateLoses as error:
            raise CannotAnswer(f"These messages cannot be asked: {error}", "messages") from error
        room = self.context - len(prompt)
        if room < 1:
            text = (
                f"This model's maximum context length is {self.context} tokens, "
                f"but the messages have {len(prompt)}. Shorten them."
            )
            raise CannotAnswer(text, "context")
        adapter = None if request.adapter is None else self.switch.load(request.adapter)
        wanted = request.sampling
        wanted = replace(wanted, max_tokens=min(wanted.max_tokens, room))
        self.answering.add(request.id, prompt, wanted, adapter)


class Server:
    """Takes requests off stdin and answers them together."""

    def __init__(self, layout: Layout, config: Config, out: Any) -> None:
        self.layout = layout
        self.config = config
        self.out = out
        self.inbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.waiting: deque[Request] = deque()
        self.answered: set[str] = set()
        self.loaded: Loaded | None = None

    def read(self, lines: Any) -> None:
        """Fill the inbox until stdin closes (runs in a thread of its own)."""
        for line in lines:
            self.inbox.put(json.loads(line))
        self.inbox.put(None)

    def run(self) -> None:
        """Answer until stdin closes."""
        while self._collect():
            while self.waiting and self._begin(self.waiting[0]):
                self.waiting.popleft()
            if self._busy():
                self._step()
            self.out.flush()

    def _busy(self) -> bool:
        return self.loaded is not None and self.loaded.answering.busy

    def _collect(self) -> bool:
        """Take in all that has come, waiting only when there is nothing to do; False at the end."""
        while True:
            try:
                message = self.inbox.get(block=not self.waiting and not self._busy())
            except queue.Empty:
                return True
            if message is None:
                return False
            if message["op"] == "generate":
                self.waiting.append(_request(message))
            elif message["op"] == "forget" and self.loaded is not None:
                self.loaded.switch.forget(Path(message["adapter"]))
            elif message["op"] == "cancel":
                self._drop(message["id"])

    def _drop(self, request_id: str) -> None:
        self.waiting = deque(one for one in self.waiting if one.id != request_id)
        if request_id in self.answered and self.loaded is not None:
            self.answered.discard(request_id)
            self.loaded.answering.drop(request_id)

    def _begin(self, request: Request) -> bool:
        """Let a request in, or refuse it; False when it must wait because other answers have another base."""
        try:
            if self.loaded is None or self.loaded.name != request.base:
                if self._busy():
                    return False
                self.loaded = None
                self.loaded = Loaded(request.base, self.layout, self.config)
            self.loaded.begin(request)
            self.answered.add(request.id)
        except CannotAnswer as error:
            self.say({"id": request.id, "error": str(error), "kind": error.kind})
        except FAILURES as error:
            traceback.print_exc()
            self._failed(request.id, str(error))
        return True

    def _step(self) -> None:
        assert self.loaded is not None
        try:
            told = self.loaded.answering.step()
        except FAILURES as error:
            traceback.print_exc()
            self.loaded.answering.clear()
            for request_id in list(self.answered):
                self._failed(request_id, str(error))
            return
        for said in told:
            if said.text or said.logprobs:
                self.say({"id": said.key, "text": said.text, "logprobs": said.logprobs})
            if said.error is not None:
                self._failed(said.key, said.error)
            if said.answer is not None:
                self.answered.discard(said.key)
                self.say({"id": said.key, "done": _done(said.answer)})

    def _failed(self, request_id: str, error: str) -> None:
        self.answered.discard(request_id)
        self.say({"id": request_id, "error": error, "kind": "server"})

    def say(self, message: dict[str, Any]) -> None:
        self.out.write(json.dumps(message) + "\n")


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
        sampling_from_plain(message["sampling"]),
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
    out.flush()
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
