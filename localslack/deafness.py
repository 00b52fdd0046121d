"""Sockets that are open but deaf: nothing is read, nothing is sent, not even pongs."""

from __future__ import annotations

from asyncio import BaseTransport

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class Ears:
    """The open WebSockets of one server."""

    def __init__(self) -> None:
        self.open: set[Deafable] = set()

    def deafen(self) -> int:
        """Make every open socket deaf; how many there are."""
        for socket in self.open:
            socket.go_deaf()
        return len(self.open)

    def hear(self) -> int:
        """Break the deaf sockets off; how many there were."""
        deaf = [socket for socket in self.open if socket.deaf]
        for socket in deaf:
            socket.transport.abort()
        return len(deaf)

    def protocol(self) -> type[WebSocketsSansIOProtocol]:
        """uvicorn's WebSocket protocol with ears; a class, because uvicorn makes the objects."""
        ears = self

        class Protocol(Deafable):
            def connection_made(self, transport: BaseTransport) -> None:
                super().connection_made(transport)
                ears.open.add(self)

            def connection_lost(self, exc: Exception | None) -> None:
                ears.open.discard(self)
                super().connection_lost(exc)

        return Protocol


class Deafable(WebSocketsSansIOProtocol):
    """A WebSocket that can stop listening without closing."""

    deaf = False

    def go_deaf(self) -> None:
        self.deaf = True
        self.stop_keepalive()

    def data_received(self, data: bytes) -> None:
        if not self.deaf:
            super().data_received(data)
