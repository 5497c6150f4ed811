-- Orders that fill whole or not at all, that end with their day, and that took
-- a dealer's quote. A check cannot be changed in place, so the table is made
-- again; trades refer to it, and find every row back before the commit.

PRAGMA defer_foreign_keys = ON;

CREATE TEMPORARY TABLE kept_orders AS SELECT * FROM orders;

DROP TABLE orders;

CREATE TABLE orders (
    venue_id        BLOB   NOT NULL,
    order_id        BLOB   NOT NULL CHECK (length(order_id) = 16),
    account_id      BLOB   NOT NULL,
    instrument_id   BLOB   NOT NULL,
    client_order_id TEXT   NOT NULL,
    side            TEXT   NOT NULL CHECK (side IN ('BUY', 'SELL')),
    type            TEXT   NOT NULL CHECK (type IN ('MARKET', 'LIMIT', 'QUOTE')),
    -- An amendment changes it, and the limit.
    qty             BIGINT NOT NULL CHECK (qty > 0),
    filled_qty      BIGINT NOT NULL,
    -- Of a QUOTE: the dealer's price.
    limit_price     BIGINT,
    status          TEXT   NOT NULL CHECK (status IN ('OPEN', 'PARTIAL', 'FILLED', 'CANCELLED')),
    time_in_force   TEXT   NOT NULL CHECK (time_in_force IN ('GTC', 'IOC', 'FOK', 'DAY')),
    notional        BIGINT NOT NULL CHECK (notional >= 0),
    fee             BIGINT NOT NULL CHECK (fee >= 0),
    -- The journal entry that accepted it.
    seq             BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    -- The dealer's quote that was taken, and the dealer's place among those of
    -- the instrument.
    quote_id        BLOB   CHECK (length(quote_id) = 16),
    dealer          BIGINT CHECK (dealer >= 0),
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
    CHECK ((type = 'MARKET') = (limit_price IS NULL)),
    CHECK ((type = 'QUOTE') = (quote_id IS NOT NULL)),
    CHECK ((type = 'QUOTE') = (dealer IS NOT NULL))
);

INSERT INTO orders (venue_id, order_id, account_id, instrument_id, client_order_id, side, type, qty, filled_qty,
                    limit_price, status, time_in_force, notional, fee, seq, created_at, updated_at)
SELECT venue_id, order_id, account_id, instrument_id, client_order_id, side, type, qty, filled_qty,
       limit_price, status, time_in_force, notional, fee, seq, created_at, updated_at
FROM kept_orders;

DROP TABLE kept_orders;

CREATE INDEX orders_of_account ON orders (venue_id, account_id, seq);
