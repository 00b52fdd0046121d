"""Start the program: arguments, store, server, a clean end."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from localslack import manifest
from localslack.errors import StartError
from localslack.guard import LOOPBACK
from localslack.httpmode import RequestUrl
from localslack.seed import identity, seed, tokens
from localslack.store import Store
from localslack.web import build_app
from localslack.world import World

log = logging.getLogger("localslack")


@dataclass(frozen=True)
class Options:
    """How to start. ``port`` 0 takes a free one; tokens that are None are made once and kept in ``data``.

    ``http`` is the app's request URL: payloads go there, signed, instead of over Socket Mode.
    """

    data: Path
    manifest: Path
    host: str = "127.0.0.1"
    port: int = 0
    bot_token: str | None = None
    app_token: str | None = None
    signing_secret: str | None = None
    http: str | None = None


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the program ends with status 0, not by the signal.

    ``accepting`` is set when connections are taken.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def running(options: Options) -> AsyncGenerator[World]:
    """A workspace that answers at ``world.base_url`` inside the block."""
    world, listener = open_world(options), _listen(options)
    world.base_url = f"http://{options.host}:{listener.getsockname()[1]}"
    server = _Server(
        uvicorn.Config(
            build_app(world),
            log_config=None,
            access_log=False,
            ws=world.ears.protocol(),
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.accepting.wait()
        yield world
    finally:
        world.feed.close()
        await world.delivery.close()
        server.should_exit = True
        await serving
        listener.close()
        world.store.close()


def open_world(options: Options) -> World:
    """Store and world. Raises StartError for a bad host or manifest."""
    if options.host not in LOOPBACK:
        raise StartError(
            f"localslack runs on this machine only: --host {options.host} is refused, use 127.0.0.1."
        )
    if options.http is not None and urlsplit(options.http).hostname not in LOOPBACK:
        raise StartError(
            f"localslack talks to this machine only: --http {options.http} is refused, use http://127.0.0.1:…"
        )
    installed = manifest.load(options.manifest)
    options.data.mkdir(parents=True, exist_ok=True)
    store = Store(options.data / "localslack.db")
    given = {key: getattr(options, key) for key in ("bot_token", "app_token", "signing_secret")}
    me = identity(store, tokens(options.data, given))
    seed(store, me, installed)
    world = World(store, me, installed, options.data)
    if options.http is not None:
        world.delivery.request_url = RequestUrl(options.http, me.signing_secret)
    return world


def _listen(options: Options) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only through sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
    except OSError as error:
        listener.close()
        raise StartError(
            f"Port {options.port} on {options.host} cannot be used: {error.strerror}."
        ) from error
    return listener


def parse(argv: Sequence[str], env: Mapping[str, str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="localslack", description="A Slack-compatible workspace on this machine, for trying and testing."
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port (default)")
    parser.add_argument("--data", type=Path, required=True, help="folder for the database, files and tokens")
    parser.add_argument("--manifest", type=Path, default=manifest.default_path(), help="the app's manifest")
    parser.add_argument("--http", metavar="URL", help="the app's request URL: HTTP mode, no Socket Mode")
    for name in ("bot-token", "app-token", "signing-secret"):
        variable = f"LOCALSLACK_{name.replace('-', '_').upper()}"
        parser.add_argument(f"--{name}", default=env.get(variable), help=f"or {variable}; else made once")
    return Options(**vars(parser.parse_args(argv)))


async def serve(options: Options) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(options) as world:
        if not (options.bot_token and options.app_token):
            print(
                f"SLACK_BOT_TOKEN={world.me.bot_token}\nSLACK_APP_TOKEN={world.me.app_token}", file=sys.stderr
            )
        if options.http and not options.signing_secret:
            print(f"SLACK_SIGNING_SECRET={world.me.signing_secret}", file=sys.stderr)
        print(f"localslack ready at {world.base_url}", flush=True)
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0 after a clean end, 2 when the program cannot start."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    options = parse(sys.argv[1:] if argv is None else argv, os.environ)
    try:
        asyncio.run(serve(options))
    except StartError as error:
        print(f"localslack: {error}", file=sys.stderr)
        return 2
    return 0
