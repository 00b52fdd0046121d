"""Writes the reference pages that are made from the code: ``python -m tools.reference``."""

from __future__ import annotations

from pathlib import Path

from handlers.verbs import VERBS
from tuning.datasets.rules import RULES, Rule, beyond, files, formats, lines, messages
from tuning.datasets.rules import tools as tool_rules
from tuning.datasets.rules.examples import FILES, PREFERENCES, ROWS, WORDS

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ROOT / "docs" / "reference" / "commands.md"

CHECKS = ROOT / "docs" / "reference" / "dataset-checks.md"

CHECKS_HEAD = """# Dataset checks

Everything that a dropped file and `ftbot check` are checked for: {count} rules, each with an example of what
breaks it and the source it comes from. An *error* blocks training; a *warning* is worth a look. Where the
documents are silent or disagree, and no provider's refusal is known, a rule only warns. Made from the code by
`tools/reference.py`.

Secrets, payment cards and national ids need a decision before a file leaves: a redacted copy (the default),
or the file as it is. Found values are never repeated, in no message, table or log. Near duplicates are found
by MinHash over word triples: rows count as near when some 88 % of these agree. The traces of rows are kept in
a temporary file; of a file with more than two million rows, two million drawn with a fixed seed are compared,
and the check says so. `ftbot check --repair OUT` puts right the encoding, line ends and blank lines, trailing
commas, curly quotes, Python notation, lists and spread objects, unpacks what is packed, and writes ShareGPT,
Alpaca, prompt/completion and TRL rows in the right format; `--read-as` says what rows or a table are where
they do not say it themselves. Limits of size, examples, pictures and tools are those of the provider's
profile, and OpenAI's where no provider is known.
"""

SECTIONS = (
    ("The file", files.RULES),
    ("Lines", lines.RULES),
    ("Formats and methods", formats.RULES),
    ("Messages", messages.RULES),
    ("Tools", tool_rules.RULES),
    ("Quality and privacy", beyond.RULES),
)

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


def checks() -> str:
    """The page about the rules of the dataset check."""
    parts = [CHECKS_HEAD.format(count=len(RULES))]
    for title, rules in SECTIONS:
        parts += [f"\n## {title}\n", *(_check(rule) for rule in rules)]
    return "\n".join(parts)


def _check(rule: Rule) -> str:
    example = next((table[rule.code] for table in (ROWS, PREFERENCES, FILES) if rule.code in table), None)
    shown = f"\n```text\n{example}\n```" if example is not None else f"\nExample: {WORDS[rule.code]}."
    return (
        f"### `{rule.code}`\n\n{rule.severity.capitalize()}: {rule.message(2)} → {rule.fix}.\n{shown}\n\n"
        f"Source: {rule.source}.\n"
    )


if __name__ == "__main__":
    COMMANDS.write_text(commands(), "utf-8")
    CHECKS.write_text(checks(), "utf-8")
