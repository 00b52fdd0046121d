"""Places, people and the rarer things: archives, groups, strangers, lost files, Stop, charts, big fields."""

from __future__ import annotations

import html
import json

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Desk, Workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_channel_is_archived_and_opened_again(desk: Desk, workspace: Workspace) -> None:
    channel, name = await workspace.channel()
    page = await desk.open(channel)
    await page.get_by_test_id("members").click()
    await page.get_by_test_id("archive").click()
    await expect(page.get_by_test_id("archived")).to_have_text(f"#{name} is archived.")
    await expect(page.get_by_test_id("composer").first).to_be_hidden()
    await page.get_by_role("button", name="Open it again").click()
    await expect(page.get_by_test_id("composer").first).to_be_visible()


async def test_a_group_message_names_the_others(desk: Desk, workspace: Workspace) -> None:
    made = (await workspace.ui("POST", "dm", users=["mina", "tryout"]))["channel"]
    page = await desk.open(made["id"])
    await expect(page.get_by_test_id("channel-title")).to_have_text("Mina, tryout")
    await page.get_by_test_id("composer").first.fill("hello you two")
    await page.keyboard.press("Enter")
    other = await desk.open(made["id"], user="mina")
    await expect(other.get_by_test_id("message").last).to_contain_text("hello you two")
    await expect(other.get_by_test_id("channel-title")).to_have_text("Jin, tryout")


async def test_a_stranger_in_a_shared_channel_is_marked(desk: Desk, workspace: Workspace) -> None:
    workspace.count += 1
    name, person = f"shared-{workspace.count}", f"eve{workspace.count}"
    made = (await workspace.ui("POST", "channels", name=name, is_shared=True))["channel"]["id"]
    await workspace.ui("POST", "people", name=person, stranger=True)
    await workspace.ui("POST", f"channels/{made}/members", user=person)
    await workspace.ui("POST", f"channels/{made}/messages", by=person, text="hello from elsewhere")
    page = await desk.open(made)
    await expect(page.get_by_test_id("shared")).to_be_visible()
    said = page.get_by_test_id("message")
    await expect(said.last).to_contain_text("hello from elsewhere")
    await expect(said.get_by_test_id("person-mark")).to_have_text(["other workspace"])


async def test_a_deleted_file_says_so(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    page = await desk.open(channel)
    await page.locator("input[type=file]").first.set_input_files(
        {"name": "rows.jsonl", "mimeType": "application/json", "buffer": b"{}\n"}
    )
    await page.get_by_test_id("composer").first.press("Enter")
    file = page.get_by_test_id("file")
    await expect(file).to_contain_text("rows.jsonl")
    messages = (await workspace.ui("GET", f"channels/{channel}/messages"))["messages"]
    await workspace.ui("DELETE", f"files/{messages[-1]['files'][0]['id']}")
    await expect(file).to_have_text("This file was deleted.")


async def test_stop_ends_an_answer_that_is_being_written(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    root = (await workspace.ui("POST", f"channels/{channel}/messages", text="tell me"))["message"]["ts"]
    place = {"channel_id": channel, "thread_ts": root}
    await workspace.client.chat_startStream(
        channel=channel,
        thread_ts=root,
        recipient_user_id=workspace.user("jin"),
        recipient_team_id=workspace.state["team"]["id"],
        markdown_text="Once upon a",
    )
    await workspace.client.agents_sessions_setStatus(**place, status="processing")
    page = await desk.open(f"{channel}/{root}")
    await page.get_by_test_id("stop").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("thread-messages")).to_contain_text("Stopped as you asked.")
    await expect(page.get_by_test_id("stop")).to_be_hidden()


async def test_a_form_takes_files_and_long_text(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    page = await desk.open(channel)
    await page.get_by_test_id("composer").first.fill("/try big")
    await page.keyboard.press("Enter")
    modal = page.get_by_test_id("modal")
    await expect(modal).to_be_visible()
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal.get_by_test_id("field-error").first).to_contain_text("required")
    await modal.get_by_label("Rows").set_input_files(
        {"name": "rows.jsonl", "mimeType": "application/json", "buffer": b"{}\n"}
    )
    await expect(modal.get_by_test_id("file-input-file")).to_contain_text("rows.jsonl")
    await modal.get_by_label("Story").fill("a <b>long</b> tale")
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal).to_have_count(0)
    dm = next(
        c for c in (await workspace.ui("GET", "state"))["channels"] if c["is_im"] and "tryout" in c["name"]
    )
    page = await desk.open(dm["id"])
    await expect(page.get_by_test_id("message").last).to_contain_text(
        "Got ['rows.jsonl']: a <b>long</b> tale"
    )


async def test_every_kind_of_field_is_filled_in_and_reaches_the_app(desk: Desk, workspace: Workspace) -> None:
    page = await desk.open((await workspace.channel())[0])
    await page.get_by_test_id("composer").first.fill("/try every")
    await page.keyboard.press("Enter")
    modal = page.get_by_test_id("modal")
    typed = {
        "plain_text_input": "two\nlines",
        "email_text_input": "jin@example.com",
        "url_text_input": "https://example.com/a",
        "number_input": "0.5",
        "datepicker": "2026-11-22",
        "timepicker": "09:30",
        "datetimepicker": "2026-11-22T09:30",
    }
    for label, value in typed.items():
        await modal.get_by_label(label, exact=True).fill(value)
    for block, chosen in (("radio_buttons", ["Two"]), ("checkboxes", ["One", "Three"])):
        for words in chosen:
            await modal.locator(f"[data-block-id={block}]").get_by_label(words).check()
    menus = {
        "static_select": ["Two"],
        "multi_static_select": ["One", "Two"],
        "users_select": ["Mina"],
        "multi_users_select": ["Jin", "Mina"],
        "channels_select": ["general"],
        "conversations_select": ["general"],
        "multi_external_select": ["Lyon"],
    }
    for block, wanted in menus.items():
        await modal.locator(f"[data-block-id={block}]").get_by_test_id("block-select").focus()
        await page.keyboard.press("ArrowDown")
        for words in wanted:
            await page.get_by_test_id("select-search").fill(words)
            option = page.get_by_test_id("select-option").filter(has_text=words)
            await expect(option.first).to_be_visible()
            await expect(page.get_by_test_id("select-option")).to_have_count(1)
            await page.keyboard.press("Enter")
        if block.startswith("multi_"):
            await page.keyboard.press("Escape")
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal).to_have_count(0)
    state = await workspace.ui("GET", "state")
    dm = next(c["id"] for c in state["channels"] if c["is_im"] and "tryout" in c["name"])
    said = (await workspace.ui("GET", f"channels/{dm}/messages"))["messages"][-1]["text"]
    got = json.loads(html.unescape(said.removeprefix("Got ")))
    assert got["plain_text_input"] == {"type": "plain_text_input", "value": "two\nlines"}
    assert got["number_input"]["value"] == "0.5"
    assert got["datepicker"]["selected_date"] == "2026-11-22"
    assert got["timepicker"]["selected_time"] == "09:30"
    assert isinstance(got["datetimepicker"]["selected_date_time"], int)
    assert got["radio_buttons"]["selected_option"]["value"] == "two"
    assert [o["value"] for o in got["checkboxes"]["selected_options"]] == ["one", "three"]
    assert [o["value"] for o in got["multi_static_select"]["selected_options"]] == ["one", "two"]
    assert got["users_select"]["selected_user"] == workspace.user("mina")
    assert got["multi_users_select"]["selected_users"] == [workspace.user("jin"), workspace.user("mina")]
    assert got["channels_select"]["selected_channel"] == got["conversations_select"]["selected_conversation"]
    assert [o["value"] for o in got["multi_external_select"]["selected_options"]] == ["lyon"]


async def test_charts_and_blocks_that_only_have_a_name(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    points = [{"label": str(n), "value": 3 - n / 2} for n in range(4)]
    axes = {"categories": [p["label"] for p in points], "x_label": "Step", "y_label": "Loss"}
    chart = {"type": "line", "series": [{"name": "train", "data": points}], "axis_config": axes}
    segments = [{"label": "used", "value": 3}, {"label": "left", "value": 1}]
    video = {
        "type": "video",
        "title": {"type": "plain_text", "text": "How it works"},
        "alt_text": "a film",
        "video_url": "https://example.com/v",
        "thumbnail_url": "https://example.com/t.png",
    }
    blocks = [
        {"type": "data_visualization", "title": "Loss", "chart": chart},
        {"type": "data_visualization", "title": "Disk", "chart": {"type": "pie", "segments": segments}},
        video,
    ]
    await workspace.client.chat_postMessage(channel=channel, text="x", blocks=blocks)
    page = await desk.open(channel)
    drawn = page.get_by_test_id("chart")
    await expect(drawn).to_have_count(2)
    await expect(drawn.first.locator("polyline")).to_have_count(1)
    await drawn.first.get_by_text("Numbers").click()
    await expect(drawn.first.locator("td")).to_have_text(["3", "2.5", "2", "1.5"])
    await expect(page.get_by_test_id("placeholder")).to_contain_text("How it works")


async def test_a_suggested_prompt_is_said_with_one_click(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    prompts = [{"title": "The day?", "message": "name the day"}]
    await workspace.client.assistant_threads_setSuggestedPrompts(channel_id=channel, prompts=prompts)
    page = await desk.open(channel)
    await page.get_by_test_id("prompt").click()
    await expect(page.get_by_test_id("message").last).to_contain_text("name the day")
