"""A small Slack app that the page's tests click on: a message with buttons, a form, a Home tab, shortcuts."""

from __future__ import annotations

import json
from typing import Any

from slack_bolt.app.async_app import AsyncApp

Json = dict[str, Any]

CITIES = ["Basel", "Bergen", "Bologna", "Bremen", "Lisbon", "Lyon"]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(text: str, action_id: str, **more: Any) -> Json:
    return {"type": "button", "text": plain(text), "action_id": action_id, **more}


def option(text: str, **more: Any) -> Json:
    return {"text": plain(text), "value": text.lower(), **more}


def field(block_id: str, label: str, element: Json, **more: Any) -> Json:
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element, **more}


def card(state: str = "waiting") -> list[Json]:
    """A message with every way to click."""
    sure = {
        "title": plain("Cancel it?"),
        "text": plain("The work is lost."),
        "confirm": plain("Cancel it"),
        "deny": plain("Keep"),
    }
    return [
        section(f"*triage-7* · {state}", block_id="head"),
        {
            "type": "actions",
            "block_id": "buttons",
            "elements": [
                button("Press", "press", style="primary", value="go"),
                button("Cancel…", "cancel", style="danger", confirm=sure),
                {"type": "overflow", "action_id": "more", "options": [option("Events"), option("About")]},
                {
                    "type": "static_select",
                    "action_id": "model",
                    "placeholder": plain("A model"),
                    "options": [option("Small"), option("Large")],
                },
            ],
        },
    ]


def form(name: str = "") -> Json:
    """A form whose name field refuses "bad" and "more" opens a second form above it."""
    city = {
        "type": "external_select",
        "action_id": "city",
        "min_query_length": 1,
        "placeholder": plain("A city"),
    }
    extras = {"type": "checkboxes", "action_id": "extras", "options": [option("Fast"), option("Cheap")]}
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain("Train a model"),
        "submit": plain("Start"),
        "close": plain("Not now"),
        "blocks": [
            field(
                "name",
                "Name",
                {"type": "plain_text_input", "action_id": "name", "initial_value": name, "max_length": 40},
                hint=plain("Letters only"),
            ),
            field("city", "City", city),
            field("extras", "Extras", extras, optional=True),
            field(
                "seed",
                "Seed",
                {"type": "number_input", "action_id": "seed", "is_decimal_allowed": False},
                optional=True,
            ),
            {"type": "actions", "block_id": "more", "elements": [button("More settings", "push")]},
        ],
    }


def second_form() -> Json:
    note = field(
        "note", "Note", {"type": "plain_text_input", "action_id": "note", "multiline": True}, optional=True
    )
    return {
        "type": "modal",
        "callback_id": "second",
        "title": plain("More"),
        "submit": plain("Save"),
        "blocks": [note],
    }


def big_form() -> Json:
    """A form with the fields that take more than a line."""
    rows = {"type": "file_input", "action_id": "rows", "filetypes": ["jsonl"], "max_files": 2}
    return {
        "type": "modal",
        "callback_id": "big",
        "title": plain("More to say"),
        "submit": plain("Send"),
        "blocks": [
            field("rows", "Rows", rows),
            field("story", "Story", {"type": "rich_text_input", "action_id": "story"}),
        ],
    }


def every_form() -> Json:
    """A form with the fields that the other forms lack; all of them in order, named after their type."""
    options = {"options": [option("One"), option("Two"), option("Three")]}
    elements: list[Json] = [
        {"type": "plain_text_input", "multiline": True},
        {"type": "email_text_input"},
        {"type": "url_text_input"},
        {"type": "number_input", "is_decimal_allowed": True},
        {"type": "datepicker"},
        {"type": "timepicker"},
        {"type": "datetimepicker"},
        {"type": "radio_buttons", **options},
        {"type": "checkboxes", **options},
        {"type": "static_select", **options},
        {"type": "multi_static_select", **options},
        {"type": "users_select"},
        {"type": "multi_users_select"},
        {"type": "channels_select"},
        {"type": "conversations_select"},
        {"type": "multi_external_select", "min_query_length": 0},
    ]
    return {
        "type": "modal",
        "callback_id": "every",
        "title": plain("Every field"),
        "submit": plain("Send"),
        "blocks": [field(e["type"], e["type"], {**e, "action_id": "it"}) for e in elements],
    }


def home(times: int) -> Json:
    return {
        "type": "home",
        "blocks": [
            {"type": "header", "text": plain("Your models")},
            section(f"Pressed {times} times", accessory=button("Press here", "home_press")),
        ],
    }


def make_app(token: str, api: str) -> AsyncApp:
    """The app with its listeners. ``api`` is the Web API's base address."""
    from slack_sdk.web.async_client import AsyncWebClient

    app = AsyncApp(client=AsyncWebClient(token, base_url=api), request_verification_enabled=False)
    _clicks(app)
    _forms(app)
    _other(app)
    return app


def _clicks(app: AsyncApp) -> None:
    async def changed(body: Json, client: Any, state: str) -> None:
        ts, channel = body["message"]["ts"], body["channel"]["id"]
        await client.chat_update(channel=channel, ts=ts, text=state, blocks=card(state))

    @app.action("press")
    async def press(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await changed(body, client, f"pressed by {body['user']['username']}")

    @app.action("cancel")
    async def cancel(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await changed(body, client, "cancelled")

    @app.action("more")
    @app.action("model")
    async def more(ack: Any, body: Json, client: Any, action: Json) -> None:
        await ack()
        await changed(body, client, f"chose {action['selected_option']['value']}")


def _forms(app: AsyncApp) -> None:
    @app.options("it")
    @app.options("city")
    async def cities(ack: Any, payload: Json) -> None:
        await ack(options=[option(c) for c in CITIES if c.lower().startswith(payload["value"].lower())])

    @app.view("every")
    async def every(ack: Any, body: Json, view: Json, client: Any) -> None:
        await ack()
        found = {block: values["it"] for block, values in view["state"]["values"].items()}
        await client.chat_postMessage(channel=body["user"]["id"], text=f"Got {json.dumps(found)}")

    @app.view("big")
    async def big(ack: Any, body: Json, view: Json, client: Any) -> None:
        await ack()
        values = view["state"]["values"]
        names = [file["name"] for file in values["rows"]["rows"]["files"]]
        story = values["story"]["story"]["rich_text_value"]["elements"][0]["elements"][0]["text"]
        await client.chat_postMessage(channel=body["user"]["id"], text=f"Got {names}: {story}")

    @app.action("push")
    async def push(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await client.views_push(trigger_id=body["trigger_id"], view=second_form())

    @app.view("second")
    async def saved(ack: Any) -> None:
        await ack()

    @app.view("form")
    async def submitted(ack: Any, body: Json, view: Json, client: Any) -> None:
        values = view["state"]["values"]
        if values["name"]["name"]["value"] == "bad":
            await ack(response_action="errors", errors={"name": "That name is taken."})
            return
        await ack()
        city = values["city"]["city"]["selected_option"]["value"]
        extras = [o["value"] for o in values["extras"]["extras"]["selected_options"]]
        text = (
            f"Started {values['name']['name']['value']} in {city} {extras} {values['seed']['seed']['value']}"
        )
        await client.chat_postMessage(channel=body["user"]["id"], text=text)


def _other(app: AsyncApp) -> None:
    presses: dict[str, int] = {}

    @app.command("/try")
    async def command(ack: Any, body: Json, client: Any) -> None:
        if body["text"] == "silent":
            return
        await ack()
        view = {"big": big_form, "every": every_form}.get(body["text"], form)()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.event("agent_session_stopped")
    async def stopped(event: Json, client: Any) -> None:
        place = {"channel_id": event["channel"], "thread_ts": event["thread_ts"]}
        await client.agents_sessions_setStatus(**place, status="active")
        for ts in event["streaming_message_ts"]:
            await client.chat_update(channel=event["channel"], ts=ts, text="Stopped as you asked.")

    @app.shortcut("open_form")
    async def open_form(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=form("from a shortcut"))

    @app.shortcut("count_words")
    async def count(ack: Any, body: Json, client: Any) -> None:
        await ack()
        words = len(body["message"]["text"].split())
        await client.chat_postEphemeral(
            channel=body["channel"]["id"], user=body["user"]["id"], text=f"{words} words"
        )

    @app.event("app_home_opened")
    async def opened(event: Json, client: Any) -> None:
        await client.views_publish(user_id=event["user"], view=home(presses.get(event["user"], 0)))

    @app.action("home_press")
    async def pressed(ack: Any, body: Json, client: Any) -> None:
        await ack()
        user = body["user"]["id"]
        presses[user] = presses.get(user, 0) + 1
        await client.views_publish(user_id=user, view=home(presses[user]))

    @app.event("message")
    @app.event("app_mention")
    async def heard(event: Json, client: Any) -> None:
        if "name the day" in event.get("text", ""):
            await client.chat_postMessage(
                channel=event["channel"], thread_ts=event["ts"], text="It is *Friday*."
            )
