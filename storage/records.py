"""The records of the house: frozen dataclasses, one per noun.

Times are Unix seconds (float). Money is US dollars. A *channel* and a *thread* are opaque strings up to
floor 2; only floor 3 knows that they are Slack ids and message timestamps. Dict and list fields are stored as
JSON text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

InboxState = Literal["new", "done", "failed"]
DatasetState = Literal["checking", "ready", "not_ready", "failed", "closed", "deleted"]
Purpose = Literal["training", "validation"]
Origin = Literal["repair", "redaction", "split", "omission"]
UploadState = Literal["due", "sending", "sent", "failed"]
JobState = Literal[
    "sending", "accepted", "queued", "training", "safety", "scoring", "ready", "failed", "cancelled", "paused"
]
EvaluationState = Literal["asked", "due", "running", "done", "failed"]
NoticeState = Literal["due", "sending", "sent", "dead"]

OPEN_JOB_STATES: tuple[JobState, ...] = (
    "sending",
    "accepted",
    "queued",
    "training",
    "safety",
    "scoring",
    "paused",
)
"""States in which something is still expected to happen."""

WATCHED_JOB_STATES: tuple[JobState, ...] = ("accepted", "queued", "training", "safety", "paused")
"""States in which the provider is asked about the job."""


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One payload from outside, written before it is acknowledged."""

    id: int
    key: str
    content_key: str | None
    kind: str
    payload: Json
    received_at: float
    state: InboxState = "new"
    attempts: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dropped file: what the check found, where its bytes are and where it was dropped.

    ``version`` counts the different contents dropped under one name in one channel, from 1.
    ``report`` is the check's ``Report.to_record()``; empty while checking.
    ``thread`` is the thread the card of the drop stands in.

    ``examining``: the verdict is there, quality and privacy are still looked at; ``progress``: share of the
    bytes that are read, 0 to 1. ``origin_id`` and ``origin``: the dataset this one was made from, and how;
    ``lines_path`` then is its line map and ``changes`` what was done: ``{"message", "count", "lines"}`` each;
    that of an omission also has ``rows``, the lines of the original to leave out.
    ``since`` is the difference to the last version: ``{"id", "version", "added", "removed", "changed",
    "tokens"}``. ``fixable``: rows that a repair can put right. ``validation_id``: the validation data that
    belongs to it. ``released_by``: who decided that it leaves with private values in it; ``closed_by``: who
    said that it is no training data, or deleted it. ``reaction``: ours on the drop as it stands there.
    ``read_as``: the format a person chose for a repaired copy; ``gone_from``: labels of the providers where
    its file was deleted too.
    """

    id: int
    name: str
    version: int
    channel: str
    thread: str
    user: str
    drop_id: str
    state: DatasetState
    created_at: float
    sha256: str | None = None
    bytes: int = 0
    method: str | None = None
    examples: int = 0
    tokens: int = 0
    path: str | None = None
    system_prompt: str | None = None
    tools: list[Json] = field(default_factory=list[Json])
    report: Json = field(default_factory=dict[str, Any])
    error: str | None = None
    purpose: Purpose = "training"
    origin_id: int | None = None
    origin: Origin | None = None
    lines_path: str | None = None
    changes: list[Json] = field(default_factory=list[Json])
    since: Json = field(default_factory=dict[str, Any])
    examining: int = 0
    progress: float = 0.0
    fixable: int = 0
    validation_id: int | None = None
    released_by: str | None = None
    released_at: float | None = None
    closed_by: str | None = None
    closed_at: float | None = None
    reaction: str | None = None
    read_as: str | None = None
    gone_from: list[str] = field(default_factory=list[str])

    @property
    def title(self) -> str:
        """``triage.jsonl v7``: how people read it."""
        return f"{self.name} v{self.version}"


@dataclass(frozen=True, slots=True)
class Overlap:
    """Rows of a validation content that the training content holds too; key (training, validation) sha256.

    ``exact`` and ``near`` count rows, ``lines`` are the first of them in the validation file as dropped.
    ``allowed_by``: who decided that the two are used together all the same.
    """

    training: str
    validation: str
    exact: int
    near: int
    lines: list[int] = field(default_factory=list[int])
    allowed_by: str | None = None
    allowed_at: float | None = None

    @property
    def rows(self) -> int:
        """Rows that overlap in any way."""
        return self.exact + self.near


@dataclass(frozen=True, slots=True)
class Upload:
    """One content at one provider; key (sha256, provider).

    ``session`` is the provider's id of an upload in parts that is under way, ``part_ids`` the parts that it
    has taken, in order.
    """

    sha256: str
    provider: str
    filename: str
    state: UploadState
    updated_at: float
    file_id: str | None = None
    attempts: int = 0
    error: str | None = None
    session: str | None = None
    part_ids: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Job:
    """One intent to train and what came of it.

    ``intent`` is unique and travels in the provider's ``metadata``; ``name`` (``triage-7``) is unique in the
    workspace and also names the model. ``settings`` holds ``method`` and its hyperparameters as asked for.
    ``progress`` holds the newest figures: step, total_steps, train_loss, first_loss, valid_loss,
    token_accuracy,
    epochs, epochs_posted, estimated_finish.
    ``estimate`` holds what was promised before the start: usd, seconds, tokens, epochs, note.
    ``archived``: left out of lists; ``muted``: only its end is told.
    """

    id: int
    intent: str
    name: str
    suffix: str
    number: int
    provider: str
    base: str
    dataset_id: int
    channel: str
    owner: str
    state: JobState
    created_at: float
    validation_id: int | None = None
    status: str | None = None
    provider_job_id: str | None = None
    settings: Json = field(default_factory=dict[str, Any])
    estimate: Json = field(default_factory=dict[str, Any])
    progress: Json = field(default_factory=dict[str, Any])
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    error: Json = field(default_factory=dict[str, Any])
    started_at: float | None = None
    finished_at: float | None = None
    heard_at: float | None = None
    poll_at: float = 0.0
    attempts: int = 0
    ended_by: str | None = None
    archived: int = 0
    muted: int = 0

    @property
    def card(self) -> str:
        """Key of the job's card."""
        return f"job:{self.id}"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a job as the provider told it; key (job_id, event_id)."""

    job_id: int
    event_id: str
    at: float
    level: str
    type: str
    message: str
    data: Json = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One snapshot of a model; ``number`` counts from 1 by step, ``metrics`` as the provider has them."""

    job_id: int
    checkpoint_id: str
    model: str
    step: int
    number: int
    created_at: float
    metrics: Json = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The score of a finished job on its validation rows.

    ``scores``: one ``{"label", "model", "right", "total"}`` per model; ``metric`` names what was counted.
    State ``asked``: it costs money, and a person has been asked.
    """

    job_id: int
    state: EvaluationState
    updated_at: float
    metric: str | None = None
    scores: list[Json] = field(default_factory=list[Json])
    attempts: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One message that must reach one thread exactly once.

    Its place is ``channel`` plus either ``thread`` (``None``: the channel itself) or ``thread_of``, the key
    of a card whose own message is the root of the thread. ``card``: the sent message becomes that card.
    ``kind`` and ``body`` say what to render; ``id`` travels in the message's metadata.
    """

    id: str
    kind: str
    channel: str
    body: Json
    created_at: float
    seq: int = 0
    thread: str | None = None
    thread_of: str | None = None
    card: str | None = None
    state: NoticeState = "due"
    due_at: float = 0.0
    ts: str | None = None
    attempts: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A message that is edited to the current truth; ``dirty`` counts changes not yet shown."""

    key: str
    kind: str
    ref: int
    channel: str
    thread: str | None = None
    ts: str | None = None
    dirty: int = 0
    edited_at: float = 0.0
