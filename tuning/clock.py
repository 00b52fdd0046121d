"""Time comes in through the constructor, so that tests can turn it."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]
"""Answers the time in Unix seconds."""
