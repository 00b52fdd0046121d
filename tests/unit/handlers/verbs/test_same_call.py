"""A slash command and a mention of the same words end in the same verb call, whatever the verb."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handlers import commands, mentions
from handlers.incoming import Incoming
from handlers.verbs import VERBS

PROMISED = {
    "help",
    "start",
    "jobs",
    "job",
    "pause",
    "resume",
    "cancel",
    "models",
    "use",
    "ask",
    "compare",
    "datasets",
    "follow",
    "settings",
}


def test_every_promised_verb_is_there() -> None:
    assert set(VERBS) == PROMISED


@pytest.mark.parametrize("args", ["", "triage-7 and <more>"])
@pytest.mark.parametrize("verb", sorted(PROMISED))
def test_slash_and_mention_end_in_the_same_verb_call(verb: str, args: str) -> None:
    text = f"{verb} {args}".strip()
    slash = commands.call_of(Incoming("command", "U1", "C1", text=text, trigger_id="t"))
    mention = mentions.call_of(Incoming("message", "U1", "C1", ts="1.1", text=text, mentioned=True))
    assert mention is not None
    same = {"surface": "slash", "trigger_id": None, "message_ts": None}
    assert replace(slash, **same) == replace(mention, **same)
    assert (slash.verb, slash.args) == (verb, args)
