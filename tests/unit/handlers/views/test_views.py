"""What people read, and that Slack takes every view whatever the names in it are."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from handlers.answer import Message
from handlers.posting import plainer
from handlers.verbs import VERBS
from handlers.views import chat, leaving, lists, notices, problems
from handlers.views.drop_card import DropFacts, drop_card, reaction
from handlers.views.home import home
from handlers.views.job_card import JobFacts, job_card
from handlers.views.notices import FinishFacts
from handlers.views.prices import Offer
from handlers.views.safety import safety_notice
from handlers.views.start_form import Form, skeleton, start_form
from storage.chat_records import ChannelModel, Model
from storage.records import Evaluation, Upload
from tests.support.foreign import FOREIGN, acts_nowhere, stays_short, view_is_inert
from tests.support.samples import (
    COST,
    MINI,
    NOW,
    OPENAI,
    SMOL,
    TRAINER,
    a_checkpoint,
    a_dataset,
    a_job,
    a_report,
    a_safety_event,
    a_score,
)
from tuning.chat.service import ModelEntry
from tuning.datasets.report import Problem
from tuning.errors import JobNotFound, Refused
from tuning.jobs.failures import Explanation
from tuning.jobs.scoring import ScoreOffer

OFFERS = [Offer("openai", OPENAI, MINI, COST), Offer("trainer", TRAINER, SMOL, replace(COST, usd=0.0))]
NO_REPLY = Problem(
    "error",
    "no_assistant_message",
    9,
    (88, 412, 413, 500, 501, 502, 503, 504, 505),
    "9 rows have no assistant reply, nothing to learn from",
    "add the reply or delete the row",
)
DUPLICATES = Problem("warning", "duplicate", 31, (2, 3), "31 duplicates", "delete them")
WHY = Explanation("The filter flagged the file.", "Reword the rows.", "No charge is expected.")


def words(message: Message | dict[str, Any]) -> str:
    """All text of a message or view, in reading order."""
    found: list[str] = []

    def collect(node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                collect(item)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in ("text", "title", "alt_text", "fallback") and isinstance(value, str):
                    found.append(value)
                else:
                    collect(value)

    collect(message.blocks if isinstance(message, Message) else message["blocks"])
    return "".join(found)


def everything(odd: str) -> list[Message]:
    """Every message there is, with ``odd`` wherever foreign text can stand."""
    report = a_report(replace(NO_REPLY, message=odd, fix=odd), DUPLICATES, verdict="reject")
    dataset, bad = a_dataset(name=odd), a_dataset(report, name=odd, state="not_ready")
    job = a_job(status=odd, base=odd, error={"code": odd, "message": odd, "line": 4}, name="triage-7")
    about = JobFacts(dataset, odd, trouble=odd)
    in_use = ChannelModel("C1", "openai", "ft:a", odd, "U1", NOW, 3)
    upload = Upload("ab", "openai", odd, "failed", NOW, error=odd)
    failed_score = replace(a_score(1, 2, 3), state="failed", error=odd)
    odd_score = replace(a_score(1, 2, 3), scores=[{"label": odd, "right": 1, "total": 2}] * 2)
    finish = FinishFacts(
        [a_checkpoint(1, 0.3)], odd_score, a_safety_event(odd, message=odd), in_use, "2027-01-14"
    )
    entry = ModelEntry(odd, "ready", odd, "openai", NOW, True, None, 3, odd)
    open_states = ("sending", "accepted", "queued", "training", "safety", "scoring", "paused")
    states = (*open_states, "ready", "failed", "cancelled")
    return [
        drop_card(replace(dataset, state="checking")),
        drop_card(replace(dataset, state="failed", error=odd)),
        drop_card(bad),
        drop_card(dataset, DropFacts(OFFERS, [(odd, upload)], [odd], False)),
        *(job_card(replace(job, state=state, finished_at=NOW + 900), about, NOW + 700) for state in states),
        job_card(replace(job, progress={**job.progress, "silent": NOW, "trouble": odd}), about, NOW + 9_000),
        notices.link_notice(job, "https://example.test/archives/C1/p1"),
        notices.link_notice(job, None),
        notices.epoch_notice(job, 2, 3, {"train_loss": 0.4, "full_valid_loss": 0.3}, a_checkpoint(2, 0.3)),
        notices.finished_notice(job, about, finish),
        notices.finished_notice(job, replace(about, charges=False), FinishFacts(evaluation=failed_score)),
        notices.finished_notice(
            job,
            about,
            replace(finish, evaluation=Evaluation(1, "asked", NOW), score_offer=ScoreOffer(50, 3, 1.0)),
        ),
        notices.scored_notice(job, failed_score),
        notices.scored_notice(job, odd_score),
        notices.failed_notice(job, about, WHY, in_use, [1, 2]),
        notices.failed_notice(
            replace(job, state="failed"), about, WHY, in_use, [1], kept=True, uploaded=True
        ),
        notices.cancelled_notice(replace(job, ended_by="U1"), about),
        notices.paused_notice(job, resumed=True),
        notices.note(odd),
        safety_notice(job, a_safety_event(odd, message=odd), odd),
        safety_notice(job, replace(a_safety_event(), data={"blocked": True}), odd),
        lists.help_message(list(VERBS.values()), "/ft"),
        lists.jobs_list([job], NOW, "/ft"),
        lists.jobs_list([], NOW, "/ft"),
        lists.job_details(job, about, [a_checkpoint(1, 0.3)], NOW),
        lists.models_list([entry, replace(entry, state="base", in_use=False)], "/ft"),
        lists.used(Model("openai", "ft:b", odd), in_use, "U1"),
        lists.choose_dataset([dataset], "/ft"),
        lists.unknown_verb(odd, "jobs", "/ft"),
        leaving.ask_cancel(job, about),
        lists.cancel_asked(job),
        chat.question("U1", odd, Model("openai", "ft:b", odd)),
        problems.error_message(Refused("x", 400, odd, odd)),
        problems.error_message(JobNotFound(odd)),
        problems.error_message(ValueError(odd)),
    ]


def more_of(form: Form, odd: str) -> list[Form]:
    """The form with *More settings* open, for each method, and with an earlier model to train further."""
    parent = a_job(name="triage-6", state="ready", fine_tuned_model="ft:x", base=odd)
    offer = replace(
        form.offers[0], profile=replace(OPENAI, label=odd, integrations=("wandb",)), parent=parent
    )
    typed = {"more_epochs": "4", "more_wandb": odd, "grader": odd}
    opened = replace(form, offer=offer, offers=[offer], typed=typed, more=True)
    methods = ("supervised", "dpo", "reinforcement", odd)
    return [replace(opened, dataset=replace(form.dataset, method=method)) for method in methods]


def forms(odd: str) -> list[dict[str, Any]]:
    dataset, other = a_dataset(name=odd), a_dataset(id=2, name=odd)
    offers = [*OFFERS, Offer("x", replace(OPENAI, label=odd), replace(MINI, label=odd), None)]
    form = Form("C1", [dataset, other], offers, dataset, offers[0], other, odd[:40], odd[:40], [odd])
    return [
        skeleton("C1"),
        start_form(form),
        start_form(replace(form, offer=offers[2], validation=None)),
        *(start_form(one) for one in more_of(form, odd)),
        start_form(replace(form, offer=None, offers=[], problem=odd)),
        home([a_job(base=odd)], [a_job(state="ready", base=odd)], NOW, "/ft"),
        home([], [], NOW, "/ft"),
    ]


@given(FOREIGN)
@settings(max_examples=20, deadline=None)
def test_no_foreign_text_pings_or_hides_a_link_and_slack_takes_every_message(odd):
    for message in everything(odd):
        acts_nowhere(message)
        stays_short(message, 20_000)


@given(FOREIGN)
@settings(max_examples=12, deadline=None)
def test_slack_takes_every_form_whatever_the_files_are_called(odd):
    for view in forms(odd):
        view_is_inert(view)


def test_a_file_that_is_not_ready_says_how_many_rows_which_lines_and_what_to_do():
    report = a_report(NO_REPLY, DUPLICATES, verdict="reject")
    message = drop_card(a_dataset(report, state="not_ready"))
    assert message.text == "Not ready: triage.jsonl, 9 of 1,240 rows need work"
    assert "lines 88, 412, 413 +6 → add the reply or delete the row" in words(message)
    assert "Not blocking: 31 duplicates" in words(message)
    assert reaction(a_dataset(report, state="not_ready")) == "x"


def test_a_problem_of_the_whole_file_is_the_verdict():
    whole = Problem("error", "empty_file", 1, (), "The file is empty", "drop a file with rows")
    report = a_report(whole, verdict="reject", rows=0, examples=0, tokens=None, method=None)
    message = drop_card(a_dataset(report, state="not_ready"))
    assert message.text == "Not ready: triage.jsonl, the file is empty"
    assert "Full report" not in words(message)


def test_a_file_that_is_ready_shows_price_and_the_start_button():
    message = drop_card(a_dataset(), DropFacts(OFFERS, has_validation=True))
    assert message.text == "Ready to train: triage.jsonl v7, 1,240 examples, about $4.78"
    assert "OpenAI · gpt-4.1-mini  about $4.78 · 3 epochs (auto)" in words(message)
    assert "Our trainer · smollm2-135m  no fee" in words(message)
    assert "Start…" in words(message)
    assert "overfitting" not in words(message)
    assert reaction(a_dataset()) == "white_check_mark"


def test_a_warning_asks_to_look_first():
    dataset = a_dataset(a_report(DUPLICATES))
    assert "Look at first: 31 duplicates" in words(drop_card(dataset))
    assert reaction(dataset) == "warning"


def test_the_card_tells_where_training_stands_and_how_long_it_may_take():
    message = job_card(a_job(), JobFacts(a_dataset(), "OpenAI"), NOW + 60 + 1200)
    assert message.text == "triage-7 is training: 61%, 10–16 min left"
    assert "step 567 of 930, epoch 2 of 3 · 10–16 min left" in words(message)
    assert "Loss 0.31 (start 2.14) · validation 0.34 (start 0.92) · tokens right 91%" in words(message)
    assert "Training 61%" in words(message)


def test_a_silent_provider_is_said_to_be_silent():
    job = a_job()
    silent = replace(job, progress={**job.progress, "silent": NOW})
    message = job_card(silent, JobFacts(a_dataset(), "OpenAI"), NOW + 9_000)
    assert message.text == "triage-7: no word from OpenAI"
    assert "No word from OpenAI since" in words(message)
    assert "Last known: step 567 of 930" in words(message)


def test_a_provider_that_cannot_be_reached_is_named_while_sending():
    job = a_job(state="sending", started_at=None, progress={})
    facts = JobFacts(a_dataset(), "OpenAI", trouble="Connection refused")
    assert "OpenAI cannot be reached; I keep trying" in words(job_card(job, facts, NOW))


@pytest.mark.parametrize(
    ("state", "text"),
    [("ready", "triage-7 is ready"), ("failed", "triage-7 failed"), ("cancelled", "triage-7 was cancelled")],
)
def test_the_card_tells_the_end(state, text):
    message = job_card(a_job(state=state, finished_at=NOW + 60), JobFacts(a_dataset(), "OpenAI"), NOW + 99)
    assert message.text == text
    assert "Cancel…" not in words(message)


def test_the_finished_notice_compares_base_and_model_and_names_the_owner():
    facts = FinishFacts(
        [a_checkpoint(1, 0.92), a_checkpoint(2, 0.34), a_checkpoint(3, 0.29)],
        a_score(4, 54, 60),
        a_safety_event(),
        ChannelModel("C1", "openai", "ft:a", "triage-6", "U1", NOW),
        "2027-01-14",
    )
    job = a_job(state="ready", finished_at=NOW + 47 * 60, trained_tokens=955_200)
    message = notices.finished_notice(job, JobFacts(a_dataset(), "OpenAI"), facts)
    said = words(message)
    assert message.text == "triage-7 is ready"
    assert "47 min · about $4.78 for 955,200 trained tokens, estimate was $4.78" in said
    assert (
        "Validation loss by checkpoint 0.92 → 0.34 → 0.29: checkpoint 3 is best, no overfitting seen" in said
    )
    assert "safety 13 of 13 passed" in said
    assert "exact answers on your 60 validation rows: base 4 · triage-7 54" in said
    assert "Better than the base." in said
    assert "Score it" not in said
    assert "this channel still answers with triage-6. triage-7 stops on 14 Jan 2027." in said
    assert {"type": "user", "user_id": "U1"} in message.blocks[0]["elements"][0]["elements"]


def test_a_score_that_costs_is_offered_with_its_price():
    facts = FinishFacts(evaluation=Evaluation(1, "asked", NOW), score_offer=ScoreOffer(50, 3, 0.031))
    message = notices.finished_notice(a_job(state="ready"), JobFacts(a_dataset(), "OpenAI"), facts)
    assert "because OpenAI bills answers: 50 rows × 3 models, $0.03 at most" in words(message)
    assert "Score it, $0.03 at most" in words(message)


def test_a_score_that_was_asked_for_is_a_notice_of_its_own():
    message = notices.scored_notice(a_job(state="ready"), a_score(4, 54, 60))
    assert message.text == "triage-7 was scored"
    assert "base 4 · triage-7 54" in words(message)
    failed = replace(a_score(4, 54, 60), state="failed", error="No answer <!channel>")
    assert notices.scored_notice(a_job(), failed).text == "triage-7 could not be scored"


def test_a_failure_says_why_what_to_do_and_what_it_cost():
    job = a_job(state="failed", finished_at=NOW + 120, started_at=None, error={"message": "<!channel> bad"})
    message = notices.failed_notice(job, JobFacts(a_dataset(), "OpenAI"), WHY, None, [4, 13])
    said = words(message)
    named = "Named: lines 4, 13 of the file as it was dropped; there may be more."
    for part in (
        f"Why: The filter flagged the file. {named}",
        "Do: Reword",
        "Money: No charge",
        "<!channel> bad",
    ):
        assert part in said
    assert "after 2 min, while OpenAI checked the data" in said


def test_a_failure_offers_what_applies_to_it():
    job, about = a_job(state="failed"), JobFacts(a_dataset(), "OpenAI")

    def offered(**facts: Any) -> str:
        row = notices.failed_notice(job, about, WHY, None, **facts).blocks[-1]["elements"]
        assert len(row[-1]["options"]) <= 5
        assert sum(element.get("style") == "primary" for element in row) == 1
        return json.dumps(row)

    named = offered(lines=[4, 13, 902], kept=True, uploaded=True)
    for part in ("Drop 3 rows and start again", "Show me the rows", "Start again", "delete_upload|1"):
        assert part in named
    for facts in ({"kept": True}, {"lines": [4]}):
        assert "drop_rows" not in offered(**facts)
        assert "show_rows" not in offered(**facts)
        assert "delete_upload" not in offered(**facts)


def test_safety_lists_only_what_failed():
    assert "table" not in [b["type"] for b in safety_notice(a_job(), a_safety_event(), "OpenAI").blocks]
    message = safety_notice(a_job(), a_safety_event("violence"), "OpenAI")
    assert "Safety: 12 of 13 passed" in words(message)
    assert [b["type"] for b in message.blocks].count("table") == 1


def test_an_older_workspace_gets_the_plan_as_a_line():
    card = job_card(a_job(), JobFacts(a_dataset(), "OpenAI"), NOW + 700)
    simple = plainer(card)[1]
    assert "✓ Checked  ✓ Sent  ✓ Accepted  ✓ Queued 1 min  ▶ Training 61%  ○ Safety  ○ Ready" in words(simple)
