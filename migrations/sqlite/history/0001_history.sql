-- Market history. Losing its newest rows loses no money, so it has a file
-- of its own with weaker durability. Units as in the money tables.

-- A step and instrument have one row, whatever is replayed.
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

-- Retention removes an instrument's old quotes.
CREATE INDEX dealer_quotes_by_step ON dealer_quotes (venue_id, instrument_id, step);

-- Folded from the marks and matches of the journal. Written with the fold's
-- cursor, so that nothing is counted twice.
CREATE TABLE candles (
    venue_id      BLOB   NOT NULL,
    instrument_id BLOB   NOT NULL,
    span          TEXT   NOT NULL CHECK (span IN ('1s', '5s', '15s', '1m', '5m', '15m', '1h', '1d')),
    -- Venue time at which the candle begins.
    start_at      BIGINT NOT NULL,
    open          BIGINT NOT NULL,
    high          BIGINT NOT NULL,
    low           BIGINT NOT NULL,
    close         BIGINT NOT NULL,
    -- Lots.
    volume        BIGINT NOT NULL CHECK (volume >= 0),
    -- Venue time of the newest print in the candle: a live reader knows which
    -- prints it already contains.
    through_at    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (venue_id, instrument_id, span, start_at),
    -- Open and close lie between low and high.
    CHECK (low <= open AND low <= close AND open <= high AND close <= high)
) WITHOUT ROWID;

CREATE TABLE portfolio_snapshots (
    venue_id       BLOB   NOT NULL,
    account_id     BLOB   NOT NULL,
    -- Journal entry as of which the account is valued.
    seq            BIGINT NOT NULL,
    timestamp      BIGINT NOT NULL,
    nav            BIGINT NOT NULL,
    cash_balance   BIGINT NOT NULL,
    unrealized_pnl BIGINT NOT NULL,
    realized_pnl   BIGINT NOT NULL,
    delta_exposure TEXT   NOT NULL,
    dv01_exposure  TEXT   NOT NULL,
    -- The whole valuation as JSON.
    valuation      TEXT   NOT NULL DEFAULT '{}',
    PRIMARY KEY (venue_id, account_id, seq)
);

-- The simulator's state; its restart begins here.
CREATE TABLE sim_snapshots (
    venue_id   BLOB   NOT NULL,
    step       BIGINT NOT NULL,
    seen_seq   BIGINT NOT NULL,
    state      BLOB   NOT NULL,
    -- SHA-256 of state: a damaged snapshot is skipped, not restored.
    state_hash BLOB   NOT NULL CHECK (length(state_hash) = 32),
    PRIMARY KEY (venue_id, step)
);

-- Read position of each consumer whose effects are in this file.
CREATE TABLE consumer_cursors (
    venue_id BLOB   NOT NULL,
    consumer TEXT   NOT NULL,
    stream   TEXT   NOT NULL,
    position BIGINT NOT NULL CHECK (position >= 0),
    PRIMARY KEY (venue_id, consumer, stream)
);
