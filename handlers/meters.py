"""What is counted on the way in and out; names and meaning stand in docs/operations.md."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

EVENTS = Counter(
    "ftbot_slack_payloads", "Payloads from Slack by kind and what became of them.", ["kind", "fate"]
)
ACK_SECONDS = Histogram(
    "ftbot_slack_ack_seconds",
    "Time from a payload's arrival to its acknowledgement.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3),
)
API_CALLS = Counter("ftbot_slack_api_calls", "Calls to Slack by method and status.", ["method", "status"])
API_WAIT_SECONDS = Counter(
    "ftbot_slack_api_wait_seconds", "Time spent waiting for our own turn at Slack.", ["method"]
)
NOTICE_LAG = Histogram(
    "ftbot_notice_lag_seconds",
    "Time from a notice's writing to its post in Slack.",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 1800),
)
NOTICES_DEAD = Counter("ftbot_notices_given_up", "Notices that can never be posted.", ["error"])
CAUGHT_UP = Counter("ftbot_caught_up_messages", "Messages found that were said while the bot was away.")
