"""What each verb answers; Slack and floor 2 are played, the store is real."""

from __future__ import annotations

from typing import cast

import pytest

from handlers.house import House
from handlers.verbs import VERBS, dispatch, start
from localslack.blocks import check_view
from storage import chats, inbox
from storage.chat_records import ChannelModel
from tests.support.house import PlayedSlack
from tests.support.samples import NOW, a_dataset, a_job
from tests.unit.handlers.verbs.conftest import PlayedChat, PlayedEngine, call, keep, said, say


async def test_help_names_every_verb(house: House):
    words = said(await say(house, "help"))
    for name in VERBS:
        assert f"/ft {name}" in words


async def test_a_typo_gets_the_nearest_verb(house: House):
    answer = await say(house, "jbos")
    assert "Did you mean jobs?" in answer.message.text
    assert not answer.public


async def test_nonsense_gets_help(house: House):
    assert "/ft help" in said(await say(house, "<!channel>"))


async def test_jobs_says_how_to_begin_where_there_are_none(house: House):
    assert ".jsonl" in said(await say(house, "jobs"))


async def test_jobs_lists_those_of_this_channel(house: House):
    other = a_job(channel="C2", name="other-1", intent="V2", number=1, provider_job_id="ftjob-2")
    await keep(house, a_dataset(), a_job(), other)
    words = said(await say(house, "jobs"))
    assert "triage-7" in words
    assert "other-1" not in words


@pytest.mark.parametrize("verb", ["job", "cancel"])
async def test_a_job_that_is_not_ours_is_not_known(house: House, verb: str):
    answer = await say(house, verb, "ftjob-somebody-elses")
    assert "ftjob-somebody-elses" in answer.message.text
    assert not answer.public


async def test_a_job_of_another_channel_is_not_shown(house: House):
    await keep(house, a_dataset(), a_job(channel="C2"))
    assert "There is no job" in said(await say(house, "job", "triage-7"))
    assert "ftjob-abc" in said(await say(house, "job", "triage-7", user="UADMIN"))


async def test_job_shows_the_provider_ids_and_upper_case_is_fine(house: House):
    await keep(house, a_dataset(), a_job())
    assert "ftjob-abc" in said(await say(house, "job", "TRIAGE-7"))
    assert "ftjob-abc" in said(await say(house, "job", "#1"))
    assert "ftjob-abc" in said(await say(house, "job"))


async def test_cancel_asks_first_and_acts_when_it_was_confirmed(house: House):
    await keep(house, a_dataset(), a_job())
    engine = cast(PlayedEngine, house.engine)
    asked = said(await say(house, "cancel", "triage-7"))
    assert all(words in asked for words in ("Billed: ", "Kept: ", "In use: "))
    assert engine.cancelled == []
    await say(house, "cancel", "#1", surface="action")
    assert engine.cancelled == [(1, "U1")]


async def test_only_the_starter_and_admins_cancel(house: House):
    await keep(house, a_dataset(), a_job())
    assert "Only the person" in said(await say(house, "cancel", "#1", surface="action", user="U2"))
    await say(house, "cancel", "#1", surface="action", user="UADMIN")
    assert cast(PlayedEngine, house.engine).cancelled == [(1, "UADMIN")]


async def test_an_ended_job_is_not_cancelled(house: House):
    await keep(house, a_dataset(), a_job(state="ready"))
    assert "ended already" in said(await say(house, "cancel", "triage-7"))


async def test_models_shows_which_is_in_use(house: House):
    assert "in use here" in said(await say(house, "models"))


async def test_use_tells_the_channel_what_changed(house: House):
    await keep(house, a_dataset(), a_job())
    before = ChannelModel("C1", "trainer", "ft:old", "triage-6", "U1", NOW)
    await house.store.write(lambda db: chats.use(db, before))
    asked = await say(house, "use", "#1")
    assert not asked.public
    assert "Use triage-7 here?" in str(asked.message.blocks)
    answer = await dispatch(call("use", "#1", surface="action"), house)
    assert answer is not None
    assert answer.public
    assert "triage-6 → triage-7" in said(answer)
    assert "Which model shall answer" in said(await say(house, "use"))
    assert "There is no model nothing-9" in said(await say(house, "use", "nothing-9"))


async def test_ask_posts_the_question_and_begins_a_chat_under_it(house: House):
    assert await dispatch(call("ask", "triage-7 my bill <!channel>"), house) is None
    posted = cast(PlayedSlack, house.client).asked("chat_postMessage")[0]
    assert posted["text"] == "A question for triage-7: my bill &lt;!channel&gt;"
    assert posted["unfurl_links"] is False
    waiting = await house.store.read(inbox.waiting)
    assert [(item.kind, item.payload["text"]) for item in waiting] == [("chat", "my bill <!channel>")]


async def test_ask_by_mention_answers_under_the_mention(house: House):
    assert await dispatch(call("ask", "my bill", surface="mention", message_ts="1.1"), house) is None
    assert cast(PlayedSlack, house.client).calls == []
    assert len(await house.store.read(inbox.waiting)) == 1


async def test_ask_without_a_question_says_how(house: House):
    assert "What shall I ask triage-7?" in said(await say(house, "ask"))


async def test_a_provider_that_is_down_is_said_plainly_with_its_words_inert(house: House):
    cast(PlayedChat, house.chat).down = True
    answer = await say(house, "ask", "hello")
    assert "The trainer does not answer." in answer.message.text
    assert "rich_text_preformatted" in said(answer)


async def test_start_opens_a_skeleton_at_once_and_fills_it(house: House):
    validation = a_dataset(
        id=2, name="triage-validation.jsonl", drop_id="C1:1.2:F2", sha256="cd", version=1, examples=20
    )
    await keep(house, a_dataset(), validation)
    assert await dispatch(call("start"), house) is None
    slack = cast(PlayedSlack, house.client)
    assert [name for name, _ in slack.calls] == ["views_open", "views_update"]
    view = slack.asked("views_update")[0]["view"]
    assert check_view(view) is None
    chosen = {
        b["block_id"]: b["element"]["initial_option"]["text"]["text"]
        for b in view["blocks"]
        if "initial_option" in b.get("element", {})
    }
    assert chosen["dataset"].startswith("triage.jsonl v7")
    assert chosen["validation"].startswith("triage-validation.jsonl")
    assert chosen["base"] == "Our trainer smollm2-135m · no fee"
    assert view["submit"]["text"] == "Start · no fee · 2 min"
    assert "triage-1" in str(view)


async def test_start_names_a_file_or_says_that_it_is_not_there(house: House):
    await keep(house, a_dataset())
    assert await dispatch(call("start", "Triage.jsonl v7"), house) is None
    assert "no checked training data of this name" in said(await say(house, "start", "other.jsonl"))


async def test_a_job_is_started_again_with_its_data_name_and_settings(house: House):
    await keep(house, a_dataset(), a_job(state="failed", suffix="mine", settings={"epochs": 5, "seed": 7}))
    assert await dispatch(call("start", "again 1", surface="action"), house) is None
    view = cast(PlayedSlack, house.client).asked("views_update")[0]["view"]
    assert check_view(view) is None
    shown = {b["block_id"]: b["element"].get("initial_value") for b in view["blocks"] if "element" in b}
    assert (shown["name"], shown["more_epochs"], shown["more_seed"]) == ("mine", "5", "7")
    assert "There is no job 1." in said(await say(house, "start", "again 1", channel="C2"))
    assert "no job 99" in said(await say(house, "start", "again 99"))


async def test_more_settings_open_by_their_button_and_stay_open(house: House):
    await keep(house, a_dataset())
    view = {"id": "V9", "private_metadata": '{"channel": "C1"}', "state": {"values": {}}}
    await start.refresh(house, view, "more")
    opened = cast(PlayedSlack, house.client).asked("views_update")[0]["view"]
    assert "more_epochs" in str(opened)
    await start.refresh(house, {**view, "private_metadata": opened["private_metadata"]})
    assert "more_epochs" in str(cast(PlayedSlack, house.client).asked("views_update")[1]["view"])


async def test_start_by_mention_gives_a_button_that_opens_the_form(house: House):
    await keep(house, a_dataset())
    answer = await say(house, "start", surface="mention", trigger_id=None)
    assert "'action_id': 'start:0', 'value': '1'" in said(answer)
    assert cast(PlayedSlack, house.client).calls == []


async def test_start_in_an_empty_channel_says_how_to_begin(house: House):
    assert ".jsonl" in said(await say(house, "start"))


async def test_a_choice_in_the_form_shows_its_price_and_keeps_what_was_typed(house: House):
    await keep(house, a_dataset())
    state = {
        "dataset": {"dataset": {"selected_option": {"value": "1"}}},
        "name": {"name": {"value": "mine"}},
        "more_epochs": {"more_epochs": {"value": "5"}},
    }
    view = {"id": "V9", "private_metadata": '{"channel": "C1"}', "state": {"values": state}}
    await start.refresh(house, view)
    update = cast(PlayedSlack, house.client).asked("views_update")[0]
    assert update["view_id"] == "V9"
    assert "mine-1" in str(update["view"])


async def test_a_form_closed_meanwhile_is_no_error(house: House):
    await keep(house, a_dataset())
    cast(PlayedSlack, house.client).refuse["views_update"] = "not_found"
    assert await dispatch(call("start"), house) is None


async def test_train_and_valid_belong_together(house: House):
    valid = a_dataset(id=2, name="valid.jsonl", drop_id="C1:1.2:F2", sha256="cd", version=1)
    await keep(house, a_dataset(name="train.jsonl"), valid)
    assert await dispatch(call("start"), house) is None
    view = cast(PlayedSlack, house.client).asked("views_update")[0]["view"]
    block = next(b for b in view["blocks"] if b.get("block_id") == "validation")
    assert block["element"]["initial_option"]["text"]["text"].startswith("valid.jsonl")
