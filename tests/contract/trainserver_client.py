"""A bare client of trainserver: requests go out as JSON, answers come back as they are, and are checked."""

from __future__ import annotations

import json
import time
from typing import Any, Self

import httpx2

from tests.contract import openai_wire

Json = dict[str, Any]
JOB_SECONDS = 120


class Trainer:
    """`url` ends in /v1."""

    def __init__(self, url: str, key: str) -> None:
        self.key = key
        self.http = openai_wire.client(base_url=url, headers={"Authorization": f"Bearer {key}"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **query: Any) -> Json:
        return self._good(self.http.get(path, params=query))

    def post(self, path: str, body: Json | None = None) -> Json:
        return self._good(self.http.post(path, json=body))

    def delete(self, path: str) -> Json:
        return self._good(self.http.delete(path))

    def upload(self, name: str, rows: list[Json]) -> Json:
        """A training file."""
        content = "".join(json.dumps(row) + "\n" for row in rows)
        answer = self.http.post(
            "/files", data={"purpose": "fine-tune"}, files={"file": (name, content.encode())}
        )
        return self._good(answer)

    def finished(self, job: str) -> Json:
        """The job once it ended; polls with a deadline."""
        deadline = time.monotonic() + JOB_SECONDS
        while (answer := self.get(f"/fine_tuning/jobs/{job}"))["finished_at"] is None:
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)
        return answer

    @staticmethod
    def _good(answer: httpx2.Response) -> Json:
        assert answer.status_code == 200, answer.text
        return answer.json()
