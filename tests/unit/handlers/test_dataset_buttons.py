"""The buttons of a dataset's card and list, over real sockets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from handlers import dataset_buttons, preparing
from handlers.verbs.datasets import listed
from handlers.views.reading_form import ReadingWish
from handlers.views.start_form import Chosen
from handlers.views.validation_form import ValidationWish
from localslack.blocks import check_blocks
from storage import datasets
from storage.records import Dataset, Overlap
from tests.support.surfaces import surfaces
from tests.support.waiting import until
from tests.unit.handlers.test_actions import alone
from tests.unit.handlers.test_modals import wish
from tuning.errors import TuningError
from tuning.jobs.withdrawing import CopyThere, Ties
from tuning.pictures import Picture
from tuning.providers import Profile


@pytest.fixture
async def slack(tmp_path):
    async with surfaces(tmp_path) as found:
        trainer = SimpleNamespace(last_profile=Profile("trainer", "Our trainer", ()))
        known = SimpleNamespace(names=("trainer",), get=lambda name: trainer)
        object.__setattr__(found.house, "providers", known)
        yield found


async def dropped(slack, channel, **changes):
    """A dataset of this channel whose card stands in a thread of its own."""
    root = await slack.jin.say(channel, "here is data")
    values: dict[str, Any] = {
        "name": "<!channel>.jsonl",
        "version": 1,
        "user": slack.user("jin"),
        "drop_id": f"{channel}:{root}:F1",
        "state": "not_ready",
        "created_at": 1.0,
        "sha256": "ab" * 32,
        "path": "kept",
    }
    dataset = Dataset(0, channel=channel, thread=root, **{**values, **changes})
    return await slack.store.write(lambda db: datasets.add(db, dataset))


async def click(slack, channel, action, dataset_id, *, person=None, menu=False):
    """Clicks a button, or chooses from the menu of a card."""
    text = {"type": "plain_text", "text": "Go"}
    value = f"{action}:{dataset_id}" if menu else str(dataset_id)
    option = {"text": text, "value": value}
    element = (
        {"type": "overflow", "action_id": "dataset_more", "options": [option, {**option, "value": "x:1"}]}
        if menu
        else {"type": "button", "text": text, "action_id": action, "value": value}
    )
    blocks = [{"type": "actions", "block_id": "b", "elements": [element]}]
    posted = await slack.house.client.chat_postMessage(channel=channel, text="card", blocks=blocks)
    body = {"channel": channel, "message_ts": posted["ts"], "block_id": "b"}
    body |= {"action_id": element["action_id"]} | ({"selected_option": option} if menu else {})
    answer = await (person or slack.jin).ask("POST", "/actions", body)
    assert answer["ok"], answer
    return posted["ts"]


async def copies(slack, dataset):
    return await slack.store.read(lambda db: datasets.made_from(db, dataset.id))


@pytest.mark.parametrize(
    ("action", "menu", "origin"),
    [("fix", False, "repair"), ("redact", False, "redaction"), ("redact", True, "redaction")],
)
async def test_a_copy_is_made_once_however_often_it_is_asked_for(slack, action, menu, origin):
    room = slack.channel("tuning")
    dataset = await dropped(slack, room)
    for _ in range(2):
        await click(slack, room, action, dataset.id, menu=menu)
        await slack.settled()

    async def made():
        found = await copies(slack, dataset)
        return found if found and found[0].state == "ready" else None

    (copy,) = await until(made)
    assert (copy.origin, copy.thread, copy.name) == (origin, dataset.thread, dataset.name)
    assert slack.intake.made[0] == copy.id


async def test_a_card_of_another_channel_does_nothing_here(slack):
    dataset = await dropped(slack, slack.channel("lab"))
    room = slack.channel("tuning")
    await click(slack, room, "fix", dataset.id)
    (text,) = await alone(slack, room)
    assert "another channel" in text
    assert await copies(slack, dataset) == []


async def test_a_choice_nobody_knows_any_more_says_so(slack):
    room = slack.channel("tuning")
    await click(slack, room, "frobnicate", 1, menu=True)
    (text,) = await alone(slack, room)
    assert "too old" in text


async def test_a_file_that_is_no_longer_kept_is_asked_for_again(slack):
    room = slack.channel("tuning")
    dataset = await dropped(slack, room, path=None)
    await click(slack, room, "fix", dataset.id)
    (text,) = await alone(slack, room)
    assert "no longer kept" in text


async def test_the_token_chart_comes_into_the_thread(slack, monkeypatch):
    async def chart(dataset_id):
        return Picture(b"\x89PNG\r\n", "Tokens", "Most examples are short.")

    monkeypatch.setattr(slack.intake, "chart", chart, raising=False)
    room = slack.channel("tuning")
    dataset = await dropped(slack, room, state="ready")
    await click(slack, room, "chart", dataset.id, menu=True)

    async def posted():
        return [f["name"] for m in await slack.jin.thread(room, dataset.thread) for f in m.get("files") or []]

    (name,) = await until(posted)
    assert name.startswith(f"tokens-{dataset.id}-")
    assert "Most examples are short." in str(await slack.calls("files.getUploadURLExternal"))


async def test_about_is_told_to_the_person_alone(slack):
    room = slack.channel("tuning")
    dataset = await dropped(slack, room)
    await click(slack, room, "about", dataset.id, menu=True)
    (text,) = await alone(slack, room)
    assert text == "About &lt;!channel&gt;.jsonl v1"


async def test_only_the_person_who_dropped_it_deletes(slack, monkeypatch):
    removed = []

    async def remove(dataset_id, by, state="everywhere"):
        removed.append((dataset_id, state))
        return await slack.store.write(lambda db: datasets.change(db, dataset_id, state="deleted"))

    async def ties(dataset_id):
        return Ties(there=[CopyThere("trainer", "file-7")])

    monkeypatch.setattr(slack.intake, "remove", remove, raising=False)
    monkeypatch.setattr(slack.intake, "remove_everywhere", remove, raising=False)
    monkeypatch.setattr(slack.intake, "ties", ties, raising=False)
    room = slack.channel("tuning")
    dataset = await dropped(slack, room)
    other = await dropped(slack, room, drop_id="x:2:F", sha256="cd" * 32)

    async def refused():
        found = await slack.mina.messages(room)
        return [m["text"] for m in found if m.get("ephemeral")]

    for count, action in enumerate(("dataset_delete", "dataset_delete_here", "dataset_delete_all"), 1):
        await click(slack, room, action, dataset.id, person=slack.mina)

        async def again(count=count):
            found = await refused()
            return found if len(found) == count else None

        assert "Only the person" in (await until(again))[-1]
    assert removed == []
    await click(slack, room, "dataset_delete", dataset.id)
    await slack.settled()
    assert removed == []  # first it says what that means
    await click(slack, room, "dataset_delete_here", dataset.id)
    await until(lambda: removed)
    await click(slack, room, "dataset_delete_all", other.id)
    await until(lambda: len(removed) == 2)
    assert removed == [(dataset.id, "deleted"), (other.id, "everywhere")]


async def test_the_list_holds_what_is_kept_and_names_are_inert(slack):
    room = slack.channel("tuning")
    await dropped(slack, room)
    gone = await dropped(slack, room, drop_id="x:2:F", state="deleted", name="gone.jsonl")
    message = await listed(slack.house, room, slack.user("mina"))
    assert check_blocks(message.blocks, "message") is None
    assert "<!channel>.jsonl v1" in str(message.blocks)
    assert gone.name not in str(message.blocks)
    assert "accessory" not in str(message.blocks)
    assert "accessory" in str((await listed(slack.house, room, slack.user("jin"))).blocks)


async def test_validation_data_is_added_by_a_form(slack):
    room = slack.channel("tuning")
    training = await dropped(slack, room, state="ready", name="a.jsonl")
    held_out = await dropped(
        slack, room, state="ready", name="a-val.jsonl", drop_id="x:2:F", sha256="cd", purpose="validation"
    )
    await _submit_validation(slack, room, training)

    async def paired():
        found = await slack.store.read(lambda db: datasets.get(db, training.id))
        return found.validation_id

    assert await until(paired) == held_out.id


async def test_overlapping_validation_data_is_refused_at_the_field(slack):
    slack.intake.overlapping = 3
    room = slack.channel("tuning")
    training = await dropped(slack, room, state="ready", name="a.jsonl")
    await dropped(
        slack, room, state="ready", name="a-val.jsonl", drop_id="x:2:F", sha256="cd", purpose="validation"
    )
    answer = await _submit_validation(slack, room, training)
    assert "3 rows are also in the training data" in answer["errors"]["validation"]


async def test_an_overlap_stands_on_the_word_of_who_ticks_it(slack):
    slack.intake.overlapping = 3
    room = slack.channel("tuning")
    training = await dropped(slack, room, state="ready", name="a.jsonl", sha256="a")
    await dropped(
        slack, room, state="ready", name="a-val.jsonl", drop_id="x:2:F", sha256="b", purpose="validation"
    )
    await slack.store.write(lambda db: datasets.keep_overlap(db, Overlap("a", "b", 3, 0, [1, 2, 3])))
    tick = {"overlap": {"overlap": {"selected_options": [{"value": "allowed"}]}}}
    answer = await _submit_validation(slack, room, training, tick)
    assert not answer.get("errors")

    async def allowed():
        found = await slack.store.read(lambda db: datasets.overlap_of(db, "a", "b"))
        return found.allowed_by

    assert await until(allowed) == slack.user("jin")


async def test_a_file_is_read_as_the_format_a_person_chooses(slack):
    room = slack.channel("tuning")
    dataset = await dropped(slack, room)
    await click(slack, room, "read_as", dataset.id, menu=True)
    view = await _opened(slack)
    choice = next(o for o in view["blocks"][1]["element"]["options"] if o["value"] == "alpaca")
    values = {"read_as": {"read_as": {"selected_option": choice}}}
    answer = await slack.jin.ask("POST", f"/views/{view['id']}/submit", {"values": values})
    assert not answer.get("errors")

    async def made():
        found = await copies(slack, dataset)
        return found if found and found[0].state == "ready" else None

    (copy,) = await until(made)
    assert (copy.origin, copy.read_as, copy.user) == ("repair", "alpaca", slack.user("jin"))


async def _send(slack, form, here, ours, elsewhere):
    """Sends one of the forms with the number of somebody else's data in it."""
    house, chosen = slack.house, Chosen(here, elsewhere, None, None, None, None, split=True)
    match form:
        case "split":
            await dataset_buttons.add_validation(house, ValidationWish(here, elsewhere, None), "U1")
        case "validation":
            await dataset_buttons.refuse_validation(house, ValidationWish(here, ours, elsewhere))
        case "added validation":
            await dataset_buttons.add_validation(house, ValidationWish(here, ours, elsewhere), "U1")
        case "reading":
            await dataset_buttons.read_as(house, ReadingWish(here, elsewhere, "alpaca"), "U1")
        case _:
            await preparing.prepare(house, wish(here, dataset_id=elsewhere), chosen)


@pytest.mark.parametrize("form", ["split", "validation", "added validation", "reading", "start"])
async def test_a_form_that_names_data_of_another_channel_touches_and_tells_nothing_of_it(slack, form):
    """As somebody might send it by hand: forms hold ids, which are counted."""
    here, there = slack.channel("tuning"), slack.channel("random")
    ours = await dropped(slack, here, state="ready", name="a.jsonl")
    secret = await dropped(slack, there, state="ready", name="secret.jsonl", sha256="cd")
    with pytest.raises(TuningError) as refused:
        await _send(slack, form, here, ours.id, secret.id)
    assert "secret" not in f"{refused.value} {refused.value.todo}"
    assert await copies(slack, secret) == []
    assert (await slack.store.read(lambda db: datasets.get(db, ours.id))).validation_id is None


async def _opened(slack):
    async def opened():
        return (await slack.jin.ask("GET", "/views"))["views"]

    return (await until(opened))[-1]


async def _submit_validation(slack, room, training, values=None):
    await click(slack, room, "add_validation", training.id)
    view = await _opened(slack)
    return await slack.jin.ask("POST", f"/views/{view['id']}/submit", {"values": values or {}})


async def test_a_split_makes_two_parts_that_belong_together(slack):
    room = slack.channel("tuning")
    training = await dropped(slack, room, state="ready", name="a.jsonl")
    await _submit_validation(slack, room, training)

    async def made():
        found = await copies(slack, training)
        return found if len(found) == 2 and all(d.state == "ready" for d in found) else None

    held_out, kept = await until(made)
    assert (kept.validation_id, held_out.purpose, held_out.name) == (
        held_out.id,
        "validation",
        "a-valid.jsonl",
    )
