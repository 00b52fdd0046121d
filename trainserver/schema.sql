-- A section a version; a database is brought up to date by the sections above its own. Append, never edit.
-- version 1
-- Times are unix seconds. `seq` is the order of creation and what paging walks along.
CREATE TABLE files (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    filename TEXT NOT NULL,
    purpose TEXT NOT NULL
);

CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    model TEXT NOT NULL,              -- as asked for: a base or an earlier ft: model
    base TEXT NOT NULL,
    training_file TEXT NOT NULL,
    validation_file TEXT,
    suffix TEXT,
    seed INTEGER NOT NULL,
    metadata TEXT,                    -- JSON object, or null
    hyperparameters TEXT NOT NULL,    -- JSON; "auto" until the job runs
    started_at INTEGER,
    finished_at INTEGER,
    estimated_finish INTEGER,
    trained_tokens INTEGER,
    fine_tuned_model TEXT,
    result_file TEXT,
    error TEXT                        -- JSON {code, message, param}, or null
);
CREATE INDEX jobs_by_status ON jobs (status, seq);

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    created_at INTEGER NOT NULL,
    level TEXT NOT NULL,
    type TEXT NOT NULL,
    message TEXT NOT NULL,
    data TEXT,
    key TEXT NOT NULL,                -- what happened, so that a resumed job cannot tell it twice
    UNIQUE (job_id, key)
);

CREATE TABLE checkpoints (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    created_at INTEGER NOT NULL,
    step INTEGER NOT NULL,
    model TEXT NOT NULL,
    metrics TEXT NOT NULL
);

-- Every fine-tuned name that answers: the final model of a job and its kept checkpoints.
CREATE TABLE models (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    base TEXT NOT NULL,
    parent TEXT NOT NULL,
    job_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    folder TEXT NOT NULL
);

-- What training really cost here, by base.
CREATE TABLE measurements (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    base TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    seconds REAL NOT NULL,
    peak_bytes INTEGER NOT NULL
);

-- version 2
ALTER TABLE files ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
ALTER TABLE files ADD COLUMN expires_at INTEGER;
ALTER TABLE jobs ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
ALTER TABLE jobs ADD COLUMN method TEXT NOT NULL DEFAULT 'supervised';
ALTER TABLE jobs ADD COLUMN integrations TEXT;   -- JSON list, or null
ALTER TABLE jobs ADD COLUMN wish TEXT;           -- 'pause' while a running job has been asked to pause
ALTER TABLE models ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
ALTER TABLE models ADD COLUMN held INTEGER NOT NULL DEFAULT 0;  -- 1: answers nobody until a person releases it

CREATE TABLE uploads (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    filename TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    status TEXT NOT NULL,             -- pending, completed, cancelled
    file_expires_after INTEGER,       -- seconds, for the file that comes of it
    file_id TEXT
);

CREATE TABLE upload_parts (
    id TEXT PRIMARY KEY,
    upload_id TEXT NOT NULL REFERENCES uploads (id),
    created_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL
);

CREATE TABLE permissions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    project TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (model, project)
);

CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,        -- SHA-256 of the key; the key itself is shown once and stored nowhere
    project TEXT NOT NULL,
    scope TEXT NOT NULL,              -- all, inference or admin
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
);

-- Answers of /v1/responses that a later call may go on from.
CREATE TABLE responses (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    answer TEXT NOT NULL,             -- the response object as JSON
    messages TEXT NOT NULL            -- the conversation up to and with it, in chat form, as JSON
);

-- What webhooks still have to tell; a row goes when it was delivered or given up.
CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,          -- evt_…, sent as webhook-id
    type TEXT NOT NULL,
    job_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL
);
