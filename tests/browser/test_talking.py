"""Writing and reading: messages, threads, files, reactions, live changes, two people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Desk, Workspace, localslack

pytestmark = pytest.mark.asyncio(loop_scope="session")

DROP = """([selector, name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const at = document.querySelector(selector);
  for (const type of ["dragenter", "dragover", "drop"])
    at.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


async def write(page: Page, text: str) -> None:
    await page.get_by_test_id("composer").fill(text)
    await page.keyboard.press("Enter")


async def test_a_typed_message_appears_for_everybody_at_once(desk: Desk, workspace: Workspace) -> None:
    channel, name = await workspace.channel("mina")
    jin, mina = await desk.open(channel), await desk.open(channel, user="mina")
    await expect(jin.get_by_test_id("channel-title")).to_have_text(name)
    await jin.get_by_test_id("composer").press_sequentially("Two lines")
    await jin.keyboard.press("Shift+Enter")
    await jin.keyboard.type("of *bold* text")
    await jin.keyboard.press("Enter")
    for page in (jin, mina):
        said = page.get_by_test_id("message").last
        await expect(said.locator(".text")).to_have_text("Two lines\nof bold text")
        await expect(said.locator("strong")).to_have_text("bold")
        await expect(said.get_by_test_id("author")).to_have_text("Jin")
    await expect(jin.get_by_test_id("composer")).to_have_value("")


async def test_other_channels_show_how_much_was_not_read(desk: Desk, workspace: Workspace) -> None:
    here, _ = await workspace.channel()
    there, name = await workspace.channel("mina")
    await workspace.ui("GET", f"channels/{there}/messages")  # reads that people joined
    page = await desk.open(here)
    for text in ("one", "two"):
        await workspace.ui("POST", f"channels/{there}/messages", by="mina", text=text)
    link = page.locator(f'[data-testid=channel-link][data-channel="{name}"]')
    await expect(link.get_by_test_id("unread")).to_have_text("2")
    await link.click()
    await expect(page.get_by_test_id("message").last).to_contain_text("two")
    await expect(link.get_by_test_id("unread")).to_have_count(0)


async def test_own_messages_can_be_edited_and_deleted(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    page = await desk.open(channel)
    await write(page, "frist")
    said = page.get_by_test_id("message").last
    await expect(said).to_contain_text("frist")
    await said.hover()
    await said.get_by_test_id("message-more").click()
    await page.get_by_test_id("edit").click()
    await page.get_by_test_id("edit-field").fill("first & <last>")
    await page.keyboard.press("Enter")
    await expect(said.locator(".text")).to_have_text("first & <last> (edited)")
    await said.hover()
    await said.get_by_test_id("message-more").click()
    await page.get_by_test_id("delete").click()
    await page.get_by_test_id("confirm-yes").click()
    await expect(page.get_by_text("first & <last>")).to_have_count(0)


async def test_reactions_are_added_and_taken_back_by_a_click(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    page = await desk.open(channel)
    await write(page, "react to this")
    said = page.get_by_test_id("message").last
    await expect(said).to_contain_text("react to this")
    await said.hover()
    await said.get_by_test_id("message-react").click()
    await page.locator("[data-testid=emoji-option][data-name=tada]").click()
    reaction = said.get_by_test_id("reaction")
    await expect(reaction).to_have_attribute("aria-pressed", "true")
    await reaction.click()
    await expect(reaction).to_have_count(0)


async def test_a_thread_opens_beside_the_channel_and_is_summed_up_under_its_root(
    desk: Desk, workspace: Workspace
) -> None:
    channel, _ = await workspace.channel()
    page = await desk.open(channel)
    await write(page, "please name the day")
    bar = page.get_by_test_id("thread-bar")
    await expect(bar).to_contain_text("1 reply")
    await bar.click()
    thread = page.get_by_test_id("thread-messages")
    await expect(thread.locator("strong", has_text="Friday")).to_be_visible()
    await page.get_by_test_id("thread-composer").fill("thanks")
    await page.keyboard.press("Enter")
    await expect(thread.get_by_test_id("message").last).to_contain_text("thanks")
    await expect(bar).to_contain_text("2 replies")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("thread-pane")).to_be_hidden()


async def test_a_file_dropped_on_the_pane_is_shown_before_and_after_sending(
    desk: Desk, workspace: Workspace
) -> None:
    channel, _ = await workspace.channel()
    page = await desk.open(channel)
    await page.evaluate(
        DROP, ["[data-testid=main-pane] .scroll", "triage.jsonl", '{"a": "<b>1</b>"}\n{"a": 2}\n']
    )
    await expect(page.get_by_test_id("attachment")).to_contain_text("triage.jsonl")
    await write(page, "here it is")
    sent = page.get_by_test_id("message").last
    await expect(sent.get_by_test_id("file")).to_contain_text("triage.jsonl")
    await expect(sent).to_contain_text("here it is")
    await expect(page.get_by_test_id("attachment")).to_have_count(0)
    await sent.get_by_test_id("file-peek").click()
    await expect(sent.locator(".peek")).to_contain_text('{"a": "<b>1</b>"}')


async def test_files_can_be_chosen_and_dropped_into_a_thread(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    root = (await workspace.ui("POST", f"channels/{channel}/messages", text="root"))["message"]["ts"]
    page = await desk.open(f"{channel}/{root}")
    await page.get_by_test_id("thread-file-input").set_input_files(
        [{"name": "a.csv", "mimeType": "text/csv", "buffer": b"a,b\n"}]
    )
    await page.evaluate(DROP, ["[data-testid=thread-pane] .scroll", "b.txt", "words"])
    await expect(page.get_by_test_id("thread-pane").get_by_test_id("attachment")).to_have_count(2)
    await page.get_by_test_id("thread-send").click()
    await expect(page.get_by_test_id("thread-messages").get_by_test_id("file")).to_have_count(2)
    await expect(page.get_by_test_id("thread-bar")).to_contain_text("1 reply")


async def test_a_streamed_answer_grows_under_a_caret_until_it_is_done(
    desk: Desk, workspace: Workspace
) -> None:
    channel, _ = await workspace.channel()
    root = (await workspace.ui("POST", f"channels/{channel}/messages", text="ask"))["message"]["ts"]
    page = await desk.open(f"{channel}/{root}")
    thread, api = page.get_by_test_id("thread-messages"), workspace.client
    await expect(thread).to_contain_text("ask")
    await api.assistant_threads_setStatus(channel_id=channel, thread_ts=root, status="is thinking…")
    await expect(page.get_by_test_id("thread-status")).to_have_text("tryout is thinking…")
    who: dict[str, Any] = {
        "recipient_user_id": workspace.user("jin"),
        "recipient_team_id": workspace.state["team"]["id"],
    }
    ts = str((await api.chat_startStream(channel=channel, thread_ts=root, **who))["ts"])
    await api.chat_appendStream(channel=channel, ts=ts, markdown_text="It is **bil")
    answer = thread.get_by_test_id("message").last
    await expect(answer).to_contain_text("It is **bil")
    await expect(answer.locator(".caret")).to_have_count(1)
    await expect(page.get_by_test_id("thread-status")).to_be_hidden()
    await api.chat_appendStream(channel=channel, ts=ts, markdown_text="ling**, urgency _high_")
    await expect(answer.locator("strong")).to_have_text("billing")
    await api.chat_stopStream(channel=channel, ts=ts)
    await expect(answer.locator(".caret")).to_have_count(0)
    await expect(answer.locator("em")).to_have_text("high")


async def test_a_message_for_one_person_is_seen_by_that_person_alone(
    desk: Desk, workspace: Workspace
) -> None:
    channel, _ = await workspace.channel("mina")
    jin, mina = await desk.open(channel), await desk.open(channel, user="mina")
    await workspace.client.chat_postEphemeral(channel=channel, user=workspace.user("jin"), text="between us")
    await workspace.client.chat_postMessage(channel=channel, text="for all")
    note = jin.get_by_test_id("message").filter(has_text="between us")
    await expect(note.get_by_test_id("only-you")).to_contain_text("Only visible to you")
    await expect(mina.get_by_text("for all")).to_be_visible()
    await expect(mina.get_by_text("between us")).to_have_count(0)
    await note.get_by_role("button", name="Dismiss").click()
    await expect(note).to_have_count(0)


async def test_when_the_workspace_was_away_the_page_says_so_and_catches_up(
    browser: Browser, workspace: Workspace, data_dir: Path
) -> None:
    with localslack(data_dir) as url:
        away = replace(workspace, url=url)
        away.state = await away.ui("GET", "state")
        channel = away.state["channels"][0]["id"]
        desk = Desk(browser, away)
        page = await desk.open(channel)
    await expect(page.get_by_test_id("gone")).to_be_visible()
    with localslack(data_dir, int(url.rsplit(":", 1)[1])):
        await away.ui("POST", f"channels/{channel}/messages", by="mina", text="meanwhile")
        await expect(page.get_by_test_id("message").last).to_contain_text("meanwhile", timeout=20_000)
        await expect(page.get_by_test_id("gone")).to_be_hidden()
        await page.context.close()
    assert desk.troubles == []
