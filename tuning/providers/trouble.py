"""The SDK's errors become the two kinds that matter: ask again (Unreachable) or not (Refused)."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, cast

import openai

from tuning.errors import ProviderError, Refused, Unreachable
from tuning.providers.meters import CALLS
from tuning.providers.reading import whole_letters

FINAL_429 = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "exceeded_quota",
        "organization_usage_limit_exceeded",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "billing_hard_limit_reached",
        "billing_not_active",
    }
)
"""429 answers that do not pass by waiting a little (OpenAI help: rate limits and 429 errors)."""

SHORTEST_KEY = 8
"""Shorter ones (a local server that asks for none) would black out ordinary words."""

LONGEST_REST = 3600.0
"""Seconds after which a provider is asked again, even one that asks for a longer rest, or one without end."""

ASK_AGAIN_4XX = frozenset({408, 409, 425})
"""Time-outs, requests that met another one, requests that came too early: as the SDK has it."""

_BUSY_CODES = frozenset({"rate_limit_exceeded", "daily_rate_limit_exceeded"})
_PASSING_400 = ("still being processed", "rate-limited")
"""Of a file that is not ready yet, and of too many jobs at once: wait, then create."""

_PLAIN = {
    401: ("The provider does not know the key that ftbot uses.", "Set a valid key and start ftbot again."),
    403: (
        "The provider does not allow this for the key that ftbot uses.",
        "Ask who administers the account.",
    ),
    404: ("The provider does not have what was asked for.", "It may have been deleted there."),
    413: ("The file is too large for the provider.", "Split the data into smaller files."),
    429: ("The account at the provider has reached its limit.", "Raise the limit or add credit there."),
}


_SECRET = re.compile(r"\b(?:sk|xox[a-z]|xapp|whsec)[-_][\w*.…-]{6,}|(?<=Bearer )\S+")
HIDDEN = "[key]"
_never_shown: set[str] = set()


def never_show(key: str) -> None:
    """Keeps a key out of every message: some providers repeat it when they refuse it."""
    if len(key) >= SHORTEST_KEY:
        _never_shown.add(key)


def without_keys(words: str) -> str:
    """A provider's own words without our keys, nor anything that looks like one."""
    for key in _never_shown:
        words = words.replace(key, HIDDEN)
    return _SECRET.sub(HIDDEN, whole_letters(words))


def from_sdk(problem: openai.OpenAIError) -> ProviderError:
    """The provider error for what the SDK raised."""
    if isinstance(problem, openai.APIStatusError):
        return _from_status(problem)
    words = without_keys(str(problem)) or type(problem).__name__
    if isinstance(problem, openai.APITimeoutError):
        return Unreachable("timeout", None, "The provider did not answer in time.", words)
    if isinstance(problem, openai.APIConnectionError):
        return Unreachable("network", None, "The provider cannot be reached.", words)
    return Unreachable("no_sense", None, "The provider's answer made no sense.", words)


def _from_status(problem: openai.APIStatusError) -> ProviderError:
    status = problem.status_code
    body = _body(problem.body)
    words = without_keys(str(body.get("message") or problem.message))
    code = str(body.get("code") or body.get("type") or f"http_{status}")
    param = body.get("param")
    param = None if param is None else str(param)
    wait = _retry_after(problem.response.headers)
    if _asks_again(status, code, str(body.get("type")), words):
        busy = status == 429
        plain = "The provider asks to slow down." if busy else "The provider is out of order for the moment."
        return Unreachable(code, status, plain, words, param=param, retry_after=wait)
    plain, todo = _PLAIN.get(status, ("The provider refused this.", ""))
    return Refused(code, status, plain, words, todo=todo, param=param, retry_after=wait)


def _asks_again(status: int, code: str, kind: str, words: str) -> bool:
    if status == 429:
        return code not in FINAL_429 and kind not in FINAL_429
    if status == 400 and (code in _BUSY_CODES or any(part in words for part in _PASSING_400)):
        return True
    return status >= 500 or status in ASK_AGAIN_4XX


def _body(body: object) -> dict[str, Any]:
    if not isinstance(body, Mapping):
        return {}
    inner = cast("Mapping[str, Any]", body)
    nested = inner.get("error")
    return dict(cast("Mapping[str, Any]", nested)) if isinstance(nested, Mapping) else dict(inner)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The rest a provider asks for, in seconds or until a moment (RFC 9110), within sense."""
    asked = headers.get("retry-after", "")
    try:
        seconds = float(asked)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(asked).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return None if math.isnan(seconds) else min(max(0.0, seconds), LONGEST_REST)


@contextmanager
def provider_errors() -> Generator[None]:
    """Turns the SDK's errors raised inside into provider errors.

    An answer of quite another shape (a login page with status 200, say) makes the SDK stumble over itself;
    that is an answer without sense, and nothing is known of what the provider did.
    """
    try:
        yield
        CALLS.labels("200").inc()
    except openai.OpenAIError as problem:
        found = from_sdk(problem)
        CALLS.labels(str(found.status or "error")).inc()
        raise found from problem
    except (AttributeError, TypeError, ValueError) as problem:
        plain = "The provider's answer made no sense."
        raise Unreachable("no_sense", None, plain, without_keys(str(problem))) from problem
