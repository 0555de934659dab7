-- Times are microseconds since the Unix epoch, UTC. Calls are named by their number (CallId) as a signed integer.

-- Call transfers. A row is made by the API and lives on after its end, until retention takes it.
CREATE TABLE call_transfers (
    seq                      INTEGER PRIMARY KEY,   -- in the order of creation
    id                       TEXT    NOT NULL UNIQUE,
    external_conversation_id TEXT    NOT NULL,
    status                   TEXT    NOT NULL CHECK (status IN ('ACTIVE', 'ONGOING', 'COMPLETED', 'EXPIRED')),
    created_at               INTEGER NOT NULL,
    expires_at               INTEGER NOT NULL,
    call_received_at         INTEGER,
    completed_at             INTEGER,
    country                  TEXT,                  -- of a PHONE_NUMBER transfer; NULL: a SIP transfer
    number                   INTEGER,               -- E.164 digits, kept after the lease has ended
    return_method            TEXT,
    return_uri               TEXT,
    auth_user                TEXT,
    auth_secret              BLOB,                  -- nonce and ciphertext; NULL once the transfer has ended
    input_context            TEXT,                  -- JSON
    output_context           TEXT,                  -- JSON
    call                     INTEGER,
    interrupted              INTEGER NOT NULL DEFAULT 0,
    live                     INTEGER                -- 1 while ACTIVE or ONGOING, then NULL
) STRICT;
CREATE INDEX call_transfers_live ON call_transfers (live, status) WHERE live IS NOT NULL;
CREATE INDEX call_transfers_number ON call_transfers (number) WHERE number IS NOT NULL;

-- Calls: a narrow row each, so that a filter without an index of its own still reads little.
CREATE TABLE calls (
    id            INTEGER PRIMARY KEY,
    started_at    INTEGER NOT NULL,
    ended_at      INTEGER,                          -- NULL while it runs
    state         TEXT    NOT NULL,
    peer          TEXT,
    task          TEXT,
    conversation  TEXT,
    customer      TEXT,
    outcome       TEXT,
    call_transfer TEXT,
    attempt       INTEGER NOT NULL,                 -- within the peer's conversation, from 1
    previous      INTEGER,                          -- the attempt before
    variables     TEXT,                             -- US name RS value US name RS value US (ASCII 31, 30)
    messages      INTEGER,                          -- row of its messages
    kept          TEXT                              -- JSON: what the agent handed back, while the call runs
) STRICT;
CREATE INDEX calls_started ON calls (started_at);
CREATE INDEX calls_conversation ON calls (conversation, started_at) WHERE conversation IS NOT NULL;
CREATE INDEX calls_customer ON calls (customer, started_at) WHERE customer IS NOT NULL;
CREATE INDEX calls_running ON calls (id) WHERE ended_at IS NULL;

-- The whole record of a call, as JSON.
CREATE TABLE records (
    call   INTEGER PRIMARY KEY,
    record TEXT NOT NULL
) STRICT;

-- All messages of an ended call in one row, secrets blanked; see messages.rs for the format.
CREATE TABLE messages (
    seq  INTEGER PRIMARY KEY,                       -- in the order of the calls' ends
    call INTEGER NOT NULL,
    size INTEGER NOT NULL,                          -- bytes of `data`, to be summed without reading it
    data BLOB    NOT NULL
) STRICT;
