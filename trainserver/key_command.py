"""`python -m trainserver key add|list|revoke`: who may ask, from the machine of the server."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from trainserver import keys
from trainserver.database import Database
from trainserver.errors import NotFound
from trainserver.layout import Layout

PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def _project(text: str) -> str:
    if not PROJECT.fullmatch(text):
        raise argparse.ArgumentTypeError("letters, digits, dots, dashes and underscores only, at most 64")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trainserver key", description="API keys and their projects.")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make a key; it is shown once")
    add.add_argument("--project", type=_project, default=keys.DEFAULT_PROJECT)
    limits = add.add_mutually_exclusive_group()
    limits.add_argument("--inference", action="store_true", help="it may ask models and train nothing")
    limits.add_argument("--admin", action="store_true", help="it may share checkpoints with other projects")
    listed = commands.add_parser("list", help="keys by id; what they are is stored nowhere")
    revoke = commands.add_parser("revoke", help="take a key back")
    revoke.add_argument("id")
    for command in (add, listed, revoke):
        command.add_argument("--data", type=Path, required=True, help="the server's data folder")
    return parser


def main(arguments: list[str]) -> int:
    """Run the command; 2 when there is nothing to do it to."""
    options = _parser().parse_args(arguments)
    database = Database(Layout(options.data).database)
    if options.command == "add":
        scope: keys.Scope = "inference" if options.inference else "admin" if options.admin else "all"
        with database.write() as connection:
            key_id, key = keys.issue(connection, options.project, scope)
        print(f"{key_id} for project {options.project} ({scope}); it is not shown again:", file=sys.stderr)
        print(key)
    elif options.command == "list":
        with database.read() as connection:
            found = keys.listed(connection)
        for one in found:
            day = datetime.fromtimestamp(one.created_at, UTC).date()
            print(one.id, one.project, one.scope, day, "revoked" if one.revoked_at else "in force")
    else:
        try:
            with database.write() as connection:
                keys.revoke(connection, options.id)
        except NotFound as error:
            print(f"trainserver key: {error}", file=sys.stderr)
            return 2
    return 0
