-- Venue time of the newest thing in a candle: who goes on with it live knows
-- which prints it holds already.
ALTER TABLE candles ADD COLUMN through_at BIGINT NOT NULL DEFAULT 0;
