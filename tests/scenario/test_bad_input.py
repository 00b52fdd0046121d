"""Hostile input is normal input: each gets a clear answer in the right place, once."""

from __future__ import annotations

import json

import pytest

from demo.person import words
from tests.support.workspace import WAIT, Workspace, chat_file, choose, holds, typed

pytestmark = pytest.mark.asyncio(loop_scope="session")

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("prose.jsonl", "Dear all,\nplease find the data below.\n", "JSON"),
        ("empty.jsonl", "", "empty"),
        ("page.jsonl", "<!doctype html><html><body>Sign in</body></html>", "HTML"),
        ("array.jsonl", json.dumps([{"messages": []}]), "JSON"),
    ],
)
async def test_a_file_that_is_no_dataset_is_named_for_what_it_is(
    place: Workspace, name: str, content: str, says: str
) -> None:
    channel = await place.channel()
    ts = await place.drop(channel, name, content)
    card = await place.reply(channel, ts, "Not ready")
    assert says.lower() in words(card).lower()
    assert await place.jin.reactions(channel, ts) == ["x"] or await _has_reaction(place, channel, ts, "x")


async def _has_reaction(place: Workspace, channel: str, ts: str, name: str) -> bool:
    async def look() -> bool:
        return await place.jin.reactions(channel, ts) == [name]

    return bool(await place.jin.wait(f"the reaction {name}", look, WAIT))


async def test_a_claim_of_2_gb_is_refused_before_it_is_fetched(place: Workspace) -> None:
    channel = await place.channel()
    ts = await place.drop(channel, "huge.jsonl", chat_file(12), claim_size=str(2 * 1024**3))
    card = await place.reply(channel, ts, "huge.jsonl")

    async def refused() -> bool:
        thread = await place.jin.thread(channel, ts)
        return any("GB" in words(m) or "larger" in words(m) for m in thread[1:])

    await place.jin.wait("the refusal", refused, WAIT)
    assert "Ready" not in words(card)


async def test_a_file_from_an_unknown_host_is_not_fetched(place: Workspace) -> None:
    channel = await place.channel()
    ts = await place.drop(channel, "far.jsonl", chat_file(12), claim_host="evil.example")

    async def refused() -> bool:
        thread = await place.jin.thread(channel, ts)
        return any("Ready" not in words(m) and "evil.example" in words(m) for m in thread[1:])

    await place.jin.wait("the refusal that names the host", refused, WAIT)


async def test_a_screenshot_gets_no_reaction_at_all(place: Workspace) -> None:
    channel = await place.channel()
    screenshot = await place.drop(channel, "screen.png", PNG)
    dataset = await place.drop(channel, "after.jsonl", chat_file(12, "after"))
    await place.reply(channel, dataset, "Ready to train")
    thread = await place.jin.thread(channel, screenshot)
    assert len(thread) == 1
    assert not thread[0].get("reactions")


async def test_nonsense_after_the_command_gets_the_nearest_verb_and_only_the_caller_sees_it(
    place: Workspace,
) -> None:
    channel = await place.channel()
    await place.jin.command(channel, "/ft jbos")
    answer = await place.root(channel, "jobs")
    assert answer.get("ephemeral")
    assert not [m for m in await place.mina.messages(channel) if holds(m, "jobs")]


@pytest.mark.parametrize("verb", ["job", "cancel"])
async def test_a_job_that_is_not_ours_is_said_to_be_unknown(place: Workspace, verb: str) -> None:
    channel = await place.channel()
    await place.jin.command(channel, f"/ft {verb} ftjob-somebody-elses")
    answer = await place.root(channel, "ftjob-somebody-elses")
    assert answer.get("ephemeral")


async def test_wrong_values_in_the_form_are_named_at_their_fields(place: Workspace) -> None:
    channel = await place.channel()
    await place.drop(channel, "train.jsonl", chat_file(12, "wrong"))
    await place.ready(channel, 1)
    view = await place.open_form(channel)
    values = choose(view, "dataset", "train.jsonl") | typed(view, "name", "no spaces or / please!")
    answer = await place.jin.submit(view, values)
    assert not answer["ok"]
    assert set(answer["errors"]) == {"name"}
    await place.jin.call("POST", f"views/{view['id']}/close")


@pytest.mark.long
async def test_a_form_submitted_twice_starts_one_job(place: Workspace) -> None:
    channel = await place.channel()
    await place.drop(channel, "train.jsonl", chat_file(12, "double"))
    await place.ready(channel, 1)
    view = await place.open_form(channel)
    values = choose(view, "dataset", "train.jsonl") | typed(view, "name", "double")
    first = await place.jin.submit(view, values)
    second = await place.jin.submit(view, values)
    assert first["ok"]
    assert not second["ok"]
    card = await place.root(channel, "double-")
    await place.finished(channel, card)
    cards = [m for m in await place.jin.messages(channel) if holds(m, "double-")]
    assert len(cards) == 1


async def test_start_without_any_data_says_what_to_drop(place: Workspace) -> None:
    channel = await place.channel()
    await place.jin.command(channel, "/ft start")

    async def told() -> bool:
        view = await place.jin.form()
        return ".jsonl" in (words(view) if view else "") or any(
            ".jsonl" in words(m) for m in await place.jin.messages(channel) if "bot_id" in m
        )

    await place.jin.wait("a word about dropping a .jsonl file", told, WAIT)
    view = await place.jin.form()
    if view is not None:
        await place.jin.call("POST", f"views/{view['id']}/close")


async def test_text_of_people_never_pings_anybody(place: Workspace) -> None:
    channel = await place.channel()
    ts = await place.drop(channel, "<!channel> *bold*.jsonl", "nothing\n")
    card = await place.reply(channel, ts, "Not ready")
    assert "<!" not in str(card["text"])
    acting = [text for text in _texts(card["blocks"], "mrkdwn") if "<!" in text]
    assert acting == []
    assert "channel" in words(card)
    assert "*bold*" in "".join(_texts(card["blocks"], "text"))


def _texts(node: object, kind: str) -> list[str]:
    """The texts of all objects of this type: mrkdwn is parsed for mentions, a rich text's text never is."""
    if isinstance(node, list):
        return [text for item in node for text in _texts(item, kind)]
    if not isinstance(node, dict):
        return []
    own = [str(node["text"])] if node.get("type") == kind and isinstance(node.get("text"), str) else []
    return own + [text for value in node.values() for text in _texts(value, kind)]
