"""How text and blocks look: Slack's marks, foreign text that must stay text, blocks nobody knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Desk, Workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = "<script>window.hit=1</script> <!channel> <img src=x onerror='window.hit=2'> *<b>*"


def mrkdwn(text: str) -> dict:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def test_what_a_person_types_never_becomes_markup_or_a_call(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    page = await desk.open(channel)
    await page.get_by_test_id("composer").fill(HOSTILE)
    await page.keyboard.press("Enter")
    said = page.get_by_test_id("message").last
    await expect(said.locator(".text")).to_have_text(HOSTILE.replace("*", ""))
    await expect(said.locator(".text :is(img, script, .broadcast, b)")).to_have_count(0)
    assert await page.evaluate("window.hit") is None


async def test_foreign_text_in_an_apps_blocks_stays_text(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    escaped = HOSTILE.replace("<", "&lt;").replace(">", "&gt;")
    quoted = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": HOSTILE}]}
    blocks = [
        mrkdwn(escaped),
        mrkdwn("<javascript:alert(1)|click me> <https://example.com/?a=1&amp;b=2|good>"),
        {"type": "markdown", "text": f"[bad](javascript:alert(1)) and {escaped} and <b>x</b>"},
        {"type": "rich_text", "elements": [quoted]},
        {"type": "image", "image_url": "https://example.com/spy.png", "alt_text": "a picture from elsewhere"},
    ]
    await workspace.client.chat_postMessage(channel=channel, text="x", blocks=blocks)
    page = await desk.open(channel)
    said = page.get_by_test_id("message").last
    await expect(said.locator("pre")).to_have_text(HOSTILE)
    await expect(said.locator(".blocks :is(img, script, b, .broadcast)")).to_have_count(0)
    links = await said.locator(".blocks a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert sorted(links) == ["https://example.com/?a=1&b=2", "https://example.com/spy.png"]
    await expect(said.locator(".blocks a").first).to_have_attribute("rel", "noopener noreferrer")
    await expect(said).to_contain_text("a picture from elsewhere")
    assert await page.evaluate("window.hit") is None


async def test_marks_mentions_and_dates_read_as_in_slack(desk: Desk, workspace: Workspace) -> None:
    channel, name = await workspace.channel()
    jin = workspace.user("jin")
    text = f"*bold* _it_ ~gone~ `a<b` snake_case_name <@{jin}> <#{channel}> <!here> :tada:"
    text += "\n&gt; said *so*\n```\n*raw*\n```\n<!date^0^{date_num}|once>"
    await workspace.client.chat_postMessage(channel=channel, text="x", blocks=[mrkdwn(text)])
    page = await desk.open(channel, timezone_id="UTC")
    said = page.get_by_test_id("message").last.locator(".section-text")
    for selector, words in (
        ("em", "it"),
        ("s", "gone"),
        ("code", "a<b"),
        ("pre", "*raw*"),
        ("blockquote", "said so"),
        ("time", "1970-01-01"),
    ):
        await expect(said.locator(selector)).to_have_text(words)
    await expect(said.locator(".mention")).to_have_text(["@jin", f"#{name}", "@here"])
    await expect(said.locator(".emoji")).to_have_count(1)
    await expect(said).to_contain_text("snake_case_name")


async def test_a_plan_shows_what_is_done_and_a_table_lines_up(desk: Desk, workspace: Workspace) -> None:
    channel, _ = await workspace.channel()
    states = [("Checked", "complete"), ("Training 61%", "in_progress"), ("Ready", "pending")]
    tasks = [{"type": "task_card", "task_id": t, "title": t, "status": s} for t, s in states]
    rows = [
        [{"type": "raw_text", "text": c} for c in row] for row in (("Model", "Right"), ("triage-7", "54"))
    ]
    blocks = [
        {"type": "plan", "title": "triage-7", "tasks": tasks},
        {"type": "table", "rows": rows, "column_settings": [{}, {"align": "right"}]},
    ]
    await workspace.client.chat_postMessage(channel=channel, text="x", blocks=blocks)
    page = await desk.open(channel)
    plan = page.get_by_test_id("plan")
    await expect(plan).to_contain_text("1 of 3")
    shown = await plan.get_by_test_id("task").evaluate_all(
        "all => all.map(t => [t.innerText.trim(), t.dataset.status])"
    )
    assert shown == [list(pair) for pair in states]
    await expect(page.get_by_test_id("table").locator("td.to-right")).to_have_text("54")


async def test_a_block_the_page_does_not_know_is_named_instead_of_hidden(
    desk: Desk, workspace: Workspace
) -> None:
    page = await desk.open((await workspace.channel())[0])
    words = await page.evaluate(
        """async () => {
          const { blocks } = await import("/page/blocks/blocks.js");
          const surface = { kind: "message", target: {}, values: new Map() };
          return blocks([{ type: "hologram" }], surface).textContent;
        }"""
    )
    assert words == "cannot show block type hologram"


async def test_every_mark_that_the_bot_uses_is_drawn_whatever_fonts_there_are(
    desk: Desk, workspace: Workspace
) -> None:
    handlers = Path(__file__).resolve().parents[2] / "handlers"
    source = "".join(path.read_text("utf-8") for path in handlers.rglob("*.py"))
    marks = set(re.findall("[\u2600-\u27bf\u23e9-\u23fa\U0001f300-\U0001faff]\ufe0f?", source)) - {"✓", "✗"}
    assert len(marks) > 8
    page = await desk.open((await workspace.channel())[0])
    missing = await page.evaluate(
        """async (marks) => {
          const { textNodes } = await import("/page/lib/emoji.js");
          return marks.filter((mark) => !textNodes(mark)[0].classList?.contains("drawn"));
        }""",
        sorted(marks),
    )
    assert missing == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 900), ("dark", 1400)])
async def test_the_page_fits_narrow_and_wide_windows_in_light_and_dark(
    desk: Desk, workspace: Workspace, scheme: str, width: int
) -> None:
    channel, _ = await workspace.channel()
    root = (await workspace.ui("POST", f"channels/{channel}/messages", text="word " * 80 + "x" * 200))[
        "message"
    ]["ts"]
    page = await desk.open(f"{channel}/{root}", color_scheme=scheme)
    await page.set_viewport_size({"width": width, "height": 700})
    await expect(page.get_by_test_id("thread-messages")).to_contain_text("word")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    for pane in ("main-pane", "thread-pane"):
        box = await page.get_by_test_id(pane).bounding_box()
        assert box is not None
        assert box["width"] > 280
    dark = await page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
