"""Requests made up from OpenAI's description: an answer is as described, or a clear refusal."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.contract.conftest import KEY
from tests.contract.openai_spec import document, error_problems
from tests.contract.trainserver_client import Trainer

# Bodies of many kinds take long to make up.
HEAVY = "^/(chat/completions|responses|fine_tuning/jobs|fine_tuning/alpha/graders/.*)$"
HEAVY_EXAMPLES, EXAMPLES = 20, 12
MOST_TOKENS = 8
REFUSED = {"audio", "background", "conversation", "modalities", "prediction", "prompt", "web_search_options"}
schema = schemathesis.openapi.from_dict(document())
schema.config.generation.update(modes=[schemathesis.GenerationMode.POSITIVE])
every = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@schema.exclude(path_regex=HEAVY).parametrize()
@settings(every, max_examples=EXAMPLES)
def test_made_up_requests(case: schemathesis.Case, trainer: Trainer) -> None:
    answered_well(case, trainer)


@pytest.fixture(scope="module")
def answering(trainer: Trainer) -> None:
    """The base is in memory: schemathesis does not wait for that."""
    ask = {"model": "tiny", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    trainer.post("/chat/completions", ask)


@schema.include(path_regex=HEAVY).parametrize()
@settings(every, max_examples=HEAVY_EXAMPLES, phases=[Phase.generate])
def test_made_up_requests_with_large_bodies(
    case: schemathesis.Case, trainer: Trainer, answering: None
) -> None:
    if isinstance(case.body, dict):
        # What is made up here would be all that is answered to: it is refused before anything else is read.
        case.body["model"] = "tiny"
        if case.operation.path == "/responses":
            case.body.setdefault("input", "Hello")
        for name in REFUSED & set(case.body):
            del case.body[name]
        for name in {"max_tokens", "max_completion_tokens", "max_output_tokens"} & set(case.body):
            asked = case.body[name]
            if isinstance(asked, int):
                case.body[name] = min(asked, MOST_TOKENS)
    answered_well(case, trainer)


def answered_well(case: schemathesis.Case, trainer: Trainer) -> None:
    """The answer is as described or a refusal in OpenAI's shape, and the server did not break."""
    answer = case.call(base_url=str(trainer.http.base_url), headers={"Authorization": f"Bearer {KEY}"})
    case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])
    if answer.status_code >= 400:
        assert error_problems(answer.json()) == []
