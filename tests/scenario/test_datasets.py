"""What people do with their data before they train: fix, redact, decide, split, compare, look, delete."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import aiohttp
import pytest

from demo.person import Person, words
from tests.support.workspace import WAIT, Json, Workspace, choose, element, holds, typed

pytestmark = pytest.mark.asyncio(loop_scope="session")

CARD_NUMBER = "4111 1111 1111 1111"
TOPICS = [
    "refund",
    "invoice",
    "parcel",
    "password",
    "delivery",
    "login",
    "address",
    "coupon",
    "battery",
    "screen",
    "charger",
    "warranty",
    "colour",
    "size",
    "subscription",
    "newsletter",
    "contract",
    "tariff",
    "router",
    "printer",
]
PLACES = ["Berlin", "Seoul", "Lima", "Oslo", "Cairo", "Quito", "Kyoto", "Tunis", "Porto", "Delhi"]


def talk(number: int, *, extra: str = "") -> Json:
    """A row that resembles no other one."""
    topic, place = TOPICS[number % len(TOPICS)], PLACES[(number // len(TOPICS)) % len(PLACES)]
    question = f"My {topic} from {place} went wrong on day {number}, what now{extra}?"
    answer = f"{topic} desk {place}, case {number * 7919 % 10_007}"
    return {
        "messages": [
            {"role": "system", "content": "Route the letter."},
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }


def file_of(*rows: Json | str) -> str:
    """The rows as a file; a string is a line as it is."""
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


def talks(count: int, first: int = 0) -> list[Json]:
    return [talk(number) for number in range(first, first + count)]


async def card(place: Workspace, channel: str, ts: str, *contains: str, without: str = "") -> Json:
    """Waits for a message of the thread that says all of this, and not ``without``."""

    async def look() -> Json | None:
        for message in (await place.jin.thread(channel, ts))[1:]:
            text = words(message) + str(message.get("text", ""))
            unwanted = without and without in text
            if "bot_id" in message and all(part in text for part in contains) and not unwanted:
                return message
        return None

    return await place.jin.wait(f"a card with {contains}", look, WAIT)


async def menu(place: Workspace, channel: str, message: Json, what: str) -> None:
    """Chooses from the ⋯ menu of a card."""
    for block in message["blocks"]:
        for item in block.get("elements", []):
            for option in item.get("options", []):
                if option["value"].startswith(f"{what}:"):
                    body = {
                        "channel": channel,
                        "message_ts": message["ts"],
                        "block_id": block["block_id"],
                        "action_id": item["action_id"],
                        "selected_option": option,
                    }
                    answer = await place.jin.call("POST", "actions", json=body)
                    assert answer["ok"], answer
                    return
    raise AssertionError(f"the menu has no {what}: {message['blocks']}")


async def file_in(place: Workspace, channel: str, ts: str, begins: str) -> tuple[Json, bytes]:
    """Waits for a file of the thread; answers it with its bytes."""

    async def look() -> Json | None:
        for message in (await place.jin.thread(channel, ts))[1:]:
            for found in message.get("files") or []:
                if str(found["name"]).startswith(begins):
                    return found
        return None

    found = await place.jin.wait(f"the file {begins}…", look, WAIT)
    async with aiohttp.ClientSession() as session:
        url = f"{place.programs.running['localslack'].url}/ui/files/{found['id']}/content?user=jin"
        async with session.get(url) as got:
            return found, await got.read()


async def sent_files(place: Workspace) -> list[str]:
    """Names of the files the provider has."""
    url = place.programs.running["trainserver"].url
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {place.programs.api_key}"}
        async with session.get(f"{url}/files?limit=1000", headers=headers) as got:
            return [str(one["filename"]) for one in (await got.json())["data"]]


async def test_fix_makes_a_repaired_version_and_keeps_the_original(place: Workspace) -> None:
    channel = await place.channel()
    broken = json.dumps(talk(50))[:-1] + ",}"
    ts = await place.drop(channel, "letters.jsonl", file_of(*talks(12), broken))
    before = await card(place, channel, ts, "Not ready", "1 of 13 rows", without="Still looking")
    await place.jin.click(channel, before, "fix")
    after = await card(place, channel, ts, "Ready to train", "letters.jsonl v2")
    assert "Repaired copy of letters.jsonl v1" in words(after)
    assert "line 13" in words(after)
    assert "13 examples" in words(after)
    original = await card(place, channel, ts, "Not ready", "epaired as letters.jsonl v2")
    assert "Fix" not in str(original["blocks"])

    async def settled() -> bool:
        reactions = await place.jin.reactions(channel, ts)
        return reactions in (["white_check_mark"], ["warning"])

    await place.jin.wait("the verdict of the repaired copy as the only reaction", settled, WAIT)


async def test_a_payment_card_keeps_the_file_here_until_somebody_decides(place: Workspace) -> None:
    channel = await place.channel()
    rows = [*talks(14, 100), talk(150, extra=f" with card {CARD_NUMBER}")]
    ts = await place.drop(channel, "cards.jsonl", file_of(*rows))
    held = await card(place, channel, ts, "To decide before it leaves", "payment card", "line 15")
    assert CARD_NUMBER not in str(await place.jin.thread(channel, ts))
    assert not [name for name in await sent_files(place) if "cards" in name]
    await place.jin.click(channel, held, "redact")
    copy = await card(place, channel, ts, "Ready to train", "cards.jsonl v2", "Redacted copy of cards.jsonl")
    assert "To decide" not in words(copy)

    async def sent() -> bool:
        return len([name for name in await sent_files(place) if "cards" in name]) == 1

    await place.jin.wait("the redacted copy at the trainer", sent, WAIT)
    await place.jin.click(channel, held, "release")
    await card(place, channel, ts, "cards.jsonl v1", "decided by")

    async def both() -> bool:
        return len([name for name in await sent_files(place) if "cards" in name]) == 2

    await place.jin.wait("the file itself at the trainer", both, WAIT)


async def test_the_form_sends_the_redacted_copy_unless_told_otherwise(place: Workspace) -> None:
    channel = await place.channel()
    rows = [*talks(14, 300), talk(350, extra=f" with card {CARD_NUMBER}")]
    ts = await place.drop(channel, "private.jsonl", file_of(*rows))
    await card(place, channel, ts, "To decide before it leaves")
    view = await place.open_form(channel)
    assert "Leaves for" in words(view)
    chosen = element(view, "leaves")["initial_option"]["text"]["text"]
    assert chosen == "Send the redacted copy"
    values = choose(view, "dataset", "private.jsonl") | typed(view, "name", "quiet")
    answer = await place.jin.submit(view, values)
    assert answer["ok"], answer
    await place.root(channel, "quiet-1")
    await card(place, channel, ts, "Redacted copy of private.jsonl v1")
    assert len([name for name in await sent_files(place) if "private" in name]) <= 1


async def test_a_split_holds_out_the_same_rows_and_the_form_offers_them(place: Workspace) -> None:
    channel = await place.channel()
    ts = await place.drop(channel, "split.jsonl", file_of(*talks(60, 400)))
    ready = await card(place, channel, ts, "Ready to train", without="still looking")
    await place.jin.click(channel, ready, "add_validation")

    async def opened() -> Json | None:
        view = await place.jin.form()
        return view if view and view["callback_id"] == "validation_form" else None

    view = await place.jin.wait("the form", opened, WAIT)
    answer = await place.jin.submit(view, choose(view, "validation", "Split off"))
    assert answer["ok"], answer
    kept = await card(place, channel, ts, "Ready to train", "split.jsonl v2", "no overlap")
    assert "54 examples" in words(kept)
    held_out = await card(place, channel, ts, "Ready as validation data", "split-valid.jsonl v1")
    assert "6 examples" in words(held_out)
    form = await place.open_form(channel)
    assert element(form, "validation")["initial_option"]["text"]["text"].startswith("split-valid.jsonl")
    await place.jin.call("POST", f"views/{form['id']}/close")


async def test_training_rows_as_validation_are_refused_at_the_field(place: Workspace) -> None:
    channel = await place.channel()
    held_out = await place.drop(channel, "check.jsonl", file_of(*talks(4, 716), *talks(10, 730)))
    await card(place, channel, held_out, "Ready to train")
    await place.drop(channel, "main.jsonl", file_of(*talks(20, 700)))
    await place.ready(channel, 2)
    view = await place.open_form(channel)
    values = choose(view, "dataset", "main.jsonl") | choose(view, "validation", "check.jsonl")
    answer = await place.jin.submit(view, values | typed(view, "name", "overlap"))
    assert not answer["ok"]
    assert set(answer["errors"]) == {"validation"}
    assert "4 rows are also in the training data" in answer["errors"]["validation"]
    await place.jin.call("POST", f"views/{view['id']}/close")


async def test_training_and_validation_dropped_together_belong_together(place: Workspace) -> None:
    channel = await place.channel()
    form = aiohttp.FormData()
    form.add_field("file", file_of(*talks(20, 800)).encode(), filename="pairs.jsonl")
    form.add_field("file", file_of(*talks(4, 850)).encode(), filename="pairs-dev.jsonl")
    answer = await place.jin.call("POST", f"channels/{channel}/files", data=form)
    ts = str(answer["message"]["ts"])
    await card(place, channel, ts, "Ready as validation data", "4 examples")
    await card(place, channel, ts, "Ready to train", "Validation: pairs-dev.jsonl v1", "no overlap")


async def test_a_new_version_says_what_changed(place: Workspace) -> None:
    channel = await place.channel()
    first = await place.drop(channel, "grow.jsonl", file_of(*talks(20, 900)))
    await card(place, channel, first, "Ready to train", "grow.jsonl v1", without="still looking")
    changed = talk(902)
    changed["messages"][2]["content"] = "another desk altogether"
    rows = [*talks(2, 900), changed, *talks(16, 903), *talks(5, 950)]
    second = await place.drop(channel, "grow.jsonl", file_of(*rows))
    now = await card(place, channel, second, "grow.jsonl v2", "Since v1")
    assert "+5 rows, 1 gone, 1 changed" in words(now)


async def test_the_full_report_names_every_line_as_dropped(place: Workspace) -> None:
    channel = await place.channel()
    rows: list[Any] = [*talks(12, 1000), *(['{"messages": []}'] * 3), "{broken"]
    ts = await place.drop(channel, "report.jsonl", file_of(*rows))
    found = await card(place, channel, ts, "Not ready", without="Still looking")
    await place.jin.click(channel, found, "report")
    _, table = await file_in(place, channel, ts, "report-")
    lines = {row["line"] for row in csv.DictReader(io.StringIO(table.decode()))}
    assert {"13", "14", "15", "16"} <= lines


async def test_the_token_chart_is_a_picture_with_words(place: Workspace) -> None:
    channel = await place.channel()
    ts = await place.drop(channel, "chart.jsonl", file_of(*talks(15, 1100)))
    found = await card(place, channel, ts, "Ready to train", without="still looking")
    await menu(place, channel, found, "chart")
    file, content = await file_in(place, channel, ts, "tokens-")
    assert content.startswith(b"\x89PNG")
    assert file["is_image"]


async def test_not_training_data_closes_the_card_quietly(place: Workspace) -> None:
    channel = await place.channel()
    ts = await place.drop(channel, "notes.jsonl", "just some notes\n" * 12)
    found = await card(place, channel, ts, "Not ready", without="Still looking")
    await menu(place, channel, found, "close")
    closed = await card(place, channel, ts, "not training data")
    assert not [block for block in closed["blocks"] if block["type"] == "actions"]

    async def no_reaction() -> bool:
        return await place.jin.reactions(channel, ts) == []

    await place.jin.wait("no reaction", no_reaction, WAIT)


async def listed(place: Workspace, channel: str, person: Person) -> Json:
    await person.command(channel, "/ft datasets")
    return await place.root(channel, "of this channel", of=person)


async def test_datasets_says_where_copies_are_and_only_the_dropper_deletes(place: Workspace) -> None:
    channel = await place.channel()
    await place.mina.call("POST", f"channels/{channel}/members", json={"user": "mina"})
    ts = await place.drop(channel, "keep.jsonl", file_of(*talks(15, 1200)))
    await card(place, channel, ts, "Ready to train", "sent to Our trainer")
    others = await listed(place, channel, place.mina)
    assert others.get("ephemeral")
    assert "dataset_delete" not in str(others["blocks"])

    async def sent() -> Json | None:
        found = await listed(place, channel, place.jin)
        return found if "file-" in words(found) else None

    mine = await place.jin.wait("the provider's copy in the list", sent, WAIT)
    text = words(mine)
    assert "keep.jsonl v1" in text
    assert "kept compressed" in text
    assert "Slack" in text
    assert "Our trainer: file-" in text
    await _press(place, channel, mine, "dataset_delete")
    asked = await place.root(channel, "Delete keep.jsonl v1?", of=place.jin)
    assert "Our trainer: file-" in words(asked)
    await place.jin.click(channel, asked, "dataset_delete_all")
    await card(place, channel, ts, "deleted here and at Our trainer")
    await place.jin.command(channel, "/ft datasets")

    async def empty() -> bool:
        return any(holds(m, "No data is kept") for m in await place.jin.messages(channel))

    await place.jin.wait("an empty list", empty, WAIT)


async def _press(place: Workspace, channel: str, message: Json, action: str) -> None:
    block = next(b for b in message["blocks"] if b.get("accessory", {}).get("action_id") == action)
    body = {
        "channel": channel,
        "message_ts": message["ts"],
        "block_id": block["block_id"],
        "action_id": action,
    }
    answer = await place.jin.call("POST", "actions", json=body)
    assert answer["ok"], answer
