"""One answer of a model: asked with what the thread holds, waited for while the model is being loaded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from storage.chat_records import ChatThread, Turn
from storage.store import Store
from tuning.chat.missing import explain
from tuning.clock import Clock
from tuning.errors import ModelLoading, ProviderError, Refused, Unreachable
from tuning.providers import Delta, Finish, Provider, ToolCall

LOADING_TRIES = 20
"""Tries while a new model is still being loaded: about five minutes with the usual wait."""
_NO_SUCH_ROUTE = (404, 405, 501)


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer.

    ``finish_reason``: stop, length, …; ``seconds`` from the request to the last piece; ``tokens`` written.
    """

    finish_reason: str
    seconds: float
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The model is still being loaded; the answer comes when it is there. Said before each new try."""


Part = Delta | ToolCall | Waiting | Done


async def talk(
    store: Store, provider: Provider, thread: ChatThread, turns: Sequence[Turn], clock: Clock, wait: float
) -> AsyncGenerator[Part]:
    """The answer to the last turn in pieces, then :class:`Done`; ``wait``: seconds between two tries.

    Raises:
        ModelLoading: the model is still not there. ModelGone: the provider has it no longer.
        Unreachable, Refused: as the provider said; pieces may have come before.
    """
    began = time.monotonic()
    for attempt in range(1, LOADING_TRIES + 1):
        spoken = False
        try:
            async with aclosing(_pieces(provider, thread, turns)) as answer:
                async for piece in answer:
                    if isinstance(piece, Finish):
                        yield Done(piece.reason, time.monotonic() - began, piece.tokens)
                    else:
                        spoken = True
                        yield piece
            return
        except (Refused, Unreachable) as problem:
            meaning = await explain(store, provider, thread, problem, clock())
            if spoken or attempt == LOADING_TRIES or not isinstance(meaning, ModelLoading):
                raise meaning from problem
        yield Waiting()
        await asyncio.sleep(wait)


async def _pieces(
    provider: Provider, thread: ChatThread, turns: Sequence[Turn]
) -> AsyncGenerator[Delta | ToolCall | Finish]:
    """Over the Responses API where the profile has it; a gateway before it that has it not gets the other."""
    messages, tools = messages_of(thread, turns), thread.tools or None
    responses = await _has_responses(provider)
    while True:
        answer = provider.gateway.stream_chat(thread.model, messages, tools=tools, responses=responses)
        try:
            async with aclosing(answer):
                async for piece in answer:
                    yield piece
            return
        except Refused as problem:
            if not responses or problem.status not in _NO_SUCH_ROUTE or problem.code == "model_not_found":
                raise
            responses = False


async def _has_responses(provider: Provider) -> bool:
    try:
        profile = provider.last_profile or await provider.profile()  # nobody waits for it to be read anew
        return profile.responses
    except ProviderError:  # some keys may talk to models and not list them
        return False


def messages_of(thread: ChatThread, turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """The conversation as models were trained on it: it begins with a question, and the roles alternate.

    Turns that stand beside others of their role (an answer failed, was empty or deleted) become one.
    """
    told: list[dict[str, Any]] = []
    for turn in turns:
        if told and told[-1]["role"] == turn.role:
            told[-1]["content"] += f"\n\n{turn.text}"
        elif told or turn.role == "user":
            told.append({"role": turn.role, "content": turn.text})
    system = [{"role": "system", "content": thread.system_prompt}] if thread.system_prompt else []
    return [*system, *told]
