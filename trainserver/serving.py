"""The server's side of the answering process: starts it when needed, passes requests, notices its death."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from trainserver.errors import BadRequest, ServingFailed
from trainserver.rows import Message
from trainserver.sampling import Sampling

log = logging.getLogger("trainserver")
END_SECONDS = 5
# A long answer may come as one line, with twenty alternatives of each of its tokens.
LONGEST_LINE = 2**26


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of an answer.

    `logprobs` are its tokens as OpenAI tells them (token, logprob, bytes, top_logprobs), if asked for.
    """

    text: str
    logprobs: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer; `finish_reason` is `stop` or `length`."""

    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


def environment() -> dict[str, str]:
    """The environment of child processes: this one's, and nothing may download.

    Threads that wait must sleep: with the default (they spin) two processes that compute at once take each
    other's cores, and an answer given while a job trains takes several times as long.
    """
    return os.environ | {
        "HF_HUB_OFFLINE": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "TRANSFORMERS_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def arguments(module: str, data: Path, config: Path | None) -> list[str]:
    """The command line of a child process."""
    command = [sys.executable, "-m", module, "--data", str(data)]
    return command if config is None else [*command, "--config", str(config)]


@dataclass
class _Child:
    process: asyncio.subprocess.Process
    answers: dict[str, asyncio.Queue[dict[str, Any] | None]] = field(
        default_factory=dict[str, "asyncio.Queue[dict[str, Any] | None]"]
    )
    reader: asyncio.Task[None] | None = None


class Serving:
    """One answering process at a time, started on the first request and again after it died."""

    def __init__(self, data: Path, config: Path | None) -> None:
        self._command = arguments("trainserver.serve", data, config)
        self._child: _Child | None = None
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process id of the answering process while there is one."""
        return None if self._child is None else self._child.process.pid

    async def start(self) -> _Child:
        """The living child."""
        async with self._starting:
            if self._child is None:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    env=environment(),
                    limit=LONGEST_LINE,
                )
                self._child = _Child(process)
                self._child.reader = asyncio.create_task(self._read(self._child))
                log.info("answering process started, pid %s", process.pid)
            return self._child

    async def _read(self, child: _Child) -> None:
        assert child.process.stdout is not None
        while line := await child.process.stdout.readline():
            message: dict[str, Any] = json.loads(line)
            waiting = child.answers.get(message.get("id", ""))
            if waiting is not None:
                waiting.put_nowait(message)
        code = await child.process.wait()
        log.warning("answering process %s ended with code %s", child.process.pid, code)
        if self._child is child:
            self._child = None
        for waiting in child.answers.values():
            waiting.put_nowait(None)

    def _send(self, child: _Child, message: dict[str, Any]) -> None:
        assert child.process.stdin is not None
        if not child.process.stdin.is_closing():
            child.process.stdin.write(json.dumps(message).encode() + b"\n")

    @asynccontextmanager
    async def answer(
        self,
        base: str,
        adapter: Path | None,
        messages: Sequence[Message],
        sampling: Sampling,
        tools: Sequence[dict[str, Any]] | None = None,
    ) -> AsyncGenerator[AsyncIterator[Text | Done]]:
        """Ask for an answer; leaving the block before its end stops the generation.

        The iterator raises `BadRequest` when the conversation is too long and `ServingFailed` when the
        process died or could not load the model.
        """
        child = await self.start()
        request_id = uuid4().hex
        waiting: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        child.answers[request_id] = waiting
        self._send(
            child,
            {
                "id": request_id,
                "op": "generate",
                "base": base,
                "adapter": None if adapter is None else str(adapter),
                "messages": [message.plain() for message in messages],
                "sampling": asdict(sampling),
                "tools": None if tools is None else list(tools),
            },
        )
        ended = False

        async def pieces() -> AsyncIterator[Text | Done]:
            nonlocal ended
            while not ended:
                messages = [await waiting.get()]
                while not waiting.empty():
                    messages.append(waiting.get_nowait())
                for message in _together(messages):
                    ended = message is None or "text" not in message
                    yield _piece(message)

        try:
            yield pieces()
        finally:
            del child.answers[request_id]
            if not ended:
                self._send(child, {"id": request_id, "op": "cancel"})

    def forget(self, adapter: Path) -> None:
        """Tell the process that an adapter was deleted."""
        if self._child is not None:
            self._send(self._child, {"op": "forget", "adapter": str(adapter)})

    async def stop(self) -> None:
        """End the process; it is killed when it is still in a generation."""
        child = self._child
        if child is None:
            return
        assert child.process.stdin is not None
        child.process.stdin.close()
        try:
            await asyncio.wait_for(child.process.wait(), END_SECONDS)
        except TimeoutError:
            child.process.kill()
        if child.reader is not None:
            await child.reader


def _together(messages: Sequence[dict[str, Any] | None]) -> list[dict[str, Any] | None]:
    """Pieces of text that came while nobody looked, as one."""
    texts = [message for message in messages if message is not None and "text" in message]
    rest = [message for message in messages if message is None or "text" not in message]
    if not texts:
        return rest
    whole = "".join(message["text"] for message in texts)
    logprobs = [token for message in texts for token in message.get("logprobs", ())]
    return [{"text": whole, "logprobs": logprobs}, *rest]


def _piece(message: dict[str, Any] | None) -> Text | Done:
    if message is None:
        raise ServingFailed(
            "The process that answers stopped unexpectedly; it is started again. Try once more."
        )
    if "text" in message:
        return Text(message["text"], tuple(message.get("logprobs", ())))
    if "done" in message:
        return Done(**message["done"])
    if message["kind"] == "context":
        raise BadRequest(message["error"], param="messages", code="context_length_exceeded")
    if message["kind"] == "messages":
        raise BadRequest(message["error"], param="messages")
    raise ServingFailed(f"The model could not answer: {message['error']}")
