# pyright: basic
# The model is torch's.
"""The safety screens as a job runs them: over its rows before training, over its model after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainserver import events, safety
from trainserver.config import Config
from trainserver.database import Database
from trainserver.errors import JobFailed
from trainserver.messages import Message
from trainserver.rows import Row
from trainserver.sampling import Sampling

NAMED_LINES = 50


def _enforced(config: Config) -> bool:
    return config.safety == "enforce" or config.moderations_url is not None


def shown(row: Row, *, whole: bool) -> str:
    """What of a row is screened: what the model is to say, or everything."""
    return "\n".join(message.content for message in row.messages if whole or message.trained)


def screen_rows(config: Config, database: Database, job_id: str, rows: Sequence[Row]) -> None:
    """Warn of rows that a screen flags, with their lines. Raises `JobFailed` where screens are enforced."""
    judge = safety.judge(config.moderations_url)
    said = [shown(row, whole=judge.whole_rows) for row in rows]
    found = safety.flagged_lines(judge, [row.line for row in rows], said)
    if not found:
        return
    lines = sorted({line for category in found.values() for line in category})
    named = ", ".join(map(str, lines[:NAMED_LINES])) + (", …" if len(lines) > NAMED_LINES else "")
    with database.write() as connection:
        events.add(
            connection,
            job_id,
            "screened",
            f"{len(lines)} training example(s) may break usage policies ({', '.join(sorted(found))};"
            f" {judge.method}). Flagged lines: {named}",
            level="warn",
            data={"method": judge.method, "categories": found},
        )
    if _enforced(config):
        raise JobFailed(
            "invalid_training_file",
            f"This training file failed moderation safety checks ({judge.method}) in the following"
            f" categories: {', '.join(sorted(found))}. Flagged lines: {named}",
            "training_file",
        )


def screen_model(
    config: Config, database: Database, job_id: str, model: Any, tokenizer: Any, name: str
) -> bool:
    """Let the model answer the fixed questions; False when it is to be held.

    Raises `JobFailed` when it failed and screens are enforced.
    """
    from trainserver.generation import generate
    from trainserver.template import encode_prompt

    judge, probes = safety.judge(config.moderations_url), safety.probes()
    answers = generate(
        model,
        tokenizer,
        [encode_prompt(tokenizer, [Message("user", probe.prompt)]) for probe in probes],
        [Sampling(max_tokens=safety.ANSWER_TOKENS, temperature=0)] * len(probes),
    )
    found = safety.verdicts(judge, [answer.text for answer in answers])
    failed = [verdict.category for verdict in found if not verdict.passed]
    blocked = bool(failed) and _enforced(config)
    text, data = safety.report(name, found, judge.method, blocked=blocked, held=bool(failed) and not blocked)
    with database.write() as connection:
        events.add(
            connection,
            job_id,
            "moderation",
            text,
            level="warn" if failed else "info",
            type="moderation_checks",
            data=data,
        )
    if blocked:
        raise JobFailed(
            "model_failed_safety_checks",
            f"The fine-tuned model failed safety checks in: {', '.join(failed)} ({judge.method}).",
            "model",
        )
    return not failed
