"""/v1/responses, plain and streamed as typed events; an answer is kept 30 days to go on from."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request, Response

from trainserver import responses
from trainserver.api.asking import Json, Question, Splitter, find_model, pieces, read_messages
from trainserver.api.response_body import Ask, messages
from trainserver.api.response_events import Events, call_item, text_part
from trainserver.api.state import Parts, State, Who
from trainserver.api.telling import told
from trainserver.api.wishes import read_form, read_wishes
from trainserver.errors import BadRequest, NotFound, ServingFailed
from trainserver.ids import new_id
from trainserver.sampling import Sampling
from trainserver.serving import Done, Text

router = APIRouter(prefix="/v1/responses")


def _history(parts: State, project: str, response_id: str | None) -> list[Json]:
    if response_id is None:
        return []
    try:
        with parts.database.read() as connection:
            return responses.get(connection, response_id, project)[1]
    except NotFound as error:
        raise BadRequest(
            f"Previous response with id '{response_id}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        ) from error


class Answer:
    """One response on its way to the client."""

    def __init__(self, parts: State, project: str, body: Ask) -> None:
        body.check()
        self.body, self.parts, self.project = body, parts, project
        self.history = [*_history(parts, project, body.previous_response_id), *messages(body.input)]
        said = [{"role": "system", "content": body.instructions}] if body.instructions else []
        base, adapter = find_model(parts, project, body.model)
        several = body.parallel_tool_calls is not False
        form = read_form(body.format, "text.format")
        wishes = read_wishes(body.offered(), None, body.tool_choice, form, several=several)
        asked = read_messages([*said, *self.history], "input")
        self.question = Question(base, adapter, asked, wishes.tools, self._sampling(wishes.form), "input")
        self.splitter = Splitter(calls=bool(wishes.tools), only_one=not several)
        self.tokens: list[Json] = []
        self.object = self._begun()
        self.events = Events(self.object, new_id("msg", "_"))

    def _sampling(self, form: Json | None) -> Sampling:
        body = self.body
        return Sampling(
            max_tokens=body.max_output_tokens or self.parts.config.max_answer_tokens,
            temperature=1.0 if body.temperature is None else body.temperature,
            top_p=1.0 if body.top_p is None else body.top_p,
            logprobs=(body.top_logprobs or 0) if body.wants_logprobs else None,
            form=form,
            stream=bool(body.stream),
        )

    def _begun(self) -> Json:
        body, sampling = self.body, self.question.sampling
        return {
            "id": new_id("resp", "_"),
            "object": "response",
            "created_at": int(time.time()),
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "instructions": body.instructions,
            "max_output_tokens": body.max_output_tokens,
            "model": body.model,
            "output": [],
            "parallel_tool_calls": body.parallel_tool_calls is not False,
            "previous_response_id": body.previous_response_id,
            "temperature": sampling.temperature,
            "text": {"format": body.format},
            "tool_choice": body.tool_choice or "auto",
            "tools": [{"strict": None, "parameters": None, **tool} for tool in body.tools or []],
            "top_p": sampling.top_p,
            "truncation": "disabled",
            "metadata": body.metadata or {},
        }

    def pieces(self) -> AsyncGenerator[Text | Done]:
        return pieces(self.parts, self.question)

    def _finish(self, done: Done, calls: list[Json]) -> None:
        """Write the end into the response object, and keep it unless the client said not to."""
        cut = done.finish_reason == "length"
        words = self.splitter.told
        output = [call_item(call) for call in calls]
        if words or not calls:
            part = text_part(words, self.tokens)
            output.insert(0, self.events.message("incomplete" if cut else "completed", [part]))
        self.object |= {
            "status": "incomplete" if cut else "completed",
            "completed_at": None if cut else int(time.time()),
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "output": output,
            "usage": {
                "input_tokens": done.prompt_tokens,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": done.completion_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": done.prompt_tokens + done.completion_tokens,
            },
        }
        if self.body.store is not False:
            said: Json = {"role": "assistant", "content": words or (None if calls else "")}
            if calls:
                said["tool_calls"] = calls
            with self.parts.database.write() as connection:
                responses.add(connection, self.project, self.object, [*self.history, said])

    async def whole(self) -> Json:
        """The response as one object."""
        done = Done("stop", 0, 0)
        async for piece in self.pieces():
            if isinstance(piece, Text):
                self.splitter.feed(piece.text)
                self.tokens += piece.logprobs
            else:
                done = piece
        self._finish(done, self.splitter.end()[1])
        return self.object

    async def streamed(self, coming: AsyncGenerator[Text | Done], first: Text | Done) -> AsyncGenerator[str]:
        """Typed server-sent events from `response.created` to `response.completed`."""
        events = self.events
        yield events.of("response.created", response=dict(self.object))
        yield events.of("response.in_progress", response=dict(self.object))
        try:
            piece: Text | Done = first
            while isinstance(piece, Text):
                self.tokens += piece.logprobs
                for one in events.words(self.splitter.feed(piece.text), piece.logprobs):
                    yield one
                piece = await anext(coming)
            words, calls = self.splitter.end()
            for one in events.words(words, ()):
                yield one
            self._finish(piece, calls)
            for one in events.items(self.object["output"]):
                yield one
            yield events.of(f"response.{self.object['status']}", response=self.object)
        except ServingFailed as error:
            failed = {"status": "failed", "error": {"code": "server_error", "message": str(error)}}
            yield events.of("response.failed", response=self.object | failed)
        finally:
            await coming.aclose()


@router.post("", response_model=None)
async def create(parts: Parts, who: Who, request: Request, body: Ask) -> Response | Json:
    return await told(request, Answer(parts, who.project, body), stream=body.stream)


@router.get("/{response_id}")
def retrieve(parts: Parts, who: Who, response_id: str) -> Json:
    with parts.database.read() as connection:
        return responses.get(connection, response_id, who.project)[0]


@router.delete("/{response_id}")
def delete(parts: Parts, who: Who, response_id: str) -> dict[str, Any]:
    with parts.database.write() as connection:
        responses.get(connection, response_id, who.project)
        responses.remove(connection, response_id)
    return {"id": response_id, "object": "response", "deleted": True}
