"""Answers that list things: help, jobs, one job, models, and a change of model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from handlers.answer import Block, Message
from handlers.text import about, esc, left, name, number, plural
from handlers.views.choices import ASKED, BUTTONS, choose, searched
from handlers.views.job_card import (
    JobFacts,
    loss_line,
    seconds_left,
    share_done,
    state_words,
    step_words,
)
from handlers.views.layout import Line, Part, actions, bold, button, code, moment, rich, small
from handlers.views.leaving import cancel_button
from handlers.views.prices import day
from storage.chat_records import ChannelModel, Model
from storage.records import OPEN_JOB_STATES, Checkpoint, Dataset, Job

if TYPE_CHECKING:
    from handlers.verbs.verb import Verb
    from tuning.chat.service import ModelEntry

LIST_LENGTH = 10


def help_message(verbs: Sequence[Verb], command: str) -> Message:
    """How to begin, then every verb in one line."""
    begin = rich(
        [
            bold("Drop a .jsonl file in this channel"),
            ": I check it and tell what to fix and what training costs.",
        ],
        [
            "Then press ",
            bold("Start…"),
            " or type ",
            code(f"{command} start"),
            ". The job tells its story in a thread.",
        ],
        ["When the model is ready, talk to it: ", code(f"{command} ask your question"), " or mention me."],
    )
    rows: list[Line] = [
        [code(f"{command} {verb.name} {verb.usage}".rstrip()), f"  {verb.line}"] for verb in verbs
    ]
    also = small("Every verb also works as a mention, in threads too.")
    return Message("How ftbot works", [begin, rich(*rows), also])


def job_icon(job: Job) -> str:
    """One sign for the state."""
    return {"ready": "✅", "failed": "❌", "cancelled": "⚪", "paused": "⏸"}.get(job.state, "🟡")


def job_line(job: Job, now: float) -> Line:
    """One job in one line."""
    line: list[str | Part] = [f"{job_icon(job)} ", bold(job.name), f" · {state_words(job)}"]
    done = share_done(job)
    if job.state == "training" and done is not None:
        line.append(f" {done:.0%}")
        if (rest := seconds_left(job, now)) is not None:
            line.append(f" · {left(rest)}")
    return [*line, f" · {name(job.base, 60)} · ", moment(job.created_at, "{date_short_pretty} {time}")]


def jobs_list(
    jobs: Sequence[Job], now: float, command: str, *, start: int = 0, archived: int = 0, here: bool = True
) -> Message:
    """Jobs, open ones first, ten at a time from ``start``; a menu searches all.

    ``archived``: how many were put away; ``here``: they are those of one channel, not of all of a person's.
    """
    if not jobs:
        return _with_archive(nothing_yet("No jobs in this channel yet", command), archived)
    running = sum(job.state in OPEN_JOB_STATES for job in jobs)
    place = " in this channel" if here else ""
    headline = f"{plural(len(jobs), 'job')}{place}" + (f", {running} under way" if running else "")
    shown = jobs[start : start + LIST_LENGTH]
    blocks: list[Block] = [rich([bold(headline)]), rich(*[job_line(job, now) for job in shown])]
    steps = _steps("jobs_show", start, len(jobs), archived)
    blocks.append(actions(searched("job_pick", "More about one…"), *steps))
    blocks.append(small(f"More about one: {command} job NAME"))
    return Message(headline, blocks)


def job_details(job: Job, facts: JobFacts, checkpoints: Sequence[Checkpoint], now: float) -> Message:
    """Everything about one job; the only place where the provider's ids stand."""
    lines: list[Line] = [job_line(job, now)]
    if steps := step_words(job):
        lines.append([steps])
    if figures := loss_line(job):
        lines.append(figures)
    title = f"{name(facts.dataset.name)} v{facts.dataset.version}"
    usd = job.estimate.get("usd") if facts.charges else 0.0
    lines.append([f"{title} · {number(facts.dataset.examples)} examples · {about(usd)}"])
    lines += [
        [f"Checkpoint {point.number}: ", code(f"{job.name}@{point.number}"), f" · step {number(point.step)}"]
        for point in checkpoints[-LIST_LENGTH:]
    ]
    blocks: list[Block] = [rich(*lines)]
    asked = ", ".join(
        f"{key} {value}" for key, value in job.settings.items() if isinstance(value, str | int | float)
    )
    ids = [
        f"{name(facts.provider, 40)}",
        job.provider_job_id or "no id yet",
        job.fine_tuned_model or "",
        asked,
    ]
    if facts.dataset.sha256:
        ids.append(f"data sha256 {facts.dataset.sha256[:12]}")
    blocks.append(small(*[name(word, 300) for word in ids if word]))
    buttons: list[Block] = []
    if job.state == "ready" and job.fine_tuned_model:
        buttons.append(button("Try it", "try", str(job.id), primary=True))
    if job.progress.get("train_loss") is not None:
        buttons.append(button("Loss curve", "loss_curve", str(job.id)))
    if job.state in OPEN_JOB_STATES and job.state != "scoring":
        buttons.append(cancel_button(job, facts))
    if buttons:
        blocks.append(actions(*buttons))
    return Message(esc(f"{job.name}: {state_words(job)}"), blocks)


def models_list(entries: Sequence[ModelEntry], command: str, *, start: int = 0, archived: int = 0) -> Message:
    """What can be talked to, the one in use first, ten at a time from ``start``; a menu searches all.

    ``archived``: how many were put away.
    """
    if not entries:
        return _with_archive(nothing_yet("No models in this channel yet", command), archived)
    ordered = sorted(entries, key=lambda entry: not entry.in_use)
    shown = ordered[start : start + LIST_LENGTH]
    title = "Models" if len(shown) == len(ordered) else f"Models {start + 1}–{start + len(shown)}"
    blocks: list[Block] = [rich([bold(title)]), rich(*[_model_line(entry) for entry in shown])]
    steps = _steps("models", start, len(ordered), archived)
    if any(entry.model for entry in ordered):
        steps.insert(0, searched("use_pick", "Use another here…"))
    if steps:
        blocks.append(actions(*steps))
    blocks.append(
        small(f"Choose one for new chats: {command} use NAME", f"Ask one: {command} ask NAME your question")
    )
    return Message(f"{plural(len(entries), 'model')}", blocks)


def _steps(verb: str, start: int, count: int, archived: int) -> list[Block]:
    """The buttons that leaf through a list."""
    steps: list[Block] = []
    if start > 0:
        steps.append(button("Newer", f"{verb}:newer", f"from-{max(start - LIST_LENGTH, 0)}"))
    if start + LIST_LENGTH < count:
        steps.append(button("Older", f"{verb}:older", f"from-{start + LIST_LENGTH}"))
    if archived:
        steps.append(button(f"Archive ({archived})", "models:archive", "archive"))
    return steps


def _with_archive(message: Message, archived: int) -> Message:
    if not archived:
        return message
    return Message(message.text, [*message.blocks, actions(*_steps("models", 0, 0, archived))])


def archive_list(entries: Sequence[ModelEntry], jobs: Sequence[Job]) -> Message:
    """What was put away: it still answers by its name, and can be brought back."""
    back = button("Back to the models", "models:back", "from-0")
    if not entries:
        return Message("Nothing was put away", [rich(["Nothing was put away here."]), actions(back)])
    blocks: list[Block] = [
        rich([bold("Put away")]),
        rich(*[_model_line(entry) for entry in entries[:LIST_LENGTH]]),
    ]
    again = [
        button(f"Bring back {name(job.name, 50)}", f"archive:{job.id}", str(job.id)) for job in jobs[:BUTTONS]
    ]
    blocks += [actions(*again, back), small("Lists leave these out; their names still work.")]
    return Message(f"{plural(len(entries), 'model')} put away", blocks)


def _model_line(entry: ModelEntry) -> Line:
    line: list[str | Part] = [bold(name(entry.name, 60))]
    if entry.state not in ("base", "ready"):
        line.append(f" · {entry.state}")
    line.append(" · base" if entry.state == "base" else f" · made from {name(entry.base, 60)}")
    if entry.checkpoints > 1:
        line.append(
            f" · {plural(entry.checkpoints, 'checkpoint')}, as {name(entry.name, 60)}@1…{entry.checkpoints}"
        )
    if entry.made_at is not None:
        line += [" · ", moment(entry.made_at, "{date_short_pretty} {time}")]
    if entry.shutdown_date:
        line.append(f" · stops on {day(entry.shutdown_date)}")
    if entry.in_use:
        line += [" · ", bold("in use here")]
    return line


def nothing_yet(what: str, command: str) -> Message:
    """An empty list says how to begin."""
    how = ["Drop a .jsonl file in this channel, then press Start… or type ", code(f"{command} start"), "."]
    return Message(what, [rich([f"{what}."], how)])


def ask_use(model: Model, now: ChannelModel | None) -> Message:
    """Asks once before new chats of a channel get another model."""
    label = name(model.label, 60)
    if now and now.label == model.label:
        return Message(
            f"{esc(label)} is in use here already", [rich([bold(label), " is in use here already."])]
        )
    was = f" instead of {name(now.label, 60)}" if now else ""
    words: Line = [bold(f"Use {label} here?"), f" New chats in this channel are answered by it{was}."]
    yes = button("Use it", f"use:{ASKED}", model.label, primary=True)
    kept = small("Threads that have begun keep their model.")
    return Message(f"Use {esc(label)} here?", [rich(words), kept, actions(yes)])


def used(model: Model, before: ChannelModel | None, user: str) -> Message:
    """Said to the channel after its model was changed."""
    was = f"{name(before.label, 60)} → " if before and before.label != model.label else ""
    line: Line = ["🔁 ", bold(f"{was}{name(model.label, 60)}"), ", by ", Part(user, "user")]
    blocks: list[Block] = [
        rich(line),
        small("New chats in this channel use it. Threads that have begun keep their model."),
    ]
    if before and before.label != model.label:
        blocks.append(actions(button("Go back", "use", before.label)))
    return Message(f"This channel now answers with {esc(name(model.label, 60))}", blocks)


def choose_dataset(datasets: Sequence[Dataset], command: str) -> Message:
    """The datasets of a channel as buttons that open the form, or as a searched menu."""
    if not datasets:
        return nothing_yet("No checked training data in this channel yet", command)
    if len(datasets) > BUTTONS:
        return choose("start", "Which data?", [(f"{d.name} v{d.version}", f"#{d.id}") for d in datasets])
    buttons = [
        button(
            f"Start with {name(dataset.name, 40)} v{dataset.version}…",
            f"start:{index}",
            str(dataset.id),
            primary=index == 0,
        )
        for index, dataset in enumerate(datasets)
    ]
    return Message("Choose the training data", [rich(["Which data?"]), actions(*buttons)])


def cancel_asked(job: Job) -> Message:
    """Said to the person who cancelled; the end itself is told in the job's thread."""
    words = (
        "was cancelled."
        if job.state == "cancelled"
        else "will be cancelled: its thread says when it has ended."
    )
    return Message(f"{esc(job.name)} {words}", [rich([bold(job.name), f" {words}"])])


def unknown_verb(typed: str, near: str | None, command: str) -> Message:
    """A verb that does not exist, with the nearest one that does."""
    hint: Line = ["Did you mean ", code(f"{command} {near}"), "? "] if near else []
    line: Line = ["I do not know “", name(typed, 30), "”. ", *hint, "All verbs: ", code(f"{command} help")]
    text = f"I do not know “{esc(name(typed, 30))}”." + (f" Did you mean {near}?" if near else "")
    return Message(text, [rich(line), actions(button("Show help", "help"))])
