"""The form that starts a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuning.jobs.engine import StartRequest

CALLBACK = "start_form"


def parse(view: dict[str, Any], user: str) -> StartRequest | dict[str, str]:
    """The wish a submitted form holds, or the errors by block id for ``response_action: errors``.

    The intent is the view's id, so that submitting twice starts one job. Nothing is asked of the store or the
    provider: what only they can know is said later, as a message.
    """
    raise NotImplementedError
