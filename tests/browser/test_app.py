"""What an app puts on the page: buttons, menus, forms, Home, shortcuts, commands, and its failures."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Desk, Workspace
from tests.browser.small_app import card

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def with_card(desk: Desk, workspace: Workspace) -> Page:
    channel, _ = await workspace.channel()
    await workspace.client.chat_postMessage(channel=channel, text="card", blocks=card())
    return await desk.open(channel)


async def open_form(desk: Desk, workspace: Workspace) -> Page:
    channel, _ = await workspace.channel()
    page = await desk.open(channel)
    await page.get_by_test_id("composer").fill("/try form")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("modal")).to_be_visible()
    return page


async def test_a_button_tells_the_app_and_the_message_changes_in_place(
    desk: Desk, workspace: Workspace
) -> None:
    page = await with_card(desk, workspace)
    await page.get_by_role("button", name="Press").click()
    await expect(page.get_by_test_id("message").last).to_contain_text("pressed by jin")
    await expect(page.get_by_test_id("message").filter(has_text="triage-7")).to_have_count(1)


async def test_a_dangerous_button_asks_first(desk: Desk, workspace: Workspace) -> None:
    page = await with_card(desk, workspace)
    for answer, words in (("confirm-no", "waiting"), ("confirm-yes", "cancelled")):
        await page.get_by_role("button", name="Cancel…").click()
        await expect(page.get_by_test_id("confirm")).to_contain_text("The work is lost.")
        await page.get_by_test_id(answer).click()
        await expect(page.get_by_test_id("message").last).to_contain_text(words)


async def test_menus_work_with_the_keyboard_alone(desk: Desk, workspace: Workspace) -> None:
    page = await with_card(desk, workspace)
    await page.get_by_test_id("block-overflow").focus()
    for key in ("Enter", "ArrowDown", "Enter"):
        await page.keyboard.press(key)
    await expect(page.get_by_test_id("message").last).to_contain_text("chose about")
    await page.get_by_test_id("block-select").focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_test_id("select-option")).to_have_count(2)
    await page.keyboard.type("lar")
    await expect(page.get_by_test_id("select-option")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("message").last).to_contain_text("chose large")


async def test_a_form_shows_errors_at_their_fields_keeps_what_was_typed_and_closes_when_right(
    desk: Desk, workspace: Workspace
) -> None:
    page = await open_form(desk, workspace)
    form = page.get_by_test_id("modal")
    await form.get_by_label("Name").fill("bad")
    await form.get_by_test_id("modal-submit").click()
    await expect(form.locator("[data-block-id=city]").get_by_test_id("field-error")).not_to_be_empty()
    await form.get_by_test_id("block-select").click()
    await page.keyboard.type("ber")
    await page.get_by_test_id("select-option").filter(has_text="Bergen").click()
    await form.get_by_label("Fast").check()
    await form.get_by_label("Seed").fill("7")
    await form.get_by_test_id("modal-submit").click()
    name = form.locator("[data-block-id=name]")
    await expect(name.get_by_test_id("field-error")).to_have_text("That name is taken.")
    await expect(form.get_by_label("Name")).to_be_focused()
    await expect(form.locator("[data-block-id=city]").get_by_test_id("field-error")).to_be_empty()
    await form.get_by_label("Name").fill("triage")
    await page.keyboard.press("Enter")
    await expect(form).to_have_count(0)
    await page.locator('[data-testid=channel-link][data-channel="tryout"]').click()
    await expect(page.get_by_test_id("message").last).to_contain_text("Started triage in bergen ['fast'] 7")


async def test_an_external_select_asks_the_app_while_one_types(desk: Desk, workspace: Workspace) -> None:
    page = await open_form(desk, workspace)
    await page.get_by_test_id("modal").get_by_test_id("block-select").click()
    await expect(page.get_by_test_id("popover")).to_contain_text("Type at least 1 character")
    await page.keyboard.type("l")
    await expect(page.get_by_test_id("select-option")).to_have_text(["Lisbon", "Lyon"])
    await page.keyboard.type("zz")
    await expect(page.get_by_test_id("popover")).to_contain_text("Nothing found")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("popover")).to_have_count(0)
    await expect(page.get_by_test_id("modal")).to_be_visible()


async def test_a_second_form_lies_on_the_first_and_focus_stays_inside(
    desk: Desk, workspace: Workspace
) -> None:
    page = await open_form(desk, workspace)
    form = page.get_by_test_id("modal")
    await form.get_by_label("Name").fill("kept")
    await form.get_by_role("button", name="More settings").click()
    await expect(form.locator("h2")).to_have_text("More")
    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('dialog') !== null")
    await form.get_by_test_id("modal-back").click()
    await expect(form.get_by_label("Name")).to_have_value("kept")
    await page.keyboard.press("Escape")
    await expect(form).to_have_count(0)
    assert (await workspace.ui("GET", "views"))["views"] == []
    await expect(page.get_by_test_id("composer")).to_be_focused()


async def test_the_home_tab_opens_and_its_button_changes_it(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    page = await desk.open(channel)
    await page.get_by_test_id("home-link").click()
    home = page.get_by_test_id("home")
    await expect(home.get_by_role("heading", name="Your models")).to_be_visible()
    await expect(home).to_contain_text("Pressed 0 times")
    await home.get_by_role("button", name="Press here").click()
    await expect(home).to_contain_text("Pressed 1 times")


async def test_shortcuts_stand_in_the_composer_and_on_messages(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    await workspace.ui("POST", f"channels/{channel}/messages", text="three short words")
    page = await desk.open(channel)
    said = page.get_by_test_id("message").filter(has_text="three short words")
    await said.hover()
    await said.get_by_test_id("message-more").click()
    await page.get_by_role("menuitem", name="Count the words").click()
    await expect(page.get_by_test_id("message").last).to_contain_text("3 words")
    await page.get_by_test_id("main-pane").get_by_test_id("composer-shortcuts").click()
    await page.get_by_role("menuitem", name="Open the form").click()
    await expect(page.get_by_test_id("modal").get_by_label("Name")).to_have_value("from a shortcut")
    await page.keyboard.press("Escape")


async def test_typing_a_slash_or_an_at_sign_offers_what_there_is(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    page = await desk.open(channel)
    box = page.get_by_test_id("composer")
    await box.press_sequentially("/t")
    await expect(page.get_by_test_id("suggestion")).to_contain_text(["/try"])
    await page.keyboard.press("Tab")
    await expect(box).to_have_value("/try ")
    await box.fill("")
    await box.press_sequentially("hello @mi")
    await expect(page.get_by_test_id("suggestion")).to_contain_text(["mina"])
    await page.keyboard.press("Enter")
    await expect(box).to_have_value("hello @mina ")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("message").last.locator(".mention")).to_have_text("@mina")


async def test_when_the_app_is_silent_the_page_says_so_and_keeps_the_text(
    desk: Desk, workspace: Workspace
) -> None:
    channel, _ = await workspace.channel()
    page = await desk.open(channel)
    await page.get_by_test_id("composer").fill("/try silent")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("toast").first).to_contain_text("tryout did not answer within 3 seconds")
    await expect(page.get_by_test_id("composer")).to_have_value("/try silent")


async def test_a_command_in_a_thread_is_refused_in_plain_words(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    root = (await workspace.ui("POST", f"channels/{channel}/messages", text="root"))["message"]["ts"]
    page = await desk.open(f"{channel}/{root}")
    await page.get_by_test_id("thread-composer").fill("/try form")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("toast")).to_contain_text("not supported in threads")
