"""What a verb is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from handlers.answer import Answer, Call
from handlers.house import House

Run = Callable[[Call, House], Awaitable[Answer | None]]


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing a person can ask for; ``usage`` shows its arguments, ``line`` says what it does."""

    name: str
    usage: str
    line: str
    run: Run
