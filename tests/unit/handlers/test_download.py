"""Fetching a drop: from Slack's file hosts only, and never too much."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import asynccontextmanager
from itertools import product

import pytest
from aiohttp import web
from yarl import URL

from handlers.download import Limits, TryAgain, allowed, download
from handlers.errors import DownloadFailed

SLACK = frozenset({"files.slack.com"})
BODY = b'{"messages": []}\n' * 10


@pytest.mark.parametrize(
    ("url", "hosts", "may"),
    [
        ("https://files.slack.com/files-pri/T1-F1/download/a.jsonl", SLACK, True),
        ("https://acme.slack.com/files/a.jsonl", SLACK, False),
        ("https://files.slack.com:443/a", SLACK, True),
        ("http://files.slack.com/a", SLACK, False),
        ("https://files.slack.com:8443/a", SLACK, False),
        ("https://files.slack.com.evil.example/a", SLACK, False),
        ("https://evilslack.com/a", SLACK, False),
        ("https://files.slack.com@evil.example/a", SLACK, False),
        ("https://user:pw@files.slack.com/a", SLACK, False),
        ("http://127.0.0.1:4000/a", SLACK, False),
        ("http://127.0.0.1:4000/a", frozenset({"127.0.0.1:4000"}), True),
        ("http://127.0.0.1:4001/a", frozenset({"127.0.0.1:4000"}), False),
        ("http://10.0.0.1/a", frozenset({"10.0.0.1"}), False),
        ("file:///etc/passwd", frozenset({""}), False),
        ("HTTPS://FILES.Slack.COM/a", SLACK, True),
        ("https://files.slack.com./a", SLACK, False),
        ("https://evil.example#@files.slack.com/a", SLACK, False),
        ("https://evil.example?@files.slack.com/a", SLACK, False),
        ("https://evil.example\\@files.slack.com/a", SLACK, False),
        ("https://files.slack.com\\@evil.example/a", SLACK, False),
        ("https://files.slack.com:pw@evil.example/a", SLACK, False),
        ("https://files.slack.com:x/a", SLACK, False),
        ("https://169.254.169.254/latest", SLACK, False),
        ("https://2130706433/a", SLACK, False),
        ("https://127.0.0.1/a", SLACK, False),
        ("https://[::1]/a", SLACK, False),
        ("https://localhost/a", SLACK, False),
        ("//files.slack.com/a", SLACK, False),
        ("ftp://files.slack.com/a", SLACK, False),
        ("https://[::1/a", SLACK, False),
        ("", SLACK, False),
    ],
)
def test_the_token_goes_to_listed_hosts_only(url, hosts, may):
    assert allowed(url, hosts) is may


def test_what_is_let_through_is_what_is_asked():
    """Two readings of one address must not differ: ours, and that of the client that carries the token."""
    parts = (
        "evil.example",
        "files.slack.com",
        "@",
        "\\",
        "/",
        "#",
        "?",
        ":",
        "443",
        ".",
        "%2f",
        "\t",
        "［",
        "／",
        "。",
    )
    taken = 0
    for url in map("".join, product(["https://"], parts, parts, parts)):
        if not allowed(url, SLACK):
            continue
        taken += 1
        try:
            read = URL(url)
        except ValueError:  # not asked at all
            continue
        assert (read.scheme, read.host) == ("https", "files.slack.com"), url
        assert (read.user, read.explicit_port in (None, 443)) == (None, True), url
    assert taken > 50


@asynccontextmanager
async def server(answer):
    asked = []

    async def handle(request):
        asked.append(request.headers.get("Authorization"))
        return await answer(request)

    app = web.Application()
    app.router.add_get("/{tail:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def fetch(tmp_path, answer, *, size: int | None = 170, max_bytes=10_000):
    async with server(answer) as (host, asked):
        limits = Limits(frozenset({host}), max_bytes)
        path = await download(f"http://{host}/a.jsonl", tmp_path, token="xoxb-1", limits=limits, size=size)
        assert asked == ["Bearer xoxb-1"]
        return path


async def test_the_bytes_arrive_in_a_file_of_this_user_alone(tmp_path):
    async def give(request):
        return web.Response(body=BODY)

    path = await fetch(tmp_path, give)
    assert path.read_bytes() == BODY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream"])
async def test_slacks_sign_in_page_names_the_missing_scope(tmp_path, content_type):
    async def give(request):
        return web.Response(body=b"\n<!DOCTYPE html><html>Sign in</html>", content_type=content_type)

    with pytest.raises(DownloadFailed, match="sign-in page") as failed:
        await fetch(tmp_path, give)
    assert "files:read" in failed.value.todo
    assert list(tmp_path.iterdir()) == []


async def test_a_web_page_that_a_person_dropped_is_fetched_for_the_check(tmp_path):
    page = b"<!doctype html><html>my page</html>"

    async def give(request):
        return web.Response(body=page, content_type="text/html")

    assert (await fetch(tmp_path, give, size=len(page))).read_bytes() == page


async def test_a_redirect_is_not_followed(tmp_path):
    async def give(request):
        raise web.HTTPFound("http://127.0.0.1:1/elsewhere")

    with pytest.raises(DownloadFailed, match="sign-in page"):
        await fetch(tmp_path, give)


async def test_more_than_the_cap_is_broken_off(tmp_path):
    async def give(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"x" * 1000)
        return response

    with pytest.raises(DownloadFailed, match="larger"):
        await fetch(tmp_path, give, size=None)
    assert list(tmp_path.iterdir()) == []


async def test_a_claim_of_two_gigabytes_is_refused_before_anything_is_asked(tmp_path):
    with pytest.raises(DownloadFailed, match=r"2\.1 GB"):
        await download(
            "https://files.slack.com/a",
            tmp_path,
            token="xoxb-1",
            limits=Limits(SLACK, 512_000_000),
            size=2**31,
        )


async def test_a_disk_that_is_full_is_said(tmp_path, monkeypatch):
    def full(**_):
        return os.open("/dev/full", os.O_WRONLY), str(tmp_path / "drop-1.part")

    async def give(request):
        return web.Response(body=BODY)

    monkeypatch.setattr(tempfile, "mkstemp", full)
    with pytest.raises(DownloadFailed, match="could not write the file to my disk: No space left") as failed:
        await fetch(tmp_path, give)
    assert not isinstance(failed.value, TryAgain)
    assert "who runs ftbot" in failed.value.todo


async def test_an_empty_file_is_fetched_for_the_check_to_say_so(tmp_path):
    async def give(request):
        return web.Response(body=b"")

    assert (await fetch(tmp_path, give, size=0)).read_bytes() == b""


async def test_an_unknown_host_is_named(tmp_path):
    with pytest.raises(DownloadFailed, match=r"evil\.example"):
        await download("https://evil.example/a", tmp_path, token="t", limits=Limits(SLACK, 9), size=1)


async def test_missing_bytes_are_worth_another_try(tmp_path):
    async def give(request):
        return web.Response(body=BODY[:-5])

    with pytest.raises(TryAgain, match="165 of 170"):
        await fetch(tmp_path, give)


@pytest.mark.parametrize(
    ("status", "kind"), [(503, TryAgain), (429, TryAgain), (404, DownloadFailed), (418, DownloadFailed)]
)
async def test_the_server_may_say_no(tmp_path, status, kind):
    async def give(request):
        return web.Response(status=status)

    with pytest.raises(DownloadFailed) as failed:
        await fetch(tmp_path, give)
    assert type(failed.value) is kind


async def test_a_dead_server_is_worth_another_try(tmp_path):
    with pytest.raises(TryAgain):
        await download(
            "http://127.0.0.1:9/a", tmp_path, token="t", limits=Limits(frozenset({"127.0.0.1:9"}), 9), size=1
        )


@pytest.mark.parametrize(("status", "rest"), [(429, 9.0), (503, 0.0)])
async def test_a_file_server_that_asks_for_a_rest_is_given_it(tmp_path, status, rest):
    async def give(request):
        return web.Response(status=status, headers={"Retry-After": "9"})

    with pytest.raises(TryAgain) as raised:
        await fetch(tmp_path, give)
    assert raised.value.after == rest
