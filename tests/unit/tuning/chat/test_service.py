"""Which model answers, with which prompt, and what is said when it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storage import jobs, rooms
from storage.chat_records import ChannelSettings, ChatThread, Role, Turn
from storage.records import Checkpoint, Job, JobState
from tests.support.provider import BASE
from tests.unit.tuning.conftest import House
from tuning.chat import Chat, Delta, Done, Waiting
from tuning.chat.talking import messages_of
from tuning.errors import ChatError, ModelGone, ModelLoading, NoModel, Unreachable


async def job(house: House, number: int, state: JobState = "ready", **fields: Any) -> Job:
    dataset = await house.dataset(f"d{number}.jsonl", "abcdef"[number], tools=[{"type": "function"}])
    values: dict[str, Any] = {
        "id": 0, "intent": f"V{number}", "name": f"triage-{number}", "suffix": "triage", "number": number,
        "provider": "openai", "base": BASE, "dataset_id": dataset.id, "channel": "C1", "owner": "U1",
        "state": state, "created_at": house.now, "finished_at": house.now,
        "fine_tuned_model": f"ft:{number}" if state == "ready" else None,
    }  # fmt: skip
    made = await house.store.write(lambda db: jobs.add(db, Job(**(values | fields))))
    point = Checkpoint(made.id, f"c{number}", f"ft:{number}:ckpt", 5, 1, house.now)
    await house.store.write(lambda db: jobs.put_checkpoint(db, point))
    return made


@pytest.fixture
def chat(house: House) -> Chat:
    return Chat(house.store, house.providers, house.clock, loading_wait=0.0)


async def test_names_lead_to_models(house: House, chat: Chat) -> None:
    made = await job(house, 1)
    found = await chat.resolve("C1", "TRIAGE-1")
    assert (found.model, found.label, found.job_id) == ("ft:1", "triage-1", made.id)
    assert (await chat.resolve("C1", "triage-1@1")).model == "ft:1:ckpt"
    assert (await chat.resolve("C1", "gpt-4.1-mini")).model == BASE
    for wrong in ("nothing", "triage-1@7", "triage-9"):
        with pytest.raises(NoModel) as refused:
            await chat.resolve("C1", wrong)
        assert refused.value.todo


async def test_a_channel_whose_first_model_is_being_made_says_which_to_wait_for(
    house: House, chat: Chat
) -> None:
    with pytest.raises(NoModel) as refused:
        await chat.resolve("C1", None)
    assert "Drop a .jsonl file" in refused.value.todo
    await job(house, 1, "training")
    with pytest.raises(NoModel) as refused:
        await chat.resolve("C1", None)
    assert "Wait for triage-1" in refused.value.todo
    with pytest.raises(NoModel) as refused:
        await chat.resolve("C2", None)
    assert "triage" not in refused.value.todo


async def test_without_a_name_the_channels_model_answers_else_its_newest(house: House, chat: Chat) -> None:
    with pytest.raises(NoModel):
        await chat.resolve("C1", None)
    await job(house, 1)
    await job(house, 2)
    await job(house, 3, "training")
    assert (await chat.resolve("C1", None)).label == "triage-2"
    older = await chat.resolve("C1", "triage-1")
    assert await chat.use("C1", older, "U1") is None
    assert (await chat.resolve("C1", None)).label == "triage-1"
    before = await chat.use("C1", await chat.resolve("C1", "triage-2"), "U2")
    assert before is not None
    assert before.label == "triage-1"


async def test_a_job_in_training_has_no_model_but_maybe_a_checkpoint(house: House, chat: Chat) -> None:
    await job(house, 1, "training")
    with pytest.raises(NoModel) as refused:
        await chat.resolve("C1", "triage-1")
    assert "triage-1@1" in refused.value.todo


async def test_the_list_shows_jobs_then_bases_and_which_is_in_use(house: House, chat: Chat) -> None:
    await job(house, 1)
    await job(house, 2, "training")
    found = [(m.name, m.state, m.in_use, m.model is not None) for m in await chat.models("C1")]
    assert found == [
        ("triage-2", "training", False, False),
        ("triage-1", "ready", True, True),
        ("gpt-4.1-mini", "base", False, True),
        ("gpt-4.1", "base", False, True),
    ]


async def test_a_thread_speaks_with_the_prompt_and_tools_of_its_training_data(
    house: House, chat: Chat
) -> None:
    await job(house, 1)
    model = await chat.resolve("C1", None)
    thread = await chat.begin("C1", "5.5", "U1", model)
    assert (thread.system_prompt, thread.tools) == ("Route it.", [{"type": "function"}])
    turns = [Turn(1, "C1", "5.5", "user", "hi", "5.5", 1.0)]
    parts = [p async for p in chat.stream(thread, turns)]
    assert parts[:2] == [Delta("Hello "), Delta("there")]
    done = parts[-1]
    assert isinstance(done, Done)
    assert (done.finish_reason, done.tokens) == ("stop", 2)
    (asked,) = house.provider.responses
    assert asked["instructions"] == "Route it."
    assert asked["input"] == [{"role": "user", "content": "hi"}]
    assert asked["tools"] == [{"type": "function"}]


async def test_a_thread_keeps_its_model(house: House, chat: Chat) -> None:
    await job(house, 1)
    await job(house, 2)
    first = await chat.begin("C1", "5.5", "U1", await chat.resolve("C1", "triage-1"))
    again = await chat.begin("C1", "5.5", "U2", await chat.resolve("C1", "triage-2"))
    assert again == first


async def test_a_new_model_that_is_still_loading_is_tried_again(house: House, chat: Chat) -> None:
    await job(house, 1)
    thread = await chat.begin("C1", "5.5", "U1", await chat.resolve("C1", None))
    turns = [Turn(1, "C1", "5.5", "user", "hi", "5.5", 1.0)]
    house.provider.fault("POST", "/responses", status=404, code="model_not_found", times=2)
    pieces = [p async for p in chat.stream(thread, turns)]
    assert pieces == [Waiting(), Waiting(), Delta("Hello "), Delta("there"), pieces[-1]]
    house.provider.fault("POST", "/responses", status=404, code="model_not_found", times=20)
    with pytest.raises(ModelLoading):
        [p async for p in chat.stream(thread, turns)]
    house.now += 86_400
    house.provider.fault("POST", "/responses", status=404, code="model_not_found")
    with pytest.raises(ModelGone):
        [p async for p in chat.stream(thread, turns)]
    house.provider.fault("POST", "/responses", status=503)
    with pytest.raises(Unreachable):
        [p async for p in chat.stream(thread, turns)]


RETIRED = 1_800_000_000.0  # 15 January 2027


@pytest.mark.parametrize("listed", [True, False])
async def test_a_retired_model_says_when_though_its_base_is_no_longer_listed(
    house: House, chat: Chat, listed: bool
) -> None:
    await job(house, 1)
    thread = await chat.begin("C1", "5.5", "U1", await chat.resolve("C1", None))
    house.now = RETIRED
    if not listed:
        house.provider.models[:] = house.provider.models[1:]
    house.provider.fault("POST", "/responses", status=404, code="model_not_found")
    with pytest.raises(ModelGone, match="retired its base on 14 January 2027"):
        [p async for p in chat.stream(thread, [question()])]


async def test_a_model_that_was_deleted_is_said_to_be_deleted(house: House, chat: Chat) -> None:
    await job(house, 1)
    thread = await chat.begin("C1", "5.5", "U1", await chat.resolve("C1", None))
    house.now += 86_400
    house.provider.fault("POST", "/responses", status=404, code="model_not_found")
    with pytest.raises(ModelGone, match="no longer has triage-1: it was deleted there"):
        [p async for p in chat.stream(thread, [question()])]


def question(text: str = "hi") -> Turn:
    return Turn(1, "C1", "5.5", "user", text, "5.5", 1.0)


async def test_a_gateway_without_the_responses_api_is_asked_the_other_way(house: House, chat: Chat) -> None:
    await job(house, 1)
    thread = await chat.begin("C1", "5.5", "U1", await chat.resolve("C1", None))
    house.provider.fault("POST", "/responses", status=404, code=None, message="no such route")
    parts = [p async for p in chat.stream(thread, [question()])]
    assert parts[:2] == [Delta("Hello "), Delta("there")]
    assert house.provider.count("POST", "/chat/completions") == 1


async def test_where_the_profile_has_no_responses_api_chat_completions_are_asked(
    house: House, chat: Chat
) -> None:
    house.provider.models[:] = [{"id": "llama", "object": "model", "created": 1, "owned_by": "x"}]
    thread = await chat.begin("C1", "5.5", "U1", await chat.resolve("C1", "llama"))
    parts = [p async for p in chat.stream(thread, [question()])]
    assert parts[:2] == [Delta("Hello "), Delta("there")]
    assert (len(house.provider.chats), len(house.provider.responses)) == (1, 0)


async def test_an_answer_that_breaks_off_after_words_is_not_begun_anew(house: House, chat: Chat) -> None:
    await job(house, 1)
    thread = await chat.begin("C1", "5.5", "U1", await chat.resolve("C1", None))
    house.provider.breaks_off = True
    parts = chat.stream(thread, [question()])
    assert [await anext(parts), await anext(parts)] == [Delta("Hello "), Delta("there")]
    with pytest.raises(Unreachable, match="broke off"):
        await anext(parts)
    assert len(house.provider.responses) == 1


def test_the_model_sees_roles_in_turn_whatever_became_of_answers() -> None:
    thread = ChatThread("C1", "5.5", "openai", "m", "m", "U1", 1.0)
    said: tuple[tuple[Role, str], ...] = (
        ("assistant", "lost root"),
        ("user", "a"),
        ("user", "b"),
        ("assistant", "c"),
        ("user", "d"),
    )
    turns = [Turn(n, "C1", "5.5", role, text, str(n), 1.0) for n, (role, text) in enumerate(said)]
    told = [(m["role"], m["content"]) for m in messages_of(thread, turns)]
    assert told == [("user", "a\n\nb"), ("assistant", "c"), ("user", "d")]


async def test_a_channels_own_prompt_and_tools_take_the_place_of_those_trained_with(
    house: House, chat: Chat
) -> None:
    await job(house, 1)
    model = await chat.resolve("C1", None)
    own = ChannelSettings("C1", system_prompt="Be brief.", tools=[{"type": "function", "name": "mine"}])
    await house.store.write(lambda db: rooms.choose(db, own))
    thread = await chat.begin("C1", "5.5", "U1", model)
    assert (thread.system_prompt, thread.tools) == ("Be brief.", own.tools)
    none = replace(own, system_prompt="", tools=[])
    await house.store.write(lambda db: rooms.choose(db, none))
    thread = await chat.begin("C1", "6.6", "U1", model)
    assert (thread.system_prompt, thread.tools) == (None, [])
    await house.store.write(lambda db: rooms.choose(db, ChannelSettings("C1")))
    thread = await chat.begin("C1", "7.7", "U1", model)
    assert (thread.system_prompt, thread.tools) == ("Route it.", [{"type": "function"}])


async def test_a_job_of_another_channel_is_known_only_where_it_may_be_seen(house: House, chat: Chat) -> None:
    await job(house, 1)
    for name in (None, "triage-1", "triage-1@1"):
        with pytest.raises(NoModel):
            await chat.resolve("D9", name)
        assert (await chat.resolve("D9", name, {"C1"})).label == (name or "triage-1")
    assert "triage-1" not in [entry.name for entry in await chat.models("D9")]
    assert "triage-1" in [entry.name for entry in await chat.models("D9", {"C1"})]


async def test_models_that_were_put_away_are_listed_apart(house: House, chat: Chat) -> None:
    made = await job(house, 1)
    await house.store.write(lambda db: jobs.change(db, made.id, archived=1))
    assert "triage-1" not in [entry.name for entry in await chat.models("C1")]
    assert [entry.name for entry in await chat.models("C1", archived=True)] == ["triage-1"]


async def test_an_answer_asked_for_as_a_whole_writes_calls_of_tools_out(house: House, chat: Chat) -> None:
    await job(house, 1)
    house.provider.calls_tool = {"name": "lookup", "arguments": "{}"}
    base, tuned = await chat.resolve("C1", "gpt-4.1-mini"), await chat.resolve("C1", "triage-1")
    reply = await chat.reply("C1", base, "hi", tuned)
    assert (reply.text, reply.tokens) == ("Hello there\nlookup({})", 2)
    assert house.provider.responses[0]["instructions"] == "Route it."


async def test_a_fine_tune_that_a_provider_lists_like_a_base_stays_in_its_channel(
    house: House, chat: Chat
) -> None:
    """Providers other than OpenAI name fine-tunes as they like."""
    house.provider.models[:] = [
        {"id": name, "object": "model", "created": 1, "owned_by": "x"}
        for name in ("llama", "acme/secret", "acme/secret-step-5")
    ]
    made = await job(house, 1, base="llama", fine_tuned_model="acme/secret")
    point = Checkpoint(made.id, "c9", "acme/secret-step-5", 5, 2, house.now)
    await house.store.write(lambda db: jobs.put_checkpoint(db, point))
    assert [entry.name for entry in await chat.models("C2")] == ["llama"]
    for name in ("acme/secret", "acme/secret-step-5"):
        with pytest.raises(NoModel):
            await chat.resolve("C2", name)
    assert (await chat.resolve("C1", "triage-1")).model == "acme/secret"


async def test_a_conversation_that_is_too_long_for_the_model_is_said_to_be(house: House, chat: Chat) -> None:
    await job(house, 1)
    thread = await chat.begin("C1", "5.5", "U1", await chat.resolve("C1", None))
    house.provider.fault("POST", "/responses", status=400, code="context_length_exceeded", message="4096")
    with pytest.raises(ChatError, match="longer than triage-1 can read") as refused:
        [p async for p in chat.stream(thread, [question()])]
    assert "new thread" in refused.value.todo


async def test_a_model_chosen_in_direct_messages_counts_while_its_channel_may_be_seen(
    house: House, chat: Chat
) -> None:
    await job(house, 1)
    await chat.use("D9", await chat.resolve("D9", "triage-1", {"C1"}), "U1")
    assert (await chat.resolve("D9", None, {"C1"})).label == "triage-1"
    with pytest.raises(NoModel):
        await chat.resolve("D9", None)
