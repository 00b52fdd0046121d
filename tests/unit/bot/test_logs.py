"""Logs hold no tokens and no text of people."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator

import pytest
import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.logger import get_bolt_logger

from bot import logs


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


def test_an_exception_is_logged_without_its_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    hidden = "the words of somebody"
    try:
        raise ValueError(len(hidden))
    except ValueError:
        structlog.get_logger("a").exception("failed")
    (line,) = lines(capsys)
    assert "ValueError" in str(line["exception"])
    assert "somebody" not in str(line["exception"]).replace('hidden = "the words of somebody"', "")


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
