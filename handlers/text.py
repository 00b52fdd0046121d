"""Words and figures as people read them, and foreign text made harmless.

Foreign text is everything ftbot did not write itself: file names, rows, model answers, provider messages.
Slack acts on ``<…>`` in mrkdwn, ``text`` and streamed markdown; without a bare ``<`` nothing is
left to act on.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import humanize

NAME_LENGTH = 80
"""Characters of a foreign name that are shown."""

_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_LONG_UNITS = re.compile(r" (year|month|day|hour|minute|second)s?(?:,| and)?")
_SHORT = {"year": " y", "month": " months", "day": " d", "hour": " h", "minute": " min", "second": " s"}


def esc(text: str) -> str:
    """The text for mrkdwn and for ``text``: shown as it is, never a mention, channel or link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def name(text: str, limit: int = NAME_LENGTH) -> str:
    """A foreign name on one line: no control or direction characters, cut in the middle past ``limit``.

    It is still to be put where nothing is parsed (``rich_text``, ``plain_text``) or through :func:`esc`.
    """
    clean = " ".join(_INVISIBLE.sub(" ", text).split()) or "(no name)"
    if len(clean) <= limit:
        return clean
    tail = limit // 3
    return f"{clean[: limit - tail - 1]}…{clean[-tail:]}"


def cut(text: str, limit: int) -> str:
    """The text within ``limit`` characters, with an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def number(value: float) -> str:
    """``1240`` → ``1,240``."""
    return humanize.intcomma(int(value))


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``1,240 rows``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def money(usd: float | None) -> str:
    """US dollars: ``$4.78``, ``no fee``, ``less than $0.01``, ``price unknown``."""
    if usd is None:
        return "price unknown"
    if usd <= 0:
        return "no fee"
    if usd < 0.01:
        return "less than $0.01"
    return f"${humanize.intcomma(usd, 2)}"


def about(usd: float | None) -> str:
    """An estimate: ``about $4.78``; where there is no figure, :func:`money` without *about*."""
    return f"about {money(usd)}" if usd is not None and usd >= 0.01 else money(usd)


def size(count: int) -> str:
    """Bytes: ``12.4 MB``."""
    return humanize.naturalsize(max(0, count))


def duration(seconds: float) -> str:
    """``42 s``, ``47 min``, ``1 h 52 min``, ``3 d 4 h``: two units at most."""
    whole = max(0, round(seconds))
    unit = "seconds" if whole < 60 else "minutes" if whole < 86_400 else "hours"
    rounded = whole if unit == "seconds" else round(whole / 60) * 60 if unit == "minutes" else whole
    words = humanize.precisedelta(rounded, minimum_unit=unit, format="%d", suppress=["years", "months"])
    return _LONG_UNITS.sub(lambda unit_name: _SHORT[unit_name[1]], words)


def left(seconds: float) -> str:
    """Time that is left as an honest range: ``12–18 min left``, ``2–3 h left``, ``under a minute left``."""
    if seconds < 60:
        return "under a minute left"
    unit, step = ("min", 60) if seconds < 2 * 3600 else ("h", 3600)
    low, high = int(seconds * 0.8 // step), -int(-seconds * 1.2 // step)
    return f"{max(low, 1)}–{max(high, max(low, 1) + 1)} {unit} left"


def date(at: float, form: str = "{time}") -> str:
    """A Slack date token for mrkdwn and ``text``, shown in each reader's own zone (``at``: Unix seconds)."""
    return f"<!date^{int(at)}^{form}|{plain_date(at)}>"


def plain_date(at: float) -> str:
    """The same moment for places that know no tokens: ``2026-11-21 14:02 UTC``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def lines(numbers: list[int] | tuple[int, ...], count: int, shown: int = 3) -> str:
    """Places in a file: ``lines 88, 412, 413 +6``; nothing when the whole file is meant."""
    if not numbers:
        return ""
    first = ", ".join(number(line) for line in numbers[:shown])
    rest = max(count, len(numbers)) - len(numbers[:shown])
    return f"{'line' if len(numbers) == 1 and not rest else 'lines'} {first}" + (f" +{rest}" if rest else "")


class TailFilter:
    """Makes streamed model text harmless, delta by delta.

    Every ``<`` becomes ``&lt;``, so no mention, broadcast, channel, date or labelled link can come to be,
    however it is split over deltas. ``](`` becomes ``] (``: a Markdown link shows where it leads
    instead of hiding it behind its label; ``]:`` becomes ``] :``, so none is defined elsewhere in the text.
    Only a closing bracket at the end of a delta is held back.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, delta: str) -> str:
        """What may be shown after this delta."""
        text = self._held + delta
        self._held = "]" if text.endswith("]") else ""
        return _harmless(text.removesuffix("]") if self._held else text)

    def close(self) -> str:
        """What was held back; the filter may be used anew afterwards."""
        held, self._held = self._held, ""
        return held


def harmless_markdown(text: str) -> str:
    """A whole text as :class:`TailFilter` would let it through."""
    return _harmless(text)


def _harmless(text: str) -> str:
    return text.replace("<", "&lt;").replace("](", "] (").replace("]:", "] :")
