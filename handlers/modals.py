"""Surface: submitted forms. What a form knows by itself is answered in the acknowledgement."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from handlers import comparing, preparing, reply
from handlers.dataset_buttons import add_validation, read_as, refuse_validation
from handlers.house import House
from handlers.incoming import Incoming
from handlers.verbs import settings
from handlers.views import compare, reading_form, settings_form, start_form, validation_form
from handlers.views.problems import error_message
from handlers.visible import channels_for, still_in
from storage import rooms
from storage.records import InboxItem
from tuning.errors import ChatError, DatasetError, StartRefused


async def errors_in(house: House, sent: Incoming) -> dict[str, str]:
    """Errors by block id, for ``response_action: errors``; empty when the form may close.

    Only what our own records and files tell is looked at: the acknowledgement must not wait for a provider.
    """
    try:
        await _refuse_left(house, sent)
        match sent.view.get("callback_id"):
            case start_form.CALLBACK:
                request = start_form.parse(sent.view, sent.user)
                if isinstance(request, dict):
                    return request
                await preparing.refuse(house, request, start_form.chosen(sent.view))
            case validation_form.CALLBACK:
                await refuse_validation(house, validation_form.parse(sent.view))
            case settings_form.CALLBACK:
                chosen = settings_form.parse(sent.view, sent.user, house.clock())
                return chosen if isinstance(chosen, dict) else {}
            case compare.CALLBACK:
                wish = compare.parse(sent.view)
                return wish if isinstance(wish, dict) else {}
            case _:
                pass
    except StartRefused as refused:
        words = " ".join(part for part in (str(refused), refused.todo) if part)
        return {_field(refused, sent): words}
    return {}


def _field(refused: StartRefused, sent: Incoming) -> str:
    """The block an error stands at; where the form has no such block, the first one."""
    field = start_form.BLOCK_OF.get(refused.field, refused.field)
    state = cast("dict[str, dict[str, object]]", sent.view.get("state") or {})
    blocks = list(state.get("values") or {})
    return field if field in blocks or not blocks else blocks[0]


async def _refuse_left(house: House, sent: Incoming) -> None:
    """Refuses a form of a private channel that the person is in no longer.

    Raises:
        StartRefused: they are not.
    """
    if not await still_in(house, sent.user, sent.channel):
        raise StartRefused("channel", "You are not in this channel any more, or I am not.")


async def on_submission(house: House, item: InboxItem, sent: Incoming) -> None:
    """Does what a form says. A refusal is said to the person alone, in the channel while they are in it."""
    try:
        await _refuse_left(house, sent)
    except StartRefused as refused:
        await reply.tell(house, replace(sent, channel="", is_dm=False), error_message(refused))
        return
    try:
        match sent.view.get("callback_id"):
            case start_form.CALLBACK:
                await _start(house, sent)
            case validation_form.CALLBACK:
                await add_validation(house, validation_form.parse(sent.view), sent.user)
            case reading_form.CALLBACK:
                await read_as(house, reading_form.parse(sent.view), sent.user)
            case settings_form.CALLBACK:
                await _settings(house, sent)
            case compare.CALLBACK:
                await _compare(house, sent)
            case _:
                pass
    except (StartRefused, DatasetError, ChatError) as refused:
        await reply.tell(house, sent, error_message(refused))


async def _settings(house: House, sent: Incoming) -> None:
    chosen = settings_form.parse(sent.view, sent.user, house.clock())
    if isinstance(chosen, dict):
        return
    before = await house.store.read(lambda db: rooms.settings_of(db, chosen.channel))
    await reply.answer(house, sent, await settings.save(house, before, chosen))


async def _compare(house: House, sent: Incoming) -> None:
    wish = compare.parse(sent.view)
    if isinstance(wish, dict):
        return
    first, second, question = wish
    also = await channels_for(house, sent.user, is_dm=sent.is_dm)
    models = (
        await house.chat.resolve(sent.channel, first, also),
        await house.chat.resolve(sent.channel, second, also),
    )
    await comparing.begin(house, sent.channel, None, sent.user, models, question)


async def _start(house: House, sent: Incoming) -> None:
    """Starts the job. All the person sees is its card, and the card of what is made for it."""
    request = start_form.parse(sent.view, sent.user)
    if isinstance(request, dict):
        return
    await house.engine.start(await preparing.prepare(house, request, start_form.chosen(sent.view)))
