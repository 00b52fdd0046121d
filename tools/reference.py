"""Writes the reference pages that are made from the code: ``python tools/reference.py``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from handlers.verbs import VERBS  # noqa: E402  (the root must be on the path first)

COMMANDS = ROOT / "docs" / "reference" / "commands.md"

HEAD = """# Commands

Each verb works as a slash command (`/ft VERB …`) and as a mention (`@ftbot VERB …`), because Slack has no
slash commands in threads. A mistyped verb is answered with the nearest one. Made from the code by
`tools/reference.py`.

| say | it |
|---|---|
"""

TAIL = """
A mention that begins with no verb is a question to the channel's model. A file dropped into the channel needs
no command at all.
"""


def commands() -> str:
    """The page about the verbs."""
    rows = [
        f"| `{' '.join(filter(None, (verb.name, verb.usage)))}` | {verb.line} |" for verb in VERBS.values()
    ]
    return HEAD + "\n".join(rows) + "\n" + TAIL


if __name__ == "__main__":
    COMMANDS.write_text(commands(), "utf-8")
