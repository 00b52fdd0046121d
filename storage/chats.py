"""Chat threads, their turns, and which model a channel uses."""

from __future__ import annotations

from sqlite_utils import Database

from storage.chat_records import ChannelModel, ChatThread, Turn
from storage.rows import first, insert, pairs, run, select, to_row


def begin(db: Database, thread: ChatThread) -> ChatThread:
    """Begins a chat thread; one that is there already keeps its model and is answered as it is."""
    insert(db, "chat_threads", thread, ignore=True)
    return get(db, thread.channel, thread.thread) or thread


def get(db: Database, channel: str, thread: str) -> ChatThread | None:
    """The chat thread at this place."""
    return first(
        db, ChatThread, "SELECT * FROM chat_threads WHERE channel = ? AND thread = ?", [channel, thread]
    )


def set_active(db: Database, channel: str, thread: str, *, active: bool) -> None:
    """Switches answering without a mention on or off in a thread."""
    run(
        db,
        "UPDATE chat_threads SET active = ? WHERE channel = ? AND thread = ?",
        [int(active), channel, thread],
    )


def add_turn(db: Database, turn: Turn) -> bool:
    """Keeps a turn (``id`` is given here); ``False`` when the message is known already."""
    return bool(insert(db, "turns", turn, drop=("id",), ignore=True))


def turns_of(db: Database, channel: str, thread: str, *, limit: int = 40) -> list[Turn]:
    """The newest ``limit`` turns of a thread, oldest first."""
    newest = select(
        db,
        Turn,
        "SELECT * FROM turns WHERE channel = ? AND thread = ? ORDER BY id DESC LIMIT ?",
        [channel, thread, limit],
    )
    return newest[::-1]


def turn_at(db: Database, channel: str, ts: str) -> Turn | None:
    """The turn that stands in a message."""
    return first(db, Turn, "SELECT * FROM turns WHERE channel = ? AND ts = ?", [channel, ts])


def answer_at(db: Database, channel: str, thread: str, ts: str) -> Turn | None:
    """The answer that stands in a message of a thread, or that began before it and goes on there."""
    return first(
        db,
        Turn,
        "SELECT * FROM turns WHERE channel = ? AND thread = ? AND role = 'assistant' AND ts <= ?"
        " ORDER BY ts DESC LIMIT 1",
        [channel, thread, ts],
    )


def change_turn(db: Database, channel: str, ts: str, text: str) -> bool:
    """The message of a turn was edited; ``False`` when it holds none."""
    return bool(run(db, "UPDATE turns SET text = ? WHERE channel = ? AND ts = ?", [text, channel, ts]))


def remove_turn(db: Database, channel: str, ts: str) -> bool:
    """The message of a turn was deleted; ``False`` when it held none."""
    return bool(run(db, "DELETE FROM turns WHERE channel = ? AND ts = ?", [channel, ts]))


def users_of(db: Database, job_id: int) -> list[ChannelModel]:
    """Channels that use a job's model."""
    return select(
        db, ChannelModel, "SELECT * FROM channel_models WHERE job_id = ? ORDER BY channel", [job_id]
    )


def forget(db: Database, job_id: int) -> None:
    """No channel uses a job's model any more."""
    run(db, "DELETE FROM channel_models WHERE job_id = ?", [job_id])


def use(db: Database, choice: ChannelModel) -> ChannelModel | None:
    """Sets the model for new chats of a channel; answers the one before."""
    before = model_of(db, choice.channel)
    row = to_row(choice)
    names = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    run(db, f"INSERT OR REPLACE INTO channel_models ({names}) VALUES ({marks})", list(row.values()))
    return before


def model_of(db: Database, channel: str) -> ChannelModel | None:
    """The model that new chats of a channel use."""
    return first(db, ChannelModel, "SELECT * FROM channel_models WHERE channel = ?", [channel])


def active_in(db: Database, channel: str, *, limit: int) -> list[str]:
    """The threads of a channel that are answered without a mention, newest first."""
    found = pairs(
        db,
        "SELECT thread FROM chat_threads WHERE channel = ? AND active ORDER BY created_at DESC LIMIT ?",
        [channel, limit],
    )
    return [str(thread) for (thread,) in found]
