"""The ways through ftbot that matter most, in a real browser: the real bot, trainer and workspace.

Pictures of every way are kept in ``screenshots/browser`` for people to look at.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import Desk
from tests.browser.test_talking import DROP
from tests.support.workspace import JOB_WAIT, WAIT, Workspace, chat_file, workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "screenshots" / "browser"
SOON = WAIT * 1000
"""Milliseconds for things that the programs must do first."""
LATER = JOB_WAIT * 1000
LONG = 2000
"""Rows that keep the tiny model busy until its job is cancelled."""


@dataclass
class Office:
    """The running programs and the pages on them."""

    place: Workspace
    desk: Desk
    channel: str = ""
    """Where a model is made once for all tests."""
    card: str = ""
    model: str = ""

    async def room(self) -> str:
        """A channel of its own, with Mina in it."""
        channel = await self.place.channel()
        await self.place.jin.call("POST", f"channels/{channel}/members", json={"user": "mina"})
        return channel

    async def trained(self) -> str:
        """Waits until the model of all tests is there; answers its name."""
        await self.place.reply(self.channel, self.card, "is ready", seconds=JOB_WAIT)
        return self.model


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def programs(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> AsyncGenerator[Office]:
    """The three programs, with a job under way in a channel of its own."""
    async with workspace(tmp_path_factory.mktemp("office")) as place:
        office = Office(place, Desk(browser, place.programs.running["localslack"]))
        office.channel = await office.room()
        card = await place.start_job(office.channel, name="browser")
        office.card, office.model = str(card["ts"]), str(card["text"]).split()[0]
        yield office


@pytest_asyncio.fixture(loop_scope="session")
async def office(programs: Office) -> AsyncGenerator[Office]:
    """The programs and fresh pages, which must have had no trouble at the end."""
    programs.desk = Desk(programs.desk.browser, programs.desk.workspace)
    for person in (programs.place.jin, programs.place.mina):
        for view in reversed((await person.call("GET", "views"))["views"]):
            await person.call("POST", f"views/{view['id']}/close")
    yield programs
    for page in programs.desk.pages:
        await page.context.close()
    assert programs.desk.troubles == []


async def picture(page: Page, name: str) -> None:
    """Keeps what the page shows now."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}.png")


async def drop(page: Page, name: str, text: str) -> Locator:
    """Drags a file into the channel and sends it; answers the message."""
    await page.evaluate(DROP, ["[data-testid=main-pane] .scroll", name, text])
    await expect(page.get_by_test_id("attachment")).to_contain_text(name)
    await page.get_by_test_id("composer").press("Enter")
    sent = page.get_by_test_id("message").filter(has=page.get_by_test_id("file").filter(has_text=name)).last
    await expect(sent).to_be_visible()
    return sent


async def type_command(page: Page, text: str) -> None:
    await page.get_by_test_id("composer").fill(text)
    await page.get_by_test_id("composer").press("Enter")


def said(page: Page, words: str | re.Pattern[str]) -> Locator:
    """The newest message with these words."""
    return page.get_by_test_id("message").filter(has_text=words).last


def job_card(page: Page, name: str) -> Locator:
    """The card of a job, which everybody sees."""
    seen = page.get_by_test_id("main-pane").get_by_test_id("message").and_(page.locator(":not(.ephemeral)"))
    return seen.filter(has_text=re.compile(rf"{name}-\d"))


def reaction(message: Locator, name: str) -> Locator:
    return message.get_by_test_id("reaction").and_(message.page.locator(f"[data-name={name}]"))


async def test_a_broken_file_is_marked_explained_and_reported_line_by_line(office: Office) -> None:
    page = await office.desk.open(await office.room())
    broken = (ROOT / "examples" / "broken.jsonl").read_text("utf-8")
    sent = await drop(page, "broken.jsonl", broken)
    await expect(reaction(sent, "x")).to_be_visible(timeout=SOON)
    await sent.get_by_test_id("thread-bar").click()
    thread = page.get_by_test_id("thread-messages")
    await expect(thread).to_contain_text("Not ready")
    await thread.get_by_role("button", name="Full report").click()
    await expect(thread.get_by_test_id("file").last).to_contain_text("Report on broken.jsonl", timeout=SOON)
    await picture(page, "1-broken")


async def test_a_good_file_gets_a_card_that_leads_to_the_filled_form_and_a_job(office: Office) -> None:
    page = await office.desk.open(await office.room())
    sent = await drop(page, "letters.jsonl", chat_file(LONG, "way"))
    await expect(reaction(sent, "warning").or_(reaction(sent, "white_check_mark"))).to_be_visible(
        timeout=SOON
    )
    await sent.get_by_test_id("thread-bar").click()
    thread = page.get_by_test_id("thread-messages")
    await expect(thread).to_contain_text("Ready to train")
    await expect(thread).to_contain_text(f"{LONG:,} examples")
    await picture(page, "2-ready")
    await thread.get_by_role("button", name="Start…").click()
    form = page.get_by_test_id("modal")
    await expect(form).to_contain_text("letters.jsonl", timeout=SOON)
    await form.get_by_label("Name").fill("way")
    await picture(page, "3-form")
    await form.get_by_test_id("modal-submit").click()
    await expect(form).to_have_count(0)
    card = job_card(page, "way")
    await expect(card).to_be_visible(timeout=SOON)
    await card.get_by_role("button", name="Cancel…").click()
    await expect(page.get_by_test_id("confirm")).to_contain_text(re.compile("billed", re.IGNORECASE))
    await page.get_by_test_id("confirm-yes").click()
    await expect(card).to_contain_text("Cancelled", timeout=LATER)
    await picture(page, "4-cancelled")


async def test_a_jobs_thread_tells_its_story_to_the_end(office: Office) -> None:
    page = await office.desk.open(f"{office.channel}/{office.card}")
    thread = page.get_by_test_id("thread-messages")
    end = thread.get_by_test_id("message").filter(has_text=f"{office.model} is ready")
    await expect(end).to_be_visible(timeout=LATER)
    await expect(end).to_contain_text("validation rows")
    await expect(thread).to_contain_text("Epoch")
    await expect(thread).to_contain_text("Safety")
    image = thread.get_by_test_id("block-image").last
    await image.scroll_into_view_if_needed()
    await expect(image).to_have_js_property("complete", value=True)
    assert await image.evaluate("image => image.naturalWidth") > 300
    await picture(page, "5-thread")


async def test_try_opens_a_chat_that_goes_on_without_mention_and_stops_when_told(office: Office) -> None:
    name = await office.trained()
    page = await office.desk.open(f"{office.channel}/{office.card}")
    thread = page.get_by_test_id("thread-messages")
    await thread.get_by_role("button", name="Try it").last.click()
    opened = page.get_by_test_id("main-pane").get_by_test_id("message").filter(has_text=f"tries {name}")
    await expect(opened).to_be_visible(timeout=SOON)
    chat = await office.desk.open(f"{office.channel}/{await opened.get_attribute('data-ts')}")
    asked = chat.get_by_test_id("thread-composer")
    answers = chat.get_by_test_id("thread-messages").get_by_test_id("message")
    answers = answers.filter(has_text=re.compile(rf"{name}( · \d+\.\d s)"))
    for count in (1, 2):
        await asked.fill(f"Letter number {count}")
        await asked.press("Enter")
        await expect(answers).to_have_count(count, timeout=SOON)
    await answers.last.get_by_test_id("feedback-positive").click()
    await expect(chat.get_by_text("Thank you, noted.")).to_be_visible(timeout=SOON)
    await picture(chat, "6-chat")
    await asked.fill("@ftbot stop")
    await asked.press("Enter")
    await expect(chat.get_by_test_id("thread-messages")).to_contain_text("stopped me here", timeout=SOON)


async def test_two_models_are_compared_by_a_form_with_searched_menus(office: Office) -> None:
    name = await office.trained()
    page = await office.desk.open(office.channel)
    await type_command(page, "/ft compare")
    form = page.get_by_test_id("modal")
    await expect(form).to_contain_text("Compare two models")
    for label, model in (("Left", "tiny"), ("Right", name)):
        await form.get_by_label(label).click()
        await page.get_by_test_id("select-search").fill(model)
        await page.get_by_test_id("select-option").filter(has_text=model).first.click()
    await form.get_by_label("Question").fill("Letter number 5")
    await form.get_by_test_id("modal-submit").click()
    both = said(page, "compares")
    await expect(both).to_contain_text(re.compile(rf"{name} · (\d+\.\d s|no answer)"), timeout=SOON)
    await expect(both).to_contain_text(re.compile(r"tiny · (\d+\.\d s|no answer)"))
    await picture(page, "7-compare")


async def test_a_model_is_put_to_use_and_taken_back(office: Office) -> None:
    name = await office.trained()
    page = await office.desk.open(office.channel)
    await type_command(page, "/ft use tiny")
    await said(page, "Use tiny here?").get_by_role("button", name="Use it").click()
    await expect(said(page, re.compile("tiny, by @"))).to_be_visible(timeout=SOON)
    await type_command(page, f"/ft use {name}")
    await said(page, f"Use {name} here?").get_by_role("button", name="Use it").click()
    changed = said(page, f"tiny → {name}")
    await expect(changed).to_be_visible(timeout=SOON)
    await changed.get_by_role("button", name="Go back").click()
    await expect(said(page, f"{name} → tiny")).to_be_visible(timeout=SOON)
    await picture(page, "8-use")


async def test_home_shows_what_is_mine(office: Office) -> None:
    name = await office.trained()
    page = await office.desk.open("home")
    home = page.get_by_test_id("home")
    await expect(home).to_contain_text(name, timeout=SOON)
    await expect(home).to_contain_text("train.jsonl")
    await picture(page, "9-home")


async def test_what_one_person_sets_another_sees_after_switching(office: Office) -> None:
    channel = await office.room()
    page = await office.desk.open(channel)
    await type_command(page, "/ft settings")
    await said(page, "Settings of this channel").get_by_role("button", name="Change…").click()
    form = page.get_by_test_id("modal")
    await form.get_by_text("Quiet").first.click()
    await picture(page, "10-settings")
    await form.get_by_test_id("modal-submit").click()
    await expect(said(page, re.compile("uiet"))).to_be_visible(timeout=SOON)
    await page.locator("[data-testid=person][data-name=mina]").click()
    await page.wait_for_selector("[data-ready]")
    await expect(page.get_by_text("Settings of this channel")).to_have_count(0)
    await expect(said(page, re.compile(r"@?jin", re.IGNORECASE))).to_be_visible()
    await type_command(page, "/ft settings")
    await expect(said(page, "Settings of this channel")).to_contain_text("Quiet", timeout=SOON)


async def test_a_job_is_started_by_keyboard_alone(office: Office) -> None:
    channel = await office.room()
    await office.place.drop(channel, "keys.jsonl", chat_file(LONG, "keys"))
    await office.place.ready(channel, 1)
    page = await office.desk.open(channel)
    await page.keyboard.type("/ft start")
    await page.keyboard.press("Enter")
    form = page.get_by_test_id("modal")
    await expect(form).to_contain_text("keys.jsonl", timeout=SOON)
    await walk_to(page, form.get_by_label("Name"))
    await page.keyboard.press("Control+A")
    await page.keyboard.type("keys")
    await page.keyboard.press("Enter")
    await expect(form).to_have_count(0)
    card = job_card(page, "keys")
    await expect(card).to_be_visible(timeout=SOON)
    await walk_to(page, card.get_by_role("button", name="Cancel…"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("confirm")).to_be_visible()
    await walk_to(page, page.get_by_test_id("confirm-yes"))
    await picture(page, "11-keyboard")
    await page.keyboard.press("Enter")
    await expect(card).to_contain_text("Cancelled", timeout=LATER)


async def walk_to(page: Page, where: Locator) -> None:
    """Presses Tab, or Shift+Tab, until the focus is there."""
    async with asyncio.timeout(WAIT):
        for _ in range(200):
            if await where.evaluate("it => it === document.activeElement"):
                return
            await page.keyboard.press("Tab")
    raise AssertionError("no number of Tab presses leads there")
