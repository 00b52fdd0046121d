"""Faults on order, for tests of what a client does then: `python -m trainserver --faults`, on one machine.

`POST /faults` takes one order, `DELETE /faults` ends all that are open. A job, a file or an answer that was
made stays made where the order says `effect`: only the word of it is lost.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trainserver.api.state import may_change

router = APIRouter(prefix="/faults", dependencies=[Depends(may_change)])


class Order(BaseModel):
    """What happens to the next `times` requests of this method to a path that matches as a whole.

    They wait `seconds`, then get `status` with an error of OpenAI's shape; without a status, the true answer.
    """

    model_config = ConfigDict(extra="forbid")

    method: str
    path: str
    times: Annotated[int, Field(ge=1)] = 1
    seconds: Annotated[float, Field(ge=0)] = 0.0
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    code: str | None = None
    message: str = "A fault that was ordered."
    retry_after: Annotated[float, Field(ge=0)] | None = None
    effect: bool = False


@router.post("")
def order(request: Request, wanted: Order) -> dict[str, int]:
    orders: list[Order] = request.app.state.faults
    orders.append(wanted)
    return {"open": len(orders)}


@router.delete("")
def clear(request: Request) -> dict[str, int]:
    request.app.state.faults.clear()
    return {"open": 0}


class Faults:
    """ASGI middleware that carries the orders out, the oldest that fits first."""

    def __init__(self, app: ASGIApp, orders: list[Order]) -> None:
        self.app = app
        self.orders = orders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._take(scope) if scope["type"] == "http" else None
        if found is None:
            return await self.app(scope, receive, send)
        if found.status is None:
            await asyncio.sleep(found.seconds)
            return await self.app(scope, receive, send)
        if found.effect:
            await self.app(scope, receive, _unheard)
        await asyncio.sleep(found.seconds)
        await _refuse(found, found.status, send)

    def _take(self, scope: Scope) -> Order | None:
        for one in self.orders:
            if one.method == scope["method"] and re.fullmatch(one.path, scope["path"]):
                one.times -= 1
                if not one.times:
                    self.orders.remove(one)
                return one
        return None


async def _unheard(_message: Message) -> None:
    """The true answer, which nobody gets."""


async def _refuse(found: Order, status: int, send: Send) -> None:
    error = {"message": found.message, "type": "server_error", "param": None, "code": found.code}
    body = json.dumps({"error": error}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if found.retry_after is not None:
        headers.append((b"retry-after", f"{found.retry_after:g}".encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
