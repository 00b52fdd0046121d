"""Logs hold no tokens and no text of people."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Generator
from typing import Any

import pytest
import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.logger import get_bolt_logger

from bot import logs
from storage.errors import StoreUnusable
from tuning.providers.trouble import never_show


@pytest.fixture(autouse=True)
def restored() -> Generator[None]:
    """Puts the process's logging back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_tokens_are_hidden_wherever_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    structlog.get_logger("a").info(
        "opened with xoxb-123-abc", url="wss://x?token=xapp-1-A2", key="sk-proj-9876"
    )
    logging.getLogger("b").info("sent Authorization: Bearer abc.def")
    text = json.dumps(lines(capsys))
    for secret in ("xoxb-123", "xapp-1-A2", "sk-proj-9876", "abc.def"):
        assert secret not in text
    assert text.count("[secret]") >= 4


def test_fields_that_carry_what_people_wrote_are_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    structlog.get_logger("a").info("handled", text="my salary is", payload={"a": 1}, channel="C1")
    (line,) = lines(capsys)
    assert "salary" not in json.dumps(line)
    assert "payload" not in line
    assert line["channel"] == "C1"


WORDS = ("my", "salary")


def fails(said: str) -> None:
    """What goes wrong with the words of somebody: each error quotes them, one in the other."""
    hidden = said
    try:
        try:
            int(hidden)
        except ValueError:
            {}[hidden]
    except KeyError as problem:
        raise RuntimeError(f"the provider says: {hidden}") from problem


@pytest.mark.parametrize("logger", [structlog.get_logger, logging.getLogger])
def test_an_exception_is_logged_with_its_places_and_kinds_and_without_what_it_quotes(
    logger: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("debug")
    try:
        fails(" ".join(WORDS))
    except RuntimeError:
        logger("a").exception("failed")
    (line,) = lines(capsys)
    assert " ".join(WORDS) not in json.dumps(line)
    for kind in ("RuntimeError", "KeyError", "ValueError"):
        assert kind in str(line["exception"])
    assert "test_logs.py" in str(line["exception"])


@pytest.mark.parametrize(
    ("logger", "said", "kept"),
    [
        (
            "asyncio",
            "Task exception was never retrieved\nfuture: <Task {}>",
            "Task exception was never retrieved",
        ),
        (
            "slack_bolt.AsyncApp",
            "Failed to run a middleware function (error: {})",
            "Failed to run a middleware",
        ),
        ("slack_sdk.socket_mode", "Failed to run a request listener: {}", "Failed to run a request listener"),
    ],
)
def test_what_a_library_quotes_of_an_error_is_left_out(
    logger: str, said: str, kept: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info")
    words = " ".join(WORDS)
    try:
        fails(words)
    except RuntimeError:
        logging.getLogger(logger).exception(said.format(words))
    (line,) = lines(capsys)
    assert words not in json.dumps(line)
    assert str(line["event"]).startswith(kept)
    assert "RuntimeError" in str(line["exception"])


def test_what_a_disk_or_the_database_says_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    try:
        try:
            raise sqlite3.OperationalError("database or disk is full")
        except sqlite3.Error as problem:
            raise StoreUnusable("The database could not be written.") from problem
    except StoreUnusable:
        structlog.get_logger("a").exception("failed")
    (line,) = lines(capsys)
    assert "StoreUnusable: The database could not be written." in str(line["exception"])
    assert "OperationalError: database or disk is full" in str(line["exception"])


def test_the_key_of_a_provider_is_hidden_though_it_looks_like_no_key(
    capsys: pytest.CaptureFixture[str],
) -> None:
    never_show("a-key-of-a-clone-456")
    logs.configure("info")
    logging.getLogger("b").error("refused: a-key-of-a-clone-456 at https://hooks.slack.com/commands/T1/2/xyz")
    logging.getLogger("b").error("url='wss://wss.example/link/?ticket=0a1b-2c&app_id=A1'")
    told = json.dumps(lines(capsys))
    for secret in ("clone-456", "xyz", "0a1b", "2c&"):
        assert secret not in told


def test_libraries_that_log_payloads_are_kept_quiet() -> None:
    logs.configure("debug")
    assert not logging.getLogger("slack_sdk.web").isEnabledFor(logging.INFO)
    assert not logging.getLogger("openai._base_client").isEnabledFor(logging.DEBUG)


def test_what_bolt_logs_of_a_payload_is_not_said_whatever_level_its_logger_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("debug")
    bolt = get_bolt_logger(AsyncApp)  # takes the level of the root
    assert bolt.isEnabledFor(logging.DEBUG)
    bolt.debug("Skipped self event: what somebody wrote")
    bolt.warning("a word of warning")
    told = capsys.readouterr().err
    assert "what somebody wrote" not in told
    assert "a word of warning" in told


def test_a_new_connection_that_slack_does_not_give_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    sdk = get_bolt_logger(AsyncApp)
    sdk.error("Failed to retrieve WSS URL: The request to the Slack API failed. (status: 502)")
    sdk.error("Failed to check the current session (s_1) or reconnect to the server (status: 502)")
    (line,) = lines(capsys)
    assert "reconnect" in str(line["event"])
