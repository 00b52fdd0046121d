"""What can go wrong on floor 2.

TuningError
├── ProviderError            the provider did not do what was asked
│   ├── Unreachable          network, time-outs, 5xx, "slow down": try again
│   └── Refused              a clear no (4xx): trying again changes nothing
├── NotGenuine               a webhook that the provider did not sign
├── StartRefused             a field of the start form does not fit
├── DatasetError
│   ├── NotKept              the file is no longer kept here
│   └── DatasetBusy          an open job still needs the file
├── JobError
│   ├── JobNotFound          there is no job with this name
│   ├── NotCancellable       the job has ended already
│   └── NotPausable          the provider cannot pause it, or it is not in a state for that
├── EvaluationFailed         the score could not be computed
└── ChatError
    ├── NoModel              there is nothing to talk to
    ├── ModelLoading         the model is so new that the provider does not answer with it yet
    ├── ModelGone            the provider no longer has the model
    └── CapReached           the tokens for chat of this month are used up
"""

from __future__ import annotations


class TuningError(Exception):
    """Something about a dataset, a job or a model did not work. ``todo`` says what to do, in plain words."""

    def __init__(self, message: str | None = None, todo: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        self.todo = todo


class ProviderError(TuningError):
    """The provider did not do what was asked.

    ``code`` is the provider's own (or ``http_STATUS`` / ``network``), ``status`` the HTTP status or ``None``,
    ``provider_words`` its own sentence, ``param`` the field it names.
    """

    def __init__(
        self,
        code: str,
        status: int | None,
        message: str,
        provider_words: str = "",
        *,
        todo: str = "",
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, todo)
        self.code = code
        self.status = status
        self.provider_words = provider_words
        self.param = param
        self.retry_after = retry_after

    def record(self) -> dict[str, object]:
        """The error as ``Job.error`` keeps it: code, message (the provider's words), param."""
        return {"code": self.code, "message": self.provider_words or str(self), "param": self.param}


class Unreachable(ProviderError):
    """The provider gave no usable answer. It is asked again by itself."""


class Refused(ProviderError):
    """The provider said no, and asking again would change nothing."""


class NotGenuine(TuningError):
    """This webhook is not signed with the secret that is set for the provider, or it is too old."""


class StartRefused(TuningError):
    """A field of the start form does not fit.

    ``field`` is one of dataset, validation, leaves, base, name, epochs, batch, rate, seed, method, beta,
    grader, wandb.
    """

    def __init__(self, field: str, message: str, todo: str = "") -> None:
        super().__init__(message, todo)
        self.field = field


class DatasetError(TuningError):
    """The dataset cannot be used so."""


class NotKept(DatasetError):
    """The file is no longer kept here."""

    def __init__(self) -> None:
        super().__init__("The file is no longer kept here.", "Drop it again.")


class DatasetBusy(DatasetError):
    """An open job still needs the file."""

    def __init__(self, jobs: str) -> None:
        super().__init__(f"{jobs} still needs this file.", "Wait for its end, or cancel it first.")


class JobError(TuningError):
    """The job cannot do this."""


class JobNotFound(JobError):
    """There is no job with this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no job {name}.", "See the names with the verb jobs.")
        self.name = name


class NotCancellable(JobError):
    """The job has ended already, so there is nothing to cancel."""


class NotPausable(JobError):
    """The job cannot be paused or resumed now."""


class EvaluationFailed(TuningError):
    """The score on the validation rows could not be computed."""


class ChatError(TuningError):
    """The model did not answer."""


class NoModel(ChatError):
    """There is no such model to talk to."""


class ModelLoading(ChatError):
    """The model is new and the provider is still loading it. Try again in a minute."""


class ModelGone(ChatError):
    """The provider no longer has this model."""


class CapReached(ChatError):
    """The tokens for chat of this month are used up."""
