"""The gateway over the real SDK, against a provider on a real socket."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.provider import BASE, FakeProvider
from tuning.errors import Refused, Unreachable
from tuning.providers import Completion, CreateJob, Delta, Finish, Gateway
from tuning.providers.answers import ProviderEvent
from tuning.providers.pages import in_order


async def test_a_file_goes_up_under_its_name_and_is_found_by_it(
    gateway: Gateway, tmp_path: Path, provider: FakeProvider
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("{}\n" * 5)
    sent = await gateway.upload(path, "abc-triage.jsonl")
    assert await gateway.find_file("abc-triage.jsonl") == sent
    assert await gateway.find_file("other.jsonl") is None
    assert provider.files[0]["purpose"] == "fine-tune"
    assert provider.files[0]["bytes"] == 15


async def test_a_create_sends_only_what_was_chosen_and_is_never_repeated(provider: FakeProvider) -> None:
    patient = Gateway(provider.base_url, "sk-test", retries=2)
    wanted = CreateJob("i1", BASE, "supervised", "triage-1", "file-1")
    provider.fault("POST", "/fine_tuning/jobs", status=500, times=1)
    with pytest.raises(Unreachable):
        await patient.create_job(wanted)
    assert provider.count("POST", "/fine_tuning/jobs") == 1
    made = await patient.create_job(wanted)
    assert provider.created == [
        {
            "model": BASE,
            "training_file": "file-1",
            "suffix": "triage-1",
            "metadata": {"ftbot_intent": "i1"},
            "method": {"type": "supervised", "supervised": {}},
        }
    ]
    assert (made.status, made.error, made.metadata) == ("validating_files", {}, {"ftbot_intent": "i1"})
    await patient.close()


async def test_older_clones_get_hyperparameters_on_top(gateway: Gateway, provider: FakeProvider) -> None:
    wanted = CreateJob("i1", BASE, "supervised", "t", "file-1", epochs=2, batch_size=4)
    await gateway.create_job(wanted, hyperparameters="top-level")
    assert provider.created[0]["hyperparameters"] == {"n_epochs": 2, "batch_size": 4}
    assert "method" not in provider.created[0]


@pytest.mark.parametrize("filters", [True, False])
async def test_a_job_is_found_by_its_intent_over_many_pages(
    gateway: Gateway, provider: FakeProvider, filters: bool
) -> None:
    provider.filters_metadata, provider.page_size = filters, 3
    wanted = provider.job(metadata={"ftbot_intent": "i7"})
    for _ in range(10):
        provider.job(metadata={"ftbot_intent": "other"})
    asked = CreateJob("i7", BASE, "supervised", "t", "file-1")
    found = await gateway.find_job(asked, filters=filters)
    assert found is not None
    assert found.id == wanted["id"]
    assert await gateway.find_job(replace(asked, intent="i8"), filters=filters) is None


async def test_the_list_stops_once_every_asked_job_was_seen(gateway: Gateway, provider: FakeProvider) -> None:
    provider.page_size = 2
    ids = [provider.job()["id"] for _ in range(9)]
    assert set(await gateway.list_jobs({ids[-1], ids[-3]})) == {ids[-1], ids[-3]}
    assert provider.count("GET", "/fine_tuning/jobs") == 2
    assert set(await gateway.list_jobs({ids[0], "ftjob-99"})) == {ids[0]}


async def test_events_come_oldest_first_down_to_the_first_known(
    gateway: Gateway, provider: FakeProvider
) -> None:
    provider.page_size = 4
    for step in range(1, 11):
        provider.step("ftjob-1", step, 10, 1.0)
    fresh = await gateway.newest_events("ftjob-1", {f"ftevent-ftjob-1-{n}" for n in range(5)})
    assert [e.data["step"] for e in fresh] == [6, 7, 8, 9, 10]
    assert provider.count("GET", "/fine_tuning/jobs/ftjob-1/events") == 2
    assert len(await gateway.newest_events("ftjob-1", set())) == 10


def test_events_of_one_second_stand_in_the_order_of_their_steps() -> None:
    def made(name: str, at: float, step: int | None = None) -> ProviderEvent:
        return ProviderEvent(name, at, "info", "metrics", name, {} if step is None else {"step": step})

    mixed = [made("c", 2, 3), made("note", 2), made("b", 2, 2), made("a", 1, 1)]
    assert [e.id for e in in_order(mixed)] == ["a", "b", "note", "c"]


async def test_the_kinds_of_trouble_are_told_apart(gateway: Gateway, provider: FakeProvider) -> None:
    path = "/fine_tuning/jobs/x"
    for status, code, kind in (
        (500, "server_error", Unreachable),
        (429, "rate_limit_exceeded", Unreachable),
        (429, "insufficient_quota", Refused),
        (401, "invalid_api_key", Refused),
        (403, "training_not_available", Refused),
        (404, None, Refused),
    ):
        provider.fault("GET", path, status=status, code=code, message="its own words")
        with pytest.raises(kind) as raised:
            await gateway.retrieve("x")
        assert raised.value.status == status
        assert raised.value.provider_words == "its own words"
        assert code is None or raised.value.code == code
    provider.fault(
        "GET", path, status=400, code=None, message="File x is still being processed and is not ready"
    )
    with pytest.raises(Unreachable):
        await gateway.retrieve("x")


async def test_a_login_page_where_an_answer_belongs_is_no_answer(
    gateway: Gateway, provider: FakeProvider, tmp_path: Path
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("{}\n")
    for method in ("GET", "POST"):
        provider.fault(method, ".*", status=200, times=99)
    for question in (
        gateway.models(),
        gateway.retrieve("x"),
        gateway.list_jobs({"x"}),
        gateway.find_job(CreateJob("i", BASE, "supervised", "t", "file-1"), filters=True),
        gateway.newest_events("x", set()),
        gateway.checkpoints("x"),
        gateway.create_job(CreateJob("i1", BASE, "supervised", "t", "file-1")),
        gateway.upload(path, "x.jsonl"),
        gateway.find_file("x.jsonl"),
        gateway.complete("m", []),
    ):
        with pytest.raises(Unreachable, match="no sense"):
            await question


async def test_a_provider_that_is_not_there_is_unreachable() -> None:
    nobody = Gateway("http://127.0.0.1:9/v1", "sk-test", timeout=2.0, retries=0)
    with pytest.raises(Unreachable, match="cannot be reached"):
        await nobody.retrieve("x")
    await nobody.close()


async def test_checkpoints_are_in_step_order(gateway: Gateway, provider: FakeProvider) -> None:
    for step in (3, 6, 9):
        provider.checkpoint("ftjob-1", step, f"m{step}", full_valid_loss=0.5)
    found = await gateway.checkpoints("ftjob-1")
    assert [c.step for c in found] == [3, 6, 9]
    assert found[0].metrics == {"step": 3, "full_valid_loss": 0.5}


async def test_an_answer_comes_in_pieces_and_whole(gateway: Gateway) -> None:
    pieces = [p async for p in gateway.stream_chat("m", [{"role": "user", "content": "hi"}])]
    assert pieces == [Delta("Hello "), Delta("there"), Finish("stop", 2)]
    whole = await gateway.complete("m", [{"role": "user", "content": "hi"}], max_tokens=5, temperature=0)
    assert whole == Completion("Hello there", "stop", 2)
