"""Logs: one JSON line an event (readable lines on a terminal), without tokens and without message text."""

from __future__ import annotations

import logging
import re
import sqlite3
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import ExcInfo

from storage.errors import StoreError
from tuning.providers.trouble import without_keys

_SECRET = re.compile(
    r"(xox[a-z]-|xapp-|sk-|whsec_)[A-Za-z0-9_\-]{4,}|Bearer\s+\S+|(?<=ticket=)[\w-]+"
    r"|(?<=hooks\.slack\.com/)\S+"
)
LONGEST_CHAIN = 20
_SAYS_ITSELF = (OSError, sqlite3.Error, StoreError)
"""Errors whose own words are about files, addresses and tables. Others may quote what they stumbled over."""
_QUOTES = re.compile(r"[:(\n]")
"""Where a library begins to quote an error in what it says of it; the error is told beside it."""
_PRIVATE_KEYS = frozenset({"text", "payload", "body", "messages", "blocks", "content"})
SAID_TWICE = "Failed to retrieve WSS URL"
"""Whoever asked for a new connection says the same in the next line, with what becomes of it."""
QUIET = ("slack_sdk", "slack_bolt", "openai", "httpx2", "httpcore2", "apscheduler", "aiohttp", "asyncio")


def hide(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Removes tokens from every string, drops fields that carry people's text, and what libraries quote."""
    if "exception" in event and str(event.get("logger")).startswith(QUIET):
        event["event"] = _QUOTES.split(str(event["event"]))[0].strip()
    for key in list(event):
        if key in _PRIVATE_KEYS:
            del event[key]
        elif isinstance(event[key], str):
            event[key] = without_keys(_SECRET.sub(r"[secret]", event[key]))
    return event


def told(exc_info: ExcInfo) -> str:
    """Where an error came from, of what kind it is, and all that led to it, without words of people's.

    A ``ValueError`` quotes the value, a provider's refusal the row: neither belongs into a log.
    """
    said: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(said) < LONGEST_CHAIN:
        places = "".join(traceback.format_tb(error.__traceback__))
        words = f": {error}" if isinstance(error, _SAYS_ITSELF) else ""
        said.append(f"{places}{type(error).__module__}.{type(error).__qualname__}{words}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nwhich came of this:\n".join(said)


def _worth_saying(record: logging.LogRecord) -> bool:
    """Libraries log whole payloads below warnings, and Bolt's loggers set their levels themselves."""
    if record.levelno < logging.WARNING and record.name.startswith(QUIET):
        return False
    return not record.getMessage().startswith(SAID_TWICE)


def configure(level: str) -> None:
    """Sends structlog and the standard library's loggers to stderr in one format."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(told),
        hide,
    ]
    terminal = sys.stderr.isatty()
    last: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, hide, last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(_worth_saying)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
