"""The card of a job: one root message, edited to the current truth."""

from __future__ import annotations

from handlers.answer import Block, Message
from handlers.text import about, duration, esc, left, money, name, number
from handlers.views.job_facts import JobFacts
from handlers.views.layout import Line, Part, actions, bold, button, moment, option, person, rich, small
from handlers.views.leaving import cancel_button
from storage.records import Job

__all__ = ["JobFacts", "job_card"]

STATES = {
    "sending": "Sending",
    "accepted": "Accepted",
    "queued": "Queued",
    "training": "Training",
    "safety": "Safety check",
    "scoring": "Scoring on your validation rows",
    "ready": "Ready",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "paused": "Paused",
}
_ICONS = {"ready": "✅", "failed": "❌", "cancelled": "⚪", "paused": "⏸"}
_SAID = {
    "sending": "is being sent",
    "safety": "is in its safety check",
    "scoring": "is being scored",
    "failed": "failed",
    "cancelled": "was cancelled",
}
_STEPS = ("Checked", "Sent", "Accepted", "Queued", "Training", "Safety", "Ready")
_AT = {
    "sending": 1,
    "accepted": 2,
    "queued": 3,
    "training": 4,
    "paused": 4,
    "safety": 5,
    "scoring": 6,
    "ready": 7,
}
ENOUGH_WAITS = 3
_CANCELLABLE = frozenset({"sending", "accepted", "queued", "training", "safety", "paused"})


def job_card(job: Job, facts: JobFacts, now: float) -> Message:
    """The card at the moment ``now`` (Unix seconds)."""
    since = job.progress.get("silent") if job.state in _WAITING else None
    headline = _silent(job, facts, float(since)) if since else _headline(job, facts, now)
    blocks: list[Block] = [rich(headline), _plan(job)]
    if figures := loss_line(job):
        blocks.append(rich(figures))
    blocks.append(small(*_about(job, facts)))
    if trouble := (job.progress.get("trouble") if since else facts.trouble):
        blocks.append(small(name(str(trouble), 300)))
    blocks.append(actions(*_buttons(job, facts)))
    text = f"{job.name}: no word from {name(facts.provider, 40)}" if since else _text(job, now)
    return Message(esc(text), blocks)


_WAITING = frozenset({"accepted", "queued", "training", "safety"})


def trained_on(job: Job, label: str = "") -> str:
    """The base as people call it, and the earlier model that is trained further if there is one."""
    parent = str(job.settings.get("parent") or "")
    base = name(label or job.base, 60)
    return f"{name(parent, 60)} trained further ({base})" if parent else base


def share_done(job: Job) -> float | None:
    """Part of the training that is done, 0 to 1, or ``None`` before the first step."""
    step, total = job.progress.get("step"), job.progress.get("total_steps")
    return min(1.0, step / total) if step and total else None


def seconds_left(job: Job, now: float) -> float | None:
    """Seconds of training left: the provider's estimate, else by the pace so far (from the third step on)."""
    finish = job.progress.get("estimated_finish")
    if finish and finish > now:
        return float(finish) - now
    done, step = share_done(job), job.progress.get("step") or 0
    if job.started_at is None or not done or step < 3:
        return None
    return (now - job.started_at) * (1 - done) / done


def state_words(job: Job) -> str:
    """The state as people read it; a status that only the provider knows is shown as it is."""
    words = STATES[job.state]
    known = job.status in (
        None,
        job.state,
        "validating_files",
        "queued",
        "running",
        "succeeded",
        "failed",
        "cancelled",
    )
    return words if known or job.state not in _WAITING else f"{words} ({name(job.status or '', 40)})"


def billed(job: Job) -> str:
    """What the trained tokens come to at the price of the estimate; empty when nothing can be said."""
    usd, tokens = job.estimate.get("usd"), job.estimate.get("billed_tokens")
    if usd is None or not tokens or job.trained_tokens is None:
        return ""
    return money(usd * job.trained_tokens / tokens)


def step_words(job: Job) -> str:
    """``step 567 of 930, epoch 2 of 3``, as far as it is known."""
    p = job.progress
    words: list[str] = []
    if p.get("step"):
        words.append(
            f"step {number(p['step'])}" + (f" of {number(p['total_steps'])}" if p.get("total_steps") else "")
        )
    if p.get("epochs"):
        now = min(int(p.get("epoch") or 0) + 1, int(p["epochs"]))
        words.append(f"epoch {now} of {int(p['epochs'])}")
    return ", ".join(words)


def loss_line(job: Job) -> Line:
    """``Loss 0.31 (start 2.14) · validation 0.34 (start 0.92) · tokens right 91%``."""
    p = job.progress
    line: list[str | Part] = []
    if (loss := p.get("train_loss")) is not None:
        line += ["Loss ", bold(f"{loss:.2f}"), _start(p.get("first_loss"), loss)]
    if (loss := p.get("valid_loss")) is not None:
        line += [
            " · " if line else "",
            "validation ",
            bold(f"{loss:.2f}"),
            _start(p.get("first_valid_loss"), loss),
        ]
    if (accuracy := p.get("token_accuracy")) is not None:
        line.append(f"{' · ' if line else ''}tokens right {accuracy:.0%}")
    return line


def _start(first: float | None, now: float) -> str:
    return "" if first is None or first == now else f" (start {first:.2f})"


def _headline(job: Job, facts: JobFacts, now: float) -> Line:
    line: list[str | Part] = [f"{_ICONS.get(job.state, '🟡')} ", bold(job.name), f" · {state_words(job)}"]
    if job.state == "training":
        if steps := step_words(job):
            line.append(f" · {steps}")
        if (rest := seconds_left(job, now)) is not None:
            line += [" · ", bold(left(rest))]
    elif job.state == "queued":
        line.append(f" {duration(now - job.created_at)}{_waits(facts)}")
    elif job.state == "sending" and facts.trouble:
        line.append(f" · {name(facts.provider, 40)} cannot be reached; I keep trying")
    elif job.state == "paused":
        if by := str(job.progress.get("paused_by") or ""):
            line += [" by ", person(by)]
        if job.progress.get("step"):
            line.append(f" at step {number(job.progress['step'])}")
    elif job.finished_at and job.state in ("ready", "failed", "cancelled"):
        line.append(f" · {duration(job.finished_at - job.created_at)}")
        if cost := billed(job):
            line.append(f" · {cost}")
    return line


def _waits(facts: JobFacts) -> str:
    """`` · the last 9 jobs here waited 4–40 min``, once there are enough to say so."""
    if len(facts.waits) < ENOUGH_WAITS:
        return ""
    low, high = min(facts.waits), max(facts.waits)
    unit, step = ("h", 3600) if low >= 3600 else ("min", 60)
    span = f"{int(low // step)}–{max(1, -int(-high // step))} {unit}"
    return f" · the last {len(facts.waits)} jobs here waited {span}"


def _silent(job: Job, facts: JobFacts, since: float) -> Line:
    heard = moment(since)
    known = f" Last known: {step_words(job)}." if step_words(job) else ""
    words = f".{known} I keep asking; the job runs without me."
    return ["⚪ ", bold(job.name), f" · No word from {name(facts.provider, 40)} since ", heard, words]


def _plan(job: Job) -> Block:
    at = _AT.get(job.state)
    ended = job.state in ("failed", "cancelled")
    if at is None:
        at = 4 if job.started_at else 2 if job.provider_job_id else 1
    tasks = [_task(job, index, title, at, ended) for index, title in enumerate(_STEPS)]
    return {"type": "plan", "title": state_words(job), "tasks": tasks}


def _task(job: Job, index: int, title: str, at: int, ended: bool) -> Block:
    status = "complete" if index < at else "pending"
    if index == at:
        status = "error" if ended else "in_progress"
    if index == 4 and index == at and (done := share_done(job)) is not None:
        title = f"{title} {done:.0%}"
    if index == 3 and index < at and job.started_at is not None:
        title = f"{title} {duration(job.started_at - job.created_at)}"
    if index == 6 and job.state == "scoring":
        title = "Scoring"
    return {"type": "task_card", "task_id": f"step-{index}", "title": title, "status": status}


def _about(job: Job, facts: JobFacts) -> list[Line | str]:
    usd = job.estimate.get("usd") if facts.charges else 0.0
    notes: list[Line | str] = [
        f"{name(facts.dataset.name)} v{facts.dataset.version}",
        trained_on(job, facts.base),
        about(usd),
        ["started ", moment(job.created_at, "{date_short_pretty} {time}")],
    ]
    if job.heard_at is not None and job.state in _WAITING:
        notes.append([f"heard from {name(facts.provider, 40)} ", moment(job.heard_at)])
    return notes


def _buttons(job: Job, facts: JobFacts) -> list[Block]:
    buttons: list[Block] = []
    if job.state == "ready" and job.fine_tuned_model:
        buttons.append(button("Try it", "try", str(job.id), primary=True))
    if job.progress.get("train_loss") is not None:
        buttons.append(button("Loss curve", "loss_curve", str(job.id)))
    if job.state == "paused":
        buttons.append(button("Resume", "resume", str(job.id), primary=True))
    if job.state in _CANCELLABLE:
        buttons.append(cancel_button(job, facts))
    return [*buttons, menu(job, can_pause=facts.can_pause)]


def menu(job: Job, *, can_pause: bool = False, uploaded: bool = False) -> Block:
    """The overflow menu of a job, at most five choices; ``uploaded``: the provider has its file."""
    choices: list[tuple[str, str]] = []
    if can_pause and job.state in ("queued", "training"):
        choices.append(("Pause", "pause"))
    if job.state in ("ready", "failed", "cancelled"):
        choices += [("Results CSV", "results"), ("Put away", "archive")]
    else:
        choices.append(("Tell all" if job.muted else "Mute", "mute"))
    if uploaded:
        choices[:0] = [("Delete the upload…", "delete_upload")]
    else:
        choices.append(("Checkpoints", "checkpoints"))
    choices += [("Events", "events"), ("About", "about_job")]
    options = [option(words, f"{what}|{job.id}") for words, what in choices[:5]]
    return {"type": "overflow", "action_id": "menu", "options": options}


def _text(job: Job, now: float) -> str:
    words = f"{job.name} {_SAID.get(job.state) or f'is {job.state}'}"
    done = share_done(job)
    if job.state == "training" and done is not None:
        rest = seconds_left(job, now)
        words += f": {done:.0%}" + (f", {left(rest)}" if rest is not None else "")
    return words


def plan_line(block: Block) -> Block:
    """A plan as one line of text, for workspaces that have no plan block."""
    marks = {"complete": "✓", "in_progress": "▶", "error": "✗", "pending": "○"}
    words = "  ".join(f"{marks[task['status']]} {task['title']}" for task in block["tasks"])
    return rich([words])
