"""The pages of a job, comparisons and settings: Slack takes them, and no foreign text acts."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings

from handlers.answer import Message
from handlers.job_buttons import results_csv
from handlers.views import choices, compare, failing, job_pages, leaving, lists, settings_form
from handlers.views.job_card import job_card, menu
from handlers.views.job_facts import JobFacts
from storage.chat_records import ChannelModel, ChannelSettings, Model
from storage.records import Event, Job, Overlap
from tests.support.foreign import FOREIGN, acts_nowhere, view_is_inert
from tests.support.samples import NOW, a_checkpoint, a_dataset, a_job, a_safety_event
from tuning.jobs.withdrawing import CopyThere

ALLOWED = Overlap("a", "b", 2, 1, [3], allowed_by="U7", allowed_at=NOW)


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
        leaving.ask_delete(job, facts, [now] * 12),
        leaving.ask_delete(job, facts, []),
        leaving.ask_cancel(job, replace(facts, in_use=[now], checkpoints=2)),
        job_pages.about_page(job, job_pages.AboutFacts(facts, overlap=ALLOWED)),
        job_pages.deleted_notice(job, "U1"),
        failing.rows_page(job, facts.dataset, [(4, odd), (1_300, "")], 12),
        failing.rows_page(job, facts.dataset, [], 2),
        failing.ask_delete_upload(job, odd, [CopyThere("p", odd), CopyThere("p", odd, odd)]),
        failing.upload_deleted(job, odd, "U1"),
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
@given(FOREIGN)
def test_slack_takes_every_page_and_nothing_foreign_acts(odd: str) -> None:
    for message in pages(odd):
        acts_nowhere(message)


@settings(max_examples=30, deadline=None)
@given(FOREIGN)
def test_slack_takes_every_form(odd: str) -> None:
    view_is_inert(compare.compare_form("C1", odd, odd))
    view_is_inert(settings_form.settings_form(ChannelSettings("C1", "verbose", odd)))


def said(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


USERS = [ChannelModel(one, "p", "m", "triage-7", "U1", NOW, 1) for one in ("C1", "C2")]


def test_cancelling_says_first_what_is_billed_kept_and_in_use() -> None:
    facts = JobFacts(a_dataset(), "OpenAI", checkpoints=2, in_use=USERS)
    words = said(leaving.ask_cancel(a_job(), facts))
    assert "567 of 930 steps are done and may be billed: about $2.91." in words
    assert "triage.jsonl v7, 2 checkpoints, the thread." in words
    assert '{"type": "channel", "channel_id": "C2"}' in words
    (button,) = leaving.ask_cancel(a_job(), facts).blocks[1]["elements"]
    assert (
        "about $2.91. Kept: triage.jsonl v7, 2 checkpoints, the thread. In use: 2 channels now."
        in (button["confirm"]["text"]["text"])
    )
    fresh = a_job(progress={})
    assert "nothing is trained yet, so no charge is expected" in leaving.billed_so_far(fresh, facts)
    assert leaving.billed_so_far(a_job(), replace(facts, charges=False)) == "there is no fee."


def test_deleting_says_first_which_channels_answer_with_it_what_is_billed_and_kept() -> None:
    facts = JobFacts(a_dataset(), "OpenAI", checkpoints=3)
    words = said(leaving.ask_delete(a_job(state="ready"), facts, USERS))
    assert '{"type": "channel", "channel_id": "C1"}' in words
    assert "answer with it now." in words
    assert "what training cost stays billed" in words
    assert "3 checkpoints, the thread and all figures." in words
    assert "no channel answers with it." in said(leaving.ask_delete(a_job(), facts, []))


def test_a_long_queue_says_how_long_others_waited() -> None:
    facts = JobFacts(a_dataset(), "OpenAI", waits=[240.0, 2400.0, 600.0])
    waiting = a_job(state="queued", status="queued", started_at=None, progress={})
    words = said(job_card(waiting, facts, NOW + 6_720))
    assert " 1 h 52 min · the last 3 jobs here waited 4–40 min" in words
    assert "jobs here waited" not in said(job_card(waiting, replace(facts, waits=[9.0]), NOW + 60))


def test_a_paused_job_says_by_whom_and_where_and_offers_to_go_on() -> None:
    paused = a_job(state="paused", status="paused", progress={"step": 567, "paused_by": "U2"})
    words = said(job_card(paused, JobFacts(a_dataset(), "Our trainer", can_pause=True), NOW))
    assert '{"type": "user", "user_id": "U2"}, {"type": "text", "text": " at step 567"}' in words
    assert '"action_id": "resume"' in words


def test_a_model_that_is_trained_further_names_what_it_came_from() -> None:
    job = a_job(settings={"parent": "triage-6", "parent_model": "ft:x"})
    words = said(job_card(job, JobFacts(a_dataset(), "OpenAI", base="gpt-4.1-mini"), NOW))
    assert "triage-6 trained further (gpt-4.1-mini)" in words
    assert "ft:x" not in words


@pytest.mark.parametrize(
    "data",
    [
        {"results": [{"category": "hate", "passed": False}, {"category": "violence", "passed": True}]},
        {"results": [{"category": "hate", "flagged": True}, {"category": "violence", "flagged": False}]},
        {"categories": {"hate": True, "violence": False}},
        {"items": [{"name": "hate", "status": "failed"}, {"name": "violence", "status": "passed"}]},
    ],
)
def test_the_safety_table_is_right_in_whatever_shape_the_result_came(data: dict[str, object]) -> None:
    event = Event(1, "e", NOW, "info", "moderation_checks", "", data)
    page = job_pages.safety_page(a_job(), [event])
    (table,) = [block for block in page.blocks if block["type"] == "table"]
    rows = [[cell["text"] for cell in row] for row in table["rows"]]
    assert rows == [["Category", "Result"], ["hate", "failed"], ["violence", "passed"]]
    assert page.text == "triage-7: 1 of 2 passed"


def test_the_best_checkpoint_is_marked_with_the_reason_and_overfitting_is_said() -> None:
    points = [a_checkpoint(1, 0.9), a_checkpoint(2, 0.3), a_checkpoint(3, 0.5)]
    page = job_pages.checkpoints_page(a_job(), points)
    words = said(page)
    assert "triage-7@2 is best" in words
    assert ": 0.30 is the lowest validation loss of 3." in words
    assert "checkpoint 2 is best, then it rises: overfitting. Checkpoint 2 may answer better." in words
    marked = [json.dumps(b) for b in page.blocks if "\\u2b50" in json.dumps(b)]
    assert len(marked) == 1
    assert "triage-7@2" in marked[0]
    buttons = [e for b in page.blocks if b["type"] == "actions" for e in b["elements"]]
    assert [(e["action_id"], e["value"]) for e in buttons[:2]] == [
        ("try", "triage-7@1"),
        ("use:1", "triage-7@1"),
    ]
    assert "confirm" in buttons[1]


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([0.9, 0.3], "Too few to tell which is best: 2 checkpoints with a validation loss."),
        ([0.9, None, None], "Too few to tell which is best: 1 checkpoint with a validation loss."),
        (
            [None, None, None],
            "There is no validation loss, so nobody can tell which is best",
        ),
    ],
)
def test_where_nobody_can_tell_the_best_it_is_said(losses: list[float | None], words: str) -> None:
    points = [a_checkpoint(number, loss) for number, loss in enumerate(losses, 1)]
    page = said(job_pages.checkpoints_page(a_job(), points))
    assert words in page
    assert "\\u2b50" not in page


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


def test_about_names_who_allowed_an_overlap() -> None:
    facts = JobFacts(a_dataset(), "OpenAI")
    said = json.dumps(job_pages.about_page(a_job(), job_pages.AboutFacts(facts, overlap=ALLOWED)).blocks)
    assert "3 validation rows also in the training data: allowed by " in said
    assert '"user_id": "U7"' in said
    undecided = replace(ALLOWED, allowed_by=None, allowed_at=None)
    said = json.dumps(job_pages.about_page(a_job(), job_pages.AboutFacts(facts, overlap=undecided)).blocks)
    assert "allowed by" not in said


def test_an_upload_that_is_needed_offers_no_deletion() -> None:
    needed = failing.ask_delete_upload(a_job(), "OpenAI", [CopyThere("p", "file-1", "triage-8")])
    assert "needed by triage-8" in str(needed.blocks)
    assert "delete_upload_now" not in str(needed.blocks)


def test_the_rows_that_are_not_shown_are_counted() -> None:
    rows = [(line, "{}") for line in range(1, 12)]
    page = failing.rows_page(a_job(), a_dataset(), rows, 11)
    assert str(page.blocks).count("'Line ") == failing.ROWS_SHOWN
    assert "3 more rows not shown" in str(page.blocks)
