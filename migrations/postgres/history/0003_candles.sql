-- Folded from the journal: marks and matches in order. Written with the cursor
-- of what was folded, so that nothing is counted twice.
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
    PRIMARY KEY (venue_id, instrument_id, span, start_at),
    CHECK (low <= open AND low <= close AND open <= high AND close <= high)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON candles, consumer_cursors TO tickhall_market_data;
GRANT SELECT ON candles TO tickhall_gateway;
