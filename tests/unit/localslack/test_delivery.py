"""How payloads reach the app: one connection each, again when not acknowledged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from localslack.delivery import Delivery
from localslack.errors import NotDelivered
from tests.support.waiting import until


class FakeWire:
    """A connection that keeps what it gets; ``answers`` says whether it acknowledges."""

    def __init__(self, delivery: Delivery, *, answers: bool = True, gone: bool = False) -> None:
        self._delivery, self.answers, self.gone = delivery, answers, gone
        self.frames: list[dict[str, Any]] = []
        self.deaf = False

    async def send(self, frame: dict[str, Any]) -> None:
        if self.gone:
            raise ConnectionError
        self.frames.append(frame)
        if self.answers:
            self._delivery.acked(frame["envelope_id"], {"n": len(self.frames)})

    async def drop(self) -> None:
        self.gone = True


@pytest.fixture
async def delivery() -> AsyncIterator[Delivery]:
    made = Delivery()
    made.ack_s = 0.05
    made.retry_delays = (0.0, 0.0, 0.0)
    yield made
    await made.close()


def event(number: int) -> dict[str, Any]:
    return {"event_id": f"Ev{number}", "event": {"type": "message"}}


async def test_each_payload_goes_to_one_of_the_connections(delivery: Delivery) -> None:
    wires = [FakeWire(delivery), FakeWire(delivery)]
    for wire in wires:
        delivery.add(wire)
    for number in range(6):
        delivery.event(event(number))
    await until(lambda: sum(len(wire.frames) for wire in wires) == 6)
    assert [len(wire.frames) for wire in wires] == [3, 3]


async def test_an_event_without_acknowledgement_comes_four_times(delivery: Delivery) -> None:
    problems: list[str] = []
    delivery._on_problem = problems.append
    wire = FakeWire(delivery, answers=False)
    delivery.add(wire)
    delivery.event(event(1))
    await until(lambda: problems)
    assert [frame["retry_attempt"] for frame in wire.frames] == [0, 1, 2, 3]
    assert [frame["retry_reason"] for frame in wire.frames] == ["", "timeout", "timeout", "timeout"]
    assert {frame["payload"]["event_id"] for frame in wire.frames} == {"Ev1"}
    assert len({frame["envelope_id"] for frame in wire.frames}) == 4


async def test_a_broken_connection_hands_over_to_the_next(delivery: Delivery) -> None:
    good = FakeWire(delivery)
    delivery.add(FakeWire(delivery, gone=True))
    delivery.add(FakeWire(delivery, gone=True))
    delivery.add(good)
    answers = [await delivery.ask("slash_commands", {}) for _ in range(3)]
    assert answers == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert delivery.wires == [good]


async def test_a_person_learns_that_nobody_answered(delivery: Delivery) -> None:
    with pytest.raises(NotDelivered, match="dispatch_failed"):
        await delivery.ask("interactive", {})
    wire = FakeWire(delivery, answers=False)
    delivery.add(wire)
    with pytest.raises(NotDelivered, match="operation_timeout"):
        await delivery.ask("interactive", {})
    assert len(wire.frames) == 1
    assert wire.frames[0]["accepts_response_payload"] is True
