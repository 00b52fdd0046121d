"""Text from outside, made to act: to call people, to hide a link, to break a layout."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import strategies as st

from handlers.answer import Message
from handlers.posting import plainer
from localslack.blocks import check_blocks, check_view

OURS = re.compile(r"<(@U[17]|!date\^\d+\^[^<>|]*\|[^<>|]*)>")
"""What may act: the people of the samples, and times."""
ACTING = [
    "<!channel>",
    "<@U999>",
    "<#C1|x>",
    "<https://evil.example|safe>",
    "[a](https://evil.example)",
    "*b* _i_ ~s~ `c`",
    ":tada:",
    "````",
    "<!channel> *bold*.jsonl",
    "a" * 5000,
    "\u202egpj.exe",
    "\n\n",
    "|",
    "&lt;!here&gt;",
    "\x00",
]
FOREIGN = st.one_of(st.sampled_from(ACTING), st.text(min_size=1, max_size=300))


def live_text(node: Any) -> list[str]:
    """Every text in which Slack would act on ``<…>``, without the tokens that are ours."""
    if isinstance(node, list):
        return [text for item in node for text in live_text(item)]
    if not isinstance(node, dict):
        return []
    own = [node["text"]] if node.get("type") == "mrkdwn" else []
    return [OURS.sub("", text) for text in own] + [t for value in node.values() for t in live_text(value)]


def acts_nowhere(message: Message) -> None:
    """Slack takes the message whichever way it is sent, and no foreign text acts in it."""
    for way in plainer(message):
        assert check_blocks(way.blocks, "message") is None, way.blocks
        assert "<" not in OURS.sub("", way.text)
        assert all("<" not in text for text in live_text(way.blocks)), way.blocks


def stays_short(message: Message, letters: int) -> None:
    """The message can be edited, and its blocks have fewer ``letters``."""
    assert 0 < len(message.text) <= 4000
    assert len(json.dumps(message.blocks, ensure_ascii=False)) < letters


def view_is_inert(view: dict[str, Any]) -> None:
    """Slack takes the form or Home, and no foreign text acts in it."""
    assert check_view(view) is None
    assert all("<" not in text for text in live_text(view["blocks"]))
