"""What each person has open: modals (a stack of at most three) and the triggers that may open one."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace

from localslack.errors import ApiError
from localslack.ids import new_id
from localslack.records import JSON, View
from localslack.shapes import with_ids

TRIGGER_S = 3.0
STACK = 3
MAX_VIEW_BYTES = 250_000


@dataclass
class Trigger:
    """A permission to open one modal for one person, good for three seconds and one use."""

    id: str
    user: str
    created: float
    used: bool = False


def new_hash() -> str:
    return f"{int(time.time())}.{secrets.token_hex(4)}"


class Windows:
    """Modal stacks and triggers. They live as long as the program, as a client's windows do."""

    def __init__(self) -> None:
        self._triggers: dict[str, Trigger] = {}
        self._stacks: dict[str, list[View]] = {}
        self.trigger_s = TRIGGER_S

    # -------------------------------------------------------------- triggers

    def trigger(self, user: str) -> str:
        """A fresh trigger id for something that ``user`` just did."""
        now = time.time()
        self._triggers = {k: t for k, t in self._triggers.items() if now - t.created < 600}
        made = Trigger(
            f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}", user, now
        )
        self._triggers[made.id] = made
        return made.id

    def exchange(self, trigger_id: str) -> str:
        """Use a trigger up; the person's id. Raises ApiError as Slack does for unknown, used and old ones."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.used:
            raise ApiError("exchanged_trigger_id")
        if time.time() - trigger.created > self.trigger_s:
            raise ApiError("expired_trigger_id")
        trigger.used = True
        return trigger.user

    # ----------------------------------------------------------------- views

    def stack(self, user: str) -> list[View]:
        return list(self._stacks.get(user, []))

    def find(self, view_id: str | None = None, external_id: str | None = None) -> View | None:
        for stack in self._stacks.values():
            for view in stack:
                if view.id == view_id or (external_id and view.body.get("external_id") == external_id):
                    return view
        return None

    def open(self, user: str, body: JSON) -> View:
        """A new modal in place of whatever the person had open."""
        view = _new_view(user, body)
        self._stacks[user] = [view]
        return view

    def push(self, user: str, body: JSON) -> View:
        """A modal on top.

        Raises ApiError ``push_limit_reached`` for a fourth, ``not_found`` without one below.
        """
        stack = self._stacks.get(user) or []
        if not stack:
            raise ApiError("not_found")
        if len(stack) >= STACK:
            raise ApiError("push_limit_reached")
        view = replace(_new_view(user, body), root_id=stack[0].id, previous_id=stack[-1].id)
        stack.append(view)
        return view

    def update(self, view: View, body: JSON) -> View:
        """New content for an open modal; what was typed in blocks that stay is kept."""
        filled = {**body, "blocks": with_ids(body["blocks"])}
        kept = {block["block_id"] for block in filled["blocks"]}
        state = {block: value for block, value in view.state.items() if block in kept}
        changed = replace(view, body=filled, hash=new_hash(), state=state)
        self._swap(view, changed)
        return changed

    def remember(self, view: View, state: JSON) -> View:
        """Keep what the person filled in."""
        changed = replace(view, state=state)
        self._swap(view, changed)
        return changed

    def close(self, view: View) -> None:
        """Close a modal and those above it."""
        stack = self._stacks.get(view.user, [])
        for index, other in enumerate(stack):
            if other.id == view.id:
                del stack[index:]
                return

    def clear(self, user: str) -> None:
        self._stacks.pop(user, None)

    def _swap(self, old: View, new: View) -> None:
        stack = self._stacks.get(old.user, [])
        for index, other in enumerate(stack):
            if other.id == old.id:
                stack[index] = new


def _new_view(user: str, body: JSON) -> View:
    view_id = new_id("V")
    return View(view_id, user, {**body, "blocks": with_ids(body["blocks"])}, new_hash(), view_id)


def new_home(user: str, body: JSON, before: View | None) -> View:
    """A published Home tab; its id stays over publications."""
    made = _new_view(user, body)
    return made if before is None else replace(made, id=before.id, root_id=before.id)
