"""The reference pages say what the code does."""

from __future__ import annotations

from tools.reference import CHECKS, COMMANDS, checks, commands


def test_the_page_about_commands_equals_the_verbs() -> None:
    assert COMMANDS.read_text("utf-8") == commands(), "run: python -m tools.reference"


def test_the_page_of_checks_is_made_from_the_code() -> None:
    assert CHECKS.read_text("utf-8") == checks(), "run: python -m tools.reference"
