"""Faults on order, for tests: rate limits, dropped connections, repeated events, the record of calls."""

from __future__ import annotations

from typing import Any

from localslack import socketmode
from localslack.errors import UiError
from localslack.records import JSON
from localslack.ui.request import Person
from localslack.webapi.registry import METHODS
from localslack.webapi.routes import WebApi

_KNOWN = {
    "ack_seconds",
    "calls",
    "disconnect",
    "events",
    "rate_limit",
    "rate_limits",
    "redeliver",
    "retry_delays",
    "trigger_seconds",
}


def control(api: WebApi) -> Any:
    """The action behind ``POST /ui/control``; several orders may stand in one body."""

    async def act(person: Person) -> JSON:
        body, world = person.body, person.world
        if unknown := sorted(set(body) - _KNOWN):
            raise UiError(
                "unknown_order", f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(_KNOWN))}."
            )
        answer: JSON = {}
        if order := body.get("rate_limit"):
            if order.get("method") not in METHODS:
                raise UiError("unknown_order", "rate_limit needs a known method.")
            api.limits.order(order["method"], int(order.get("seconds", 1)), int(order.get("times", 1)))
        if "rate_limits" in body:
            api.limits.enabled = body["rate_limits"] not in (False, "off")
        if "retry_delays" in body:
            world.delivery.retry_delays = tuple(float(delay) for delay in body["retry_delays"])
        if "ack_seconds" in body:
            world.delivery.ack_s = float(body["ack_seconds"])
        if "trigger_seconds" in body:
            world.windows.trigger_s = float(body["trigger_seconds"])
        if body.get("disconnect"):
            answer["disconnected"] = await socketmode.disconnect(world, body["disconnect"])
        if body.get("redeliver") and not world.delivery.redeliver(str(body["redeliver"])):
            raise UiError("event_not_found", "There is no such event among the last thousand.", 404)
        if body.get("events"):
            answer["events"] = world.delivery.events()
        if body.get("calls"):
            answer["calls"] = list(api.calls)
        return answer

    return act
