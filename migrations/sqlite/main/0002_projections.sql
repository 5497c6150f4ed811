-- Tables derived from the journal. Written in the transaction of the journal
-- entries and never read by the sequencer; `tickhall verify` folds the journal
-- and compares.
--
-- References of orders, trades and postings are checked at the commit: a check at
-- the end of each statement makes SQLite keep a copy of every page before the
-- statement, though no transaction here continues after a failed one.

CREATE TABLE instruments (
    venue_id                BLOB   NOT NULL REFERENCES venues (venue_id),
    instrument_id           BLOB   NOT NULL CHECK (length(instrument_id) = 16),
    symbol                  TEXT   NOT NULL,
    name                    TEXT   NOT NULL,
    type                    TEXT   NOT NULL CHECK (type IN ('EQUITY', 'OPTION', 'FUTURE', 'BOND', 'SWAP')),
    tick_size               TEXT   NOT NULL,
    lot_size                TEXT   NOT NULL,
    -- Money per tick and lot; whole, so every notional is exact.
    tick_value              BIGINT NOT NULL CHECK (tick_value > 0),
    currency                TEXT   NOT NULL,
    maturity                TEXT,
    underlier_instrument_id BLOB,
    terms                   TEXT   NOT NULL,
    PRIMARY KEY (venue_id, instrument_id),
    -- A symbol names one instrument of a venue.
    UNIQUE (venue_id, symbol),
    FOREIGN KEY (venue_id, underlier_instrument_id) REFERENCES instruments (venue_id, instrument_id)
        DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE accounts (
    venue_id       BLOB    NOT NULL REFERENCES venues (venue_id),
    account_id     BLOB    NOT NULL CHECK (length(account_id) = 16),
    user_id        BLOB    CHECK (length(user_id) = 16),
    cash_balance   BIGINT  NOT NULL,
    -- Part of cash_balance that open orders reserve.
    reserved       BIGINT  NOT NULL CHECK (reserved >= 0),
    base_currency  TEXT    NOT NULL,
    margin_allowed BOOLEAN NOT NULL,
    -- Number of the account's newest event; dense, so a client detects gaps.
    account_seq    BIGINT  NOT NULL CHECK (account_seq > 0),
    -- Last journal entry that changed the account.
    seq            BIGINT  NOT NULL,
    opened_at      BIGINT  NOT NULL,
    PRIMARY KEY (venue_id, account_id),
    -- Without margin, no account spends cash that it does not have.
    CHECK (margin_allowed OR cash_balance >= 0)
);

-- A user has at most one account per venue.
CREATE UNIQUE INDEX accounts_user ON accounts (venue_id, user_id) WHERE user_id IS NOT NULL;

CREATE TABLE orders (
    venue_id        BLOB   NOT NULL,
    order_id        BLOB   NOT NULL CHECK (length(order_id) = 16),
    account_id      BLOB   NOT NULL,
    instrument_id   BLOB   NOT NULL,
    client_order_id TEXT   NOT NULL,
    side            TEXT   NOT NULL CHECK (side IN ('BUY', 'SELL')),
    type            TEXT   NOT NULL CHECK (type IN ('MARKET', 'LIMIT', 'QUOTE')),
    -- An amendment changes qty and limit_price.
    qty             BIGINT NOT NULL CHECK (qty > 0),
    filled_qty      BIGINT NOT NULL,
    -- The dealer's price if type is QUOTE.
    limit_price     BIGINT,
    status          TEXT   NOT NULL CHECK (status IN ('OPEN', 'PARTIAL', 'FILLED', 'CANCELLED')),
    time_in_force   TEXT   NOT NULL CHECK (time_in_force IN ('GTC', 'IOC', 'FOK', 'DAY')),
    notional        BIGINT NOT NULL CHECK (notional >= 0),
    fee             BIGINT NOT NULL CHECK (fee >= 0),
    -- Journal entry that accepted the order.
    seq             BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    -- The accepted dealer quote, and the dealer's index among the instrument's
    -- dealers.
    quote_id        BLOB   CHECK (length(quote_id) = 16),
    dealer          BIGINT CHECK (dealer >= 0),
    PRIMARY KEY (venue_id, order_id),
    -- A repeated client_order_id is the same order: nothing is bought twice.
    UNIQUE (venue_id, account_id, client_order_id),
    -- An entry accepts at most one order.
    UNIQUE (venue_id, seq),
    FOREIGN KEY (venue_id, account_id) REFERENCES accounts (venue_id, account_id)
        DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (venue_id, instrument_id) REFERENCES instruments (venue_id, instrument_id)
        DEFERRABLE INITIALLY DEFERRED,
    -- Fills never exceed the order, and FILLED means filled completely.
    CHECK (filled_qty BETWEEN 0 AND qty),
    CHECK ((status = 'FILLED') = (filled_qty = qty)),
    CHECK (status <> 'OPEN' OR filled_qty = 0),
    -- Every type but MARKET has a price, and only QUOTE has a quote.
    CHECK ((type = 'MARKET') = (limit_price IS NULL)),
    CHECK ((type = 'QUOTE') = (quote_id IS NOT NULL)),
    CHECK ((type = 'QUOTE') = (dealer IS NOT NULL))
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
    -- Journal entry, and the account's number of the event.
    seq           BIGINT  NOT NULL,
    account_seq   BIGINT  NOT NULL,
    timestamp     BIGINT  NOT NULL,
    -- An order takes part in a match once: nothing is filled twice.
    PRIMARY KEY (venue_id, trade_id, order_id),
    UNIQUE (venue_id, account_id, account_seq),
    FOREIGN KEY (venue_id, order_id) REFERENCES orders (venue_id, order_id)
        DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX trades_by_entry ON trades (venue_id, seq);

CREATE TABLE positions (
    venue_id      BLOB   NOT NULL,
    account_id    BLOB   NOT NULL,
    instrument_id BLOB   NOT NULL,
    qty           BIGINT NOT NULL,
    -- Money per lot, rounded for display; NULL when flat.
    avg_cost      BIGINT,
    trade_cash    BIGINT NOT NULL,
    fees          BIGINT NOT NULL,
    -- Cost of the open lots, rounded for display; the snapshot holds it exactly.
    basis         BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    PRIMARY KEY (venue_id, account_id, instrument_id),
    FOREIGN KEY (venue_id, account_id) REFERENCES accounts (venue_id, account_id),
    FOREIGN KEY (venue_id, instrument_id) REFERENCES instruments (venue_id, instrument_id),
    -- A flat position has no cost.
    CHECK (qty <> 0 OR (avg_cost IS NULL AND basis = 0))
);

-- Double-entry bookkeeping: the postings of an entry sum to zero per asset.
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
