"""Makes the pictures in docs/images from a real run: ``python -m tools.screenshots [FOLDER]`` (some minutes).

Starts the three programs as the demo does, drives them as its person does, and photographs the page.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator, Page, ViewportSize, async_playwright, expect

from demo import stages
from demo.data import prepare
from demo.person import Person, words
from demo.programs import Programs
from demo.provider import ProviderTruth
from demo.screen import Screen
from demo.stages import Stages
from demo.summary import Summary
from tools.browser import find

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
SIZE: ViewportSize = {"width": 1280, "height": 860}
TALL: ViewportSize = {"width": 1280, "height": 1180}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
COLORS = 256
SOON = 120_000
"""Milliseconds for what the programs must do before a picture is right."""


class Photographed(Stages):
    """The main job of the demo, with a camera."""

    page: Page
    url: str
    folder: Path

    async def photograph(self, name: str, what: Locator | None = None) -> None:
        """Saves what the page, or a part of it, shows now."""
        await self.page.mouse.move(1, 1)
        await self.page.wait_for_timeout(800)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.png"
        await (what or self.page).screenshot(path=path)
        shrink(path)

    async def show(self, place: str, size: ViewportSize = SIZE) -> None:
        """Opens a channel, a thread or Home."""
        await self.page.set_viewport_size(size)
        await self.page.goto(f"{self.url}/#{place}")
        await self.page.reload()
        await self.page.wait_for_selector("[data-ready]")

    @property
    def thread(self) -> Locator:
        return self.page.get_by_test_id("thread-messages")

    async def run(self) -> None:
        """The main job; the pictures are taken on the way."""
        await self._drops()
        await self._form()
        await self._job()
        await self._checkpoints()
        await self._talk()
        await self._compare_and_home()

    async def _drops(self) -> None:
        await self._broken()
        await self.show(await self._newest_root(), TALL)
        await expect(self.thread).to_contain_text("Not ready")
        await self._looked_through()
        await self.photograph("not-ready", self.thread.get_by_test_id("message").last)
        await self._drop()
        await self.show(await self._newest_root())
        await expect(self.thread).to_contain_text("Ready to train")
        await self._looked_through()
        await self.photograph("ready")

    async def _looked_through(self) -> None:
        await expect(self.thread).not_to_contain_text(re.compile("still looking", re.I), timeout=SOON)
        await expect(self.page.get_by_test_id("reaction").filter(has_text="👀")).to_have_count(
            0, timeout=SOON
        )

    async def _newest_root(self) -> str:
        found = await self.person.messages(self.channel)
        return f"{self.channel}/{found[-1]['ts']}"

    async def _form(self) -> None:
        await self._open_form()
        await expect(self.page.get_by_test_id("modal")).to_be_visible()
        await self.photograph("form")
        await self._submit_form()

    async def _job(self) -> None:
        await self.show(f"{self.channel}/{self.card['ts']}")
        card = self.page.get_by_test_id("main-pane").get_by_test_id("message").last
        await expect(card).to_contain_text("left", timeout=stages.TRAIN_SECONDS * 1000)
        await self.photograph("job", card)
        await self._train()
        await expect(self.thread).to_contain_text("is ready", timeout=SOON)
        await self._to_the_end()
        await self.photograph("thread")

    async def _to_the_end(self) -> None:
        await self.thread.get_by_test_id("message").last.scroll_into_view_if_needed()
        pictures = self.thread.get_by_test_id("block-image")
        await expect(pictures.last).to_have_js_property("complete", value=True)

    async def _checkpoints(self) -> None:
        end = self.thread.get_by_test_id("message").filter(has_text="is ready").last
        await end.get_by_test_id("block-overflow").click()
        await self.page.get_by_role("menuitem", name="Checkpoints").click()
        answer = self.thread.get_by_test_id("message").last
        await expect(answer).to_contain_text("heckpoint", timeout=SOON)
        await self.photograph("checkpoints", answer)

    async def _talk(self) -> None:
        await self.person.command(self.channel, f"/ft use {self.summary.model}")
        asked = self.page.get_by_test_id("main-pane").get_by_role("button", name="Use it").last
        await asked.click(timeout=SOON)
        await expect(self.page.get_by_text("New chats in this channel use it").last).to_be_visible(
            timeout=SOON
        )
        await self._chat()
        await self.show(await self._newest_root())
        await expect(self.thread.get_by_test_id("message")).to_have_count(4)
        await self.photograph("chat")

    async def _compare_and_home(self) -> None:
        row = json.loads(self.files.validation.read_text("utf-8").splitlines()[2])
        question = next(m["content"] for m in row["messages"] if m["role"] == "user")
        name = self.summary.model
        command = f"/ft compare {name}@1 {name} {question}"
        await self.person.command(self.channel, command)

        async def answered() -> bool:
            last = (await self.person.messages(self.channel))[-1]
            return "token" in words(last)

        await self.person.wait("both answers", answered, stages.ANSWER_SECONDS)
        await self.show(self.channel)
        await self.photograph("compare", self.page.get_by_test_id("message").last)
        await self.show("home")
        home = self.page.get_by_test_id("home")
        await expect(home).to_contain_text(str(self.summary.model), timeout=SOON)
        await self.photograph("home")


def shrink(path: Path) -> None:
    """Keeps a picture small: a palette is enough for a page."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


async def main() -> None:
    """Runs the main job once and writes the pictures."""
    images = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    stages.FORM_SECONDS = stages.CHECK_SECONDS = stages.ANSWER_SECONDS = SOON / 1000
    expect.set_options(timeout=30_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = Programs(folder)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=find(), args=ARGUMENTS)
            try:
                await _photograph(programs, await browser.new_page(viewport=SIZE), folder, images)
            finally:
                await browser.close()
                await programs.stop()


async def _photograph(programs: Programs, page: Page, folder: Path, images: Path) -> None:
    workspace = await programs.start_localslack()
    trainer = await programs.start_trainserver()
    await programs.start_bot()
    person = Person(workspace.url, "jin", programs.check)
    truth = ProviderTruth(trainer.url, programs.api_key)
    try:
        channel = await person.channel("tuning")
        run = Photographed(person, truth, Screen(), prepare(None, None, folder), channel, Summary())
        run.page, run.url, run.folder = page, workspace.url, images
        await run.show(channel)
        await run.run()
    finally:
        await person.close()
        await truth.close()


if __name__ == "__main__":
    asyncio.run(main())
