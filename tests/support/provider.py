"""A small OpenAI-shaped provider on a real socket, for tests to program: it holds what it is told to hold."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Json = dict[str, Any]

OPENAI_MODELS = [
    {
        "id": "gpt-4.1-mini-2025-04-14",
        "object": "model",
        "created": 1,
        "owned_by": "system",
        "shutdown_date": None,
    },
    {
        "id": "gpt-4.1-2025-04-14",
        "object": "model",
        "created": 1,
        "owned_by": "system",
        "shutdown_date": "2027-01-14",
    },
    {"id": "omni-moderation-latest", "object": "model", "created": 1, "owned_by": "system"},
]
BASE = "gpt-4.1-mini-2025-04-14"


@dataclass
class Fault:
    """Answers the next ``times`` matching requests with ``status``; ``after``: does first what was asked.

    ``hang`` seconds pass before the answer (for time-outs). Status 200 is a login page where JSON belongs,
    status 0 the true answer as it was before the ``hang``.
    """

    method: str
    path: str
    status: int = 500
    code: str | None = "server_error"
    message: str = "internal"
    times: int = 1
    after: bool = False
    hang: float = 0.0
    headers: dict[str, str] = field(default_factory=dict[str, str])


def error(status: int, code: str | None, message: str, headers: dict[str, str] | None = None) -> Response:
    """OpenAI's error body."""
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return JSONResponse(body, status, headers)


@dataclass
class FakeProvider:
    """The state a test works on; ``calls``: (method, path) in order, ``created``: bodies of creates."""

    base_url: str = ""
    models: list[Json] = field(default_factory=lambda: list(OPENAI_MODELS))
    files: list[Json] = field(default_factory=list[Json])
    uploads: dict[str, dict[str, bytes]] = field(default_factory=dict[str, dict[str, bytes]])
    """The parts of each upload."""
    announced: dict[str, Json] = field(default_factory=dict[str, Json])
    """What was said of each upload when it began, its state, and its content at the end."""
    jobs: list[Json] = field(default_factory=list[Json])
    events: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    checkpoints: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    calls: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    created: list[Json] = field(default_factory=list[Json])
    chats: list[Json] = field(default_factory=list[Json])
    responses: list[Json] = field(default_factory=list[Json])
    calls_tool: Json | None = None
    """A tool call (``name``, ``arguments``) that every answer ends with."""
    breaks_off: bool = False
    """Streams end in the middle, without a word."""
    faults: list[Fault] = field(default_factory=list[Fault])
    page_size: int = 100
    filters_metadata: bool = True
    oldest_first: bool = False
    """Lists begin with the oldest, which no description of the API says."""
    nothing: Json | None = None
    """What stands for a list that is empty."""
    same_page: bool = False
    """Lists are always answered with their first page, and said to go on."""
    answer: Callable[[Json], str] = lambda body: "Hello there"
    hold: asyncio.Event | None = None
    """Waited for after the first piece of every streamed answer."""
    clock: float = 1_700_000_000.0

    def fault(self, method: str, path: str, **how: Any) -> None:
        """Breaks the next matching requests."""
        self.faults.append(Fault(method, path, **how))

    def count(self, method: str, path: str) -> int:
        """How many requests matched."""
        return sum(m == method and re.fullmatch(path, p) is not None for m, p in self.calls)

    def job(self, **fields: Any) -> Json:
        """Adds a job as if somebody had created it."""
        number = len(self.jobs) + 1
        job: Json = {
            "id": f"ftjob-{number}", "object": "fine_tuning.job", "created_at": int(self.clock), "error": {},
            "fine_tuned_model": None, "finished_at": None, "hyperparameters": {"n_epochs": "auto"},
            "model": BASE, "organization_id": "org", "result_files": [], "seed": 1,
            "status": "validating_files", "trained_tokens": None, "training_file": "file-1",
            "validation_file": None, "estimated_finish": None, "metadata": None,
        }  # fmt: skip
        self.jobs.append(job | fields)
        return self.jobs[-1]

    def event(self, job_id: str, message: str, *, at: float | None = None, **fields: Any) -> Json:
        """Adds the newest event of a job."""
        listed = self.events.setdefault(job_id, [])
        made: Json = {
            "id": f"ftevent-{job_id}-{len(listed)}", "object": "fine_tuning.job.event", "level": "info",
            "created_at": int(self.clock if at is None else at), "message": message, "type": "message",
            "data": {},
        }  # fmt: skip
        listed.append(made | fields)
        return listed[-1]

    def step(self, job_id: str, step: int, total: int, loss: float, **data: Any) -> None:
        """Adds a metrics event."""
        figures = {"step": step, "total_steps": total, "train_loss": loss, "train_mean_token_accuracy": 0.5}
        self.event(job_id, f"Step {step}/{total}: training loss={loss}", type="metrics", data=figures | data)

    def checkpoint(self, job_id: str, step: int, model: str, **metrics: float) -> None:
        """Adds a checkpoint."""
        self.checkpoints.setdefault(job_id, []).append({
            "id": f"ftckpt-{step}", "object": "fine_tuning.job.checkpoint", "created_at": int(self.clock),
            "fine_tuned_model_checkpoint": model, "fine_tuning_job_id": job_id, "step_number": step,
            "metrics": {"step": step, **metrics},
        })  # fmt: skip

    # routes

    async def handle(self, request: Request) -> Response:
        """Any request: notes it, breaks it when told to, else answers."""
        path = request.url.path.removeprefix("/v1")
        self.calls.append((request.method, path))
        fault = next(
            (
                f
                for f in self.faults
                if f.method == request.method and re.fullmatch(f.path, path) and f.times > 0
            ),
            None,
        )
        if fault is None:
            return await self._answer(request, path)
        fault.times -= 1
        true = await self._answer(request, path) if fault.after or not fault.status else None
        if fault.hang:
            await asyncio.sleep(fault.hang)
        if true is not None and not fault.status:
            return true
        if fault.status == 200:
            return HTMLResponse("<html>Please sign in</html>")
        return error(fault.status, fault.code, fault.message, fault.headers)

    async def _answer(self, request: Request, path: str) -> Response:
        match request.method, path.strip("/").split("/"):
            case "GET", ["models"]:
                return JSONResponse({"object": "list", "data": self.models})
            case "POST", ["files"]:
                async with request.form() as form:
                    upload: Any = form["file"]
                    made = {
                        "id": f"file-{len(self.files) + 1}", "object": "file", "bytes": upload.size,
                        "created_at": 1, "filename": upload.filename, "purpose": str(form["purpose"]),
                        "status": "processed",
                    }  # fmt: skip
                self.files.insert(0, made)
                return JSONResponse(made)
            case "POST", ["uploads", *rest]:
                return await self._upload(request, *rest)
            case "GET", ["files"]:
                return JSONResponse({"object": "list", "data": self.files, "has_more": self.same_page})
            case "GET", ["files", file_id]:
                found = next((one for one in self.files if one["id"] == file_id), None)
                return JSONResponse(found) if found else error(404, None, f"No such File object: {file_id}")
            case "DELETE", ["files", file_id]:
                self.files[:] = [one for one in self.files if one["id"] != file_id]
                return JSONResponse({"id": file_id, "object": "file", "deleted": True})
            case "DELETE", ["models", model]:
                return JSONResponse({"id": model, "object": "model", "deleted": True})
            case "POST", ["fine_tuning", "jobs"]:
                body = await request.json()
                self.created.append(body)
                taken = {"model", "training_file", "validation_file", "metadata"}
                return JSONResponse(self.job(**{k: v for k, v in body.items() if k in taken}))
            case "GET", ["fine_tuning", "jobs"]:
                return self._page(request, self._wanted(request))
            case "GET", ["fine_tuning", "jobs", job_id]:
                return self._one(job_id)
            case "POST", ["fine_tuning", "jobs", job_id, "cancel"]:
                return self._cancel(job_id)
            case "GET", ["fine_tuning", "jobs", job_id, "events"]:
                return self._page(request, self.events.get(job_id, []))
            case "GET", ["fine_tuning", "jobs", job_id, "checkpoints"]:
                return self._page(request, self.checkpoints.get(job_id, []))
            case "POST", ["chat", "completions"]:
                return self._chat(await request.json())
            case "POST", ["responses"]:
                return self._respond(await request.json())
            case _:
                return error(404, None, "no such route")

    async def _upload(self, request: Request, session: str = "", step: str = "") -> Response:
        """The Uploads API: begin, add a part, put the named parts together."""
        if not session:
            session = f"upload_{len(self.uploads) + 1}"
            begun = {"id": session, "object": "upload", "status": "pending"}
            begun |= {"created_at": 1, "expires_at": 3601} | await request.json()
            self.uploads[session], self.announced[session] = {}, begun
            return JSONResponse(begun)
        taken, known = self.uploads.get(session), self.announced.get(session, {})
        if taken is None or known["status"] != "pending":
            return error(400, "upload_not_pending", f"Upload {session} is over.")
        if step == "cancel":
            known["status"] = "cancelled"
            return JSONResponse(known)
        if step == "parts":
            async with request.form() as form:
                data: Any = form["data"]
                part = f"part_{len(taken) + 1}"
                taken[part] = await data.read()
            made = {"id": part, "object": "upload.part", "created_at": 1, "upload_id": session}
            return JSONResponse(made)
        content = b"".join(taken[one] for one in (await request.json())["part_ids"])
        if len(content) != known["bytes"]:
            return error(400, "bytes_mismatch", "The parts are not as long as was announced.")
        known |= {"status": "completed", "content": content.decode()}
        made = {
            "id": f"file-{len(self.files) + 1}", "object": "file", "bytes": len(content), "created_at": 1,
            "filename": known["filename"], "purpose": known["purpose"], "status": "processed",
        }  # fmt: skip
        self.files.insert(0, made)
        return JSONResponse(known | {"file": made})

    def _wanted(self, request: Request) -> list[Json]:
        asked = {
            k[9:-1]: v
            for k, v in request.query_params.items()
            if k.startswith("metadata[") and self.filters_metadata
        }
        return [j for j in self.jobs if all((j["metadata"] or {}).get(k) == v for k, v in asked.items())]

    def _page(self, request: Request, oldest_first: list[Json]) -> Response:
        listed = oldest_first if self.oldest_first else oldest_first[::-1]
        after = request.query_params.get("after")
        if after and not self.same_page:
            ids = [one["id"] for one in listed]
            listed = listed[ids.index(after) + 1 :]
        size = min(self.page_size, int(request.query_params.get("limit", 20)))
        more = self.same_page or len(listed) > size
        body = {"object": "list", "data": listed[:size], "has_more": more}
        body = body if listed or self.nothing is None else self.nothing
        return Response(json.dumps(body), media_type="application/json")  # halves of letters too

    def _one(self, job_id: str) -> Response:
        found = next((j for j in self.jobs if j["id"] == job_id), None)
        return JSONResponse(found) if found else error(404, "fine_tune_not_found", f"No such job: {job_id}")

    def _cancel(self, job_id: str) -> Response:
        found = next((j for j in self.jobs if j["id"] == job_id), None)
        if found is None:
            return error(404, "fine_tune_not_found", "no such job")
        if found["status"] in ("succeeded", "failed", "cancelled"):
            return error(400, None, "Job has already completed")
        found["status"] = "cancelled"
        return JSONResponse(found)

    def _chat(self, body: Json) -> Response:
        self.chats.append(body)
        text = self.answer(body)
        shared = {"id": "chatcmpl-1", "created": 1, "model": body["model"]}
        if not body.get("stream"):
            message = {"role": "assistant", "content": text, "refusal": None}
            choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
            usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
            return JSONResponse({**shared, "object": "chat.completion", "choices": [choice], "usage": usage})

        def chunk(**fields: Any) -> str:
            return f"data: {json.dumps({**shared, 'object': 'chat.completion.chunk', **fields})}\n\n"

        async def stream() -> AsyncIterator[str]:
            for piece in re.findall(r"\S+\s*", text):
                yield chunk(choices=[{"index": 0, "delta": {"content": piece}, "finish_reason": None}])
                if self.hold is not None:
                    await self.hold.wait()
            if self.breaks_off:
                return
            if self.calls_tool:
                call = {"index": 0, "id": "call_1", "type": "function", "function": self.calls_tool}
                yield chunk(choices=[{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}])
            yield chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
            yield chunk(choices=[], usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})
            yield "data: [DONE]\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    def _respond(self, body: Json) -> Response:
        """Streams the answer as typed events, as OpenAI's come."""
        self.responses.append(body)
        text = self.answer(body)
        output: list[Json] = [{
            "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
        }]  # fmt: skip
        if self.calls_tool:
            call = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "status": "completed"}
            output.append(call | self.calls_tool)
        whole: Json = {
            "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "error": None,
            "incomplete_details": None, "instructions": None, "metadata": {}, "model": body["model"],
            "output": output, "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto",
            "tools": [], "top_p": 1.0, "usage": {
                "input_tokens": 1, "output_tokens": 2, "total_tokens": 3,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 0},
            },
        }  # fmt: skip

        async def stream() -> AsyncIterator[str]:
            told: list[Json] = [{"type": "response.created", "response": whole | {"output": []}}]
            where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
            for piece in re.findall(r"\S+\s*", text):
                told.append({"type": "response.output_text.delta", "delta": piece, "logprobs": [], **where})
            if not self.breaks_off:
                for index, item in enumerate(output):
                    told.append({"type": "response.output_item.done", "output_index": index, "item": item})
                told.append({"type": "response.completed", "response": whole})
            for number, event in enumerate(told):
                yield f"event: {event['type']}\ndata: {json.dumps(event | {'sequence_number': number})}\n\n"
                if self.hold is not None and "delta" in event:
                    await self.hold.wait()

        return StreamingResponse(stream(), media_type="text/event-stream")


@contextlib.asynccontextmanager
async def serving(provider: FakeProvider) -> AsyncGenerator[FakeProvider]:
    """Serves ``provider`` on a free loopback port while inside; ``provider.base_url`` says where."""
    app = Starlette(routes=[Route("/{path:path}", provider.handle, methods=["GET", "POST", "DELETE"])])
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # sends at once, as a provider would
    listener.bind(("127.0.0.1", 0))
    provider.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield provider
    finally:
        server.should_exit = True
        await task
        listener.close()
