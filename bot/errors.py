"""What ends the process, each with an exit code.

BotError             (exit 1)
├── SettingsError    (exit 2) a setting is missing or wrong
└── StartError       (exit 1) Slack, the provider or the store cannot be used
"""

from __future__ import annotations


class BotError(Exception):
    """ftbot cannot go on."""

    exit_code = 1


class SettingsError(BotError):
    """A setting is missing or wrong. The message names it and says what to set."""

    exit_code = 2


class StartError(BotError):
    """Something ftbot needs cannot be used. The message says what and what to do."""
