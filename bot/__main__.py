"""``python -m bot`` is ``ftbot``."""

from __future__ import annotations

from bot.cli import main

if __name__ == "__main__":
    main(prog_name="ftbot")
