-- Whom a row belongs to is asked for at the end of the transaction, as with
-- postings. Before, it was at the end of a statement, and for that SQLite kept
-- every page as it was before the statement, though nothing here goes on after
-- one that failed; most were the indexes of orders and trades. The tables are made again, since a
-- reference cannot be changed in place.

PRAGMA defer_foreign_keys = ON;

CREATE TABLE kept_orders AS SELECT * FROM orders;
CREATE TABLE kept_trades AS SELECT * FROM trades;

DROP TABLE trades;
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
    FOREIGN KEY (venue_id, account_id) REFERENCES accounts (venue_id, account_id)
        DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (venue_id, instrument_id) REFERENCES instruments (venue_id, instrument_id)
        DEFERRABLE INITIALLY DEFERRED,
    -- Fills never exceed the order, and FILLED says just that.
    CHECK (filled_qty BETWEEN 0 AND qty),
    CHECK ((status = 'FILLED') = (filled_qty = qty)),
    CHECK (status <> 'OPEN' OR filled_qty = 0),
    CHECK ((type = 'MARKET') = (limit_price IS NULL)),
    CHECK ((type = 'QUOTE') = (quote_id IS NOT NULL)),
    CHECK ((type = 'QUOTE') = (dealer IS NOT NULL))
);

INSERT INTO orders SELECT * FROM kept_orders ORDER BY seq;

DROP TABLE kept_orders;

CREATE INDEX orders_of_account ON orders (venue_id, account_id, seq);

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
        DEFERRABLE INITIALLY DEFERRED
);

INSERT INTO trades SELECT * FROM kept_trades ORDER BY seq;

DROP TABLE kept_trades;

CREATE INDEX trades_by_entry ON trades (venue_id, seq);
