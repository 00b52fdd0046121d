"""What the menu of a job shows to one person: events, checkpoints, figures, safety, about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handlers.answer import Block, Message
from handlers.text import about, esc, money, name, number, plural
from handlers.views.job_card import JobFacts, billed, state_words, trained_on
from handlers.views.layout import (
    Line,
    Part,
    actions,
    bold,
    button,
    code,
    confirm,
    moment,
    person,
    rich,
    small,
    table,
)
from handlers.views.prices import day
from handlers.views.score import FEW, accuracy_of, best_sentence, loss_of
from storage.chat_records import ChannelModel
from storage.records import Checkpoint, Event, Job, Overlap
from tuning.jobs.safety import read_safety, verdicts

SHOWN = 10


def events_page(job: Job, events: Sequence[Event]) -> Message:
    """The newest events, in the provider's own words."""
    if not events:
        return Message(f"{esc(job.name)} has no events yet", [rich([f"{job.name} has no events yet."])])
    newest = list(events)[-SHOWN:][::-1]
    lines: list[Line] = [
        [moment(e.at, "{date_short} {time_secs}"), f"  {name(e.message, 200)}"] for e in newest
    ]
    head = f"{job.name}: the newest {len(newest)} of {plural(len(events), 'event')}"
    more = actions(button("All as CSV", "results", str(job.id)), button("Figures", "metrics", str(job.id)))
    return Message(esc(head), [rich([bold(head)]), rich(*lines), more])


def metrics_page(job: Job, events: Sequence[Event]) -> Message:
    """The figures of the last steps as a table."""
    rows: list[list[str]] = []
    for event in events:
        step = event.data.get("step")
        if isinstance(step, int | float):
            figures = [loss_of(event.data, "train"), loss_of(event.data, "valid")]
            rows.append([number(step), *("" if f is None else f"{f:.3f}" for f in figures)])
    if not rows:
        return Message(
            "There are no figures yet", [rich(["There are no figures yet: ask again in a minute."])]
        )
    head = f"{job.name}: the last {min(len(rows), 20)} of {plural(len(rows), 'step')} told"
    block = table(("Step", "Loss", "Validation"), rows[-20:])
    return Message(
        esc(head), [rich([bold(head)]), block, actions(button("All as CSV", "results", str(job.id)))]
    )


def best_of(checkpoints: Sequence[Checkpoint]) -> Checkpoint | None:
    """The checkpoint with the lowest validation loss, when at least three can be compared."""
    known = [(loss, c) for c in checkpoints if (loss := loss_of(c.metrics, "valid")) is not None]
    return min(known, key=lambda pair: pair[0])[1] if len(known) >= FEW else None


def checkpoints_page(job: Job, checkpoints: Sequence[Checkpoint]) -> Message:
    """Which checkpoint is best and why, then each with its figures, *Try* and *Use*."""
    if not checkpoints:
        return Message(
            f"{esc(job.name)} has no checkpoints", [rich([f"{job.name} has no checkpoints so far."])]
        )
    best = best_of(checkpoints)
    head: list[Line] = [[bold(f"Checkpoints of {job.name}")], _which_is_best(job, checkpoints, best)]
    told = best_sentence(job.progress.get("by_epoch") or [], checkpoints)
    blocks: list[Block] = [rich(*head, *([told] if told else []))]
    for point in list(checkpoints)[-SHOWN:]:
        blocks += _checkpoint(job, point, best=point is best)
    return Message(f"Checkpoints of {esc(job.name)}", blocks)


def _which_is_best(job: Job, checkpoints: Sequence[Checkpoint], best: Checkpoint | None) -> Line:
    known = [loss for point in checkpoints if (loss := loss_of(point.metrics, "valid")) is not None]
    if best is not None:
        lowest = f"{loss_of(best.metrics, 'valid'):.2f} is the lowest validation loss of {len(known)}"
        return [bold(f"{job.name}@{best.number} is best"), f": {lowest}."]
    if not known:
        return ["There is no validation loss, so nobody can tell which is best, or see overfitting."]
    return [f"Too few to tell which is best: {plural(len(known), 'checkpoint')} with a validation loss."]


def _checkpoint(job: Job, point: Checkpoint, *, best: bool) -> list[Block]:
    label = f"{job.name}@{point.number}"
    line: list[str | Part] = ["⭐ " if best else "", bold(label), f" · step {number(point.step)}"]
    for kind, words in (("train", "loss"), ("valid", "validation")):
        if (loss := loss_of(point.metrics, kind)) is not None:
            line.append(f" · {words} {loss:.2f}")
    if (accuracy := accuracy_of(point.metrics)) is not None:
        line.append(f" · tokens right {accuracy:.0%}")
    if best:
        line += [" · ", bold("best")]
    asked = "New chats in this channel are answered by it. Threads that have begun keep their model."
    use = confirm(f"Use {label} here?", asked, "Use it", "Not now")
    buttons = button("Try", "try", label), button("Use…", f"use:{point.number}", label, confirm=use)
    return [rich(line), actions(*buttons)]


def safety_page(job: Job, events: Sequence[Event]) -> Message:
    """Every category of the newest safety result."""
    for event in reversed(events):
        found = read_safety(event)
        if found is None:
            continue
        rows = [(name(what, 100), "passed" if good else "failed") for what, good in verdicts(event.data)]
        head = f"{job.name}: {found.passed} of {found.total} passed" if found.total else f"{job.name}: safety"
        blocks: list[Block] = [rich([bold(head)])]
        if rows:
            blocks.append(table(("Category", "Result"), rows))
        if event.message:
            blocks.append(small(name(event.message, 300)))
        return Message(esc(head), blocks)
    return Message("No safety result yet", [rich([f"{job.name} has no safety result so far."])])


@dataclass(frozen=True, slots=True)
class AboutFacts:
    """What *About* tells beside the job: where it is in use, the base's end, the checkpoint meant."""

    facts: JobFacts
    in_use: Sequence[ChannelModel] = ()
    shutdown_date: str | None = None
    checkpoint: Checkpoint | None = None
    votes: tuple[int, int] = (0, 0)
    overlap: Overlap | None = None


def about_page(job: Job, known: AboutFacts) -> Message:
    """Where a model comes from. The only place, beside the verb job, where the provider's ids stand."""
    data = known.facts.dataset
    lines: list[Line] = [
        [bold(job.name), f" · {state_words(job)} · made from {trained_on(job)}"],
        ["Data: ", bold(f"{name(data.name)} v{data.version}"), f" · {number(data.examples)} rows"],
    ]
    if data.examples:
        lines.append(["Dropped by ", person(data.user), " ", moment(data.created_at, "{date_short} {time}")])
    verb = "Followed" if job.settings.get("followed") else "Started"
    lines.append([f"{verb} by ", person(job.owner), " ", moment(job.created_at, "{date_short} {time}")])
    usd = job.estimate.get("usd") if known.facts.charges else 0.0
    cost = billed(job)
    lines.append([f"Price: {cost} billed, estimate {money(usd)}" if cost else f"Price: {about(usd)}"])
    if (allowed := known.overlap) is not None and allowed.allowed_by:
        when: Line = [" ", moment(allowed.allowed_at, "{date_short} {time}")] if allowed.allowed_at else []
        both = f"{plural(allowed.rows, 'validation row')} also in the training data: allowed by "
        lines.append([both, person(allowed.allowed_by), *when])
    if known.checkpoint is not None:
        lines.append([f"Checkpoint {known.checkpoint.number}, step {number(known.checkpoint.step)}"])
    if known.shutdown_date:
        lines.append([f"Stops answering on {day(known.shutdown_date)}"])
    if any(known.votes):
        lines.append([f"Answers: 👍 {number(known.votes[0])} · 👎 {number(known.votes[1])}"])
    if known.in_use:
        lines.append([f"In use in {plural(len(known.in_use), 'channel')}"])
    ids: list[Line] = [["Job ", code(job.provider_job_id or "no id yet")]]
    model = known.checkpoint.model if known.checkpoint else job.fine_tuned_model
    if model:
        ids.append(["Model ", code(name(model, 200))])
    if data.sha256:
        ids.append(["Data sha256 ", code(data.sha256)])
    ids.append([f"At {name(known.facts.provider, 40)}"])
    buttons = [button("Checkpoints", "checkpoints", str(job.id)), button("Events", "events", str(job.id))]
    if job.state == "ready" and job.fine_tuned_model:
        buttons += [
            button("Safety table", "safety", str(job.id)),
            button("Delete the model…", "delete_model", str(job.id), danger=True),
        ]
    return Message(f"About {esc(job.name)}", [rich(*lines), rich(*ids), actions(*buttons)])


def step_notice(job: Job, body: dict[str, Any]) -> Message:
    """A tenth of the training is done, for channels that want to know."""
    share = f"{int(body['tenth']) * 10}%"
    loss = body.get("train_loss")
    words = f"step {number(int(body['step']))}" + (f" · loss {loss:.2f}" if isinstance(loss, float) else "")
    return Message(f"{esc(job.name)}: {share}", [rich([bold(share), f" · {words}"])])


def deleted_notice(job: Job, user: str) -> Message:
    """The line a deletion leaves in the thread."""
    line: Line = ["🗑 The model of ", bold(job.name), " was deleted by ", person(user), "."]
    return Message(f"The model of {esc(job.name)} was deleted", [rich(line)])
