"""Cards and lists of datasets: what they say, and that no name in them acts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from handlers.answer import Message
from handlers.views.dataset_list import Entry, about_dataset, ask_delete, datasets_list
from handlers.views.drop_card import NO_REACTION, DropFacts, drop_card, reaction
from handlers.views.prices import Offer
from handlers.views.reading_form import reading_form
from handlers.views.start_form import Form, chosen, parse, start_form
from handlers.views.validation_form import parse as parse_validation
from handlers.views.validation_form import validation_form
from localslack.blocks import check_blocks, check_view
from storage.chat_records import ChannelModel
from storage.records import Dataset, Overlap, Upload
from tests.support.foreign import FOREIGN, acts_nowhere, stays_short, view_is_inert
from tests.support.samples import COST, MINI, NOW, OPENAI, a_dataset, a_job, a_report
from tests.unit.handlers.views.test_start_form import submitted
from tests.unit.handlers.views.test_views import NO_REPLY, words
from tuning.datasets import Finding, PromptShare
from tuning.datasets.report import Problem
from tuning.jobs.start import StartRequest
from tuning.jobs.withdrawing import CopyThere, Ties

OFFER = Offer("openai", OPENAI, MINI, COST)
CARD = Problem("warning", "payment_card", 1, (77,), "1 row holds a payment card number", "to decide")
PHONES = Problem("warning", "phone", 12, (3, 4, 5), "12 rows hold a phone number", "redact if private")
PRIVATE = {"payment_card": Finding(1, (77,)), "phone": Finding(12, (3, 4, 5))}


def private_report(**changes: Any):
    return a_report(CARD, PHONES, privacy=PRIVATE, examined=True, **changes)


def not_ready(**changes: Any) -> Dataset:
    return a_dataset(a_report(NO_REPLY, verdict="reject"), state="not_ready", **changes)


def copy_of(dataset: Dataset, origin: Any, **changes: Any) -> Dataset:
    return replace(dataset, id=9, version=8, origin=origin, origin_id=dataset.id, **changes)


def buttons(message: Message) -> dict[str, dict[str, Any]]:
    """Every button and menu choice by what it does."""
    found: dict[str, dict[str, Any]] = {}
    for block in message.blocks:
        for element in block.get("elements", []) if block["type"] == "actions" else []:
            for option in element.get("options", []):
                found[option["value"].split(":")[0]] = option
            if element["type"] == "button":
                found[element["action_id"]] = element
    return found


def test_what_can_be_repaired_is_offered_first_with_its_share():
    message = drop_card(not_ready(fixable=2))
    assert buttons(message)["fix"]["text"]["text"] == "Fix 2 of 9"
    assert buttons(message)["fix"]["style"] == "primary"
    assert {"report", "close", "about"} <= set(buttons(message))


def test_what_nobody_can_repair_offers_no_repair():
    assert "fix" not in buttons(drop_card(not_ready()))


def test_a_repair_that_was_made_is_named_and_not_offered_again():
    dataset = not_ready(fixable=2)
    message = drop_card(dataset, DropFacts(copies=[copy_of(dataset, "repair", state="ready")]))
    assert "Repaired as triage.jsonl v8, below" in words(message)
    assert "fix" not in buttons(message)


def test_a_file_in_another_format_can_be_read_as_such():
    foreign = Problem("error", "sharegpt_format", 9, (), "The rows are ShareGPT", "convert")
    report = a_report(foreign, verdict="reject")
    dataset = a_dataset(report, state="not_ready", fixable=1240)
    message = drop_card(dataset)
    assert buttons(message)["fix"]["text"]["text"].startswith("Fix")
    assert buttons(message)["read_as"]["text"]["text"] == "Read as another format…"
    view = reading_form(dataset)
    assert check_view(view) is None
    radio = view["blocks"][1]["element"]
    assert [one["value"] for one in radio["options"]] == ["chat", "sharegpt", "alpaca", "pairs", "preference"]
    assert radio["initial_option"]["value"] == "sharegpt"


def test_notes_are_a_few_words_each_and_the_price_of_answers_stands_beside():
    notes = [
        Problem("warning", "duplicate_examples", 31, (4,), "31 rows repeat an earlier one exactly", "delete"),
        Problem("warning", "few_examples", 43, (), "43 examples is a small set", "add more"),
    ]
    report = a_report(*notes, prompts=(PromptShare("A", 30, 0.75), PromptShare("", 10, 0.25)), multi_system=3)
    offer = Offer("openai", OPENAI, MINI, replace(COST, serving_usd_per_1k=0.94))
    said = words(drop_card(a_dataset(report), DropFacts([offer])))
    assert "31 duplicates · few examples (50 to 100 show an effect)" in said
    assert "3 system prompts, the most common in 75% of the rows, none in 25%" in said
    assert "1,000 answers about $0.94" in said


def test_what_can_be_fixed_for_certain_says_so_where_the_fix_would_stand():
    comma = Problem("error", "invalid_json", 2, (640, 641), "2 rows are not valid JSON (a comma)", "correct")
    report = a_report(comma, NO_REPLY, verdict="reject")
    said = words(drop_card(a_dataset(report, state="not_ready", fixable=2)))
    assert "2 rows are not valid JSON (a comma) · lines 640, 641 → I can fix these" in said
    assert "I can fix" not in words(drop_card(a_dataset(report, state="not_ready", fixable=1)))


def test_a_file_that_is_wrong_as_a_whole_is_fixed_as_a_whole():
    packed = Problem("error", "gzip_file", 1, (), "The file is compressed (gzip)", "unpack it")
    report = a_report(packed, verdict="reject", bad_rows=0)
    message = drop_card(a_dataset(report, state="not_ready", fixable=1))
    assert buttons(message)["fix"]["text"]["text"] == "Fix it"
    assert "→ I can fix this" in words(message)


def test_a_problem_that_is_the_whole_verdict_is_said_once():
    table = Problem("error", "csv_file", 1, (), "The file is a table (CSV), not JSON Lines", "turn each row")
    message = drop_card(a_dataset(a_report(table, verdict="reject"), state="not_ready"))
    said = words(message)
    assert buttons(message)["read_as"]["text"]["text"] == "Read it as…"
    assert buttons(message)["read_as"]["style"] == "primary"
    assert said.count("is a table") == 1
    assert "→ turn each row" in said


def test_what_holds_no_rows_cannot_be_read_in_any_way():
    pdf = Problem("error", "binary_file", 1, (), "The file is not text", "drop a text file")
    report = a_report(pdf, verdict="reject")
    assert "read_as" not in buttons(drop_card(a_dataset(report, state="not_ready")))


def test_a_copy_read_as_another_format_says_which_and_leaves_the_repair_on_offer():
    changes = [{"message": "read as Alpaca", "count": 2, "lines": [1, 2]}]
    copy = a_dataset(origin="repair", read_as="alpaca", origin_id=3, changes=changes)
    said = words(drop_card(copy, DropFacts(origin=a_dataset(id=3, version=6))))
    assert "Read as Alpaca: copy of triage.jsonl v6; the original is kept as it is" in said
    assert "read as Alpaca · lines 1, 2" in said
    dataset = not_ready(fixable=2)
    made = copy_of(dataset, "repair", state="ready", read_as="alpaca")
    message = drop_card(dataset, DropFacts(copies=[made]))
    assert "Read as Alpaca as triage.jsonl v8, below" in words(message)
    assert "fix" in buttons(message)


def test_what_was_not_searched_stands_on_the_card():
    note = "Not searched for private values: it is damaged"
    bad = a_report(NO_REPLY, verdict="reject", notes=(note,))
    assert note in words(drop_card(a_dataset(bad, state="not_ready")))
    sampled = "Near duplicates were looked for in 1,000 of 2,000 rows, drawn by chance"
    assert sampled in words(drop_card(a_dataset(a_report(notes=(sampled,)))))


def test_a_repaired_copy_shows_what_was_changed_and_where():
    changes = [{"message": "took out a comma before `}`", "count": 2, "lines": [640, 641]}]
    copy = a_dataset(origin="repair", origin_id=3, changes=changes)
    said = words(drop_card(copy, DropFacts(origin=a_dataset(id=3, version=6))))
    assert "Repaired copy of triage.jsonl v6; the original is kept" in said
    assert "took out a comma before } · lines 640, 641" in said


def test_a_redacted_copy_counts_what_was_replaced():
    changes = [
        {"message": "email", "count": 3, "lines": []},
        {"message": "payment_card", "count": 1, "lines": []},
    ]
    said = words(drop_card(a_dataset(origin="redaction", origin_id=3, changes=changes)))
    assert "3 e-mail addresses, 1 payment card" in said


def test_private_values_hold_the_file_and_the_redacted_copy_is_the_default():
    message = drop_card(a_dataset(private_report()), DropFacts([OFFER], held=True))
    assert "To decide before it leaves: 1 payment card, line 77" in words(message)
    assert "Look at first: 12 phone numbers" in words(message)
    offered = buttons(message)
    assert offered["redact"].get("style") == "primary"
    assert "recorded" in offered["release"]["confirm"]["text"]["text"]
    assert "style" not in offered["start"]


def test_a_decision_names_who_took_it():
    message = drop_card(a_dataset(private_report(), released_by="U1"), DropFacts([OFFER]))
    assert {"type": "user", "user_id": "U1"} in [e for b in message.blocks for e in _elements(b)]
    assert "release" not in buttons(message)


def _elements(block: Any) -> list[Any]:
    return [e for section in block.get("elements", []) for e in section.get("elements", [])]


def test_a_version_says_what_is_new_and_what_it_costs_more():
    since = {"id": 3, "version": 6, "added": 140, "removed": 12, "changed": 9, "tokens": 32_400}
    facts = DropFacts([OFFER], since_jobs=["triage-6"], since_usd=0.49)
    said = words(drop_card(a_dataset(since=since), facts))
    assert "Since v6 (made triage-6): +140 rows, 12 gone, 9 changed · +32,400 tokens · +$0.49" in said


@pytest.mark.parametrize(
    ("overlap", "says"),
    [
        (Overlap("a", "b", 0, 0), "no overlap ✓"),
        (Overlap("a", "b", 2, 1, [4, 9, 12]), "3 rows also in the training data, lines 4, 9, 12"),
    ],
)
def test_the_validation_data_and_its_overlap_stand_on_the_card(overlap, says):
    held_out = a_dataset(id=2, name="triage-val.jsonl", version=1, examples=60)
    message = drop_card(a_dataset(), DropFacts([OFFER], validation=held_out, overlap=overlap))
    assert f"Validation: triage-val.jsonl v1, 60 examples · {says}" in words(message)
    assert "add_validation" not in buttons(message)


def test_an_overlap_that_somebody_lets_stand_names_who():
    held_out = a_dataset(id=2, name="triage-val.jsonl", version=1, examples=60)
    overlap = Overlap("a", "b", 1, 0, [4], allowed_by="U7", allowed_at=NOW)
    message = drop_card(a_dataset(), DropFacts([OFFER], validation=held_out, overlap=overlap))
    assert {"type": "user", "user_id": "U7"} in [e for b in message.blocks for e in _elements(b)]


def test_validation_data_is_not_offered_for_training():
    message = drop_card(a_dataset(purpose="validation", examples=6))
    assert message.text.startswith("Ready as validation data: triage.jsonl v7")
    assert "start" not in buttons(message)
    assert "overfitting" not in words(message)


def test_the_verdict_stands_while_private_data_is_still_looked_for():
    dataset = a_dataset(examining=1)
    assert "still looking for near duplicates and private data" in words(drop_card(dataset))
    assert reaction(dataset) == "eyes"


def test_a_big_file_shows_how_far_it_is_read():
    dataset = a_dataset(state="checking", bytes=200_000_000, progress=0.4)
    assert "Checking · triage.jsonl · 200.0 MB · 40% read" in words(drop_card(dataset))


def test_a_file_on_its_way_in_parts_shows_how_far_it_is():
    begun = Upload("ab", "openai", "f", "sending", NOW, session="upload_1")
    facts = DropFacts(uploads=[("OpenAI", begun)])
    dataset = a_dataset(bytes=40_000_000)
    assert "being sent to OpenAIdropped" in words(drop_card(dataset, facts))
    facts = DropFacts(uploads=[("OpenAI", replace(begun, part_ids=["part_1", "part_2"]))])
    assert "being sent to OpenAI, 33.6 MB of 40.0 MB" in words(drop_card(dataset, facts))


def test_what_is_no_training_data_closes_without_buttons_or_reaction():
    dataset = a_dataset(state="closed", closed_by="U1", closed_at=NOW)
    assert buttons(drop_card(dataset)) == {}
    assert reaction(dataset) == NO_REACTION
    assert "after 7 days" in words(drop_card(a_dataset(state="deleted", closed_at=NOW + 7 * 86_400)))


def test_the_list_says_where_copies_are_and_offers_deletion_only_to_those_who_may():
    upload = Upload("ab", "openai", "f", "sent", NOW, file_id="file-abc")
    mine = Entry(a_dataset(path="x"), [("OpenAI", upload)], True)
    theirs = Entry(a_dataset(id=2), [], False)
    message = datasets_list([mine, theirs], "/ft")
    said = words(message)
    assert "Here: 900.0 kB, kept compressed · Slack: the dropped file · OpenAI: file-abc" in said
    assert "Not kept here" in said
    assert [b["accessory"]["value"] for b in message.blocks if "accessory" in b] == ["1"]


LABELS = {"openai": "OpenAI", "trainer": "Our trainer"}


def test_deleting_says_first_what_goes_what_stays_and_who_uses_it():
    job = a_job(state="ready", fine_tuned_model="ft:x")
    ties = Ties(
        there=[CopyThere("openai", "file-abc"), CopyThere("trainer", "file-9", "triage-8")],
        models=[job],
        in_use=[ChannelModel("C1", "openai", "ft:x", job.name, "U1", NOW, job.id)],
    )
    message = ask_delete(a_dataset(path="x"), ties, LABELS)
    said = words(message)
    assert check_blocks(message.blocks, "message") is None
    assert "OpenAI: file-abc" in said
    assert "Our trainer: file-9, stays: needed by triage-8" in said
    assert f"Stays: {job.name}; 1 channel answers with it" in said
    assert list(buttons(message)) == ["dataset_delete_all", "dataset_delete_here", "dataset_keep"]
    assert buttons(message)["dataset_delete_all"]["text"]["text"] == "Delete here and at OpenAI"


def test_what_is_only_here_is_deleted_here_and_what_a_job_needs_not_at_all():
    only = buttons(ask_delete(a_dataset(path="x"), Ties(), LABELS))
    assert only["dataset_delete_here"]["text"]["text"] == "Delete it"
    assert "dataset_delete_all" not in only
    busy = ask_delete(a_dataset(path="x"), Ties(open_jobs=[a_job()]), LABELS)
    assert list(buttons(busy)) == ["dataset_keep"]
    assert "still needs it" in words(busy)


def test_a_deleted_file_says_where_it_is_gone():
    said = words(drop_card(a_dataset(state="deleted", closed_by="U1", gone_from=["OpenAI"])))
    assert "deleted here and at OpenAI by" in said


def form(**changes: Any) -> Form:
    dataset = a_dataset()
    other = a_dataset(id=2, name="val.jsonl")
    return replace(
        Form("C1", [dataset, other], [OFFER], dataset, OFFER, other, "triage", "triage-7"), **changes
    )


def test_the_form_asks_about_private_values_and_the_redacted_copy_is_chosen():
    view = start_form(form(private=["12 phone numbers", "1 payment card"]))
    assert check_view(view) is None
    assert "Leaves for OpenAI: 1,240 rows, among them 12 phone numbers, 1 payment card" in words(view)
    block = next(b for b in view["blocks"] if b.get("block_id") == "leaves")
    assert block["element"]["initial_option"]["value"] == "redacted"
    assert not [b for b in start_form(form())["blocks"] if b.get("block_id") == "leaves"]


def test_the_form_tells_an_overlap_at_the_validation_field():
    view = start_form(form(overlap=Overlap("a", "b", 0, 0)))
    block = next(b for b in view["blocks"] if b.get("block_id") == "validation")
    assert block["hint"]["text"] == "No overlap ✓"


def test_an_overlap_can_be_let_stand_in_the_form_once():
    def blocks(**decided: Any) -> list[Any]:
        view = start_form(form(overlap=Overlap("a", "b", 3, 0, [1, 2, 3], **decided)))
        assert check_view(view) is None
        return [block.get("block_id") for block in view["blocks"]]

    assert "overlap" in blocks()
    assert "overlap" not in blocks(allowed_by="U1", allowed_at=NOW)
    state = submitted()
    wish = parse(state, "U1")
    assert isinstance(wish, StartRequest)
    assert not wish.overlap_ok
    state["state"]["values"]["overlap"] = {"overlap": {"selected_options": [{"value": "allowed"}]}}
    wish = parse(state, "U1")
    assert isinstance(wish, StartRequest)
    assert wish.overlap_ok


def test_a_split_and_a_decision_are_read_from_the_form():
    state = submitted(validation="split")
    assert (chosen(state).split, chosen(state).validation_id, chosen(state).leaves) == (
        True,
        None,
        "redacted",
    )
    state["state"]["values"]["leaves"] = {"leaves": {"selected_option": {"value": "as_is"}}}
    wish = parse(state, "U1")
    assert isinstance(wish, StartRequest)
    assert wish.release


def test_the_validation_form_offers_a_split_and_the_files_of_the_channel():
    view = validation_form(a_dataset(), [a_dataset(id=2, name="triage-val.jsonl", purpose="validation")])
    assert check_view(view) is None
    menu = view["blocks"][1]["element"]
    assert [o["value"] for o in menu["options"]] == ["split", "2"]
    assert menu["initial_option"]["value"] == "2"
    sent = {
        "private_metadata": view["private_metadata"],
        "state": {"values": {"validation": {"validation": {"selected_option": menu["options"][0]}}}},
    }
    wish = parse_validation(sent)
    assert (wish.channel, wish.dataset_id, wish.validation_id) == ("C1", 1, None)


def everything(odd: str) -> list[Message]:
    """Every card and list of a dataset, with ``odd`` wherever foreign text can stand."""
    changes = [{"message": odd, "count": 2, "lines": [1, 2]}] * 7
    since = {"id": 3, "version": 6, "added": 1, "removed": 1, "changed": 1, "tokens": -5}
    bad = not_ready(name=odd, fixable=3, since=since)
    good = a_dataset(private_report(), name=odd, since=since, released_by="U1")
    copies = [
        copy_of(good, kind, state=state)
        for kind in ("repair", "redaction", "split")
        for state in ("ready", "checking")
    ]
    held_out = a_dataset(id=2, name=odd)
    upload = Upload("ab", odd, odd, "sent", NOW, file_id=odd)
    facts = DropFacts(
        [OFFER],
        [(odd, upload)],
        [odd],
        origin=held_out,
        copies=copies,
        validation=held_out,
        overlap=Overlap("a", "b", 1, 1, [1]),
        since_jobs=[odd],
        since_usd=-1.0,
        held=True,
    )
    made = [replace(good, origin=kind, changes=changes) for kind in ("repair", "redaction", "split")]
    return [
        drop_card(replace(bad, state="checking", origin="repair")),
        drop_card(bad, facts),
        drop_card(good, facts),
        drop_card(replace(good, examining=1), replace(facts, copies=[])),
        drop_card(replace(good, purpose="validation"), facts),
        *(drop_card(one, facts) for one in made),
        drop_card(replace(made[0], state="not_ready"), facts),
        drop_card(replace(good, state="closed", closed_by="U1")),
        drop_card(replace(good, state="deleted")),
        drop_card(replace(made[0], read_as="alpaca")),
        drop_card(replace(good, state="deleted", gone_from=[odd])),
        ask_delete(good, Ties([CopyThere(odd, odd, odd), CopyThere(odd, odd)], models=[a_job()]), {odd: odd}),
        datasets_list([Entry(good, [(odd, upload)], True), Entry(bad, [], False)], "/ft"),
        datasets_list([], "/ft"),
        about_dataset(made[0], held_out, [(odd, upload)]),
    ]  # fmt: skip


@given(FOREIGN)
@settings(max_examples=15, deadline=None)
def test_no_name_acts_in_any_card_and_slack_takes_them_all(odd):
    for message in everything(odd):
        acts_nowhere(message)
        stays_short(message, 30_000)
    for view in (
        validation_form(a_dataset(name=odd), [a_dataset(id=2, name=odd)]),
        reading_form(a_dataset(name=odd)),
        start_form(form(private=[odd])),
    ):
        view_is_inert(view)
