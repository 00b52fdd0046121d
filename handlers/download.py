"""Fetches a dropped file from Slack into the spool, and nothing from anywhere else."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import aiohttp

from handlers.errors import DownloadFailed
from handlers.slackapi import rest_in
from handlers.text import size as size_words

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CHUNK = 1 << 16
HTML_STARTS = (b"<!doctype html", b"<html")


class TryAgain(DownloadFailed):
    """Slack did not hand the file out just now; ``after``: seconds of rest that it asked for."""

    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a file may come from and how large it may be; ``hosts`` as in :func:`allowed`."""

    hosts: frozenset[str]
    max_bytes: int
    timeout: float = 600.0


def allowed(url: str, hosts: frozenset[str]) -> bool:
    """Whether the bot token may go to this address.

    An entry of ``hosts`` is a host or ``host:port``. Plain HTTP is taken only on this machine, and only when
    the host is listed.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return False
    if parts.username or parts.password or not host:
        return False
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        return False
    if port not in (None, 443) and host not in LOOPBACK:
        return False
    return bool({host, f"{host}:{port}"} & hosts)


async def download(url: str, spool: Path, *, token: str, limits: Limits, size: int | None) -> Path:
    """Streams ``url`` into a new file in ``spool`` that only this user can read.

    ``size``: bytes as Slack says.

    Raises:
        DownloadFailed: it must not or cannot be fetched, or not be written; says why and what to do.
        TryAgain: Slack was not reachable or broke off; the same call may work later.
    """
    if not allowed(url, limits.hosts):
        raise DownloadFailed(
            f"The file lies on {_host(url)}, not with Slack; I do not fetch it from there.",
            "Upload the file itself into this channel instead of sharing a link to it.",
        )
    check_size(size, limits.max_bytes)
    try:
        return await _into(spool, url, token, limits, size)
    except OSError as problem:
        raise DownloadFailed(
            f"I could not write the file to my disk: {problem.strerror}.",
            "Tell the person who runs ftbot, then drop it again.",
        ) from problem


async def _into(spool: Path, url: str, token: str, limits: Limits, size: int | None) -> Path:
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix="drop-", suffix=".part", dir=spool)  # mode 0600
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            count, looks_html = await _stream(url, out, token, limits)
        if looks_html and count != size:
            raise _sign_in_page()
        if size is not None and count != size:
            raise TryAgain(f"Only {count:,} of {size:,} bytes arrived from Slack.")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def check_size(count: int | None, max_bytes: int) -> None:
    """Refuses a file that is too large before more of it is fetched.

    Raises:
        DownloadFailed: it is.
    """
    if count is not None and count > max_bytes:
        raise DownloadFailed(
            f"The file has {size_words(count)}, larger than the {size_words(max_bytes)} that I take.",
            "Drop a smaller file: a sample of the rows is a good start.",
        )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "no known host"
    except ValueError:
        return "no known host"


async def _stream(url: str, out: BinaryIO, token: str, limits: Limits) -> tuple[int, bool]:
    """Writes the body; answers how many bytes came and whether they look like a web page."""
    timeout = aiohttp.ClientTimeout(total=limits.timeout, sock_connect=15, sock_read=60)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, headers={"Authorization": f"Bearer {token}"}, allow_redirects=False) as answer,
        ):
            _check_status(answer.status, rest_in(answer.headers))
            check_size(answer.content_length, limits.max_bytes)
            count, head = 0, b""
            async for chunk in answer.content.iter_chunked(CHUNK):
                head = (head + chunk)[:64] if len(head) < 64 else head
                count += len(chunk)
                check_size(count, limits.max_bytes)
                out.write(chunk)
            return count, answer.content_type == "text/html" or _is_page(head)
    except (aiohttp.ClientError, TimeoutError) as problem:
        raise TryAgain("Slack's file server broke off while handing the file out.") from problem


def _is_page(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(HTML_STARTS)


def _sign_in_page() -> DownloadFailed:
    return DownloadFailed(
        "Slack sent its sign-in page instead of the file: the bot token may not read files here.",
        "Give the app the scope files:read and install it again in this workspace.",
    )


def _check_status(status: int, rest: float) -> None:
    """A web page with status 200 is recognised later: a person may well drop a web page of their own."""
    if status == 200:
        return
    if status in (401, 403) or 300 <= status < 400:
        raise _sign_in_page()
    if status in (404, 410):
        raise DownloadFailed("The file is no longer there: it was deleted or withdrawn.")
    if status == 429 or status >= 500:
        again = TryAgain(f"Slack's file server answered {status}.")
        again.after = rest if status == 429 else 0.0
        raise again
    raise DownloadFailed(f"Slack's file server answered {status}.")
