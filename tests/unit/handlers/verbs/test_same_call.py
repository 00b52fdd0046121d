"""A slash command and a mention of the same words end in the same verb call, whatever the verb."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from handlers import commands, mentions
from handlers.answer import Call
from handlers.house import House
from handlers.incoming import Incoming
from handlers.verbs import VERBS
from tests.support.surfaces import surfaces
from tests.support.waiting import until

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


async def test_over_slack_too_every_verb_is_the_same_call_typed_or_mentioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Call] = []

    async def dispatch(call: Call, house: House) -> None:
        seen.append(call)

    monkeypatch.setattr(commands, "dispatch", dispatch)
    monkeypatch.setattr(mentions, "dispatch", dispatch)
    async with surfaces(tmp_path) as slack:
        tuning = slack.channel("tuning")
        for verb in sorted(PROMISED):
            await slack.jin.command(tuning, f"/ft {verb} triage-7 a & b")
            await until(lambda: len(seen) % 2 == 1)
            await slack.jin.say(tuning, f"@ftbot {verb} triage-7 a & b")
            await until(lambda: len(seen) % 2 == 0)
    typed, mentioned = seen[::2], seen[1::2]
    assert [call.verb for call in typed] == sorted(PROMISED)
    same = {"surface": "slash", "trigger_id": None, "message_ts": None}
    assert [replace(call, **same) for call in typed] == [replace(call, **same) for call in mentioned]
    assert {call.args for call in typed} == {"triage-7 a & b"}


@pytest.mark.parametrize("verb", sorted(PROMISED))
def test_a_verb_is_one_module_of_its_name(verb: str) -> None:
    assert VERBS[verb].run.__module__ == f"handlers.verbs.{verb}"
    assert VERBS[verb].line
