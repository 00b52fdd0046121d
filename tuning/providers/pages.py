"""Lists read page by page, also those of providers that page in ways of their own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Protocol, TypeVar, cast

from tuning.providers import reading
from tuning.providers.answers import ProviderEvent
from tuning.providers.trouble import provider_errors


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


async def pages_of(first: Awaitable[Any], read: Callable[[Any], N]) -> AsyncGenerator[list[N]]:
    """The pages of a list as records, none of them empty.

    It ends with a page that brings nothing new, whatever is said of more: some servers know no cursor and
    answer with the same page for ever.

    Raises:
        Unreachable, Refused: as the provider said.
    """
    with provider_errors():
        page = await first
        found = [read(one) for one in _items(page)]
    seen: set[str] = set()
    while not seen.issuperset(one.id for one in found):
        yield found
        seen.update(one.id for one in found)
        if not page.has_next_page():
            return
        with provider_errors():
            page = await page.get_next_page()
            found = [read(one) for one in _items(page)]


def _items(page: Any) -> list[Any]:
    """What stands on a page; null for nothing, where it was sent so, as servers written in Go do."""
    told_so = page.data is None and "data" in page.model_fields_set
    return [] if told_so else cast("list[Any]", page.data)


def in_order(events: list[ProviderEvent]) -> list[ProviderEvent]:
    """Oldest first; within one second as the provider lists them, metrics among themselves by step."""
    ordered = sorted(events, key=lambda e: e.at)
    start = 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end].at == ordered[start].at:
            end += 1
        places = [i for i in range(start, end) if reading.number(ordered[i].data.get("step")) is not None]
        by_step = sorted((ordered[i] for i in places), key=lambda e: float(e.data["step"]))
        for place, event in zip(places, by_step, strict=True):
            ordered[place] = event
        start = end
    return ordered
