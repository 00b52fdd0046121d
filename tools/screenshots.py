"""Makes the pictures in docs/images from a real run: ``python tools/screenshots.py`` (about three minutes).

Starts the three programs as the demo does, drives them as its person does, and photographs the page.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from demo.data import prepare  # noqa: E402  (the root must be on the path first)
from demo.person import Person  # noqa: E402
from demo.programs import Programs  # noqa: E402
from demo.provider import ProviderTruth  # noqa: E402
from demo.screen import Screen  # noqa: E402
from demo.stages import Stages  # noqa: E402
from demo.summary import Summary  # noqa: E402
from tools.browser import find  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SIZE: ViewportSize = {"width": 1280, "height": 860}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


class Photographed(Stages):
    """The stages of the demo, with a camera."""

    page: Page
    url: str

    async def photograph(self, name: str) -> None:
        """Saves what the page shows now."""
        await self.page.wait_for_timeout(1500)
        IMAGES.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=IMAGES / f"{name}.png")

    async def show(self, place: str) -> None:
        """Opens a channel or a thread."""
        await self.page.goto(f"{self.url}/#{place}")
        await self.page.reload()
        await self.page.wait_for_selector("[data-ready]")

    async def run(self) -> None:
        """The main job; the pictures are taken on the way."""
        await self._broken()
        await self.photograph("broken")
        await self._drop()
        await self.photograph("channel")
        await self._open_form()
        await self.photograph("form")
        await self._submit_form()
        await self._train()
        await self.show(f"{self.channel}/{self.card['ts']}")
        await self.photograph("thread")
        await self._chat()
        await self.show(self.channel)
        await self.photograph("end")


async def main() -> None:
    """Runs the main job once and writes the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = Programs(folder)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=find(), args=ARGUMENTS)
            try:
                await _photograph(programs, await browser.new_page(viewport=SIZE), folder)
            finally:
                await browser.close()
                await programs.stop()


async def _photograph(programs: Programs, page: Page, folder: Path) -> None:
    workspace = await programs.start_localslack()
    trainer = await programs.start_trainserver()
    await programs.start_bot()
    person = Person(workspace.url, "jin", programs.check)
    truth = ProviderTruth(trainer.url, programs.api_key)
    try:
        channel = await person.channel("tuning")
        stages = Photographed(person, truth, Screen(), prepare(None, None, folder), channel, Summary())
        stages.page, stages.url = page, workspace.url
        await stages.show(channel)
        await stages.run()
    finally:
        await person.close()
        await truth.close()


if __name__ == "__main__":
    asyncio.run(main())
