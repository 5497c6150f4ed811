-- What the market did: may be lost without anybody losing money, so it lives in
-- a file of its own with weaker durability. Units as in the money database.

-- Rows of one step and instrument are written once, whatever is replayed.
CREATE TABLE market_ticks (
    venue_id      BLOB   NOT NULL,
    instrument_id BLOB   NOT NULL,
    step          BIGINT NOT NULL,
    timestamp     BIGINT NOT NULL,
    bid           BIGINT,
    ask           BIGINT,
    mid           BIGINT NOT NULL,
    -- NULL for listed instruments.
    dealer_id     TEXT,
    metadata      TEXT   NOT NULL DEFAULT '{}',
    PRIMARY KEY (venue_id, instrument_id, step)
) WITHOUT ROWID;

CREATE TABLE order_books (
    venue_id      BLOB   NOT NULL,
    instrument_id BLOB   NOT NULL,
    step          BIGINT NOT NULL,
    timestamp     BIGINT NOT NULL,
    -- {"bids": [[ticks, lots], …], "asks": …}
    levels        TEXT   NOT NULL,
    PRIMARY KEY (venue_id, instrument_id, step)
) WITHOUT ROWID;

CREATE TABLE dealer_quotes (
    venue_id      BLOB   NOT NULL,
    quote_id      BLOB   NOT NULL,
    instrument_id BLOB   NOT NULL,
    dealer_id     TEXT   NOT NULL,
    step          BIGINT NOT NULL,
    timestamp     BIGINT NOT NULL,
    bid           BIGINT,
    ask           BIGINT,
    bid_size      BIGINT NOT NULL,
    ask_size      BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    PRIMARY KEY (venue_id, quote_id)
);

CREATE TABLE portfolio_snapshots (
    venue_id       BLOB   NOT NULL,
    account_id     BLOB   NOT NULL,
    -- As of this journal entry.
    seq            BIGINT NOT NULL,
    timestamp      BIGINT NOT NULL,
    nav            BIGINT NOT NULL,
    cash_balance   BIGINT NOT NULL,
    unrealized_pnl BIGINT NOT NULL,
    realized_pnl   BIGINT NOT NULL,
    delta_exposure TEXT   NOT NULL,
    dv01_exposure  TEXT   NOT NULL,
    -- The whole valuation.
    valuation      TEXT   NOT NULL DEFAULT '{}',
    PRIMARY KEY (venue_id, account_id, seq)
);

-- Where a restart of the simulation begins.
CREATE TABLE sim_snapshots (
    venue_id   BLOB   NOT NULL,
    step       BIGINT NOT NULL,
    seen_seq   BIGINT NOT NULL,
    state      BLOB   NOT NULL,
    state_hash BLOB   NOT NULL CHECK (length(state_hash) = 32),
    PRIMARY KEY (venue_id, step)
);

-- How far a consumer whose effect is in this file has come.
CREATE TABLE consumer_cursors (
    venue_id BLOB   NOT NULL,
    consumer TEXT   NOT NULL,
    stream   TEXT   NOT NULL,
    position BIGINT NOT NULL CHECK (position >= 0),
    PRIMARY KEY (venue_id, consumer, stream)
);
