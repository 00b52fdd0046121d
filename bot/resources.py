"""Files that travel with ftbot: beside the packages in a checkout, in ``ftbot_data`` in the wheel."""

from __future__ import annotations

from pathlib import Path


def resource(name: str) -> Path:
    """The path of a file that travels with ftbot, such as ``manifest.yml``.

    Raises:
        FileNotFoundError: it is not there.
    """
    home = Path(__file__).resolve().parent.parent
    for place in (home / "ftbot_data" / name, home / name):
        if place.is_file():
            return place
    raise FileNotFoundError(f"{name} is missing from this installation of ftbot; install it again.")
