"""Ids and model names in OpenAI's form."""

from __future__ import annotations

import hashlib
import secrets

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
OWNER = "ftbot"


def new_id(prefix: str, mark: str = "-") -> str:
    """A fresh id such as `file-…`, `ftjob-…` or, with `_` as the mark, `upload_…` (24 random characters)."""
    return f"{prefix}{mark}{''.join(secrets.choice(ALPHABET) for _ in range(24))}"


def derived(text: str, length: int) -> str:
    """A stable string of `length` letters and digits that depends on `text` alone."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    letters: list[str] = []
    for _ in range(length):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(letters)


def model_name(base: str, suffix: str | None, job_id: str, step: int, *, final: bool) -> str:
    """The name under which a checkpoint answers.

    The random part is derived from job and step, so that a job that goes on after a crash gives the same
    names again. As at OpenAI each checkpoint has its own part and only the final one has no `:ckpt-step-N`.
    """
    name = f"ft:{base}:{OWNER}:{suffix or ''}:{derived(f'{job_id}/{step}', 8)}"
    return name if final else f"{name}:ckpt-step-{step}"
