"""The answering process from inside: who is let in, who leaves, what one failure costs the others."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from trainserver.config import Base, Config
from trainserver.layout import Layout
from trainserver.sampling import Sampling
from trainserver.serve import Server

DEADLINE = 60
# The tiny model never ends an answer by itself with these.
ENDLESS: Any = {"temperature": 1.5, "seed": 1, "bias": ((256, -100.0), (258, -100.0))}


class Process:
    """A `Server` in a thread, and what it said so far."""

    def __init__(self, tmp_path: Path, config: Config) -> None:
        self.out = io.StringIO()
        self.server = Server(Layout(tmp_path), config, self.out)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def ask(self, id: str, base: str = "tiny", adapter: str | None = None, **sampling: Any) -> None:
        sampling.setdefault("max_tokens", 4)
        wanted = json.loads(json.dumps(asdict(Sampling(**sampling))))
        messages = [{"role": "user", "content": "hi"}]
        asked = {"id": id, "op": "generate", "base": base, "adapter": adapter, "messages": messages}
        self.server.inbox.put(asked | {"sampling": wanted})

    def cancel(self, id: str) -> None:
        self.server.inbox.put({"id": id, "op": "cancel"})

    def said(self) -> list[dict[str, Any]]:
        lines = self.out.getvalue().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def until(self, id: str, key: str) -> dict[str, Any]:
        """The first message about `id` that has `key`."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            for message in self.said():
                if message["id"] == id and key in message:
                    return message
            time.sleep(0.005)
        pytest.fail(f"{id} had no {key}: {self.said()[-5:]}")


@pytest.fixture
def config(tiny: Path) -> Config:
    return Config("tiny", {"tiny": Base("tiny", path=tiny), "twin": Base("twin", path=tiny)})


@pytest.fixture
def process(tmp_path: Path, config: Config) -> Iterator[Process]:
    running = Process(tmp_path, config)
    yield running
    running.server.inbox.put(None)
    running.thread.join(DEADLINE)
    assert not running.thread.is_alive()


def test_who_left_is_told_nothing_more_and_takes_no_more_time(process: Process):
    process.ask("gone", max_tokens=900, **ENDLESS)
    process.until("gone", "text")
    process.cancel("gone")
    process.ask("next", **ENDLESS)
    process.until("next", "done")
    after = [message["id"] for message in process.said()]
    assert "gone" not in after[after.index("next") :]
    assert "done" not in {key for message in process.said() if message["id"] == "gone" for key in message}
    assert not process.server.answered


def test_who_left_before_being_let_in_is_never_answered(process: Process):
    process.ask("first", max_tokens=60, **ENDLESS)
    process.ask("other", base="twin")
    process.cancel("other")
    process.cancel("nobody")
    process.ask("last", max_tokens=80, **ENDLESS)
    process.until("last", "done")
    assert "other" not in {message["id"] for message in process.said()}


def test_a_question_to_another_base_waits_for_the_answers_that_are_being_given(process: Process):
    process.ask("tiny", max_tokens=60, **ENDLESS)
    process.until("tiny", "text")
    process.ask("twin", base="twin", **ENDLESS)
    process.until("twin", "done")
    ids = [message["id"] for message in process.said()]
    assert ids == sorted(ids)
    assert process.server.loaded is not None
    assert process.server.loaded.name == "twin"


def test_a_model_that_cannot_be_read_fails_its_own_question_alone(process: Process, tmp_path: Path):
    process.ask("good", max_tokens=60, **ENDLESS)
    process.ask("bad", adapter=str(tmp_path / "nowhere"))
    assert "cannot be read" in process.until("bad", "error")["error"]
    assert process.until("good", "done")["done"]["completion_tokens"] == 60


def test_a_pass_that_fails_is_told_to_all_it_was_for_and_the_next_is_answered(
    process: Process, monkeypatch: pytest.MonkeyPatch
):
    process.ask("warm")
    process.until("warm", "done")
    loaded = process.server.loaded
    assert loaded is not None

    def broken(*_args: Any, **_options: Any) -> Any:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(loaded.answering, "model", broken)
        patch.setattr("trainserver.generation.kvcache.new", lambda _model: broken())
        process.ask("a")
        assert "out of memory" in process.until("a", "error")["error"]
    process.ask("b")
    assert process.until("b", "done")
