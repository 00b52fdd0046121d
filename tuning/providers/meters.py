"""What is counted of the providers; names and meaning stand in docs/operations.md."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

CALLS = Counter("ftbot_provider_calls", "Requests to providers by HTTP status.", ["status"])
FIRST_TOKEN = Histogram(
    "ftbot_chat_first_token_seconds",
    "Time from a request for an answer to its first piece.",
    buckets=(0.25, 0.5, 1, 2, 4, 8, 16, 32, 64),
)
