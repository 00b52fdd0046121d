"""The provider's safety result: one line, and a table of what failed."""

from __future__ import annotations

from handlers.answer import Block, Message
from handlers.text import esc, name
from handlers.views.layout import bold, rich, small, table
from storage.records import Event, Job
from tuning.jobs.safety import Safety, read_safety


def safety_words(event: Event) -> str:
    """``13 of 13 passed``; where there is nothing to count, the provider's own sentence."""
    found = read_safety(event)
    return _count(found) if found and found.total else name(event.message, 200)


def safety_notice(job: Job, event: Event, provider: str) -> Message:
    """One line; the table only when something failed."""
    found = read_safety(event) or Safety(0, 0, (), False)
    words = safety_words(event)
    icon = "❌" if found.blocked else "⚠️" if found.failed else "✅"
    blocks: list[Block] = [rich([f"{icon} ", bold("Safety:"), f" {words}"])]
    if found.failed:
        blocks.append(table(("Category", "Result"), [(name(failed), "failed") for failed in found.failed]))
    if found.blocked:
        blocks.append(rich([f"{name(provider, 40)} holds this model back: it cannot be used."]))
    if found.total and event.message:
        blocks.append(small(name(event.message, 300)))
    return Message(f"{esc(job.name)}: safety, {esc(words)}", blocks)


def _count(found: Safety) -> str:
    return f"{found.passed} of {found.total} passed"
