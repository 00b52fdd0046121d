"""Socket Mode: the app's WebSocket connections."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from localslack.records import JSON, is_object
from localslack.world import World

LIFETIME_S = 18_060
MAX_CONNECTIONS = 10
REFRESH_GRACE_S = 10.0


class Connection:
    """One open WebSocket of the app."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._sending = asyncio.Lock()
        self.deaf = False

    async def send(self, frame: JSON) -> None:
        """Raises ConnectionError when the app is gone. A deaf connection swallows the frame."""
        if self.deaf:
            return
        try:
            async with self._sending:
                await self._websocket.send_text(json.dumps(frame))
        except (RuntimeError, WebSocketDisconnect) as error:
            raise ConnectionError("the connection is closed") from error

    async def drop(self) -> None:
        """Close at once, without a word before."""
        try:
            await self._websocket.close(code=1001)
        except (RuntimeError, WebSocketDisconnect):
            return


def disconnect_frame(reason: str) -> JSON:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "localslack"}}


async def link(websocket: WebSocket, world: World) -> None:
    """The life of one connection: hello, then acknowledgements until it closes."""
    if not world.tickets.take(websocket.query_params.get("ticket", "")):
        await websocket.close(code=4401)
        return
    await websocket.accept()
    connection = Connection(websocket)
    if len(world.delivery.wires) >= MAX_CONNECTIONS:
        await connection.send(disconnect_frame("too_many_websockets"))
        await connection.drop()
        return
    await connection.send(_hello(world))
    world.delivery.add(connection)
    try:
        while True:
            _take(world, await websocket.receive_text())
    except (WebSocketDisconnect, RuntimeError, KeyError):
        return  # closed by either side, or a binary frame, which Slack does not take
    finally:
        world.delivery.remove(connection)


def _hello(world: World) -> JSON:
    return {
        "type": "hello",
        "num_connections": len(world.delivery.wires) + 1,
        "debug_info": {"host": "localslack", "build_number": 1, "approximate_connection_time": LIFETIME_S},
        "connection_info": {"app_id": world.me.app_id},
    }


def _take(world: World, text: str) -> None:
    try:
        frame: Any = json.loads(text)
    except ValueError:
        return  # Slack says nothing to a frame that it cannot read
    if is_object(frame) and isinstance(frame.get("envelope_id"), str):
        payload = frame.get("payload")
        world.delivery.acked(frame["envelope_id"], payload if is_object(payload) else {})


async def disconnect(world: World, how: Any) -> int:
    """Test control: ``true`` closes at once; ``"refresh"`` and ``"warning"`` send Slack's frame first."""
    wires = world.delivery.wires
    for wire in wires:
        if how is True:
            world.delivery.remove(wire)
            await wire.drop()
        else:
            await wire.send(disconnect_frame("warning" if how == "warning" else "refresh_requested"))
            if how != "warning":
                world.delivery.remove(wire)
                world.delivery.spawn(_close_later(wire))
    return len(wires)


def deafen(world: World, order: Any) -> int:
    """Test control: ``true`` leaves the connections open but dead, ``false`` breaks those off."""
    if not order:
        return world.ears.hear()
    for wire in world.delivery.wires:
        wire.deaf = True
    return world.ears.deafen()


async def _close_later(wire: Any) -> None:
    await asyncio.sleep(REFRESH_GRACE_S)
    await wire.drop()
