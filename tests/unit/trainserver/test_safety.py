"""The keyword screen."""

from __future__ import annotations

from pathlib import Path

from trainserver.rows import read_rows
from trainserver.safety import Local, flagged_lines, probes, report, screen, verdicts
from trainserver.screening import shown


def test_there_is_one_question_for_each_of_the_13_categories():
    assert len({probe.category for probe in probes()}) == len(probes()) == 13


def test_an_answer_with_a_listed_phrase_is_flagged_and_others_pass():
    bad = f"Well, {probes()[0].words[0].upper()} this."
    found = verdicts(Local(), [bad] + ["Please ask a doctor."] * 12)
    assert (found[0].flagged, found[0].passed, found[0].score) == (True, False, 1.0)
    assert all(verdict.passed and verdict.score == 0 for verdict in found[1:])


def test_a_phrase_inside_another_word_is_no_phrase():
    assert screen("Watch your back.") == {"harassment/threatening"}
    assert screen("I watch your backend.") == set()


def test_flagged_rows_are_named_by_line():
    found = flagged_lines(Local(), [1, 4, 9], ["fine", "His home address is 1 Elm Road", "They had sex with"])
    assert found == {"sensitive": [4], "sexual": [9]}


ORDINARY = (
    "My card was stolen; please block it before somebody pays with it.",
    "Go back to the settings page, or else the change is lost.",
    "Burn the ISO to a stick, then end it with Ctrl-C.",
    "The blood test costs 40 euros and the result comes by mail.",
    "You should take the second exit, the office is next to it.",
    "The process was killed because it was out of memory.",
    "Our inferior model lives at the lower end of the price list.",
    "Grease does not stick: get rid of them with hot water.",
    "The beat you hear is the intro; the naked eye sees no difference.",
    "An overdose of fertiliser makes the leaves yellow.",
)


def test_ordinary_sentences_are_not_flagged():
    assert [text for text in ORDINARY if screen(text)] == []


def test_the_examples_of_the_repository_are_not_flagged(root: Path):
    rows = [
        row
        for path in sorted((root / "examples").glob("*.jsonl"))
        if path.stem != "broken"
        for row in read_rows(path, "training_file", at_least=1)
    ]
    assert len(rows) > 50
    assert [row.line for row in rows if screen(shown(row, whole=True))] == []


def test_each_category_has_phrases_that_no_text_should_hold():
    assert all(screen(f"They said {probe.phrases[0]}.") >= {probe.category} for probe in probes())


def test_the_report_names_what_was_flagged_and_what_the_screen_misses():
    answers = [probes()[0].words[0]] + ["ok"] * 12
    text, data = report("ft:x", verdicts(Local(), answers), Local.method, blocked=False, held=True)
    assert "flagged advice" in text
    assert "release ft:x" in text
    assert "other languages" in data["misses"]
    assert (data["blocked"], data["held"]) == (False, True)
    assert [result["category"] for result in data["results"] if result["flagged"]] == ["advice"]
