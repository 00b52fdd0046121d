"""``python -m bot`` is ``ftbot``."""

from bot.cli import main

if __name__ == "__main__":
    main(prog_name="ftbot")
