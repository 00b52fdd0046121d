"""Problems in words for the person who meets them: what happened, then what to do."""

from __future__ import annotations

from handlers.answer import Block, Message
from handlers.errors import HandlerError
from handlers.text import cut, esc
from handlers.views.layout import Line, bold, preformatted, rich
from storage.errors import NotFound
from tuning.errors import ProviderError, TuningError


def problem(message: str, todo: str = "") -> Message:
    """What happened, and what to do."""
    lines: list[Line] = [["⚠️ ", message]]
    if todo:
        lines.append([bold("Do: "), todo])
    return Message(esc(cut(message, 300)), [rich(*lines)])


def error_message(error: Exception) -> Message:
    """An error as a message; the provider's own words stand in a box where they cannot act."""
    if isinstance(error, ProviderError):
        blocks: list[Block] = list(problem(str(error), error.todo).blocks)
        if error.provider_words and error.provider_words != str(error):
            blocks.append(preformatted(error.provider_words, 600))
        return Message(esc(cut(str(error), 300)), blocks)
    if isinstance(error, TuningError | HandlerError):
        return problem(str(error), error.todo)
    if isinstance(error, NotFound):
        return problem(str(error))
    return problem(
        "Something went wrong inside ftbot. It is in the log; your data and jobs are unchanged.",
        "Try once more. If it stays, tell the person who runs ftbot.",
    )
