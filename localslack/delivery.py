"""Bringing payloads to the app over Socket Mode.

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
from typing import Any, Protocol

from localslack.errors import NotDelivered
from localslack.records import JSON

ACK_S = 3.0
RETRY_DELAYS_S = (0.0, 60.0, 300.0)
KEPT_EVENTS = 1_000
KEPT_ENVELOPES = 200

log = logging.getLogger("localslack.delivery")


class Wire(Protocol):
    """An open Socket Mode connection. ``send`` raises ConnectionError when it is gone."""

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
        self.retry_delays: tuple[float, ...] = RETRY_DELAYS_S
        self.ack_s = ACK_S

    # ----------------------------------------------------------- connections

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

    # -------------------------------------------------------------- sending

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something in the background for as long as the program runs."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def event(self, payload: JSON) -> None:
        """Deliver an Events API payload in the background, with redelivery."""
        self._events[payload["event_id"]] = payload
        while len(self._events) > KEPT_EVENTS:
            self._events.popitem(last=False)
        self.spawn(self._deliver_event(payload))

    def redeliver(self, event_id: str) -> bool:
        """Send an event again, as Slack does when an acknowledgement was lost. False when it is not known."""
        payload = self._events.get(event_id)
        if payload is None:
            return False
        self.spawn(self._attempt("events_api", payload, retry=(1, "timeout")))
        return True

    def events(self) -> list[JSON]:
        """The events sent so far, oldest first (the last thousand)."""
        return list(self._events.values())

    async def ask(self, kind: str, payload: JSON) -> JSON:
        """Send a slash command or an interaction and wait for the app's answer.

        Raises NotDelivered: ``dispatch_failed`` when nobody is connected, ``operation_timeout`` after 3 s.
        """
        if not self._wires:
            raise NotDelivered("dispatch_failed")
        answer = await self._attempt(kind, payload)
        if answer is None:
            raise NotDelivered("operation_timeout")
        return answer

    def tell(self, kind: str, payload: JSON) -> None:
        """Send an interaction that no person waits for."""
        self.spawn(self._attempt(kind, payload))

    async def _deliver_event(self, payload: JSON) -> None:
        if await self._attempt("events_api", payload) is not None:
            return
        for number, delay in enumerate(self.retry_delays, start=1):
            await asyncio.sleep(delay)
            if await self._attempt("events_api", payload, retry=(number, "timeout")) is not None:
                return
        log.warning("event %s was never acknowledged", payload["event_id"])
        if self._on_problem is not None:
            self._on_problem(f"The app did not acknowledge the event {payload['event']['type']}.")

    async def _attempt(self, kind: str, payload: JSON, retry: tuple[int, str] | None = None) -> JSON | None:
        """One try on one connection: the acknowledgement's payload, or None when there was none in time."""
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
                return None
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(future, self.ack_s)
            return None
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
