"""Command line and life of the server process.

When it accepts connections it prints one line to stdout, `trainserver ready at http://HOST:PORT/v1`; logs go
to stderr. SIGTERM and SIGINT end it with exit code 0; a job that was running goes on at the next start.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Generator
from pathlib import Path

import uvicorn

from trainserver import base_command, key_command, model_command
from trainserver.api.app import create_app
from trainserver.api.state import build
from trainserver.config import load
from trainserver.errors import ConfigError

COMMANDS = {
    "key": key_command.main,
    "base": base_command.main,
    "export": model_command.export,
    "release": model_command.release,
}
WANDB_VARIABLE = "WANDB_API_KEY"
KEY_VARIABLE = "FTBOT_TRAINSERVER_API_KEY"


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready and ends quietly on a signal."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._ready, flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trainserver",
        description="A fine-tuning server on this machine that speaks OpenAI's API.",
        epilog=f"Commands beside it, each with --help: {', '.join(COMMANDS)}.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8010, help="0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="folder for files, jobs and models")
    parser.add_argument("--config", type=Path, help="trainserver.toml")
    parser.add_argument("--api-key", help=f"what clients must send (or {KEY_VARIABLE})")
    parser.add_argument("--faults", action="store_true", help="let tests order faults (POST /faults)")
    return parser


def _wandb_key() -> str | None:
    """The server's key for Weights & Biases; of use only where that package is installed."""
    return os.environ.get(WANDB_VARIABLE) if importlib.util.find_spec("wandb") else None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. It says that it is TCP: asyncio sends at once (TCP_NODELAY) through no other."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    return listening


def main(arguments: list[str] | None = None) -> int:
    """Run the server until a signal, or one of `COMMANDS`; 2 when the settings cannot be used."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in COMMANDS:
        return COMMANDS[arguments[0]](arguments[1:])
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    api_key = options.api_key or os.environ.get(KEY_VARIABLE) or None
    try:
        config_path = None if options.config is None else options.config.resolve()
        state = build(options.data.resolve(), load(config_path), config_path, api_key, _wandb_key())
        if not _is_loopback(options.host) and not state.needs_key():
            raise ConfigError(
                f"{options.host} can be reached from other machines: set --api-key or {KEY_VARIABLE} first,"
                " or make a key with `python -m trainserver key add --data DIR`."
            )
        if options.faults and not _is_loopback(options.host):
            raise ConfigError(
                f"--faults is for tests on this machine, and {options.host} is reached by others."
            )
        listening = listen(options.host, options.port)
    except (ConfigError, OSError) as error:
        print(f"trainserver: {error}", file=sys.stderr)
        return 2
    host = f"[{options.host}]" if listening.family == socket.AF_INET6 else options.host
    ready = f"trainserver ready at http://{host}:{listening.getsockname()[1]}/v1"
    settings = uvicorn.Config(
        create_app(state, breakable=options.faults),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        lifespan="on",
    )
    with listening:
        asyncio.run(_Server(settings, ready).serve(sockets=[listening]))
    return 0
