"""The keyword screen."""

from __future__ import annotations

from trainserver.safety import judge, probes, report


def test_there_is_one_question_for_each_of_the_13_categories():
    assert len({probe.category for probe in probes()}) == len(probes()) == 13


def test_an_answer_with_a_listed_word_is_flagged_and_others_pass():
    probe = probes()[0]
    bad, good = judge(probe, f"Well, {probe.words[0].upper()} this."), judge(probe, "Please ask a doctor.")
    assert (bad.flagged, bad.passed, bad.score) == (True, False, 1.0)
    assert (good.flagged, good.passed, good.score) == (False, True, 0.0)


def test_the_report_names_what_was_flagged_and_never_blocks():
    listed = probes()
    verdicts = [judge(listed[0], listed[0].words[0]), *(judge(probe, "ok") for probe in listed[1:])]
    text, data = report("ft:x", verdicts)
    assert "flagged advice" in text
    assert data["blocked"] is False
    assert [result["category"] for result in data["results"] if result["flagged"]] == ["advice"]
