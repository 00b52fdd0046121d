"""The application inside the test process: no child processes, and answers that the test writes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
from openai import AsyncOpenAI

from tests.contract import openai_wire
from trainserver import keys
from trainserver.api.app import create_app
from trainserver.api.state import State, build
from trainserver.config import load
from trainserver.serving import Done, Text


def token(text: str) -> dict[str, Any]:
    """A token as the answering process tells it."""
    one = {"token": text, "logprob": -0.5, "bytes": list(text.encode())}
    return {**one, "top_logprobs": [one]}


@dataclass
class Script:
    """Stands where `Serving` does and says what it was told to."""

    says: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    forgotten: list[Path] = field(default_factory=list)

    @asynccontextmanager
    async def answer(
        self, base: str, adapter: Path | None, messages: Sequence[Any], sampling: Any, tools: Any = None
    ) -> AsyncGenerator[AsyncIterator[Text | Done]]:
        self.asked.append(
            {"messages": [one.plain() for one in messages], "tools": tools, "sampling": sampling}
        )

        async def pieces() -> AsyncIterator[Text | Done]:
            for text in self.says:
                yield Text(text, (token(text),) if sampling.logprobs is not None else ())
            yield Done("stop", 7, len(self.says))

        yield pieces()

    def forget(self, adapter: Path) -> None:
        self.forgotten.append(adapter)


@dataclass
class Inside:
    """The application, its parts, and clients of it."""

    state: State
    script: Script
    app: Any

    def client(self, key: str = "none") -> AsyncOpenAI:
        """A client whose answers are held against the description; close it."""
        http = openai_wire.async_client(transport=httpx2.ASGITransport(self.app))
        return AsyncOpenAI(base_url="http://inside/v1", api_key=key, max_retries=0, http_client=http)

    def key(self, project: str, scope: keys.Scope = "all") -> str:
        with self.state.database.write() as connection:
            return keys.issue(connection, project, scope)[1]


def inside(data: Path, config: Path, **options: Any) -> Inside:
    """The application over a data folder of its own; it takes no job from the queue."""
    script = Script()
    state = replace(build(data, load(config), config, None, **options), serving=script)
    return Inside(state, script, create_app(state))
