"""The pages of a job, comparisons and settings: Slack takes them, and no foreign text acts."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.answer import Message
from handlers.job_buttons import results_csv
from handlers.views import choices, compare, job_pages, lists, settings_form
from handlers.views.job_card import JobFacts, menu
from localslack.blocks import check_blocks, check_view
from storage.records import ChannelModel, ChannelSettings, Event, Job, Model
from tests.support.samples import NOW, a_checkpoint, a_dataset, a_job, a_safety_event

EVIL = st.sampled_from(
    ["<!channel>", "<@U0>", "<http://a|b>", "*b* `c`", "[a](http://b)", "\u202e", "x" * 5000]
)
ODD = st.one_of(EVIL, st.text(min_size=1, max_size=300))
LIVE = re.compile(r"<(?:!(?!date)|@|#|http)")


def pages(odd: str) -> list[Message]:
    job = a_job(name=odd, base=odd, state="ready", fine_tuned_model=odd, provider_job_id=odd)
    facts = JobFacts(replace(a_dataset(), name=odd), odd)
    event = Event(1, "e", NOW, "info", "metrics", odd, {"step": 3, "train_loss": 0.5})
    now = ChannelModel("C1", "p", "m", odd, "U1", NOW)
    sides = compare.Side(odd, odd, 1.0, 7), compare.Side(odd, trouble=odd)
    settings_now = ChannelSettings("C1", "quiet", odd, "U1", NOW)
    return [
        job_pages.events_page(job, [event]),
        job_pages.metrics_page(job, [event]),
        job_pages.checkpoints_page(job, [a_checkpoint(1, 0.9), a_checkpoint(2, 0.4)]),
        job_pages.safety_page(job, [a_safety_event(odd, message=odd)]),
        job_pages.about_page(job, job_pages.AboutFacts(facts, [now], "2027-01-14", a_checkpoint(1, None))),
        job_pages.ask_delete(job, facts, [now]),
        job_pages.deleted_notice(job, "U1"),
        job_pages.step_notice(job, {"tenth": 3, "step": 30, "train_loss": 0.2}),
        compare.waiting("U1", odd, (odd, odd)),
        compare.compared("U1", odd, sides),
        compare.ask_for_two("/ft", odd),
        choices.choose("use", "Which model?", [(odd, odd)] * 3),
        choices.choose("use", "Which model?", [(odd, odd)] * 9),
        lists.ask_use(Model("p", "m", odd), now),
        settings_form.settings_answer(settings_now, odd, "/ft"),
    ]


@settings(max_examples=40, deadline=None)
@given(ODD)
def test_slack_takes_every_page_and_nothing_foreign_acts(odd: str) -> None:
    for message in pages(odd):
        assert check_blocks(message.blocks, "message") is None
        parsed = [message.text, *mrkdwn(message.blocks)]
        acting = [hit for text in parsed for hit in LIVE.findall(text)]
        assert set(acting) <= {"<@"}, message.text
        assert "<@U0>" not in " ".join(parsed)


@settings(max_examples=30, deadline=None)
@given(ODD)
def test_slack_takes_every_form(odd: str) -> None:
    assert check_view(compare.compare_form("C1", odd, odd)) is None
    assert check_view(settings_form.settings_form(ChannelSettings("C1", "verbose", odd))) is None


def mrkdwn(part: object) -> list[str]:
    """Every text that Slack parses."""
    if isinstance(part, dict):
        own = [str(part["text"])] if part.get("type") == "mrkdwn" else []
        return own + [text for value in part.values() for text in mrkdwn(value)]
    return [text for one in part for text in mrkdwn(one)] if isinstance(part, list) else []


def test_the_best_checkpoint_is_marked_with_the_reason() -> None:
    points = [a_checkpoint(1, 0.9), a_checkpoint(2, 0.3), a_checkpoint(3, 0.5)]
    words = json.dumps(job_pages.checkpoints_page(a_job(), points).blocks)
    assert "triage-7@2 is best: it has the lowest validation loss." in words


def test_two_checkpoints_are_too_few_to_tell() -> None:
    words = json.dumps(
        job_pages.checkpoints_page(a_job(), [a_checkpoint(1, 0.9), a_checkpoint(2, 0.3)]).blocks
    )
    assert "Too few figures" in words


@pytest.mark.parametrize(
    ("changes", "can_pause", "offered"),
    [
        ({"state": "training"}, True, "pause"),
        ({"state": "training"}, False, "mute"),
        ({"state": "ready"}, False, "results"),
    ],
)
def test_the_menu_offers_what_the_state_allows(
    changes: dict[str, str], can_pause: bool, offered: str
) -> None:
    job: Job = a_job(**changes)
    values = [option["value"].partition("|")[0] for option in menu(job, can_pause=can_pause)["options"]]
    assert offered in values
    assert ("pause" in values) == (can_pause and job.state == "training")
    assert len(values) <= 5


def test_the_table_of_figures_has_a_row_for_each_step() -> None:
    events = [Event(1, str(n), NOW, "info", "metrics", "", {"step": n, "train_loss": 0.5}) for n in (1, 2)]
    table = results_csv(events)
    assert table is not None
    assert table.decode().splitlines() == ["step,train_loss", "1,0.5", "2,0.5"]
    assert results_csv([]) is None
