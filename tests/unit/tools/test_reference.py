"""The reference pages say what the code does."""

from __future__ import annotations

from tools.reference import COMMANDS, commands


def test_the_page_about_commands_equals_the_verbs() -> None:
    assert COMMANDS.read_text("utf-8") == commands(), "run: python tools/reference.py"
