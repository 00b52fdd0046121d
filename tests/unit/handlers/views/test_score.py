from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handlers.views.layout import flat
from handlers.views.score import (
    best_sentence,
    difference,
    likeness_verdict,
    score_lines,
    score_offer_line,
    verdict,
    wilson,
)
from storage.records import Evaluation
from tests.support.samples import a_checkpoint, a_score
from tuning.jobs.scoring import ScoreOffer

parts = st.integers(1, 50).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


def test_wilson_agrees_with_the_textbook():
    low, high = wilson(15, 20)
    assert abs(low - 0.5313) < 0.001
    assert abs(high - 0.8881) < 0.001


@given(parts, parts)
def test_an_interval_holds_the_difference_seen(first, second):
    low, high = difference(first, second)
    gap = second[0] / second[1] - first[0] / first[1]
    assert low <= gap + 1e-9
    assert gap <= high + 1e-9


def test_a_clear_gain_is_said_plainly():
    assert verdict((4, 60), (54, 60)) == "better than the base"
    assert verdict((54, 60), (4, 60)).startswith("worse than the base: look at the data")


def test_a_small_gain_is_too_few_rows_to_be_sure():
    assert verdict((10, 20), (12, 20)) == "2 more than the base is too few rows to be sure"
    assert verdict((12, 20), (11, 20)) == "1 fewer than the base is too few rows to be sure"
    assert verdict((5, 20), (5, 20)) == "as many right as the base"


def test_no_validation_file_no_score():
    assert score_lines(None) == []


def test_the_score_line_names_base_and_model():
    assert flat(score_lines(a_score(4, 54, 60))[0]) == (
        "Score: exact answers on your 60 validation rows: base 4 · triage-7 54"
    )


def test_overfitting_is_named_with_the_checkpoint_to_take():
    points = [a_checkpoint(1, 0.9), a_checkpoint(2, 0.4), a_checkpoint(3, 0.7)]
    said = flat(best_sentence([], points))
    assert "checkpoint 2 is best, then it rises: overfitting. Checkpoint 2 may answer better" in said


def test_one_checkpoint_is_too_few_to_tell():
    assert "too few to tell" in flat(best_sentence([], [a_checkpoint(1, 0.9)]))
    assert best_sentence([], [a_checkpoint(1, None)]) == []


def test_two_epochs_are_too_few_to_tell_and_none_is_called_best():
    said = flat(best_sentence([], [a_checkpoint(1, 0.9), a_checkpoint(2, 0.4)]))
    assert said == (
        "Validation loss by checkpoint 0.90 → 0.40: 2 checkpoints are too few to tell about overfitting"
    )


def test_hardly_different_is_not_overfitting():
    points = [a_checkpoint(1, 0.9), a_checkpoint(2, 0.400), a_checkpoint(3, 0.402)]
    assert "hardly different" in flat(best_sentence([], points))


def test_epochs_count_where_they_are_known_and_their_checkpoint_is_named_only_if_kept():
    losses = [{"epoch": n, "step": n * 310, "valid_loss": loss} for n, loss in ((1, 0.9), (2, 0.4), (3, 0.7))]
    said = flat(best_sentence(losses, [a_checkpoint(3, 0.7)]))
    assert "by epoch 0.90 → 0.40 → 0.70: epoch 2 is best, then it rises: overfitting." in said
    assert "Its checkpoint was not kept." in said
    assert "Checkpoint 2 may" in flat(best_sentence(losses, [a_checkpoint(2, 0.4), a_checkpoint(3, 0.7)]))


def test_likeness_names_its_measure_and_says_whether_rows_are_enough() -> None:
    scores = [
        {"label": "smol", "model": "smol", "total": 4, "mean": 31.0, "rows": [30.0, 31.0, 32.0, 31.0]},
        {"label": "marv-1", "model": "ft:x", "total": 4, "mean": 52.2, "rows": [50.0, 53.0, 52.0, 54.0]},
    ]
    evaluation = Evaluation(1, "done", 0.0, metric="similarity", scores=scores)
    first, second, third = score_lines(evaluation)
    said = flat(first)
    assert "likeness" in said
    assert "rapidfuzz" in said
    assert "base 31 · " in said
    assert "marv-1 52" in said
    assert second == ["Nearer to the reference answers than the base."]
    assert third == ["On many such rows marv-1 would be at 51–54 (95% interval)."]


def test_likeness_that_differs_only_by_chance_is_not_called_better() -> None:
    assert "too little different from the base" in likeness_verdict([10.0, 90.0, 50.0], [90.0, 10.0, 52.0])
    assert "further" in likeness_verdict([90.0, 91.0, 92.0], [10.0, 12.0, 11.0])


def test_the_present_model_stands_between_base_and_new_one_and_each_is_compared() -> None:
    scores = [
        {"label": label, "model": label, "right": right, "total": 60}
        for label, right in (("gpt-4.1-mini", 4), ("triage-6", 49), ("triage-7", 54))
    ]
    lines = [flat(line) for line in score_lines(Evaluation(1, "done", 0.0, scores=scores))]
    assert lines == [
        "Score: exact answers on your 60 validation rows: base 4 · triage-6 49 · triage-7 54",
        "Better than the base; 5 more than triage-6 is too few rows to be sure.",
        "On many such rows triage-7 would get 80–95% right (95% interval).",
    ]


def test_where_answers_cost_the_price_comes_first() -> None:
    assert score_lines(Evaluation(1, "asked", 0.0)) == []
    words = flat(score_offer_line(ScoreOffer(50, 3, 0.0312), "OpenAI"))
    assert words == (
        "Score on your validation rows: not asked yet, because OpenAI bills answers:"
        " 50 rows × 3 models, $0.03 at most."
    )
    assert "price unknown" in flat(score_offer_line(ScoreOffer(50, 3, None), "OpenAI"))
    assert "models, less than $0.01." in flat(score_offer_line(ScoreOffer(50, 3, 0.001), "OpenAI"))
