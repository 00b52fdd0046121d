"""Names: of a file at a provider, and of a model made from a dataset."""

from __future__ import annotations

import re

from storage.records import Dataset
from tuning.providers.profile import Profile

HASH_LENGTH = 12


def upload_name(sha256: str, name: str) -> str:
    """The file's name at a provider: it begins with the hash, so that a cut-off upload is found again."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name.rsplit("/", 1)[-1]).strip("-.")
    stem = re.sub(r"\.(jsonl|ndjson)$", "", stem, flags=re.IGNORECASE)[:60] or "data"
    return f"{sha256[:HASH_LENGTH]}-{stem}.jsonl"


def suggested_suffix(dataset: Dataset, profile: Profile) -> str:
    """The suffix offered for a dataset: its name without the ending (``triage.jsonl`` → ``triage``)."""
    return profile.suffix(dataset.name.rsplit(".", 1)[0]) or "model"


_HELD_OUT = frozenset({"valid", "validation", "val", "eval", "test", "holdout", "dev"})


def names_validation(name: str) -> bool:
    """Whether a file's name says that it holds validation rows: ``triage-val.jsonl``, ``dev.jsonl``."""
    return any(word in _HELD_OUT for word in re.split(r"[^a-z]+", name.rsplit(".", 1)[0].lower()))


def held_out_name(name: str) -> str:
    """The name of the part of a file that is held out: ``triage.jsonl`` → ``triage-valid.jsonl``."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-valid.{ending}" if dot and stem else f"{name}-valid.jsonl"
