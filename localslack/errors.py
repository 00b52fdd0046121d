"""What can go wrong in the workspace.

LocalslackError
├── StartError      the program cannot start; the message says what to change
│   └── ManifestError   the app's manifest cannot be read or Slack would refuse it
├── ApiError        a Web API call is refused; ``code`` is Slack's own error code
│   └── RateLimited     the call came too soon; ``retry_after`` is in whole seconds
├── UiError         a person's request is refused; ``code`` for programs, the message for people
└── NotDelivered    the app did not take a payload that a person waits for
"""

from __future__ import annotations

from typing import Any


class LocalslackError(Exception):
    """Base of everything this program raises on purpose."""


class StartError(LocalslackError):
    """The program cannot start. Read the message, change the argument or file it names, start again."""


class ManifestError(StartError):
    """The app's manifest cannot be read, or Slack would refuse it; the message says where and why."""


class ApiError(LocalslackError):
    """A Web API call is refused with one of Slack's error codes.

    ``messages`` become ``response_metadata.messages``; ``extra`` are further keys of the answer.
    """

    def __init__(self, code: str, *messages: str, **extra: Any) -> None:
        super().__init__(f"{code}: {'; '.join(messages)}" if messages else code)
        self.code = code
        self.messages = list(messages)
        self.extra = extra

    def answer(self) -> dict[str, Any]:
        """The JSON that Slack would send."""
        body: dict[str, Any] = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            body["response_metadata"] = {"messages": self.messages}
        return body


class RateLimited(ApiError):
    """Too many calls of one method, or messages in one channel. Wait ``retry_after`` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("ratelimited")
        self.retry_after = retry_after


class UiError(LocalslackError):
    """A person's request cannot be done; the message says why in plain words."""

    def __init__(self, code: str, message: str, status: int = 400, **extra: Any) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.extra = extra


class NotDelivered(LocalslackError):
    """The app is not connected (``dispatch_failed``) or was too slow (``operation_timeout``)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
