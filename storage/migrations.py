"""Numbered, append-only migrations. A released one is never edited; add the next."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("ftbot")


def _run(db: Database, script: str) -> None:
    for statement in script.split(";"):
        if statement.strip():
            db.conn.execute(statement)


@migrations()
def m001_first_house(db: Database) -> None:
    """Inbox, datasets, uploads, jobs with events and checkpoints, outbox with cards, chats."""
    _run(
        db,
        """
        CREATE TABLE inbox (
          id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, content_key TEXT UNIQUE, kind TEXT NOT NULL,
          payload TEXT NOT NULL, received_at REAL NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
          error TEXT);
        CREATE INDEX inbox_state ON inbox (state, id);
        CREATE TABLE datasets (
          id INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, channel TEXT NOT NULL,
          thread TEXT NOT NULL, user TEXT NOT NULL, drop_id TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
          created_at REAL NOT NULL, sha256 TEXT, bytes INTEGER NOT NULL, method TEXT,
          examples INTEGER NOT NULL,
          tokens INTEGER NOT NULL, path TEXT, system_prompt TEXT, tools TEXT NOT NULL, report TEXT NOT NULL,
          error TEXT);
        CREATE INDEX datasets_channel ON datasets (channel, id);
        CREATE TABLE uploads (
          sha256 TEXT NOT NULL, provider TEXT NOT NULL, filename TEXT NOT NULL, state TEXT NOT NULL,
          updated_at REAL NOT NULL, file_id TEXT, attempts INTEGER NOT NULL, error TEXT,
          PRIMARY KEY (sha256, provider));
        CREATE TABLE jobs (
          id INTEGER PRIMARY KEY, intent TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
          suffix TEXT NOT NULL,
          number INTEGER NOT NULL, provider TEXT NOT NULL, base TEXT NOT NULL,
          dataset_id INTEGER NOT NULL REFERENCES datasets(id), channel TEXT NOT NULL, owner TEXT NOT NULL,
          state TEXT NOT NULL, created_at REAL NOT NULL, validation_id INTEGER REFERENCES datasets(id),
          status TEXT,
          provider_job_id TEXT, settings TEXT NOT NULL, estimate TEXT NOT NULL, progress TEXT NOT NULL,
          fine_tuned_model TEXT, trained_tokens INTEGER, error TEXT NOT NULL, started_at REAL,
          finished_at REAL,
          heard_at REAL, poll_at REAL NOT NULL, attempts INTEGER NOT NULL, ended_by TEXT,
          UNIQUE (provider, provider_job_id));
        CREATE INDEX jobs_state ON jobs (state);
        CREATE INDEX jobs_channel ON jobs (channel, id);
        CREATE TABLE events (
          job_id INTEGER NOT NULL REFERENCES jobs(id), event_id TEXT NOT NULL, at REAL NOT NULL,
          level TEXT NOT NULL, type TEXT NOT NULL, message TEXT NOT NULL, data TEXT NOT NULL,
          PRIMARY KEY (job_id, event_id));
        CREATE TABLE checkpoints (
          job_id INTEGER NOT NULL REFERENCES jobs(id), checkpoint_id TEXT NOT NULL, model TEXT NOT NULL,
          step INTEGER NOT NULL, number INTEGER NOT NULL, created_at REAL NOT NULL, metrics TEXT NOT NULL,
          PRIMARY KEY (job_id, checkpoint_id));
        CREATE TABLE evaluations (
          job_id INTEGER PRIMARY KEY REFERENCES jobs(id), state TEXT NOT NULL, updated_at REAL NOT NULL,
          metric TEXT, scores TEXT NOT NULL, attempts INTEGER NOT NULL, error TEXT);
        CREATE TABLE outbox (
          seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
          channel TEXT NOT NULL, body TEXT NOT NULL, created_at REAL NOT NULL, thread TEXT, thread_of TEXT,
          card TEXT, state TEXT NOT NULL, due_at REAL NOT NULL, ts TEXT, attempts INTEGER NOT NULL,
          error TEXT);
        CREATE INDEX outbox_state ON outbox (state, seq);
        CREATE TABLE cards (
          key TEXT PRIMARY KEY, kind TEXT NOT NULL, ref INTEGER NOT NULL, channel TEXT NOT NULL, thread TEXT,
          ts TEXT, dirty INTEGER NOT NULL, edited_at REAL NOT NULL);
        CREATE TABLE channel_models (
          channel TEXT PRIMARY KEY, provider TEXT NOT NULL, model TEXT NOT NULL, label TEXT NOT NULL,
          user TEXT NOT NULL, at REAL NOT NULL, job_id INTEGER REFERENCES jobs(id));
        CREATE TABLE chat_threads (
          channel TEXT NOT NULL, thread TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
          label TEXT NOT NULL, user TEXT NOT NULL, created_at REAL NOT NULL,
          job_id INTEGER REFERENCES jobs(id),
          system_prompt TEXT, tools TEXT NOT NULL, active INTEGER NOT NULL, PRIMARY KEY (channel, thread));
        CREATE TABLE turns (
          id INTEGER PRIMARY KEY, channel TEXT NOT NULL, thread TEXT NOT NULL, role TEXT NOT NULL,
          text TEXT NOT NULL, ts TEXT NOT NULL, created_at REAL NOT NULL, user TEXT,
          UNIQUE (channel, ts));
        CREATE INDEX turns_thread ON turns (channel, thread, id);
        """,
    )


@migrations()
def m002_datasets_and_their_copies(db: Database) -> None:
    """What a dataset was made from, decisions about it, its validation data, overlaps of two contents."""
    _run(
        db,
        """
        ALTER TABLE datasets ADD COLUMN purpose TEXT NOT NULL DEFAULT 'training';
        ALTER TABLE datasets ADD COLUMN origin_id INTEGER REFERENCES datasets(id);
        ALTER TABLE datasets ADD COLUMN origin TEXT;
        ALTER TABLE datasets ADD COLUMN lines_path TEXT;
        ALTER TABLE datasets ADD COLUMN changes TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE datasets ADD COLUMN since TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE datasets ADD COLUMN examining INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE datasets ADD COLUMN progress REAL NOT NULL DEFAULT 0;
        ALTER TABLE datasets ADD COLUMN fixable INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE datasets ADD COLUMN validation_id INTEGER REFERENCES datasets(id);
        ALTER TABLE datasets ADD COLUMN released_by TEXT;
        ALTER TABLE datasets ADD COLUMN released_at REAL;
        ALTER TABLE datasets ADD COLUMN closed_by TEXT;
        ALTER TABLE datasets ADD COLUMN closed_at REAL;
        ALTER TABLE datasets ADD COLUMN reaction TEXT;
        CREATE INDEX datasets_content ON datasets (sha256);
        CREATE INDEX datasets_origin ON datasets (origin_id);
        CREATE TABLE overlaps (
          training TEXT NOT NULL, validation TEXT NOT NULL, exact INTEGER NOT NULL, near INTEGER NOT NULL,
          lines TEXT NOT NULL, PRIMARY KEY (training, validation));
        """,
    )


@migrations()
def m003_channels_and_what_people_say_of_answers(db: Database) -> None:
    """Settings of a channel, votes on answers, tokens of answers by month, models put away, muted jobs."""
    _run(
        db,
        """
        CREATE TABLE channel_settings (
          channel TEXT PRIMARY KEY, notices TEXT NOT NULL, system_prompt TEXT, user TEXT NOT NULL,
          at REAL NOT NULL);
        CREATE TABLE votes (
          channel TEXT NOT NULL, ts TEXT NOT NULL, user TEXT NOT NULL, value TEXT NOT NULL, at REAL NOT NULL,
          PRIMARY KEY (channel, ts, user));
        CREATE TABLE chat_usage (
          month TEXT NOT NULL, provider TEXT NOT NULL, answers INTEGER NOT NULL, tokens INTEGER NOT NULL,
          PRIMARY KEY (month, provider));
        ALTER TABLE jobs ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN muted INTEGER NOT NULL DEFAULT 0;
        """,
    )


@migrations()
def m004_how_far_each_channel_was_read(db: Database) -> None:
    """The newest message seen in each channel, so that what was said while ftbot was away is found."""
    _run(db, "CREATE TABLE channels_seen (channel TEXT PRIMARY KEY, ts TEXT NOT NULL)")


@migrations()
def m005_decisions_about_datasets(db: Database) -> None:
    """How a copy was read, who lets an overlap stand, and where else a deleted dataset is gone from."""
    _run(
        db,
        """
        ALTER TABLE datasets ADD COLUMN read_as TEXT;
        ALTER TABLE datasets ADD COLUMN gone_from TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE overlaps ADD COLUMN allowed_by TEXT;
        ALTER TABLE overlaps ADD COLUMN allowed_at REAL
        """,
    )


@migrations()
def m006_tools_of_a_channel(db: Database) -> None:
    """The tools that new chats of a channel are given; none chosen means those of the training data."""
    _run(db, "ALTER TABLE channel_settings ADD COLUMN tools TEXT")


@migrations()
def m007_answers_that_were_begun(db: Database) -> None:
    """The messages in which an answer grows, so that a crash leaves none that looks whole."""
    _run(
        db,
        """
        CREATE TABLE answers_begun (
          channel TEXT NOT NULL, ts TEXT NOT NULL, item_id INTEGER NOT NULL, PRIMARY KEY (channel, ts));
        CREATE INDEX answers_begun_item ON answers_begun (item_id)
        """,
    )


@migrations()
def m008_uploads_in_parts(db: Database) -> None:
    """How far a large file has come, so that an upload which was cut off goes on where it stood."""
    _run(
        db,
        """
        ALTER TABLE uploads ADD COLUMN session TEXT;
        ALTER TABLE uploads ADD COLUMN part_ids TEXT NOT NULL DEFAULT '[]'
        """,
    )
