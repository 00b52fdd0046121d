"""Talking to models: which one, with which system prompt, and the stream of its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from storage.records import ChannelModel, ChatThread, Model, Turn
from storage.store import Store
from tuning.clock import Clock
from tuning.providers import Delta, Providers


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer. ``finish_reason``: stop, length, …; ``seconds``: from the request to the last piece."""

    finish_reason: str
    seconds: float
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One line of the list of models. ``state`` is the job's, or ``base``; ``model`` is ``None`` until it is ready.

    ``checkpoints`` counts the snapshots that can be talked to as ``NAME@N``.
    """

    name: str
    state: str
    base: str
    provider: str
    made_at: float | None = None
    in_use: bool = False
    model: Model | None = None
    checkpoints: int = 0
    shutdown_date: str | None = None


class Chat:
    """Resolves model names and streams answers."""

    def __init__(self, store: Store, providers: Providers, clock: Clock) -> None: ...

    async def resolve(self, channel: str, name: str | None) -> Model:
        """The model for a name (``triage-7``, ``triage-7@2``, a base), or the channel's own for ``None``.

        Raises:
            NoModel: nothing has this name, or the channel has no model yet.
        """
        raise NotImplementedError

    async def begin(self, channel: str, thread: str, user: str, model: Model) -> ChatThread:
        """Begins a chat thread with the system prompt and tools that the model was trained with."""
        raise NotImplementedError

    async def models(self, channel: str) -> list[ModelEntry]:
        """The channel's jobs, newest first, then the bases that can be talked to."""
        raise NotImplementedError

    async def use(self, channel: str, model: Model, user: str) -> ChannelModel | None:
        """Sets the model for new chats of the channel; answers the one before."""
        raise NotImplementedError

    async def stream(self, thread: ChatThread, turns: list[Turn]) -> AsyncIterator[Delta | Done]:
        """The answer to the last turn in pieces, then :class:`Done`.

        Raises:
            ModelLoading: the model is too new. ModelGone: the provider has it no longer.
            Unreachable, Refused: as the provider said.
        """
        raise NotImplementedError
        yield Delta("")
