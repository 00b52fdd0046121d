"""What can go wrong in the server, as one tree.

    TrainserverError
    ├── ConfigError            the settings cannot be used; the program ends with exit code 2
    ├── BaseUnavailable        a base model is missing or does not load
    ├── JobFailed              a fine-tuning job ends as `failed` with this code, message and param
    ├── LostPeer               another process of the same job is gone; the job goes on from its last state
    ├── ServingFailed          the process that answers died or refused; the request gets a 5xx
    └── ApiError               answered to the client in OpenAI's error body
        ├── BadRequest         400
        ├── Unauthorized       401
        ├── Forbidden          403
        └── NotFound           404

The error body is `{"error": {"message", "type", "param", "code"}}`.
"""

from __future__ import annotations


class TrainserverError(Exception):
    """Something in the training server went wrong."""


class ConfigError(TrainserverError):
    """The settings cannot be used. The message says which one and what would do."""


class BaseUnavailable(TrainserverError):
    """A base model is missing or does not load. The message says where it was looked for."""


class JobFailed(TrainserverError):
    """A fine-tuning job cannot go on; `code`, the message and `param` become the job's `error`."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


class LostPeer(TrainserverError):
    """Another process of the job is gone; this one ends, and the job goes on from its last state."""


class ServingFailed(TrainserverError):
    """The process that answers died or could not load the model; asking again may work."""


class ApiError(TrainserverError):
    """An answer in OpenAI's error shape."""

    status = 500
    type = "server_error"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


class BadRequest(ApiError):
    """The request cannot be done as it stands."""

    status = 400
    type = "invalid_request_error"


class Unauthorized(ApiError):
    """The API key is missing or wrong."""

    status = 401
    type = "invalid_request_error"


class Forbidden(ApiError):
    """The key is good, but not for this."""

    status = 403
    type = "invalid_request_error"


class NotFound(ApiError):
    """No such file, job or model."""

    status = 404
    type = "invalid_request_error"
