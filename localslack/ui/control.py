"""Faults on order, for tests: limits, late and lost answers, broken connections, repeated events, records."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any, cast

from localslack import socketmode
from localslack.errors import UiError
from localslack.faults import PLACES, Delay, Failure
from localslack.records import JSON
from localslack.ui.request import Person
from localslack.webapi.registry import METHODS
from localslack.webapi.routes import WebApi
from localslack.world import World

Order = Callable[[WebApi, World, Any], Awaitable[JSON] | JSON]


def _known(order: Any, kind: type[Delay] | type[Failure]) -> JSON:
    """An order whose keys are the fields of ``kind``. Raises UiError ``unknown_order``."""
    names = {field.name for field in fields(kind)}
    if not isinstance(order, dict) or set(cast("JSON", order)) - names:
        raise UiError("unknown_order", f"An object is needed, with keys among {', '.join(sorted(names))}.")
    given = cast("JSON", order)
    if given.get("method") not in (*METHODS, *PLACES, "*"):
        raise UiError("unknown_order", f"A known method is needed, or one of {', '.join(PLACES)}, or *.")
    return given


def _rate_limit(api: WebApi, world: World, order: Any) -> JSON:
    if order.get("method") not in METHODS:
        raise UiError("unknown_order", "rate_limit needs a known method.")
    api.limits.order(order["method"], int(order.get("seconds", 1)), int(order.get("times", 1)))
    return {}


def _rate_limits(api: WebApi, world: World, order: Any) -> JSON:
    api.limits.enabled = order not in (False, "off")
    return {}


def _delay(api: WebApi, world: World, order: Any) -> JSON:
    world.faults.delays.append(Delay(**_known(order, Delay)))
    return {}


def _fail(api: WebApi, world: World, order: Any) -> JSON:
    world.faults.failures.append(Failure(**_known(order, Failure)))
    return {}


def _no_faults(api: WebApi, world: World, order: Any) -> JSON:
    world.faults.clear()
    api.limits.clear()
    world.delivery.twice = "off"
    world.delivery.release()
    return {}


def _seconds(world: World, order: JSON) -> None:
    """``retry_delays``, ``ack_seconds``, ``trigger_seconds`` and ``stream_seconds`` by their own names."""
    if "retry_delays" in order:
        world.delivery.retry_delays = tuple(float(delay) for delay in order["retry_delays"])
    if "ack_seconds" in order:
        world.delivery.ack_s = float(order["ack_seconds"])
    if "trigger_seconds" in order:
        world.windows.trigger_s = float(order["trigger_seconds"])
    if "stream_seconds" in order:
        world.stream_s = float(order["stream_seconds"])


async def _disconnect(api: WebApi, world: World, order: Any) -> JSON:
    return {"disconnected": await socketmode.disconnect(world, order)} if order else {}


def _deaf(api: WebApi, world: World, order: Any) -> JSON:
    return {"deaf": socketmode.deafen(world, order)}


def _redeliver(api: WebApi, world: World, order: Any) -> JSON:
    wanted = cast("JSON", order) if isinstance(order, dict) else {"event_id": order}
    if not world.delivery.redeliver(str(wanted.get("event_id")), renew=bool(wanted.get("new_id"))):
        raise UiError("event_not_found", "There is no such event among the last thousand.", 404)
    return {}


def _twice(api: WebApi, world: World, order: Any) -> JSON:
    if order not in ("off", "same", "new"):
        raise UiError("unknown_order", "events_twice is one of: off, same, new.")
    world.delivery.twice = order
    return {}


def _hold(api: WebApi, world: World, order: Any) -> JSON:
    if order is True:
        world.delivery.hold()
        return {}
    return {"released": world.delivery.release(backwards=order == "backwards")}


def _token(api: WebApi, world: World, order: Any) -> JSON:
    if order not in ("good", "revoked"):
        raise UiError("unknown_order", "token is one of: good, revoked.")
    world.token_revoked = order == "revoked"
    return {}


async def _verify(api: WebApi, world: World, order: Any) -> JSON:
    if world.delivery.request_url is None:
        raise UiError("no_request_url", "There is no request URL: start with --http URL.")
    return {"verified": await world.delivery.request_url.verify()}


def _events(api: WebApi, world: World, order: Any) -> JSON:
    return {"events": world.delivery.events()} if order else {}


def _calls(api: WebApi, world: World, order: Any) -> JSON:
    return {"calls": list(api.calls)} if order else {}


def _malformed(api: WebApi, world: World, order: Any) -> JSON:
    return {"malformed": world.malformed.list()} if order else {}


ORDERS: dict[str, Order] = {
    "clear": _no_faults,
    "rate_limit": _rate_limit,
    "rate_limits": _rate_limits,
    "delay": _delay,
    "fail": _fail,
    "token": _token,
    "disconnect": _disconnect,
    "deaf": _deaf,
    "redeliver": _redeliver,
    "events_twice": _twice,
    "hold_events": _hold,
    "verify_url": _verify,
    "events": _events,
    "calls": _calls,
    "malformed": _malformed,
}
SECONDS = ("ack_seconds", "retry_delays", "stream_seconds", "trigger_seconds")


def control(api: WebApi) -> Any:
    """The action behind ``POST /ui/control``; several orders may stand in one body."""

    async def act(person: Person) -> JSON:
        body, world = person.body, person.world
        known = sorted({*ORDERS, *SECONDS})
        if unknown := sorted(set(body) - set(known)):
            raise UiError("unknown_order", f"Unknown: {', '.join(unknown)}. Known: {', '.join(known)}.")
        answer: JSON = {}
        try:
            _seconds(world, body)
            for name, order in ORDERS.items():
                if name in body:
                    done = order(api, world, body[name])
                    answer |= done if isinstance(done, dict) else await done
        except (AttributeError, TypeError, ValueError) as error:
            raise UiError("bad_value", f"The order cannot be read: {error}.") from None
        return answer

    return act
