"""See to a Chromium for the browser tests: the machine's, else (root) the system's, else Playwright's.

Prints its path. Without one it warns and succeeds, and fails under CI=true.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> int:
    path = find() or from_system() or from_playwright()
    if path:
        print(f"[browser] {path}")
        return 0
    required = os.environ.get("CI") == "true"
    print(
        "[browser] NO BROWSER: the tests in tests/browser "
        + ("cannot run" if required else "will be skipped")
    )
    return 1 if required else 0


def find() -> str | None:
    """A Chromium on this machine, or the one that Playwright downloaded before."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or playwright_path()


def playwright_path() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def from_system() -> str | None:
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["-qq", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20"]
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        print(f"[browser] apt-get {' '.join(arguments)}", flush=True)
        subprocess.run(["apt-get", *quiet, *arguments], check=False, env=environment)  # noqa: S607 - found on PATH above
    return next(filter(None, map(shutil.which, NAMES)), None)


def from_playwright() -> str | None:
    print("[browser] playwright install chromium", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return playwright_path()


if __name__ == "__main__":
    sys.exit(main())
