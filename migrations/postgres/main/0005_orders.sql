-- Orders that fill whole or not at all, that end with their day, and that took
-- a dealer's quote. An amendment changes qty and limit_price.

ALTER TABLE orders
    -- The dealer's quote that was taken, and the dealer's place among those of
    -- the instrument; limit_price is the dealer's price then.
    ADD COLUMN quote_id UUID,
    ADD COLUMN dealer   BIGINT CHECK (dealer >= 0),
    DROP CONSTRAINT orders_type_check,
    DROP CONSTRAINT orders_time_in_force_check;

-- The constraint that ties the limit to the type has no name of its own.
DO $$
DECLARE
    tied TEXT;
BEGIN
    SELECT conname INTO STRICT tied FROM pg_constraint
    WHERE conrelid = 'orders'::regclass AND contype = 'c'
      AND pg_get_constraintdef(oid) LIKE '%limit_price IS NOT NULL%';
    EXECUTE format('ALTER TABLE orders DROP CONSTRAINT %I', tied);
END
$$;

ALTER TABLE orders
    ADD CHECK (type IN ('MARKET', 'LIMIT', 'QUOTE')),
    ADD CHECK (time_in_force IN ('GTC', 'IOC', 'FOK', 'DAY')),
    ADD CHECK ((type = 'MARKET') = (limit_price IS NULL)),
    ADD CHECK ((type = 'QUOTE') = (quote_id IS NOT NULL)),
    ADD CHECK ((type = 'QUOTE') = (dealer IS NOT NULL));
