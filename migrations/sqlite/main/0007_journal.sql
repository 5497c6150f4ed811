-- Entries are about a kilobyte. In a table that is its own key such a row no
-- longer fits into a page beside others and drags a page of its own behind it,
-- which every commit had to write; rows beside a key lie close together.

ALTER TABLE journal RENAME TO kept_journal;

CREATE TABLE journal (
    venue_id      BLOB    NOT NULL REFERENCES venues (venue_id),
    seq           BIGINT  NOT NULL CHECK (seq > 0),
    first_seq     BIGINT  NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind IN ('opened', 'command', 'step', 'range')),
    -- Whether the entry changed an account: such entries are never compacted.
    touched       BOOLEAN NOT NULL,
    rules_version BIGINT  NOT NULL,
    input         BLOB    NOT NULL,
    outcome       BLOB    NOT NULL,
    -- A step's payload; pruned once two snapshots are newer, since the seed
    -- gives it again.
    payload       BLOB,
    -- SHA-256(previous hash ‖ bytes): a row that was changed breaks the chain.
    hash          BLOB    NOT NULL CHECK (length(hash) = 32),
    -- Two writers that both think it is their turn: the second is refused.
    PRIMARY KEY (venue_id, seq),
    CHECK (first_seq = seq OR (kind = 'range' AND first_seq < seq)),
    CHECK (payload IS NULL OR kind = 'step'),
    CHECK (NOT (touched AND kind = 'range'))
);

INSERT INTO journal (venue_id, seq, first_seq, kind, touched, rules_version, input, outcome, payload, hash)
SELECT venue_id, seq, first_seq, kind, touched, rules_version, input, outcome, payload, hash
FROM kept_journal ORDER BY venue_id, seq;

DROP TABLE kept_journal;
