-- Tables derived from the journal. Written in the transaction of the journal
-- entries and never read by the sequencer; `tickhall verify` folds the journal
-- and compares.
--
-- PostgreSQL plans a check for a parent row while the tables are still empty and
-- keeps the plan for the connection; then any index that begins with a column of
-- the key looks as good as the key, and one that begins with venue_id would read
-- all orders of a venue for each trade. So in tables that others refer to, only
-- the primary key begins with venue_id.

CREATE TABLE instruments (
    venue_id                UUID   NOT NULL REFERENCES venues (venue_id),
    instrument_id           UUID   NOT NULL,
    symbol                  TEXT   NOT NULL,
    name                    TEXT   NOT NULL,
    type                    TEXT   NOT NULL CHECK (type IN ('EQUITY', 'OPTION', 'FUTURE', 'BOND', 'SWAP')),
    tick_size               TEXT   NOT NULL,
    lot_size                TEXT   NOT NULL,
    -- Money per tick and lot; whole, so every notional is exact.
    tick_value              BIGINT NOT NULL CHECK (tick_value > 0),
    currency                TEXT   NOT NULL,
    maturity                TEXT,
    underlier_instrument_id UUID,
    terms                   TEXT   NOT NULL,
    PRIMARY KEY (venue_id, instrument_id),
    -- A symbol names one instrument of a venue.
    UNIQUE (symbol, venue_id),
    FOREIGN KEY (venue_id, underlier_instrument_id) REFERENCES instruments (venue_id, instrument_id)
        DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE accounts (
    venue_id       UUID    NOT NULL REFERENCES venues (venue_id),
    account_id     UUID    NOT NULL,
    user_id        UUID,
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
CREATE UNIQUE INDEX accounts_user ON accounts (user_id, venue_id) WHERE user_id IS NOT NULL;

CREATE TABLE orders (
    venue_id        UUID   NOT NULL,
    order_id        UUID   NOT NULL,
    account_id      UUID   NOT NULL,
    instrument_id   UUID   NOT NULL,
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
    quote_id        UUID,
    dealer          BIGINT CHECK (dealer >= 0),
    PRIMARY KEY (venue_id, order_id),
    -- A repeated client_order_id is the same order: nothing is bought twice.
    UNIQUE (account_id, client_order_id, venue_id),
    -- An entry accepts at most one order.
    UNIQUE (seq, venue_id),
    -- Fills never exceed the order, and FILLED means filled completely.
    CHECK (filled_qty BETWEEN 0 AND qty),
    CHECK ((status = 'FILLED') = (filled_qty = qty)),
    CHECK (status <> 'OPEN' OR filled_qty = 0),
    -- Every type but MARKET has a price, and only QUOTE has a quote.
    CHECK ((type = 'MARKET') = (limit_price IS NULL)),
    CHECK ((type = 'QUOTE') = (quote_id IS NOT NULL)),
    CHECK ((type = 'QUOTE') = (dealer IS NOT NULL))
);

CREATE INDEX orders_of_account ON orders (account_id, seq);

-- One side of a match: a match between two users is two rows.
CREATE TABLE trades (
    venue_id      UUID    NOT NULL,
    trade_id      UUID    NOT NULL,
    order_id      UUID    NOT NULL,
    account_id    UUID    NOT NULL,
    instrument_id UUID    NOT NULL,
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
    UNIQUE (venue_id, account_id, account_seq)
);

CREATE INDEX trades_by_entry ON trades (venue_id, seq);

CREATE TABLE positions (
    venue_id      UUID   NOT NULL,
    account_id    UUID   NOT NULL,
    instrument_id UUID   NOT NULL,
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
    venue_id      UUID   NOT NULL,
    seq           BIGINT NOT NULL,
    posting       BIGINT NOT NULL,
    party         TEXT   NOT NULL CHECK (party IN ('ACCOUNT', 'HOUSE', 'FEES')),
    account_id    UUID,
    -- NULL is cash.
    instrument_id UUID,
    -- Money units of cash, lots of an instrument; positive is received.
    amount        BIGINT NOT NULL,
    PRIMARY KEY (venue_id, seq, posting),
    CHECK ((party = 'ACCOUNT') = (account_id IS NOT NULL))
);

-- Triggers instead of foreign keys: one check per statement instead of up to four
-- per fill, which took as long as writing the rows. Nobody may delete a parent row
-- or change its key. Subqueries by primary key keep the plan independent of the
-- tables' size when it was made.

-- Every order's account and instrument exist.
CREATE FUNCTION orders_parents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT venue_id, account_id FROM input) AS named
        WHERE (
            SELECT account_id FROM public.accounts
            WHERE accounts.venue_id = named.venue_id AND accounts.account_id = named.account_id
        ) IS NULL
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an order names an account that does not exist';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT venue_id, instrument_id FROM input) AS named
        WHERE (
            SELECT instrument_id FROM public.instruments
            WHERE instruments.venue_id = named.venue_id AND instruments.instrument_id = named.instrument_id
        ) IS NULL
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an order names an instrument that does not exist';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER orders_parents AFTER INSERT ON orders
REFERENCING NEW TABLE AS input FOR EACH STATEMENT EXECUTE FUNCTION orders_parents();

-- Every trade's order exists.
CREATE FUNCTION trades_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM input
        WHERE (
            SELECT order_id FROM public.orders
            WHERE orders.venue_id = input.venue_id AND orders.order_id = input.order_id
        ) IS NULL
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a trade names an order that does not exist';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER trades_orders AFTER INSERT ON trades
REFERENCING NEW TABLE AS input FOR EACH STATEMENT EXECUTE FUNCTION trades_orders();

-- Every posting's account exists.
CREATE FUNCTION ledger_holders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT venue_id, account_id FROM input WHERE account_id IS NOT NULL) AS named
        WHERE (
            SELECT account_id FROM public.accounts
            WHERE accounts.venue_id = named.venue_id AND accounts.account_id = named.account_id
        ) IS NULL
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a posting names an account that does not exist';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER ledger_holders AFTER INSERT ON ledger
REFERENCING NEW TABLE AS input FOR EACH STATEMENT EXECUTE FUNCTION ledger_holders();
