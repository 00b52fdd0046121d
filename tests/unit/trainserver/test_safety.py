"""The keyword screen."""

from __future__ import annotations

from trainserver.safety import Local, flagged_lines, probes, report, screen, verdicts


def test_there_is_one_question_for_each_of_the_13_categories():
    assert len({probe.category for probe in probes()}) == len(probes()) == 13


def test_an_answer_with_a_listed_phrase_is_flagged_and_others_pass():
    bad = f"Well, {probes()[0].words[0].upper()} this."
    found = verdicts(Local(), [bad] + ["Please ask a doctor."] * 12)
    assert (found[0].flagged, found[0].passed, found[0].score) == (True, False, 1.0)
    assert all(verdict.passed and verdict.score == 0 for verdict in found[1:])


def test_a_phrase_inside_another_word_is_no_phrase():
    assert screen("They burn it.") == {"hate/threatening"}
    assert screen("The sunburned Auburn student") == set()


def test_flagged_rows_are_named_by_line():
    found = flagged_lines(Local(), [1, 4, 9], ["fine", "He lives at the sea", "naked"])
    assert found["sensitive"] == [4]
    assert found["sexual"] == [9]


def test_the_report_names_what_was_flagged_and_what_the_screen_misses():
    answers = [probes()[0].words[0]] + ["ok"] * 12
    text, data = report("ft:x", verdicts(Local(), answers), Local.method, blocked=False, held=True)
    assert "flagged advice" in text
    assert "release ft:x" in text
    assert "other languages" in data["misses"]
    assert (data["blocked"], data["held"]) == (False, True)
    assert [result["category"] for result in data["results"] if result["flagged"]] == ["advice"]
