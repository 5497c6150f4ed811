-- What the market did: may be lost without anybody losing money, so it lives in
-- a schema of its own that is written with weaker durability. Units as in the
-- money tables.

-- Rows of one step and instrument are written once, whatever is replayed.
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

-- Rows for which no partition was made in time.
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

CREATE TABLE portfolio_snapshots (
    venue_id       UUID   NOT NULL,
    account_id     UUID   NOT NULL,
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
    venue_id   UUID   NOT NULL,
    step       BIGINT NOT NULL,
    seen_seq   BIGINT NOT NULL,
    state      BYTEA  NOT NULL,
    state_hash BYTEA  NOT NULL CHECK (length(state_hash) = 32),
    PRIMARY KEY (venue_id, step)
);

-- How far a consumer whose effect is in this file has come.
CREATE TABLE consumer_cursors (
    venue_id UUID   NOT NULL,
    consumer TEXT   NOT NULL,
    stream   TEXT   NOT NULL,
    position BIGINT NOT NULL CHECK (position >= 0),
    PRIMARY KEY (venue_id, consumer, stream)
);

-- Partition `number` of a venue holds the steps from number * 100000 on. Only
-- these functions make and drop tables, so whoever writes rows need not own any.
CREATE FUNCTION partition_prefix(parent TEXT, venue UUID) RETURNS TEXT
    LANGUAGE sql IMMUTABLE
    RETURN parent || '_' || replace(venue::text, '-', '') || '_';

CREATE FUNCTION make_partitions(venue UUID, number BIGINT) RETURNS VOID
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = history, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    parent TEXT;
    made   TEXT;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('history.partitions', 0));
    FOREACH parent IN ARRAY ARRAY['market_ticks', 'order_books'] LOOP
        made := partition_prefix(parent, venue) || number;
        CONTINUE WHEN to_regclass(made) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', made, parent);
        EXECUTE format('WITH moved AS (DELETE FROM %I WHERE venue_id = $1 AND step >= $2 AND step < $3
                                       RETURNING *)
                        INSERT INTO %I SELECT * FROM moved', parent || '_rest', made)
            USING venue, number * 100000, (number + 1) * 100000;
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L, %s) TO (%L, %s)',
                       parent, made, venue, number * 100000, venue, (number + 1) * 100000);
    END LOOP;
END
$$;

-- Drops the oldest partitions as long as every instrument in them has `kept`
-- rows in newer ones, or has not ticked in the newest two and is no more.
CREATE FUNCTION drop_partitions(venue UUID, kept BIGINT) RETURNS VOID
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = history, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    parent     TEXT;
    prefix     TEXT;
    numbers    BIGINT[];
    number     BIGINT;
    newer      BIGINT;
    recent     BIGINT;
    instrument UUID;
    has        BIGINT;
    lives      BOOLEAN;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('history.partitions', 0));
    FOREACH parent IN ARRAY ARRAY['market_ticks', 'order_books'] LOOP
        prefix := partition_prefix(parent, venue);
        SELECT array_agg(n ORDER BY n) INTO numbers
        FROM (SELECT substr(child.relname, length(prefix) + 1)::bigint AS n
              FROM pg_inherits link JOIN pg_class child ON child.oid = link.inhrelid
              WHERE link.inhparent = parent::regclass AND starts_with(child.relname, prefix)) AS made;
        -- The newest was made ahead.
        recent := (numbers[array_upper(numbers, 1)] - 2) * 100000;
        <<partitions>>
        FOREACH number IN ARRAY coalesce(numbers, ARRAY[]::bigint[]) LOOP
            newer := (number + 1) * 100000;
            -- A step has one row of an instrument at most.
            EXIT WHEN newer > recent OR recent + 200000 - newer < kept;
            instrument := NULL;
            LOOP
                -- From one instrument of the partition to the next, by its key.
                EXECUTE format('SELECT min(instrument_id::text)::uuid FROM (
                                    SELECT instrument_id FROM %I
                                    WHERE venue_id = $1 AND ($2 IS NULL OR instrument_id > $2)
                                    ORDER BY instrument_id LIMIT 1) AS next', prefix || number)
                    INTO instrument USING venue, instrument;
                EXIT WHEN instrument IS NULL;
                EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I
                                               WHERE venue_id = $1 AND instrument_id = $2 AND step >= $3)',
                               parent)
                    INTO lives USING venue, instrument, recent;
                CONTINUE WHEN NOT lives;
                EXECUTE format('SELECT count(*) FROM (
                                    SELECT 1 FROM %I WHERE venue_id = $1 AND instrument_id = $2 AND step >= $3
                                    LIMIT $4) AS newer', parent)
                    INTO has USING venue, instrument, newer, kept;
                EXIT partitions WHEN has < kept;
            END LOOP;
            EXECUTE format('DROP TABLE %I', prefix || number);
        END LOOP;
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION make_partitions, drop_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_partitions, drop_partitions TO tickhall_market_data;

GRANT SELECT, INSERT, UPDATE, DELETE ON market_ticks, order_books, dealer_quotes, sim_snapshots
    TO tickhall_market_data;
GRANT SELECT, INSERT, UPDATE, DELETE ON portfolio_snapshots, consumer_cursors TO tickhall_portfolio;
GRANT SELECT ON market_ticks, order_books, dealer_quotes, portfolio_snapshots, consumer_cursors
    TO tickhall_gateway;
