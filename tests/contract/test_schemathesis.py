"""Requests made up from OpenAI's description: an answer is as described, or a clear refusal."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.contract.conftest import KEY
from tests.contract.openai_spec import document, error_problems
from tests.contract.trainserver_client import Trainer

EXAMPLES = 3
MOST_TOKENS = 8
schema = schemathesis.openapi.from_dict(document())
schema.config.generation.update(modes=[schemathesis.GenerationMode.POSITIVE])


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
def test_made_up_requests(case: schemathesis.Case, trainer: Trainer) -> None:
    if isinstance(case.body, dict):
        for name in {"max_tokens", "max_completion_tokens", "max_output_tokens"} & set(case.body):
            asked = case.body[name]
            if isinstance(asked, int):
                case.body[name] = min(asked, MOST_TOKENS)
    answer = case.call(base_url=str(trainer.http.base_url), headers={"Authorization": f"Bearer {KEY}"})
    case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])
    if answer.status_code >= 400:
        assert error_problems(answer.json()) == []
