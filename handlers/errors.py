"""What can go wrong on floor 3.

HandlerError
├── BadCall           a verb was called with something it cannot use; the message says what it takes
├── DownloadFailed    a drop could not be fetched from Slack
├── DeliveryFailed    Slack will never take this message (channel gone, bot not in it)
└── NotYet            a notice cannot be said yet; it is tried again in a moment
"""

from __future__ import annotations


class HandlerError(Exception):
    """Something between Slack and ftbot went wrong.

    ``str(error)`` says what happened in plain words, ``todo`` what the person can do about it.
    """

    def __init__(self, message: str | None = None, todo: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        self.todo = todo


class BadCall(HandlerError):
    """That cannot be done with these words."""


class DownloadFailed(HandlerError):
    """The file could not be fetched from Slack."""


class DeliveryFailed(HandlerError):
    """Slack does not take this message; trying again cannot help."""


class NotYet(HandlerError):
    """This cannot be said yet: what it speaks of is not in Slack so far."""
