"""Reads the SDK's loosely filled objects: every field may be missing, null or of another kind."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, cast

from tuning.providers.answers import Json, ProviderCheckpoint, ProviderEvent, ProviderJob


def number(value: object) -> float | None:
    """A number, or ``None`` for anything else (booleans, NaN and infinity too)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number that no float can hold
        return None


def whole(value: object) -> int | None:
    """A whole number, or ``None`` (``"auto"`` is none)."""
    found = number(value)
    return None if found is None else int(found)


def text(value: object) -> str | None:
    """A non-empty string, or ``None``."""
    return value if isinstance(value, str) and value else None


def mapping(value: object) -> Json:
    """A dict with string keys; an SDK model is unfolded, anything else is empty."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        value = dump(mode="json", warnings=False)
    if not isinstance(value, Mapping):
        return {}
    return {str(k): _clean(v) for k, v in cast("Mapping[Any, Any]", value).items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return whole_letters(value)
    if isinstance(value, list):
        return [_clean(one) for one in cast("list[Any]", value)]
    return mapping(cast("Any", value)) if isinstance(value, Mapping) else value


def whole_letters(words: str) -> str:
    """Words as UTF-8 can say them: JSON may hold halves of letters, of an emoji that was cut in two."""
    return words if words.isascii() else words.encode("utf-8", "replace").decode()


def job(source: object) -> ProviderJob:
    """A job. ``error`` stays empty unless it has a code or message: providers send ``{}`` for no error.

    Raises:
        ValueError: this is no job: it has no id.
    """
    raw = mapping(source)
    if not text(raw.get("id")):
        raise ValueError("a job without an id")
    error = {k: v for k, v in mapping(raw.get("error")).items() if v is not None}
    return ProviderJob(
        id=str(raw.get("id") or ""),
        status=text(raw.get("status")) or "unknown",
        created_at=number(raw.get("created_at")) or 0.0,
        base=text(raw.get("model")) or "",
        suffix=text(raw.get("user_provided_suffix")) or text(raw.get("suffix")),
        training_file=text(raw.get("training_file")),
        validation_file=text(raw.get("validation_file")),
        fine_tuned_model=text(raw.get("fine_tuned_model")),
        trained_tokens=whole(raw.get("trained_tokens")),
        finished_at=number(raw.get("finished_at")),
        estimated_finish=number(raw.get("estimated_finish")),
        epochs=_epochs(raw),
        error=error if error.get("code") or error.get("message") else {},
        metadata={k: str(v) for k, v in mapping(raw.get("metadata")).items()},
    )


def _epochs(raw: Json) -> int | None:
    found = whole(mapping(raw.get("hyperparameters")).get("n_epochs"))
    if found is not None:
        return found
    method = mapping(raw.get("method"))
    inner = mapping(method.get(str(method.get("type"))))
    return whole(mapping(inner.get("hyperparameters")).get("n_epochs"))


def event(source: object) -> ProviderEvent:
    """An event; ``data`` that is a list stands under ``items``."""
    raw = mapping(source)
    data = raw.get("data")
    return ProviderEvent(
        id=text(raw.get("id")) or _fingerprint(raw),
        at=number(raw.get("created_at")) or 0.0,
        level=text(raw.get("level")) or "info",
        type=text(raw.get("type")) or "message",
        message=text(raw.get("message")) or "",
        data={"items": cast("list[Any]", data)} if isinstance(data, list) else mapping(data),
    )


def _fingerprint(raw: Json) -> str:
    """What tells an event without an id from others."""
    return hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()[:24]


def checkpoint(source: object) -> ProviderCheckpoint:
    """A checkpoint; metrics that are null are left out."""
    raw = mapping(source)
    return ProviderCheckpoint(
        id=text(raw.get("id")) or f"step-{raw.get('step_number')}",
        model=str(raw.get("fine_tuned_model_checkpoint") or ""),
        step=whole(raw.get("step_number")) or 0,
        created_at=number(raw.get("created_at")) or 0.0,
        metrics={k: v for k, v in mapping(raw.get("metrics")).items() if v is not None},
    )
