"""The provider's own truth, read over its API to hold the product's messages against."""

from __future__ import annotations

from typing import Any

import aiohttp

Json = dict[str, Any]


class ProviderTruth:
    """Reads a fine-tuning server at ``url`` (with ``/v1``)."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {api_key}"})

    async def close(self) -> None:
        """Ends the connection."""
        await self._session.close()

    async def _get(self, path: str) -> Json:
        async with self._session.get(f"{self._url}/{path}") as answer:
            answer.raise_for_status()
            return await answer.json()

    async def newest_job(self) -> Json | None:
        """The newest job, or ``None``."""
        return next(iter(await self.newest_jobs(1)), None)

    async def newest_jobs(self, count: int) -> list[Json]:
        """The newest jobs, at most 100."""
        return (await self._get(f"fine_tuning/jobs?limit={count}"))["data"]

    async def files(self) -> list[Json]:
        """The newest files."""
        return (await self._get("files?limit=100"))["data"]

    async def metrics(self, job_id: str) -> list[Json]:
        """The data of every metrics event, in step order."""
        found: list[Json] = []
        after = ""
        while True:
            page = await self._get(f"fine_tuning/jobs/{job_id}/events?limit=100{after}")
            found += [e["data"] for e in page["data"] if e.get("type") == "metrics" and e.get("data")]
            if not page.get("has_more"):
                return sorted(found, key=lambda data: data["step"])
            after = f"&after={page['data'][-1]['id']}"

    async def checkpoints(self, job_id: str) -> list[Json]:
        """The checkpoints in step order."""
        page = await self._get(f"fine_tuning/jobs/{job_id}/checkpoints?limit=50")
        return sorted(page["data"], key=lambda checkpoint: checkpoint["step_number"])
