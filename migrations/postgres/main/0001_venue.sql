-- The money database. Times are microseconds since 1970 (`*_at`: wall time or
-- venue time as said), money is BIGINT in 1e-6 of the venue's currency,
-- quantities are lots and prices ticks; the views of 0004 read as decimals.
-- Everything that belongs to a market starts its key with venue_id. Whoever is
-- granted nothing on a table cannot touch it.

CREATE TABLE venues (
    venue_id        UUID   NOT NULL PRIMARY KEY,
    name            TEXT   NOT NULL UNIQUE,
    config          TEXT   NOT NULL,
    -- Secret until the venue is closed; clients see the commitment alone.
    seed            BYTEA  NOT NULL CHECK (length(seed) = 32),
    salt            BYTEA  NOT NULL CHECK (length(salt) = 32),
    seed_commitment BYTEA  NOT NULL CHECK (length(seed_commitment) = 32),
    owner_user_id   UUID,
    -- SHA-256 of the one-time token that makes its bearer the owner.
    claim_token_hash BYTEA CHECK (length(claim_token_hash) = 32),
    created_at      BIGINT NOT NULL
);

-- Who may write the journal. Every commit checks its epoch in the transaction
-- that writes, so two sequencers never both write.
CREATE TABLE epochs (
    venue_id UUID   NOT NULL PRIMARY KEY REFERENCES venues (venue_id),
    epoch    BIGINT NOT NULL CHECK (epoch > 0),
    holder   UUID   NOT NULL
);

-- The venue's history and the only truth: one row an entry. After a snapshot a
-- run of steps that touched no account becomes one row of kind 'range' that
-- covers first_seq to seq and keeps the hash of the chain at its end.
CREATE TABLE journal (
    venue_id      UUID    NOT NULL REFERENCES venues (venue_id),
    seq           BIGINT  NOT NULL CHECK (seq > 0),
    first_seq     BIGINT  NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind IN ('opened', 'command', 'step', 'range')),
    -- Whether the entry changed an account: such entries are never compacted.
    touched       BOOLEAN NOT NULL,
    rules_version BIGINT  NOT NULL,
    input         BYTEA   NOT NULL,
    outcome       BYTEA   NOT NULL,
    -- A step's payload; pruned once two snapshots are newer, since the seed
    -- gives it again.
    payload       BYTEA,
    -- SHA-256(previous hash ‖ bytes): a row that was changed breaks the chain.
    hash          BYTEA   NOT NULL CHECK (length(hash) = 32),
    -- Two writers that both think it is their turn: the second is refused.
    PRIMARY KEY (venue_id, seq),
    CHECK (first_seq = seq OR (kind = 'range' AND first_seq < seq)),
    CHECK (payload IS NULL OR kind = 'step'),
    CHECK (NOT (touched AND kind = 'range'))
);

-- The sequencer's whole state as of seq: where a restart begins.
CREATE TABLE state_snapshots (
    venue_id      UUID   NOT NULL REFERENCES venues (venue_id),
    seq           BIGINT NOT NULL CHECK (seq > 0),
    step          BIGINT NOT NULL,
    rules_version BIGINT NOT NULL,
    state         BYTEA  NOT NULL,
    -- SHA-256 of state: a damaged snapshot is passed over, not restored.
    state_hash    BYTEA  NOT NULL CHECK (length(state_hash) = 32),
    -- The journal's hash at seq: the tail must continue this very chain.
    journal_hash  BYTEA  NOT NULL CHECK (length(journal_hash) = 32),
    PRIMARY KEY (venue_id, seq)
);

-- How far a consumer has come; moved in the transaction of its effect, so that
-- each message takes effect once.
CREATE TABLE consumer_cursors (
    venue_id UUID   NOT NULL REFERENCES venues (venue_id),
    consumer TEXT   NOT NULL,
    stream   TEXT   NOT NULL,
    position BIGINT NOT NULL CHECK (position >= 0),
    PRIMARY KEY (venue_id, consumer, stream)
);

-- The seed is for those who draw from it: the simulation and the replay.
GRANT SELECT, INSERT ON venues TO tickhall_trading;
GRANT SELECT ON venues TO tickhall_market_data;
GRANT SELECT (venue_id, name, config, salt, seed_commitment, owner_user_id, claim_token_hash, created_at)
    ON venues TO tickhall_portfolio, tickhall_auth, tickhall_gateway;
GRANT UPDATE (owner_user_id, claim_token_hash) ON venues TO tickhall_auth;

-- Money, and what it follows from, is written by trading alone.
GRANT SELECT, INSERT, UPDATE, DELETE ON epochs, journal, state_snapshots, consumer_cursors
    TO tickhall_trading;
GRANT SELECT ON journal, state_snapshots, consumer_cursors
    TO tickhall_market_data, tickhall_portfolio, tickhall_gateway;
