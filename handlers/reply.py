"""Brings an answer back to where the wish came from."""

from __future__ import annotations

from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from handlers.answer import Answer, Message
from handlers.download import TryAgain
from handlers.house import House
from handlers.incoming import Incoming
from handlers.slackapi import broken, code_of, limited
from handlers.slackclient import PacedClient
from handlers.text import cut, esc
from handlers.views.problems import error_message
from storage.errors import NotFound
from tuning.errors import Unreachable

log = structlog.get_logger(__name__)

EXPIRED_TRIGGER = frozenset(
    {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired"}
)


async def answer(house: House, to: Incoming, said: Answer | None) -> None:
    """Gives an answer: by ``response_url`` where there is one, else as a message or an ephemeral one.

    Raises:
        SlackApiError: Slack takes it neither way.
    """
    if said is None:
        return
    arguments = said.message.arguments()
    if to.response_url and await _by_url(house, to, arguments, public=said.public, replace=said.replace):
        return
    if said.replace and to.ts and to.channel:
        await house.client.chat_update(channel=to.channel, ts=to.ts, **said.message.edit_arguments())
    elif said.public or to.is_dm:
        thread = to.root if to.kind == "message" and not to.is_dm else to.thread
        await house.client.chat_postMessage(channel=to.channel, thread_ts=thread or None, **arguments)
    elif to.channel:
        said_alone = {name: arguments[name] for name in ("text", "blocks") if name in arguments}
        await house.client.chat_postEphemeral(
            channel=to.channel, user=to.user, thread_ts=to.thread, **said_alone
        )
    else:  # A form or Home belongs to no channel: the person's direct messages are the only place left.
        await house.client.chat_postMessage(channel=to.user, **arguments)


async def settle(house: House, to: Incoming, said: Answer | None) -> None:
    """Answers the button of a question: the answer takes its place, or news for all lets it go.

    Where the question cannot be taken away (its address is used up), it stays.
    """
    if said is None or not said.settled or not to.response_url:
        await answer(house, to, said)
        return
    if not said.public and await _by_url(house, to, said.message.arguments(), public=False, replace=True):
        return
    await answer(house, to, said)
    if said.public:
        await _send(house, to, {"delete_original": True})


async def tell(house: House, to: Incoming, message: Message) -> None:
    """Says something to the person alone."""
    await answer(house, to, Answer(message))


async def _by_url(
    house: House, to: Incoming, arguments: dict[str, Any], *, public: bool, replace: bool
) -> bool:
    body = {
        **arguments,
        "response_type": "in_channel" if public else "ephemeral",
        "replace_original": replace,
    }
    return await _send(house, to, body)


async def _send(house: House, to: Incoming, body: dict[str, Any]) -> bool:
    """``False`` when the address is used up (five uses, thirty minutes) or does not answer."""
    url = to.response_url or ""
    if isinstance(house.client, PacedClient):
        return await house.client.respond(url, to.channel, body)
    try:
        got = await AsyncWebhookClient(url, retry_handlers=[]).send_dict(body)
    except (aiohttp.ClientError, TimeoutError) as problem:
        log.warning("response_url_unreachable", problem=type(problem).__name__)
        return False
    if got.status_code != 200:
        log.info("response_url_refused", status=got.status_code)
    return got.status_code == 200


def passing(problem: Exception) -> bool:
    """Whether the same thing may well work a moment later."""
    if isinstance(problem, SlackApiError):
        return limited(problem) or broken(problem)
    return isinstance(
        problem, aiohttp.ClientError | TimeoutError | SlackRequestError | TryAgain | Unreachable
    )


def apology(problem: Exception, command: str) -> Message:
    """What went wrong in plain words and what to do; never a stack trace, never foreign text that acts."""
    if isinstance(problem, SlackApiError) and code_of(problem) in EXPIRED_TRIGGER:
        return Message(
            f"Slack allows three seconds to open a form and they were over. Try `{command} start` again."
        )
    if isinstance(problem, SlackApiError) and code_of(problem) in ("not_in_channel", "channel_not_found"):
        return Message("I am not in this channel. Type `/invite @ftbot` here, then try again.")
    if isinstance(problem, NotFound):
        return Message(esc(cut(str(problem), 300)))
    if passing(problem) and not isinstance(problem, Unreachable):
        return Message("Slack did not answer, three times over. Try again in a minute.")
    return error_message(problem)
