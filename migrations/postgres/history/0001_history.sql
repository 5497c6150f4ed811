-- Market history. Losing its newest rows loses no money, so it has a schema
-- of its own with weaker durability. Units as in the money tables.

-- A step and instrument have one row, whatever is replayed.
CREATE TABLE market_ticks (
    venue_id      UUID   NOT NULL,
    instrument_id UUID   NOT NULL,
    step          BIGINT NOT NULL,
    timestamp     BIGINT NOT NULL,
    bid           BIGINT,
    ask           BIGINT,
    mid           BIGINT NOT NULL,
    -- NULL for listed instruments.
    dealer_id     TEXT,
    metadata      TEXT   NOT NULL DEFAULT '{}',
    PRIMARY KEY (venue_id, instrument_id, step)
) PARTITION BY RANGE (venue_id, step);

-- Rows that came before their partition.
CREATE TABLE market_ticks_rest PARTITION OF market_ticks DEFAULT;

CREATE TABLE order_books (
    venue_id      UUID   NOT NULL,
    instrument_id UUID   NOT NULL,
    step          BIGINT NOT NULL,
    timestamp     BIGINT NOT NULL,
    -- {"bids": [[ticks, lots], …], "asks": …}
    levels        TEXT   NOT NULL,
    PRIMARY KEY (venue_id, instrument_id, step)
) PARTITION BY RANGE (venue_id, step);

CREATE TABLE order_books_rest PARTITION OF order_books DEFAULT;

CREATE TABLE dealer_quotes (
    venue_id      UUID   NOT NULL,
    quote_id      UUID   NOT NULL,
    instrument_id UUID   NOT NULL,
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
    venue_id      UUID   NOT NULL,
    instrument_id UUID   NOT NULL,
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
);

CREATE TABLE portfolio_snapshots (
    venue_id       UUID   NOT NULL,
    account_id     UUID   NOT NULL,
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
    venue_id   UUID   NOT NULL,
    step       BIGINT NOT NULL,
    seen_seq   BIGINT NOT NULL,
    state      BYTEA  NOT NULL,
    -- SHA-256 of state: a damaged snapshot is skipped, not restored.
    state_hash BYTEA  NOT NULL CHECK (length(state_hash) = 32),
    PRIMARY KEY (venue_id, step)
);

-- Read position of each consumer whose effects are in this schema.
CREATE TABLE consumer_cursors (
    venue_id UUID   NOT NULL,
    consumer TEXT   NOT NULL,
    stream   TEXT   NOT NULL,
    position BIGINT NOT NULL CHECK (position >= 0),
    PRIMARY KEY (venue_id, consumer, stream)
);

-- Partition `number` of a venue holds the steps from number * 100000. Only these
-- functions create and drop tables, so the writer of rows owns none.
CREATE FUNCTION partition_prefix(parent TEXT, venue UUID) RETURNS TEXT
    LANGUAGE sql IMMUTABLE
    RETURN parent || '_' || replace(venue::text, '-', '') || '_';

CREATE FUNCTION make_partitions(venue UUID, number BIGINT) RETURNS VOID
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = history, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    parent     TEXT;
    child_name TEXT;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('history.partitions', 0));
    FOREACH parent IN ARRAY ARRAY['market_ticks', 'order_books'] LOOP
        child_name := partition_prefix(parent, venue) || number;
        CONTINUE WHEN to_regclass(child_name) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child_name, parent);
        EXECUTE format('WITH moved AS (DELETE FROM %I WHERE venue_id = $1 AND step >= $2 AND step < $3
                                       RETURNING *)
                        INSERT INTO %I SELECT * FROM moved', parent || '_rest', child_name)
            USING venue, number * 100000, (number + 1) * 100000;
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L, %s) TO (%L, %s)',
                       parent, child_name, venue, number * 100000, venue, (number + 1) * 100000);
    END LOOP;
END
$$;

-- Drops the oldest partitions while each of their instruments has `min_rows` rows
-- in newer ones, or has expired: no tick in the newest two partitions.
CREATE FUNCTION drop_partitions(venue UUID, min_rows BIGINT) RETURNS VOID
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = history, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    parent     TEXT;
    prefix     TEXT;
    numbers    BIGINT[];
    number     BIGINT;
    newer      BIGINT;
    recent     BIGINT;
    instrument UUID;
    row_count  BIGINT;
    is_live    BOOLEAN;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('history.partitions', 0));
    FOREACH parent IN ARRAY ARRAY['market_ticks', 'order_books'] LOOP
        prefix := partition_prefix(parent, venue);
        SELECT array_agg(n ORDER BY n) INTO numbers
        FROM (SELECT substr(child.relname, length(prefix) + 1)::bigint AS n
              FROM pg_inherits link JOIN pg_class child ON child.oid = link.inhrelid
              WHERE link.inhparent = parent::regclass AND starts_with(child.relname, prefix)) AS children;
        -- The newest partition is created ahead of its rows.
        recent := (numbers[array_upper(numbers, 1)] - 2) * 100000;
        <<partitions>>
        FOREACH number IN ARRAY coalesce(numbers, ARRAY[]::bigint[]) LOOP
            newer := (number + 1) * 100000;
            -- An instrument has at most one row per step.
            EXIT WHEN newer > recent OR recent + 200000 - newer < min_rows;
            instrument := NULL;
            LOOP
                -- Next instrument of the partition, by its primary key.
                EXECUTE format('SELECT min(instrument_id::text)::uuid FROM (
                                    SELECT instrument_id FROM %I
                                    WHERE venue_id = $1 AND ($2 IS NULL OR instrument_id > $2)
                                    ORDER BY instrument_id LIMIT 1) AS next', prefix || number)
                    INTO instrument USING venue, instrument;
                EXIT WHEN instrument IS NULL;
                EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I
                                               WHERE venue_id = $1 AND instrument_id = $2 AND step >= $3)',
                               parent)
                    INTO is_live USING venue, instrument, recent;
                CONTINUE WHEN NOT is_live;
                EXECUTE format('SELECT count(*) FROM (
                                    SELECT 1 FROM %I WHERE venue_id = $1 AND instrument_id = $2 AND step >= $3
                                    LIMIT $4) AS newer', parent)
                    INTO row_count USING venue, instrument, newer, min_rows;
                EXIT partitions WHEN row_count < min_rows;
            END LOOP;
            EXECUTE format('DROP TABLE %I', prefix || number);
        END LOOP;
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION make_partitions, drop_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_partitions, drop_partitions TO tickhall_market_data;

GRANT SELECT, INSERT, UPDATE, DELETE ON market_ticks, order_books, dealer_quotes, candles, sim_snapshots,
    consumer_cursors TO tickhall_market_data;
GRANT SELECT, INSERT, UPDATE, DELETE ON portfolio_snapshots, consumer_cursors TO tickhall_portfolio;
GRANT SELECT ON market_ticks, order_books, dealer_quotes, candles, portfolio_snapshots, consumer_cursors
    TO tickhall_gateway;

-- Every role may read the schema's version.
GRANT SELECT ON _sqlx_migrations TO tickhall_trading, tickhall_market_data, tickhall_portfolio,
    tickhall_auth, tickhall_gateway;
