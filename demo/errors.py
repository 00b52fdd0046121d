"""What can go wrong in the demo.

DemoError
├── BadInput        the person's own files or options cannot be used (exit 2)
├── ProgramDied     one of the three programs did not start or ended early
└── NotSeen         a stage did not show what it must show
"""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot go on. ``program`` names the program whose log tells more."""

    exit_code = 1

    def __init__(self, message: str, program: str | None = None) -> None:
        super().__init__(message)
        self.program = program


class BadInput(DemoError):
    """A file or an option cannot be used."""

    exit_code = 2


class ProgramDied(DemoError):
    """One of the three programs did not start or ended early."""


class NotSeen(DemoError):
    """A stage did not show what it must show."""
