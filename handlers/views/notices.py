"""What is said in a job's thread, and once in the thread of its dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handlers.answer import Block, Message
from handlers.text import duration, esc, money, name, number, plural
from handlers.text import lines as lines_words
from handlers.views.job_card import JobFacts, billed, menu
from handlers.views.kept_points import kept_line
from handlers.views.layout import (
    Line,
    Part,
    actions,
    bold,
    button,
    code,
    confirm,
    flat,
    link,
    person,
    preformatted,
    rich,
    small,
)
from handlers.views.prices import day
from handlers.views.safety import safety_words
from handlers.views.score import accuracy_of, at_most, best_sentence, loss_of, score_lines, score_offer_line
from storage.chat_records import ChannelModel
from storage.records import Checkpoint, Evaluation, Event, Job
from tuning.jobs.failures import Explanation
from tuning.jobs.scoring import ScoreOffer


@dataclass(frozen=True, slots=True)
class FinishFacts:
    """What the finished notice tells beside the job."""

    checkpoints: Sequence[Checkpoint] = ()
    evaluation: Evaluation | None = None
    safety: Event | None = None
    in_use: ChannelModel | None = None
    shutdown_date: str | None = None
    score_offer: ScoreOffer | None = None


def link_notice(job: Job, url: str | None) -> Message:
    """In the dataset's thread: training began, and where to follow it."""
    where: Line = [link("follow it here", url)] if url else ["follow it in the channel"]
    return Message(
        f"{esc(job.name)} starts training on this file",
        [rich(["🏁 ", bold(job.name), " trains on this file: ", *where])],
    )


def epoch_notice(
    job: Job, epoch: int, epochs: int, metrics: dict[str, Any], checkpoint: Checkpoint | None
) -> Message:
    """The end of an epoch: figures and checkpoint (the loss picture stands in the same message)."""
    headline: list[str | Part] = [bold(f"Epoch {epoch} of {epochs}")]
    figures: list[str] = []
    if (loss := loss_of(metrics, "train")) is not None:
        figures.append(f"loss {loss:.2f}")
        headline += [" · loss ", bold(f"{loss:.2f}")]
    if (loss := loss_of(metrics, "valid")) is not None:
        figures.append(f"validation {loss:.2f}")
        headline += [" · validation ", bold(f"{loss:.2f}")]
    if (accuracy := accuracy_of(metrics)) is not None:
        headline.append(f" · tokens right {accuracy:.0%}")
    lines: list[Line] = [headline]
    if checkpoint is not None:
        kept = f"Checkpoint {checkpoint.number} is kept (step {number(checkpoint.step)}): talk to it as "
        lines.append([kept, code(f"{job.name}@{checkpoint.number}"), " once the job has ended."])
    words = f"{job.name}: epoch {epoch} of {epochs}" + "".join(f", {figure}" for figure in figures)
    return Message(esc(words), [rich(*lines)])


def finished_notice(job: Job, about: JobFacts, facts: FinishFacts) -> Message:
    """The model is ready: time, money, best epoch, safety, score, what to do next. Names the owner once."""
    took = duration((job.finished_at or job.created_at) - job.created_at)
    lines: list[Line] = [
        ["✅ ", person(job.owner), " ", bold(f"{job.name} is ready"), f" · {took}{_cost(job, about)}"]
    ]
    best: list[str | Part] = list(best_sentence(job.progress.get("by_epoch") or [], facts.checkpoints))
    if facts.safety is not None:
        best.append(f"{' · ' if best else ''}safety {safety_words(facts.safety)}")
    if best:
        lines.append(best)
    if kept := kept_line(job, facts.checkpoints):
        lines.append(kept)
    lines += score_lines(facts.evaluation)
    asked = facts.score_offer if facts.evaluation and facts.evaluation.state == "asked" else None
    if asked is not None:
        lines.append(score_offer_line(asked, about.provider))
    blocks: list[Block] = [rich(line) for line in lines]
    blocks.append(rich([bold("Nothing was switched: "), *_in_use(job, facts)]))
    use = confirm(
        f"Use {job.name} here?",
        "New chats in this channel are answered by it. Threads that have begun keep their model.",
        "Use it",
        "Not now",
    )
    buttons = [
        button("Try it", "try", str(job.id), primary=True),
        button("Use in this channel…", "use", str(job.id), confirm=use),
    ]
    if asked is not None:
        price = at_most(asked.usd)
        buttons.append(button(f"Score it, {price}" if price else "Score it", "score", str(job.id)))
    if facts.in_use is not None and facts.in_use.label != job.name:
        buttons.insert(
            1, button(f"Compare with {name(facts.in_use.label, 40)}…", "compare", _pair(job, facts))
        )
    if any(loss_of(point.metrics, "train") is not None for point in facts.checkpoints):
        buttons.append(button("Loss curve", "loss_curve", str(job.id)))
    blocks.append(actions(*buttons, menu(job)))
    return Message(f"{esc(job.name)} is ready", blocks)


def scored_notice(job: Job, evaluation: Evaluation | None) -> Message:
    """The score that a person asked for."""
    lines = score_lines(evaluation) or [["There is no score."]]
    headline: Line = ["🏁 ", bold(f"{job.name} was scored")]
    if evaluation is not None and evaluation.state == "failed":
        headline = ["⚠️ ", bold(f"{job.name} could not be scored")]
    return Message(esc(flat(headline[1:])), [rich(headline, *lines)])


def _pair(job: Job, facts: FinishFacts) -> str:
    return f"{facts.in_use.label} {job.name}" if facts.in_use else job.name


def _cost(job: Job, about: JobFacts) -> str:
    if not about.charges:
        return " · no fee"
    cost, promised = billed(job), job.estimate.get("usd")
    words = f" · about {cost} for {number(job.trained_tokens or 0)} trained tokens" if cost else ""
    return words + (f", estimate was {money(promised)}" if promised is not None else "")


def _in_use(job: Job, facts: FinishFacts) -> Line:
    now = facts.in_use
    words = (
        f"this channel still answers with {name(now.label, 60)}."
        if now
        else "this channel has no model chosen yet."
    )
    if facts.shutdown_date:
        words += f" {job.name} stops on {day(facts.shutdown_date)}."
    return [words]


def failed_notice(
    job: Job,
    about: JobFacts,
    why: Explanation,
    in_use: ChannelModel | None,
    lines: Sequence[int] = (),
    *,
    kept: bool = False,
    uploaded: bool = False,
) -> Message:
    """Why it failed, what to do, what it cost, and the provider's own words where they cannot act.

    ``lines``: those that the provider names, as lines of the file that was dropped; ``kept``: this file is
    still here; ``uploaded``: the provider has a copy.
    """
    took = duration((job.finished_at or job.created_at) - job.created_at)
    while_ = " while it trained" if job.started_at else f" while {name(about.provider, 40)} checked the data"
    blocks: list[Block] = [
        rich(["❌ ", person(job.owner), " ", bold(f"{job.name} failed"), f" after {took},{while_}"]),
        rich([bold("Why: "), why.why, _named(job, lines)]),
        rich([bold("Do: "), why.todo]),
        rich([bold("Money: "), why.money]),
    ]
    own = str(job.error.get("message") or "")
    if own:
        blocks += [small(f"{name(about.provider, 40)}'s own words:"), preformatted(own)]
    if in_use is not None:
        blocks.append(small(f"This channel is untouched: it answers with {name(in_use.label, 60)}."))
    rows = bool(lines) and kept
    again = button("Start again…", "start", f"again {job.id}", primary=not rows)
    blocks.append(
        actions(*(_about_rows(job, len(lines)) if rows else ()), again, menu(job, uploaded=uploaded))
    )
    return Message(f"{esc(job.name)} failed: {esc(why.why)}", blocks)


def _about_rows(job: Job, count: int) -> list[Block]:
    words = f"Drop {plural(count, 'row')} and start again…"
    return [
        button(words, "drop_rows", str(job.id), primary=True),
        button("Show me the rows", "show_rows", str(job.id)),
    ]


def _named(job: Job, lines: Sequence[int]) -> str:
    """``Named: lines 4, 13, 902 of the file as it was dropped; there may be more.``"""
    where = lines_words(tuple(lines), len(lines), shown=10)
    which = "validation file" if job.error.get("param") == "validation_file" else "file"
    return f" Named: {where} of the {which} as it was dropped; there may be more." if where else ""


def cancelled_notice(job: Job, about: JobFacts) -> Message:
    """Who cancelled it and what remains."""
    by: Line = [" by ", person(job.ended_by)] if job.ended_by and job.ended_by[:1] in "UW" else []
    step = job.progress.get("step")
    done = f"{plural(int(step), 'step')} were trained" if step else "nothing was trained"
    money_words = "." if not about.charges or not step else "; they may still be billed."
    line: Line = ["⚪ ", bold(f"{job.name} was cancelled"), *by, f" · {done}{money_words}"]
    again = actions(button("Start again…", "start", f"again {job.id}"))
    return Message(f"{esc(job.name)} was cancelled", [rich(line), again])


def paused_notice(job: Job, *, resumed: bool) -> Message:
    """The provider paused or resumed the job."""
    words = "goes on" if resumed else "is paused"
    who = str(job.progress.get("resumed_by" if resumed else "paused_by") or "")
    by: Line = [", by ", person(who)] if who else []
    step = job.progress.get("step")
    at = f" at step {number(step)}" if step and not resumed else ""
    line: Line = ["▶️ " if resumed else "⏸ ", bold(job.name), f" {words}{at}", *by, "."]
    blocks: list[Block] = [rich(line)]
    if not resumed and job.state == "paused":
        blocks.append(actions(button("Resume", "resume", str(job.id), primary=True)))
    return Message(f"{esc(job.name)} {words}", blocks)


def note(text: str) -> Message:
    """Plain words."""
    return Message(esc(name(text, 300)), [rich([text])])
