"""Bringing payloads to the app, over Socket Mode or to its request URL.

Events are tried once and, when not acknowledged within three seconds, up to three times more (at once,
after a minute, after five minutes). Slash commands and
interactions are sent once; the person waits for the answer.
Each payload goes to one of the open connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from copy import deepcopy
from typing import Any, Literal, Protocol

from localslack.errors import NotDelivered
from localslack.httpmode import RequestUrl
from localslack.ids import new_id
from localslack.outcomes import LATE, Outcome
from localslack.records import JSON

ACK_S = 3.0
RETRY_DELAYS_S = (0.0, 60.0, 300.0)
KEPT_EVENTS = 1_000
KEPT_ENVELOPES = 200

log = logging.getLogger("localslack.delivery")


class Wire(Protocol):
    """An open Socket Mode connection. ``send`` raises ConnectionError when it is gone.

    A ``deaf`` one is open, but nothing gets through.
    """

    deaf: bool

    async def send(self, frame: JSON) -> None: ...
    async def drop(self) -> None: ...


class Delivery:
    """The queue between the workspace and the app."""

    def __init__(self, on_problem: Callable[[str], None] | None = None) -> None:
        self._wires: list[Wire] = []
        self._turn = 0
        self._waiting: OrderedDict[str, asyncio.Future[JSON]] = OrderedDict()
        self._events: OrderedDict[str, JSON] = OrderedDict()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_problem = on_problem
        self._held: list[JSON] | None = None
        self.request_url: RequestUrl | None = None
        self.retry_delays: tuple[float, ...] = RETRY_DELAYS_S
        self.ack_s = ACK_S
        self.twice: Literal["off", "same", "new"] = "off"

    # ----------------------------------------------------------- connections

    @property
    def connected(self) -> bool:
        """Whether the app can be reached: a Socket Mode connection is open, or it has a request URL."""
        return self.request_url is not None or bool(self._wires)

    @property
    def wires(self) -> list[Wire]:
        return list(self._wires)

    def add(self, wire: Wire) -> None:
        self._wires.append(wire)

    def remove(self, wire: Wire) -> None:
        if wire in self._wires:
            self._wires.remove(wire)

    def acked(self, envelope_id: str, payload: JSON) -> None:
        """The app acknowledged an envelope; late ones are ignored, as Slack does."""
        future = self._waiting.pop(envelope_id, None)
        if future is not None and not future.done():
            future.set_result(payload)

    async def close(self) -> None:
        """Stop retrying and close every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for wire in self.wires:
            await wire.drop()
        if self.request_url is not None:
            await self.request_url.close()

    # -------------------------------------------------------------- sending

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something in the background for as long as the program runs."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def event(self, payload: JSON) -> None:
        """Deliver an Events API payload in the background, with redelivery (unless events are held)."""
        self._keep(payload)
        if self._held is not None:
            self._held.append(payload)
            return
        self.spawn(self._deliver_event(payload))
        if self.twice == "same":
            self.spawn(self._attempt("events_api", payload, retry=(1, self._late())))
        elif self.twice == "new":
            self.spawn(self._deliver_event(self._renewed(payload)))

    def _keep(self, payload: JSON) -> None:
        self._events[payload["event_id"]] = payload
        while len(self._events) > KEPT_EVENTS:
            self._events.popitem(last=False)

    def _renewed(self, payload: JSON) -> JSON:
        """The same event under a new event id, as Slack has been seen to send."""
        copy = deepcopy(payload) | {"event_id": new_id("Ev")}
        self._keep(copy)
        return copy

    def hold(self) -> None:
        """Keep events back until ``release``."""
        self._held = self._held or []

    def release(self, *, backwards: bool = False) -> int:
        """Deliver what was held, ``backwards`` the newest first; how many events it was."""
        held, self._held = self._held or [], None
        for payload in held[::-1] if backwards else held:
            self.spawn(self._deliver_event(payload))
        return len(held)

    def redeliver(self, event_id: str, *, renew: bool = False) -> bool:
        """Send an event again, as Slack does when an acknowledgement was lost. False when it is not known.

        ``renew`` gives it a new event id and no sign of a retry.
        """
        payload = self._events.get(event_id)
        if payload is None:
            return False
        if renew:
            self.spawn(self._attempt("events_api", self._renewed(payload)))
        else:
            self.spawn(self._attempt("events_api", payload, retry=(1, self._late())))
        return True

    def _late(self) -> str:
        return "timeout" if self.request_url is None else "http_timeout"

    def events(self) -> list[JSON]:
        """The events sent so far, oldest first (the last thousand)."""
        return list(self._events.values())

    async def ask(self, kind: str, payload: JSON) -> JSON:
        """Send a slash command or an interaction and wait for the app's answer.

        Raises NotDelivered: ``dispatch_failed`` when the app cannot be reached or refuses,
        ``operation_timeout`` after 3 s.
        """
        if not self.connected:
            raise NotDelivered("dispatch_failed")
        outcome = await self._attempt(kind, payload)
        if outcome.payload is None:
            raise NotDelivered("operation_timeout" if outcome.reason in LATE else "dispatch_failed")
        return outcome.payload

    def tell(self, kind: str, payload: JSON) -> None:
        """Send an interaction that no person waits for."""
        self.spawn(self._attempt(kind, payload))

    async def _deliver_event(self, payload: JSON) -> None:
        outcome = await self._attempt("events_api", payload)
        for number, delay in enumerate(self.retry_delays, start=1):
            if outcome.payload is not None or outcome.final:
                return
            await asyncio.sleep(delay)
            outcome = await self._attempt("events_api", payload, retry=(number, outcome.reason))
        if outcome.payload is not None:
            return
        log.warning("event %s was never acknowledged", payload["event_id"])
        if self._on_problem is not None:
            self._on_problem(f"The app did not acknowledge the event {payload['event']['type']}.")

    async def _attempt(self, kind: str, payload: JSON, retry: tuple[int, str] | None = None) -> Outcome:
        """One try: a POST to the request URL, or an envelope on one of the connections."""
        if self.request_url is not None:
            return await self.request_url.send(kind, payload, retry, self.ack_s)
        envelope_id = str(uuid.uuid4())
        frame: JSON = {
            "envelope_id": envelope_id,
            "payload": payload,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            frame["retry_attempt"], frame["retry_reason"] = retry or (0, "")
        future: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = future
        while len(self._waiting) > KEPT_ENVELOPES:
            self._waiting.popitem(last=False)
        try:
            if not await self._send(frame):
                return Outcome(None, "timeout")
            with contextlib.suppress(TimeoutError):
                return Outcome(await asyncio.wait_for(future, self.ack_s))
            return Outcome(None, "timeout")
        finally:
            self._waiting.pop(envelope_id, None)

    async def _send(self, frame: JSON) -> bool:
        """Put a frame on the next connection that takes it."""
        for _ in range(len(self._wires)):
            self._turn += 1
            wire = self._wires[self._turn % len(self._wires)]
            try:
                await wire.send(frame)
            except ConnectionError:
                self.remove(wire)
                if not self._wires:
                    return False
            else:
                return True
        return False
