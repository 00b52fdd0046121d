"""Models: what is listed, what a base says about itself, deleting."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.unit.trainserver.conftest import Server
from trainserver.hyperparameters import METHODS


def test_a_base_says_how_it_can_be_trained(server: Server):
    base: Any = server.client.models.retrieve("tiny")
    about = base.x_fine_tuning
    assert about["service"] == "trainserver"
    assert about["fine_tunable"] is True
    assert about["methods"] == list(METHODS)
    assert (about["can_pause"], about["filters_metadata"]) == (True, True)
    assert about["max_tokens_per_example"] == 512
    assert (about["max_file_bytes"], about["max_upload_bytes"]) == (512 << 20, 8 << 30)
    assert about["takes_images"] is False
    assert about["suffix_max_length"] == 64
    assert about["price_per_1m_tokens"] == 0.0
    assert about["memory_bytes"] > 0
    assert about["parent"] is None


def test_training_time_is_measured(server: Server, trained: FineTuningJob):
    base: Any = server.client.models.retrieve("tiny")
    assert base.x_fine_tuning["seconds_per_1k_tokens"] > 0


def test_tuned_models_are_listed_with_their_parent(server: Server, trained: FineTuningJob):
    models: dict[str, Any] = {model.id: model for model in server.client.models.list()}
    assert trained.fine_tuned_model in models
    assert models[trained.fine_tuned_model].x_fine_tuning["parent"] == "tiny"


def test_a_deleted_model_answers_no_more(server: Server):
    job = server.finished(server.job(hyperparameters={"n_epochs": 1}).id)
    name = job.fine_tuned_model or ""
    ask: list[Any] = [{"role": "user", "content": "hi"}]
    server.client.chat.completions.create(model=name, messages=ask, max_tokens=1)
    assert server.client.models.delete(name).deleted
    with pytest.raises(openai.NotFoundError) as caught:
        server.client.chat.completions.create(model=name, messages=ask, max_tokens=1)
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        server.client.models.delete(name)


def test_a_base_cannot_be_deleted(server: Server):
    with pytest.raises(openai.NotFoundError):
        server.client.models.delete("tiny")
    assert server.client.models.retrieve("tiny").id == "tiny"
