"""The records of talking with models: what answers, what a channel chose, and what was said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from storage.records import Json

Role = Literal["user", "assistant"]
NoticeLevel = Literal["quiet", "normal", "verbose"]


@dataclass(frozen=True, slots=True)
class Model:
    """Something that answers: a base, a finished job's model or one of its checkpoints."""

    provider: str
    model: str
    label: str
    job_id: int | None = None


@dataclass(frozen=True, slots=True)
class ChannelModel:
    """Which model new chats of a channel use, and who said so."""

    channel: str
    provider: str
    model: str
    label: str
    user: str
    at: float
    job_id: int | None = None


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What a channel chose: how much jobs tell, and the system prompt and tools of new chats.

    ``system_prompt``: ``None`` means the one the model was trained with, ``""`` none at all; so ``tools``.
    """

    channel: str
    notices: NoticeLevel = "normal"
    system_prompt: str | None = None
    user: str = ""
    at: float = 0.0
    tools: list[Json] | None = None


@dataclass(frozen=True, slots=True)
class ChatUsage:
    """Answers and tokens written for chats at one provider in one month (``2026-11``)."""

    month: str
    provider: str
    answers: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Vote:
    """What one person thinks of one answer: ``good`` or ``bad``; the last word counts."""

    channel: str
    ts: str
    user: str
    value: str
    at: float


@dataclass(frozen=True, slots=True)
class ChatThread:
    """A thread that began as a chat; it keeps the model it began with."""

    channel: str
    thread: str
    provider: str
    model: str
    label: str
    user: str
    created_at: float
    job_id: int | None = None
    system_prompt: str | None = None
    tools: list[Json] = field(default_factory=list[Json])
    active: int = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a chat thread; ``ts`` is the message it stands in."""

    id: int
    channel: str
    thread: str
    role: Role
    text: str
    ts: str
    created_at: float
    user: str | None = None
