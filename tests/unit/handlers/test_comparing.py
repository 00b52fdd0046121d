"""One question to two models, over real sockets: the menus, the answers side by side, and what goes wrong."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from handlers.views.compare import Side
from handlers.views.compare import compared as side_by_side
from tests.support.talkers import Talkers, talkers
from tests.support.waiting import until


@pytest.fixture
async def room(tmp_path: Path) -> AsyncGenerator[Talkers]:
    async with talkers(tmp_path) as found:
        yield found


async def compared(room: Talkers) -> dict[str, Any]:
    """The message with both answers, once they are there."""

    async def look() -> dict[str, Any] | None:
        found = [m for m in await room.slack.jin.messages(room.secret) if "beside" in str(m["text"])]
        done = [m for m in found if any(b["type"] == "section" for b in m["blocks"])]
        return done[0] if done else None

    return await until(look)


def sides(message: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The texts that stand side by side, and the figures under them."""
    section = next(b for b in message["blocks"] if b["type"] == "section")
    figures = message["blocks"][-1]
    return [f["text"].strip("*") for f in section["fields"]], [e["text"] for e in figures["elements"]]


async def the_form(room: Talkers) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        views = (await room.slack.jin.ask("GET", "/views"))["views"]
        return views[-1] if views else None

    return await until(look)


async def menu(room: Talkers, view: dict[str, Any], block: str, typed: str) -> list[dict[str, Any]]:
    body = {"view_id": view["id"], "block_id": block, "action_id": f"form_{block}", "value": typed}
    return (await room.slack.jin.ask("POST", "/options", body))["options"]


async def submit(room: Talkers, view: dict[str, Any], first: Any, second: Any, question: str) -> Any:
    values = {
        "first": {"form_first": {"type": "external_select", "selected_option": first}},
        "second": {"form_second": {"type": "external_select", "selected_option": second}},
        "question": {"question": {"type": "plain_text_input", "value": question}},
    }
    return await room.slack.jin.ask("POST", f"/views/{view['id']}/submit", {"values": values})


async def test_without_names_two_searched_menus_open_and_both_answers_come(room: Talkers) -> None:
    await room.slack.jin.command(room.secret, "/ft compare")
    view = await the_form(room)
    (tuned, point) = await menu(room, view, "first", "classified")
    assert [o["value"] for o in (tuned, point)] == ["classified-7", "classified-7@1"]
    (base,) = await menu(room, view, "second", "4.1-mini")
    answer = await submit(room, view, tuned, base, "my card was charged twice")
    assert answer["ok"], answer
    names, figures = sides(await compared(room))
    assert names == ["classified-7", "gpt-4.1-mini", "Hello there", "Hello there"]
    assert [f.split(" · ")[0] for f in figures] == ["classified-7", "gpt-4.1-mini"]
    assert all(f.endswith(" s · 2 tokens") for f in figures)
    assert {body["model"] for body in room.provider.responses} == {"ft:hidden", "gpt-4.1-mini-2025-04-14"}
    assert {body["instructions"] for body in room.provider.responses} == {"Sort tickets."}  # asked the same


async def test_the_models_names_stand_bold_over_their_answers(room: Talkers) -> None:
    await room.slack.jin.command(room.secret, "/ft compare classified-7 gpt-4.1-mini hello")
    section = next(b for b in (await compared(room))["blocks"] if b["type"] == "section")
    bold = {"type": "mrkdwn", "verbatim": True}
    assert section["fields"][:2] == [bold | {"text": "*classified-7*"}, bold | {"text": "*gpt-4.1-mini*"}]
    assert {f["type"] for f in section["fields"][2:]} == {"plain_text"}


@pytest.mark.parametrize("label", ["a*b", "_a", "a `b`", "~a~", ":tada:"])
def test_a_name_that_would_be_read_as_markup_stands_plain(label: str) -> None:
    section = side_by_side("U1", "hello", (Side(label, "yes"), Side("a_b", "no"))).blocks[2]
    assert [f["type"] for f in section["fields"]] == ["plain_text", "mrkdwn", "plain_text", "plain_text"]


async def test_by_mention_a_button_opens_the_menus(room: Talkers) -> None:
    await room.slack.jin.say(room.secret, "@ftbot compare")

    async def asked() -> dict[str, Any] | None:
        found = [m for m in await room.slack.jin.messages(room.secret) if m.get("ephemeral")]
        return next((m for m in found if "Which two models?" in m["text"]), None)

    message = await until(asked)
    block = next(b for b in message["blocks"] if b["type"] == "actions")
    button = block["elements"][0]
    body = {"channel": room.secret, "message_ts": message["ts"], "block_id": block["block_id"]}
    await room.slack.jin.ask("POST", "/actions", {**body, "action_id": button["action_id"]})
    assert (await the_form(room))["callback_id"] == "compare_form"


async def test_two_names_and_a_question_are_asked_at_once_a_checkpoint_too(room: Talkers) -> None:
    room.provider.answer = lambda body: f"I am {body['model']}"
    await room.slack.jin.command(room.secret, "/ft compare classified-7@1 classified-7 who are you")
    names, _ = sides(await compared(room))
    assert names == ["classified-7@1", "classified-7", "I am ft:hidden:1", "I am ft:hidden"]


async def test_the_same_model_twice_is_no_comparison(room: Talkers) -> None:
    await room.slack.jin.command(room.secret, "/ft compare classified-7 classified-7 hello")

    async def told() -> bool:
        found = [m for m in await room.slack.jin.messages(room.secret) if m.get("ephemeral")]
        return any("Both are classified-7" in m["text"] for m in found)

    await until(told)
    assert room.provider.responses == []


async def test_the_side_that_fails_says_why_and_the_other_answers(room: Talkers) -> None:
    room.provider.fault("POST", "/responses", status=400, code="bad", message="own words")
    await room.slack.jin.command(room.secret, "/ft compare classified-7 gpt-4.1-mini hello")
    names, figures = sides(await compared(room))
    assert sorted(text.split(" ")[0] for text in names[2:]) == ["Hello", "⚠️"]
    assert sum("no answer" in f for f in figures) == 1


async def test_an_answer_that_is_too_long_for_its_half_says_that_it_is_cut(room: Talkers) -> None:
    room.provider.answer = lambda body: "word " * 900
    await room.slack.jin.command(room.secret, "/ft compare classified-7 gpt-4.1-mini hello")
    names, figures = sides(await compared(room))
    assert all(len(text) <= 2_000 for text in names)
    assert all(f.endswith("cut here") for f in figures)


async def test_a_rest_that_slack_asks_for_has_nobody_asked_and_paid_again(room: Talkers) -> None:
    await room.slack.control(rate_limit={"method": "chat.update", "seconds": 1, "times": 1})
    await room.slack.jin.command(room.secret, "/ft compare classified-7 gpt-4.1-mini hello")
    await compared(room)
    await room.slack.settled()
    assert len(room.provider.responses) == 2
