# pyright: basic
"""Who judges, and what follows from it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from trainserver import events, generation, jobs, safety, screening, template
from trainserver.config import Config
from trainserver.database import Database
from trainserver.errors import JobFailed
from trainserver.generation import Answer
from trainserver.hyperparameters import Asked
from trainserver.messages import Message
from trainserver.rows import Row

ROWS = [
    Row(
        1,
        (
            Message("user", "He said: watch your back."),
            Message("assistant", "Tell the police.", trained=True),
        ),
    ),
    Row(
        3,
        (
            Message("user", "Where does he live?"),
            Message("assistant", "His home address is 1 Elm Road.", trained=True),
        ),
    ),
]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(tmp_path / "t.db")
    with made.write() as connection:
        jobs.add(connection, jobs.Job("j", 0, "running", "b", "b", "f", None, None, 1, None, Asked()))
    return made


def _told(database: Database) -> Any:
    with database.read() as connection:
        return events.listed(connection, "j", limit=1, after=None)[0][0]


@pytest.fixture
def saying(monkeypatch: pytest.MonkeyPatch):
    """Let the model answer every question with a text."""

    def says(text: str) -> None:
        monkeypatch.setattr(
            generation, "generate", lambda _m, _t, prompts, _s: [Answer(text, "stop", 1, 1)] * len(prompts)
        )
        monkeypatch.setattr(template, "encode_prompt", lambda *_: [1])

    return says


def _screened(config: Config, database: Database) -> bool:
    return screening.screen_model(config, database, "j", None, None, "ft:x")


def test_a_model_that_passes_is_not_held(database: Database, saying):
    saying("Good morning.")
    assert _screened(Config("b", {}), database)
    assert (_told(database).level, _told(database).data["held"]) == ("info", False)


def test_a_model_that_the_built_in_screen_flags_is_held_and_not_failed(database: Database, saying):
    saying("You should take two.")
    assert not _screened(Config("b", {}), database)
    event = _told(database)
    assert (event.level, event.type) == ("warn", "moderation_checks")
    assert (event.data["held"], event.data["blocked"]) == (True, False)
    assert {result["category"]: result["passed"] for result in event.data["results"]}["advice"] is False


def test_where_safety_is_enforced_a_flagged_model_and_flagged_rows_fail_the_job(database: Database, saying):
    config = Config("b", {}, safety="enforce")
    saying("You should take two.")
    with pytest.raises(JobFailed, match="advice"):
        _screened(config, database)
    assert _told(database).data["blocked"] is True
    with pytest.raises(JobFailed, match="Flagged lines: 3"):
        screening.screen_rows(config, database, "j", ROWS)


def test_flagged_rows_are_warned_of_otherwise(database: Database):
    screening.screen_rows(Config("b", {}), database, "j", ROWS)
    assert _told(database).data["categories"] == {"sensitive": [3]}


class _Moderations(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["input"]
        results = [
            {
                "flagged": "bad" in text,
                "categories": {"violence": "bad" in text},
                "category_scores": {"hate": 0.2},
            }
            for text in asked
        ]
        body = json.dumps({"results": results}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def moderations() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Moderations) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/moderations"
        server.shutdown()
        thread.join()


def test_a_moderations_service_judges_and_its_word_is_enforced(database: Database, saying, moderations: str):
    config = Config("b", {}, moderations_url=moderations)
    saying("good")
    assert _screened(config, database)
    by_category = {result["category"]: result["score"] for result in _told(database).data["results"]}
    assert (by_category["hate"], by_category["violence"], by_category["advice"]) == (0.2, 0, 0)
    saying("bad")
    with pytest.raises(JobFailed, match="violence"):
        _screened(config, database)


def test_a_moderations_service_that_does_not_answer_fails_the_job_readably():
    with pytest.raises(JobFailed, match="gave no answer"):
        safety.Remote("http://127.0.0.1:9/x").scores(["x"])
