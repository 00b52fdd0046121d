"""Slack's answers, typed: the SDK leaves them open."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

LONGEST_WAIT = 300.0
"""Seconds that Slack's word about a rest is believed; it asks for a minute at most."""


def code_of(problem: SlackApiError) -> str:
    """Slack's own word for the error (``not_in_channel``); empty where the answer is no JSON."""
    answer: Any = problem.response
    said = getattr(answer, "data", answer)
    return str(said.get("error") or "") if isinstance(said, Mapping) else ""


def limited(problem: SlackApiError) -> bool:
    """Whether Slack says that it is too much at once."""
    return int(problem.response.status_code) == 429 or code_of(problem) in ("ratelimited", "rate_limited")


def retry_after(problem: SlackApiError) -> float:
    """Seconds to wait before the next try; 0 when nothing was limited."""
    return rest_in(problem.response.headers) if limited(problem) else 0.0


def rest_in(headers: Mapping[str, str]) -> float:
    """The rest that ``Retry-After`` asks for; a second where it is missing or no number."""
    said = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        return min(max(float(said), 0.0), LONGEST_WAIT)
    except ValueError:
        return 1.0


def broken(problem: SlackApiError) -> bool:
    """Whether the fault is on Slack's side and may be over soon: an answer without Slack's word is one."""
    passing = ("", "internal_error", "fatal_error", "service_unavailable", "request_timeout")
    return int(problem.response.status_code) >= 500 or code_of(problem) in passing


def text_in(answer: Any, name: str) -> str:
    """A text of an answer; empty when it is not there."""
    return str(cast(Mapping[str, Any], answer).get(name) or "")


def part_in(answer: Any, name: str) -> dict[str, Any]:
    """An object of an answer; empty when it is not there."""
    found = cast(Mapping[str, Any], answer).get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def header_in(answer: AsyncSlackResponse, name: str) -> str:
    """A header of an answer, whatever the case of its name; empty when it is not there."""
    for key, value in answer.headers.items():
        if str(key).lower() == name.lower():
            return str(value)
    return ""
