"""Before something ends for good: what is billed, what is kept, and who uses it now."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.answer import Block, Message
from handlers.text import about, esc, name, number, plural
from handlers.views.choices import ASKED
from handlers.views.job_facts import JobFacts
from handlers.views.layout import Line, Part, actions, bold, button, channel, confirm, rich
from storage.chat_records import ChannelModel
from storage.records import Job

SHOWN = 10


def ask_cancel(job: Job, facts: JobFacts) -> Message:
    """What cancelling means, before it is done."""
    lines: list[Line] = [
        [bold(f"Cancel {job.name}?")],
        ["Billed: ", billed_so_far(job, facts)],
        ["Kept: ", kept(facts)],
        ["In use: ", *using(facts.in_use, "its checkpoints")],
    ]
    yes = cancel_button(job, facts, f"cancel:{ASKED}")
    return Message(f"Cancel {esc(job.name)}?", [rich(*lines), actions(yes)])


def cancel_button(job: Job, facts: JobFacts, action: str = "cancel") -> Block:
    """*Cancel…*, which says the same once more before it acts."""
    words = f"Billed: {billed_so_far(job, facts)} Kept: {kept(facts)} In use: {used_words(facts.in_use)}"
    ask = confirm(f"Cancel {job.name}?", words, "Cancel the job", "Let it run")
    return button("Cancel…", action, str(job.id), confirm=ask)


def ask_delete(job: Job, facts: JobFacts, in_use: Sequence[ChannelModel]) -> Message:
    """What deleting a model means, before it is done."""
    bill = "what training cost stays billed; the model costs nothing while it is not asked."
    who = "It" if len(in_use) == 1 else "They"
    after = f" {who} will have no model chosen." if in_use else ""
    lines: list[Line] = [
        [bold(f"Delete the model {job.name}?")],
        ["In use: ", *using(in_use, "it"), after],
        ["Billed: ", bill if facts.charges else "there is no fee."],
        ["Kept: ", kept(facts, "all figures")],
    ]
    ask = confirm(f"Delete {job.name}?", "This cannot be taken back.", "Delete it", "Keep it")
    yes = button("Delete the model", "delete_model_now", str(job.id), danger=True, confirm=ask)
    return Message(f"Delete {esc(job.name)}?", [rich(*lines), actions(yes)])


def billed_so_far(job: Job, facts: JobFacts) -> str:
    """``567 of 930 steps are done and may be billed: about $2.91.``"""
    if not facts.charges:
        return "there is no fee."
    step, total, usd = job.progress.get("step"), job.progress.get("total_steps"), job.estimate.get("usd")
    if not step:
        return "nothing is trained yet, so no charge is expected."
    done = f"{number(step)} of {plural(int(total), 'step')}" if total else plural(int(step), "step")
    sum_of = f": {about(usd * min(1.0, step / total))}" if total and usd is not None else ""
    return f"{done} {'is' if step == 1 else 'are'} done and may be billed{sum_of}."


def kept(facts: JobFacts, also: str = "") -> str:
    """What stays: the data, checkpoints that were made, the thread."""
    things = [f"{name(facts.dataset.name, 40)} v{facts.dataset.version}"]
    if facts.checkpoints:
        things.append(plural(facts.checkpoints, "checkpoint"))
    things.append("the thread")
    return ", ".join(things) + (f" and {also}." if also else ".")


def using(in_use: Sequence[ChannelModel], what: str) -> list[str | Part]:
    """The channels that answer with it, by name."""
    if not in_use:
        return [f"no channel answers with {what}."]
    line: list[str | Part] = []
    for index, one in enumerate(in_use[:SHOWN]):
        line += [", " if index else "", channel(one.channel)]
    more = f" and {len(in_use) - SHOWN} more" if len(in_use) > SHOWN else ""
    return [*line, f"{more} {'answers' if len(in_use) == 1 else 'answer'} with {what} now."]


def used_words(in_use: Sequence[ChannelModel]) -> str:
    """The same where only plain words can stand."""
    return f"{plural(len(in_use), 'channel')} now." if in_use else "no channel."
