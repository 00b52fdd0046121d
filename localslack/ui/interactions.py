"""Doing things with the app: commands, clicks, menus, forms, Home, shortcuts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from localslack import channels, events, payloads, shapes
from localslack.answers import answer_command
from localslack.elements import action_of, find_element, first_state, given_value, input_errors
from localslack.errors import ApiError, UiError
from localslack.records import JSON, Channel, Message, View, is_object
from localslack.typed import escape, markup
from localslack.ui import places
from localslack.ui.request import Person
from localslack.webapi.content import checked_view
from localslack.world import World


async def command(person: Person) -> JSON:
    """A slash command. Slack has none in threads; ``/invite`` is built in."""
    name, _, text = str(person.need("text")).partition(" ")
    if person.body.get("thread_ts"):
        raise UiError("in_thread", f"{name} is not supported in threads.")
    if name == "/invite":
        return await places.invite(person, str(person.need("channel")), text)
    world, channel = person.world, person.channel(str(person.need("channel")), joined=True)
    known = next((c for c in world.manifest.commands if c.command == name), None)
    if known is None:
        raise UiError("unknown_command", f"{name} is not a valid command.")
    text = markup(world, text.strip(), named=True) if known.should_escape else escape(text.strip())
    answer = await world.delivery.ask(
        "slash_commands", payloads.slash_command(world, person.user, channel, name, text)
    )
    answer_command(world, channel, person.user.id, answer)
    return {}


# ------------------------------------------------------------------ clicks


def _view(person: Person, view_id: str) -> View:
    home = person.world.store.home(person.user.id)
    view = home if home is not None and home.id == view_id else person.world.windows.find(view_id)
    if view is None or view.user != person.user.id:
        raise UiError("view_not_found", "This form is not open (any more).", 404)
    return view


def _place(person: Person) -> tuple[Channel, Message]:
    channel = person.channel(str(person.need("channel")))
    return channel, person.message(channel, str(person.need("message_ts")))


async def act(person: Person) -> JSON:
    """A click on a button, a choice in a menu: in a message, a modal or Home."""
    block_id, action_id = str(person.need("block_id")), str(person.need("action_id"))
    if person.body.get("view_id"):
        payload = _act_in_view(person, _view(person, str(person.body["view_id"])), block_id, action_id)
        if payload is None:
            return {}
    else:
        payload = _act_in_message(person, *_place(person), block_id, action_id)
    await person.world.delivery.ask("interactive", payload)
    return {}


def _act_in_message(
    person: Person, channel: Channel, message: Message, block_id: str, action_id: str
) -> JSON:
    world, blocks = person.world, message.blocks or []
    block, element = find_element(blocks, block_id, action_id)
    action = action_of(block, element, person.body, world.clock.next_ts())
    state = _merged(blocks, world.states.get((person.user.id, message.ts), {}), {})
    if block_id in state and action_id in state[block_id]:
        state[block_id][action_id] = given_value(element, person.body)
        world.states[person.user.id, message.ts] = state
    return payloads.message_click(world, person.user, channel, message, action, state)


def _act_in_view(person: Person, view: View, block_id: str, action_id: str) -> JSON | None:
    """None for an input block without ``dispatch_action``: kept for the submission, not told to the app."""
    world, blocks = person.world, view.body["blocks"]
    block, element = find_element(blocks, block_id, action_id)
    action = action_of(block, element, person.body, world.clock.next_ts())
    state = _merged(blocks, view.state, person.body.get("values") or {})
    if block_id in state and action_id in state[block_id]:
        state[block_id][action_id] = given_value(element, person.body)
    changed = world.windows.remember(view, state)
    if block["type"] == "input" and not block.get("dispatch_action"):
        return None
    return payloads.view_click(world, person.user, changed, action)


def _merged(blocks: list[JSON], before: JSON, given: JSON) -> JSON:
    """First values, over them what was filled in before, over them what is given now."""
    state = first_state(blocks)
    for source in (before, given):
        for block_id, fields in source.items():
            for action_id, value in fields.items():
                if block_id in state and action_id in state[block_id]:
                    _, element = find_element(blocks, block_id, action_id)
                    state[block_id][action_id] = given_value(element, value)
    return state


async def options(person: Person) -> JSON:
    """The options of an external select for what was typed so far."""
    world, block_id, action_id = person.world, str(person.need("block_id")), str(person.need("action_id"))
    where = _view(person, str(person.body["view_id"])) if person.body.get("view_id") else _place(person)
    value = str(person.body.get("value") or "")
    payload = payloads.block_suggestion(world, person.user, block_id, action_id, value, where)
    answer = await world.delivery.ask("interactive", payload)
    return {key: answer[key] for key in ("options", "option_groups") if key in answer} or {"options": []}


# ------------------------------------------------------------------- forms


async def views(person: Person) -> JSON:
    stack = person.world.windows.stack(person.user.id)
    return {"views": [shapes.view_json(view, person.world.me) for view in stack]}


async def submit(person: Person) -> JSON:
    """Send a form. Required fields are checked here, as Slack's client does, before the app hears of it."""
    world, view = person.world, _view(person, person.request.path_params["view"])
    blocks: list[JSON] = view.body["blocks"]
    state = _merged(blocks, view.state, person.body.get("values") or {})
    _take_files(person, state)
    if errors := input_errors(blocks, state):
        raise UiError("invalid", "Some fields need another look.", errors=errors)
    view = world.windows.remember(view, state)
    answer = await world.delivery.ask("interactive", payloads.view_submission(world, person.user, view))
    return _respond(person, view, answer)


def _take_files(person: Person, state: JSON) -> None:
    """The person's own files named in ``file_input`` fields, as full objects; the app may read them now."""
    for fields in state.values():
        for value in fields.values():
            if value["type"] != "file_input":
                continue
            named = [person.world.store.file(str(file.get("id"))) for file in value["files"]]
            mine = [file for file in named if file is not None and file.user == person.user.id]
            if len(mine) < len(named):
                raise UiError("file_not_found", "A file in the form is not there (any more).", 404)
            for file in mine:
                person.world.store.save_file(replace(file, granted=True))
            value["files"] = [person.world.file_json(file) for file in mine]


def _respond(person: Person, view: View, answer: JSON) -> JSON:
    """Do what the acknowledgement of a form says. Raises UiError ``invalid`` with its errors."""
    world, kind = person.world, answer.get("response_action")
    only = frozenset({person.user.id})
    if kind == "errors":
        errors = _known_errors(world, view, answer.get("errors"))
        raise UiError("invalid", "Some fields need another look.", errors=errors)
    if kind in ("update", "push"):
        try:
            body = checked_view(world, answer.get("view") or {}, "modal")
            current = world.windows.find(view.id) or view
            shown = (
                world.windows.update(current, body)
                if kind == "update"
                else world.windows.push(person.user.id, body)
            )
        except ApiError as error:
            raise _bad_answer(world, f"The app's answer is not valid: {error}") from None
        said = shapes.view_json(shown, world.me)
        world.feed.publish(
            {"type": "view_updated" if kind == "update" else "view_pushed", "view": said}, only
        )
        return {"view": said}
    if kind == "clear":
        for open_view in world.windows.stack(person.user.id)[::-1]:
            world.feed.publish({"type": "view_closed", "view_id": open_view.id}, only)
        world.windows.clear(person.user.id)
        return {"closed": True}
    if kind is not None:
        raise _bad_answer(world, f"The app's answer has an unknown response_action: {kind}")
    world.windows.close(view)
    world.feed.publish({"type": "view_closed", "view_id": view.id}, only)
    return {"closed": True}


def _bad_answer(world: World, words: str) -> UiError:
    world.malformed.note("ack", ApiError("bad_answer", words))
    return UiError("bad_answer", words, 502)


def _known_errors(world: World, view: View, errors: Any) -> JSON:
    """Errors must name input blocks of the view, else Slack shows a failure."""
    blocks = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
    if not is_object(errors) or not errors or set(errors) - blocks:
        raise _bad_answer(world, "The app's errors do not name input blocks of this form.")
    return errors


async def close(person: Person) -> JSON:
    """Close a modal (and, if it says so, the stack below: ``clear_on_close``)."""
    world, view = person.world, _view(person, person.request.path_params["view"])
    clears = bool(view.body.get("clear_on_close"))
    doomed = world.windows.stack(person.user.id)[::-1] if clears else [view]
    world.windows.close(view)
    if clears:
        world.windows.clear(person.user.id)
    for closed in doomed:
        world.feed.publish({"type": "view_closed", "view_id": closed.id}, frozenset({person.user.id}))
        if closed.body.get("notify_on_close"):
            world.delivery.tell(
                "interactive", payloads.view_closed(world, person.user, closed, cleared=clears)
            )
    return {}


# --------------------------------------------------------- Home, shortcuts


async def open_home(person: Person) -> JSON:
    """``tab`` is ``home`` (default) or ``messages``: the app's page has both."""
    world, tab = person.world, person.body.get("tab") or "home"
    if tab not in ("home", "messages"):
        raise UiError("bad_value", "tab is home or messages.")
    view = world.store.home(person.user.id) if tab == "home" else None
    if tab == "home" and not world.manifest.home_tab:
        raise UiError("not_enabled", "The app has no Home tab.")
    channel, _ = channels.open_dm(world, person.user, world.bot)
    event: JSON = {
        "type": "app_home_opened",
        "user": person.user.id,
        "channel": channel.id,
        "tab": tab,
        "event_ts": world.clock.next_ts(),
    }
    events.send(world, event | ({"view": shapes.view_json(view, world.me)} if view else {}))
    return {}


async def home(person: Person) -> JSON:
    view = person.world.store.home(person.user.id)
    return {"view": shapes.view_json(view, person.world.me) if view else None}


async def shortcut(person: Person) -> JSON:
    world, callback_id = person.world, str(person.need("callback_id"))
    known = next((s for s in world.manifest.shortcuts if s.callback_id == callback_id), None)
    if known is None:
        raise UiError("unknown_shortcut", f"There is no shortcut {callback_id!r}.", 404)
    where = _place(person) if known.type == "message" else None
    await world.delivery.ask("interactive", payloads.shortcut(world, person.user, callback_id, where))
    return {}
