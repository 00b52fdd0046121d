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
