"""Surface: submitted forms. What a form knows by itself is answered in the acknowledgement."""

from __future__ import annotations

from handlers import reply
from handlers.house import House
from handlers.incoming import Incoming
from handlers.views import start_form
from handlers.views.problems import error_message
from storage.records import InboxItem
from tuning.errors import StartRefused


def errors_in(sent: Incoming) -> dict[str, str]:
    """Errors by block id, for ``response_action: errors``; empty when the form may close."""
    if sent.view.get("callback_id") != start_form.CALLBACK:
        return {}
    parsed = start_form.parse(sent.view, sent.user)
    return parsed if isinstance(parsed, dict) else {}


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
