"""Surface: submitted forms. What a form knows by itself is answered in the acknowledgement."""

from __future__ import annotations

from handlers import reply
from handlers.house import House
from handlers.incoming import Incoming
from handlers.views import start_form
from handlers.views.problems import error_message
from storage.records import InboxItem
from tuning.errors import StartRefused
from tuning.jobs.start import check_datasets, check_numbers

BLOCK_OF = {"epochs": "more_epochs", "batch": "more_batch", "rate": "more_rate", "seed": "more_seed"}
"""The block of a refused field where it has another name."""


async def errors_in(house: House, sent: Incoming) -> dict[str, str]:
    """Errors by block id, for ``response_action: errors``; empty when the form may close.

    Only what our own records tell is looked at: the acknowledgement must not wait for a provider.
    """
    if sent.view.get("callback_id") != start_form.CALLBACK:
        return {}
    request = start_form.parse(sent.view, sent.user)
    if isinstance(request, dict):
        return request
    try:
        check_numbers(request)
        await house.store.read(lambda db: check_datasets(db, request, None))
    except StartRefused as refused:
        words = " ".join(part for part in (str(refused), refused.todo) if part)
        return {BLOCK_OF.get(refused.field, refused.field): words}
    return {}


async def on_submission(house: House, item: InboxItem, sent: Incoming) -> None:
    """Starts the job. All the person sees is its card; a refusal is said to them alone, in the channel."""
    if sent.view.get("callback_id") != start_form.CALLBACK:
        return
    request = start_form.parse(sent.view, sent.user)
    if isinstance(request, dict):
        return
    try:
        await house.engine.start(request)
    except StartRefused as refused:
        await reply.tell(house, sent, error_message(refused))
