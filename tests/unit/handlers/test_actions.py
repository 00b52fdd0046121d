"""Buttons, over real sockets."""

from __future__ import annotations

import pytest

from handlers import actions
from handlers.answer import Answer, Message
from handlers.incoming import Incoming
from storage import chats, datasets, jobs
from storage.records import Dataset, Job
from tests.support.surfaces import MODEL, surfaces
from tests.support.waiting import until
from tuning.pictures import Picture

REPORT = {"file": "triage.jsonl", "problems": []}


@pytest.fixture
async def slack(tmp_path):
    async with surfaces(tmp_path) as found:
        found.chat.model = MODEL
        yield found


async def ready_job(slack, channel):
    """A job of this channel, its dataset dropped in a thread of its own."""
    root = await slack.jin.say(channel, "here is data")
    dataset = Dataset(0, "t.jsonl", 1, channel, root, "U1", "d:1:F1", "ready", 1.0)

    def keep(db):
        kept = datasets.add(db, dataset)
        assert kept is not None
        job = Job(0, "i", "triage-7", "triage", 7, "trainer", "tiny", kept.id, channel, "U1", "ready", 1.0)
        return kept, jobs.add(db, job)

    return await slack.store.write(keep)


async def click(slack, channel, action, value, thread=None):
    element = {
        "type": "button",
        "text": {"type": "plain_text", "text": "Go"},
        "action_id": action,
        "value": value,
    }
    posted = await slack.house.client.chat_postMessage(
        channel=channel,
        text="card",
        thread_ts=thread,
        blocks=[{"type": "actions", "block_id": "b", "elements": [element]}],
    )
    body = {"channel": channel, "message_ts": posted["ts"], "block_id": "b", "action_id": action}
    answer = await slack.jin.ask("POST", "/actions", body)
    assert answer["ok"], answer
    return posted["ts"]


async def alone(slack, channel):
    async def look():
        return [m["text"] for m in await slack.jin.messages(channel) if m.get("ephemeral")]

    return await until(look)


@pytest.mark.parametrize(
    ("action", "value", "verb", "args"),
    [
        ("start", "12", "start", "#12"),
        ("cancel", "3", "cancel", "#3"),
        ("use", "3", "use", "#3"),
        ("jobs_show", "", "jobs", ""),
    ],
)
def test_a_button_is_the_same_call_as_the_typed_verb(action, value, verb, args):
    clicked = Incoming("action", "U1", "C1", "2.2", "1.1", action=action, value=value, trigger_id="t")
    call = actions.call_of(clicked)
    assert call is not None
    assert (call.verb, call.args, call.surface, call.trigger_id, call.thread) == (
        verb,
        args,
        "action",
        "t",
        "1.1",
    )


async def test_an_answer_may_stand_in_place_of_the_clicked_message(slack, monkeypatch):
    async def dispatch(call, house):
        return Answer(Message("asked already"), replace=True)

    monkeypatch.setattr(actions, "dispatch", dispatch)
    room = slack.channel("tuning")
    ts = await click(slack, room, "cancel", "1")

    async def look():
        return [m["text"] for m in await slack.jin.messages(room) if m["ts"] == ts]

    async def replaced():
        return await look() == ["asked already"]

    await until(replaced)


async def test_try_opens_a_thread_in_which_the_model_answers(slack):
    room = slack.channel("tuning")
    _, job = await ready_job(slack, room)
    await click(slack, room, "try", str(job.id))

    async def opened():
        return [m for m in await slack.jin.messages(room) if "tries" in m["text"]]

    (root,) = await until(opened)

    async def begun():
        return await slack.store.read(lambda db: chats.get(db, room, root["ts"]))

    await until(begun)
    await slack.jin.say(room, "my card was charged twice", root["ts"])

    async def answered():
        return "billing | high" in str(await slack.jin.thread(room, root["ts"]))

    await until(answered)


async def test_a_model_of_another_channel_cannot_be_tried_here(slack):
    _, job = await ready_job(slack, slack.channel("lab"))
    room = slack.channel("tuning")
    await click(slack, room, "try", str(job.id))
    (text,) = await alone(slack, room)
    assert "another channel" in text


@pytest.mark.parametrize("value", ["999", "nonsense"])
async def test_a_card_that_has_become_too_old_says_so(slack, value):
    room = slack.channel("tuning")
    await click(slack, room, "try", value)
    (text,) = await alone(slack, room)
    assert "no job 999" in text or "too old" in text


async def test_the_loss_curve_comes_as_a_picture_in_the_thread(slack, monkeypatch):
    monkeypatch.setattr(
        actions, "loss_picture", lambda *facts: Picture(b"\x89PNG\r\n", "Loss of triage-7", "It falls.")
    )
    room = slack.channel("tuning")
    _, job = await ready_job(slack, room)
    ts = await click(slack, room, "loss_curve", str(job.id))

    async def posted():
        return [f["name"] for m in (await slack.jin.thread(room, ts))[1:] for f in m.get("files") or []]

    (name,) = await until(posted)
    assert name.startswith("triage-7-loss-")


async def test_a_loss_curve_without_figures_is_put_off_kindly(slack, monkeypatch):
    monkeypatch.setattr(actions, "loss_picture", lambda *facts: None)
    room = slack.channel("tuning")
    _, job = await ready_job(slack, room)
    await click(slack, room, "loss_curve", str(job.id))
    (text,) = await alone(slack, room)
    assert "no figures" in text


async def test_the_full_report_comes_as_a_table_in_the_drops_thread(slack):
    room = slack.channel("tuning")
    dataset, _ = await ready_job(slack, room)
    slack.intake.tables[dataset.id] = b"line,severity\n4,error\n"
    await slack.store.write(lambda db: datasets.change(db, dataset.id, report=REPORT))
    await click(slack, room, "report", str(dataset.id))

    async def posted():
        return [f["name"] for m in await slack.jin.thread(room, dataset.thread) for f in m.get("files") or []]

    (name,) = await until(posted)
    assert name.startswith(f"report-{dataset.id}-")


async def test_home_shows_my_jobs(slack):
    room = slack.channel("tuning")
    _, job = await ready_job(slack, room)
    mine = slack.user("jin")
    await slack.store.write(lambda db: jobs.change(db, job.id, owner=mine))
    await slack.jin.ask("POST", "/home", {})

    async def shown():
        return (await slack.jin.ask("GET", "/home")).get("view")

    assert "triage-7" in str(await until(shown))
