-- Money tables. Times are BIGINT microseconds since 1970-01-01: wall time in
-- venues, users and sessions, venue time elsewhere. Money is BIGINT in 1e-6 of
-- the venue's currency, quantities are lots, prices are ticks; the views of 0004
-- show decimals. Grants are in 0005.

-- Market history has a schema and weaker durability of its own.
CREATE SCHEMA history;

CREATE TABLE venues (
    venue_id         UUID   NOT NULL PRIMARY KEY,
    name             TEXT   NOT NULL UNIQUE,
    config           TEXT   NOT NULL,
    -- Secret until the venue is closed; clients see only the commitment.
    seed             BYTEA  NOT NULL CHECK (length(seed) = 32),
    salt             BYTEA  NOT NULL CHECK (length(salt) = 32),
    seed_commitment  BYTEA  NOT NULL CHECK (length(seed_commitment) = 32),
    owner_user_id    UUID,
    -- SHA-256 of the one-time token whose bearer becomes the owner.
    claim_token_hash BYTEA  CHECK (length(claim_token_hash) = 32),
    created_at       BIGINT NOT NULL
);

-- Current writer of each journal. Every commit checks its epoch in the
-- transaction that writes, so two sequencers never both write.
CREATE TABLE epochs (
    venue_id UUID   NOT NULL PRIMARY KEY REFERENCES venues (venue_id),
    epoch    BIGINT NOT NULL CHECK (epoch > 0),
    holder   UUID   NOT NULL
);

-- The venue's journal, the only source of truth: one row per entry. After a
-- snapshot, a run of steps that touched no account is replaced by one row of
-- kind 'range' that covers first_seq to seq and holds the chain's hash at its
-- end.
CREATE TABLE journal (
    venue_id      UUID    NOT NULL,
    seq           BIGINT  NOT NULL CHECK (seq > 0),
    first_seq     BIGINT  NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind IN ('opened', 'command', 'step', 'range')),
    -- TRUE if the entry changed an account; such entries are never compacted.
    touched       BOOLEAN NOT NULL,
    rules_version BIGINT  NOT NULL,
    input         BYTEA   NOT NULL,
    outcome       BYTEA   NOT NULL,
    -- Payload of a step; pruned once two newer snapshots exist, because the seed
    -- reproduces it.
    payload       BYTEA,
    -- SHA-256(previous hash ‖ bytes): a changed row breaks the chain.
    hash          BYTEA   NOT NULL CHECK (length(hash) = 32),
    -- Two writers never add the same entry: the second is refused.
    PRIMARY KEY (venue_id, seq),
    -- Only a range covers more than one entry.
    CHECK (first_seq = seq OR (kind = 'range' AND first_seq < seq)),
    CHECK (payload IS NULL OR kind = 'step'),
    -- No entry that changed an account is compacted away.
    CHECK (NOT (touched AND kind = 'range'))
);

-- The sequencer's whole state as of seq; a restart begins here.
CREATE TABLE state_snapshots (
    venue_id      UUID   NOT NULL REFERENCES venues (venue_id),
    seq           BIGINT NOT NULL CHECK (seq > 0),
    step          BIGINT NOT NULL,
    rules_version BIGINT NOT NULL,
    state         BYTEA  NOT NULL,
    -- SHA-256 of state: a damaged snapshot is skipped, not restored.
    state_hash    BYTEA  NOT NULL CHECK (length(state_hash) = 32),
    -- Hash of the journal at seq: the entries after it must continue this chain.
    journal_hash  BYTEA  NOT NULL CHECK (length(journal_hash) = 32),
    PRIMARY KEY (venue_id, seq)
);

-- Read position of each consumer; moved in the transaction of the message's
-- effect, so each message takes effect once.
CREATE TABLE consumer_cursors (
    venue_id UUID   NOT NULL REFERENCES venues (venue_id),
    consumer TEXT   NOT NULL,
    stream   TEXT   NOT NULL,
    position BIGINT NOT NULL CHECK (position >= 0),
    PRIMARY KEY (venue_id, consumer, stream)
);

-- Every entry's venue exists. Checked once per statement instead of once per
-- row; nobody may delete a venue or change its id.
CREATE FUNCTION journal_venues() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT venue_id FROM input) AS named
        WHERE (SELECT venue_id FROM public.venues WHERE venues.venue_id = named.venue_id) IS NULL
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an entry names a venue that does not exist';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER journal_venues AFTER INSERT ON journal
REFERENCING NEW TABLE AS input FOR EACH STATEMENT EXECUTE FUNCTION journal_venues();
