"""The body of a chat call."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import BaseModel, Field

from trainserver.api.asking import Question, find_model, read_messages
from trainserver.api.state import State
from trainserver.api.wishes import read_form, read_wishes
from trainserver.errors import BadRequest
from trainserver.sampling import Sampling

UNSUPPORTED = ("audio", "prediction", "web_search_options", "store")


class StreamOptions(BaseModel):
    include_usage: bool = False


class Ask(BaseModel):
    """The body of a chat call. Fields that only tune OpenAI's own service are accepted and have no effect."""

    model: str
    messages: Annotated[list[dict[str, Any]], Field(min_length=1)]
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    tools: Any = None
    tool_choice: Any = None
    functions: Any = None
    function_call: Any = None
    parallel_tool_calls: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: dict[str, Any] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    logit_bias: dict[int, Annotated[float, Field(ge=-100, le=100)]] | None = None
    modalities: list[str] | None = None

    model_config = {"extra": "allow"}

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with the usage."""
        return self.stream_options is not None and self.stream_options.include_usage


def _check(body: Ask) -> None:
    for name in UNSUPPORTED:
        if (body.model_extra or {}).get(name):
            raise BadRequest(
                f"'{name}' is not supported by this server.", param=name, code="unsupported_parameter"
            )
    if set(body.modalities or ()) - {"text"}:
        raise BadRequest("Only text is answered.", param="modalities", code="unsupported_value")
    if body.top_logprobs is not None and not body.logprobs:
        raise BadRequest("'top_logprobs' needs 'logprobs' to be true.", param="top_logprobs")


def _choice(body: Ask) -> Any:
    """`tool_choice`, or what `function_call` says in its stead to older clients."""
    old: Any = body.function_call
    if body.tool_choice is None and isinstance(old, dict):
        return {"type": "function", "function": cast("dict[str, Any]", old)}
    return body.tool_choice or old


def _sampling(parts: State, body: Ask, form: dict[str, Any] | None) -> Sampling:
    stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
    return Sampling(
        max_tokens=body.max_completion_tokens or body.max_tokens or parts.config.max_answer_tokens,
        temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        seed=body.seed,
        stop=tuple(one for one in stop if one),
        logprobs=(body.top_logprobs or 0) if body.logprobs else None,
        presence_penalty=body.presence_penalty or 0.0,
        frequency_penalty=body.frequency_penalty or 0.0,
        bias=tuple((body.logit_bias or {}).items()),
        form=form,
        stream=bool(body.stream),
    )


def question(parts: State, project: str, body: Ask) -> Question:
    """What is really asked. Raises `BadRequest` and `NotFound`."""
    _check(body)
    base, adapter = find_model(parts, project, body.model)
    wishes = read_wishes(
        body.tools,
        body.functions,
        _choice(body),
        read_form(body.response_format, "response_format"),
        several=body.parallel_tool_calls is not False,
    )
    sampling = _sampling(parts, body, wishes.form)
    return Question(base, adapter, read_messages(body.messages), wishes.tools, sampling)
