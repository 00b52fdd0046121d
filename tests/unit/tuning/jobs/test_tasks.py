"""Slow work beside the tick."""

from __future__ import annotations

import asyncio

from tuning.jobs.tasks import REST_SECONDS, Tasks


async def test_the_same_work_is_never_under_way_twice() -> None:
    tasks, go, begun = Tasks(lambda: 0.0), asyncio.Event(), list[int]()

    async def work() -> None:
        begun.append(1)
        await go.wait()

    tasks.begin("a", work)
    tasks.begin("a", work)
    tasks.begin("b", work)
    await asyncio.sleep(0)
    go.set()
    await tasks.settle()
    tasks.begin("a", work)
    await tasks.settle()
    assert len(begun) == 3


async def test_work_that_broke_rests_and_is_begun_again() -> None:
    now, begun = [0.0], list[float]()
    tasks = Tasks(lambda: now[0])

    async def work() -> None:
        begun.append(now[0])
        raise RuntimeError("broke")

    for at in (0.0, 1.0, REST_SECONDS + 1):
        now[0] = at
        tasks.begin("a", work)
        await tasks.settle()
    assert begun == [0.0, REST_SECONDS + 1]


async def test_closing_ends_what_is_under_way_and_begins_nothing_more() -> None:
    tasks, begun = Tasks(lambda: 0.0), list[int]()

    async def work() -> None:
        begun.append(1)
        await asyncio.Event().wait()

    tasks.begin("a", work)
    await asyncio.sleep(0)
    await tasks.close()
    tasks.begin("b", work)
    await tasks.settle()
    assert begun == [1]
