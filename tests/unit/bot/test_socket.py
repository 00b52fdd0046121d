"""A socket that goes deaf is noticed and opened anew."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.socket import DEAF_AFTER, SocketWatch


@dataclass
class Link:
    """A connection that is asked to begin again."""

    last_ping_pong_time: float | None = None
    asked: list[bool] = field(default_factory=list[bool])
    broken: type[Exception] | None = None

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        self.asked.append(force)
        if self.broken:
            raise self.broken


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def link() -> Link:
    return Link()


@pytest.fixture
def hellos() -> list[int]:
    return []


@pytest.fixture
def watch(link: Link, clock: Clock, hellos: list[int]) -> SocketWatch:
    return SocketWatch(link, lambda: hellos.append(1), clock=clock)


async def test_silence_opens_the_connection_anew_and_not_twice_at_once(
    watch: SocketWatch, link: Link, clock: Clock
) -> None:
    clock.now += DEAF_AFTER - 1
    await watch.look()
    assert link.asked == []
    clock.now += 2
    await watch.look()
    await watch.look()
    assert link.asked == [True]
    clock.now += DEAF_AFTER
    await watch.look()
    assert link.asked == [True, True]


async def test_a_pong_or_a_frame_is_a_sign_of_life(watch: SocketWatch, link: Link, clock: Clock) -> None:
    clock.now += DEAF_AFTER + 1
    link.last_ping_pong_time = clock.now - 1
    await watch.look()
    clock.now += DEAF_AFTER
    watch.heard('{"type":"events_api"}')
    await watch.look()
    assert link.asked == []
    assert watch.silence() == 0


async def test_every_hello_is_told_and_other_frames_are_not(watch: SocketWatch, hellos: list[int]) -> None:
    watch.heard('{"type": "hello", "num_connections": 1}')
    watch.heard('{"envelope_id": "1", "type": "events_api", "payload": {"text": "say hello"}}')
    watch.heard('{"type":"hello","num_connections":1}')
    assert len(hellos) == 2


@pytest.mark.parametrize("broken", [TimeoutError, AttributeError, ValueError])
async def test_a_reconnect_that_fails_in_whatever_way_is_tried_again_later(
    watch: SocketWatch, link: Link, clock: Clock, broken: type[Exception]
) -> None:
    link.broken = broken
    clock.now += DEAF_AFTER + 1
    await watch.look()
    clock.now += DEAF_AFTER + 1
    await watch.look()
    assert len(link.asked) == 2
