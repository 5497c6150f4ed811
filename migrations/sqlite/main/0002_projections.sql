-- What the journal says, as tables. Written in the transaction of the journal
-- entries; never read back by the sequencer; `tickhall verify` folds the
-- journal and compares.

CREATE TABLE instruments (
    venue_id                 BLOB   NOT NULL REFERENCES venues (venue_id),
    instrument_id            BLOB   NOT NULL CHECK (length(instrument_id) = 16),
    symbol                   TEXT   NOT NULL,
    name                     TEXT   NOT NULL,
    type                     TEXT   NOT NULL CHECK (type IN ('EQUITY', 'OPTION', 'FUTURE', 'BOND', 'SWAP')),
    tick_size                TEXT   NOT NULL,
    lot_size                 TEXT   NOT NULL,
    -- Money of one tick and lot: whole, so that every notional is exact.
    tick_value               BIGINT NOT NULL CHECK (tick_value > 0),
    currency                 TEXT   NOT NULL,
    maturity                 TEXT,
    underlier_instrument_id  BLOB,
    terms                    TEXT   NOT NULL,
    PRIMARY KEY (venue_id, instrument_id),
    UNIQUE (venue_id, symbol),
    FOREIGN KEY (venue_id, underlier_instrument_id) REFERENCES instruments (venue_id, instrument_id)
        DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE accounts (
    venue_id       BLOB    NOT NULL REFERENCES venues (venue_id),
    account_id     BLOB    NOT NULL CHECK (length(account_id) = 16),
    user_id        BLOB    CHECK (length(user_id) = 16),
    cash_balance   BIGINT  NOT NULL,
    -- The part of the cash that open orders hold.
    reserved       BIGINT  NOT NULL CHECK (reserved >= 0),
    base_currency  TEXT    NOT NULL,
    margin_allowed BOOLEAN NOT NULL,
    -- The newest number of the account's own events: dense, so a client sees
    -- that nothing is missing.
    account_seq    BIGINT  NOT NULL CHECK (account_seq > 0),
    -- The last journal entry that touched it.
    seq            BIGINT  NOT NULL,
    opened_at      BIGINT  NOT NULL,
    PRIMARY KEY (venue_id, account_id),
    -- Without margin nobody spends what they do not have.
    CHECK (margin_allowed OR cash_balance >= 0)
);

-- A user has one account in a venue.
CREATE UNIQUE INDEX accounts_user ON accounts (venue_id, user_id) WHERE user_id IS NOT NULL;

CREATE TABLE orders (
    venue_id        BLOB   NOT NULL,
    order_id        BLOB   NOT NULL CHECK (length(order_id) = 16),
    account_id      BLOB   NOT NULL,
    instrument_id   BLOB   NOT NULL,
    client_order_id TEXT   NOT NULL,
    side            TEXT   NOT NULL CHECK (side IN ('BUY', 'SELL')),
    type            TEXT   NOT NULL CHECK (type IN ('MARKET', 'LIMIT')),
    qty             BIGINT NOT NULL CHECK (qty > 0),
    filled_qty      BIGINT NOT NULL,
    limit_price     BIGINT,
    status          TEXT   NOT NULL CHECK (status IN ('OPEN', 'PARTIAL', 'FILLED', 'CANCELLED')),
    time_in_force   TEXT   NOT NULL CHECK (time_in_force IN ('GTC', 'IOC')),
    notional        BIGINT NOT NULL CHECK (notional >= 0),
    fee             BIGINT NOT NULL CHECK (fee >= 0),
    -- The journal entry that accepted it.
    seq             BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (venue_id, order_id),
    -- A repeated order is the same order: nothing is bought twice.
    UNIQUE (venue_id, account_id, client_order_id),
    -- An entry accepts one order at most.
    UNIQUE (venue_id, seq),
    FOREIGN KEY (venue_id, account_id) REFERENCES accounts (venue_id, account_id),
    FOREIGN KEY (venue_id, instrument_id) REFERENCES instruments (venue_id, instrument_id),
    -- Fills never exceed the order, and FILLED says just that.
    CHECK (filled_qty BETWEEN 0 AND qty),
    CHECK ((status = 'FILLED') = (filled_qty = qty)),
    CHECK (status <> 'OPEN' OR filled_qty = 0),
    CHECK ((type = 'LIMIT') = (limit_price IS NOT NULL))
);

CREATE INDEX orders_of_account ON orders (venue_id, account_id, seq);

-- One side of a match: a match between two users is two rows.
CREATE TABLE trades (
    venue_id      BLOB    NOT NULL,
    trade_id      BLOB    NOT NULL CHECK (length(trade_id) = 16),
    order_id      BLOB    NOT NULL,
    account_id    BLOB    NOT NULL,
    instrument_id BLOB    NOT NULL,
    side          TEXT    NOT NULL CHECK (side IN ('BUY', 'SELL')),
    qty_filled    BIGINT  NOT NULL CHECK (qty_filled > 0),
    price         BIGINT  NOT NULL,
    notional      BIGINT  NOT NULL CHECK (notional >= 0),
    fee           BIGINT  NOT NULL,
    maker         BOOLEAN NOT NULL,
    against_house BOOLEAN NOT NULL,
    -- The journal entry, and the account's own number of the event.
    seq           BIGINT  NOT NULL,
    account_seq   BIGINT  NOT NULL,
    timestamp     BIGINT  NOT NULL,
    -- No order takes part in a match twice: nothing is filled twice.
    PRIMARY KEY (venue_id, trade_id, order_id),
    UNIQUE (venue_id, account_id, account_seq),
    FOREIGN KEY (venue_id, order_id) REFERENCES orders (venue_id, order_id)
);

CREATE INDEX trades_by_entry ON trades (venue_id, seq);

CREATE TABLE positions (
    venue_id      BLOB   NOT NULL,
    account_id    BLOB   NOT NULL,
    instrument_id BLOB   NOT NULL,
    qty           BIGINT NOT NULL,
    -- Money a lot, rounded for showing; NULL when flat.
    avg_cost      BIGINT,
    trade_cash    BIGINT NOT NULL,
    fees          BIGINT NOT NULL,
    -- What the open lots cost, rounded for showing: the snapshot holds it whole.
    basis         BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    PRIMARY KEY (venue_id, account_id, instrument_id),
    FOREIGN KEY (venue_id, account_id) REFERENCES accounts (venue_id, account_id),
    FOREIGN KEY (venue_id, instrument_id) REFERENCES instruments (venue_id, instrument_id),
    CHECK (qty <> 0 OR (avg_cost IS NULL AND basis = 0))
);

-- Double entry: the postings of an entry sum to zero for each asset.
CREATE TABLE ledger (
    venue_id      BLOB   NOT NULL,
    seq           BIGINT NOT NULL,
    posting       BIGINT NOT NULL,
    party         TEXT   NOT NULL CHECK (party IN ('ACCOUNT', 'HOUSE', 'FEES')),
    account_id    BLOB,
    -- NULL is cash.
    instrument_id BLOB,
    -- Money units of cash, lots of an instrument; positive is received.
    amount        BIGINT NOT NULL,
    PRIMARY KEY (venue_id, seq, posting),
    FOREIGN KEY (venue_id, account_id) REFERENCES accounts (venue_id, account_id)
        DEFERRABLE INITIALLY DEFERRED,
    CHECK ((party = 'ACCOUNT') = (account_id IS NOT NULL))
) WITHOUT ROWID;
