"""What the demo prints of a message is what its reader sees."""

from __future__ import annotations

from demo.person import words


def test_an_app_that_names_itself_is_named_and_signs_are_read_as_people_see_them() -> None:
    footer = {"type": "mrkdwn", "text": "“<@U1> stop” ends it, 1 &lt; 2"}
    message = {"user": "U1", "blocks": [{"type": "context", "elements": [footer]}]}
    assert words(message) == "“@ftbot stop” ends it, 1 < 2"
