"""No test can send what Slack refuses without failing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from handlers.answer import Message
from tests.support.payloads import held, hold, problems

ROOT = Path(__file__).parents[3]
NONSENSE = [{"type": "nonsense"}]
ADDRESS = re.escape("127.0.0.1")


@pytest.mark.malformed
async def test_what_is_wrong_is_seen_wherever_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, held(patch) as found:
        Message("words", NONSENSE)
        client = AsyncWebClient("xoxb-1", base_url="http://127.0.0.1:9/", retry_handlers=[])
        with pytest.raises(OSError, match=ADDRESS):
            await client.chat_postMessage(channel="C1", text="words", blocks=NONSENSE)
        with pytest.raises(OSError, match=ADDRESS):
            await client.views_publish(user_id="U1", view={"type": "home", "blocks": NONSENSE})
    assert [words.split(":")[0] for words in found] == [
        "a message of the bot blocks",
        "chat.postMessage blocks",
        "views.publish view",
    ]


def test_lengths_are_looked_at_too() -> None:
    long = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}
    assert problems("chat.postMessage", {"text": "x", "blocks": [long]})
    assert problems("chat.update", {"text": "x" * 4001})
    assert not problems("chat.postMessage", {"text": "x" * 4001})
    with pytest.raises(AssertionError):
        hold("chat_update", {"text": "x" * 4001})


def test_whoever_starts_the_programs_asks_the_workspace_what_it_refused() -> None:
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text("utf-8")
        if path != Path(__file__) and re.search(r"\.start_localslack\(", text):
            assert "await well_formed(" in text, f"{path} never asks for malformed payloads"
