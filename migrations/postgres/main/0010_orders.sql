-- Whose an order is and what it trades, and which order a trade filled, are asked
-- for once for all rows of a statement too, as with postings. Nobody is granted
-- to remove an account, an instrument or an order, or to change its key.

REVOKE UPDATE ON instruments FROM tickhall_trading;

ALTER TABLE orders DROP CONSTRAINT orders_venue_id_account_id_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_venue_id_instrument_id_fkey;
ALTER TABLE trades DROP CONSTRAINT trades_venue_id_order_id_fkey;

CREATE FUNCTION orders_parents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Looked up by its key, however small the table was when this was planned.
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT venue_id, account_id FROM given) AS named
        WHERE (
            SELECT account_id FROM public.accounts
            WHERE accounts.venue_id = named.venue_id AND accounts.account_id = named.account_id
        ) IS NULL
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an order names an account that is not there';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT venue_id, instrument_id FROM given) AS named
        WHERE (
            SELECT instrument_id FROM public.instruments
            WHERE instruments.venue_id = named.venue_id AND instruments.instrument_id = named.instrument_id
        ) IS NULL
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an order names an instrument that is not there';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER orders_parents AFTER INSERT ON orders
REFERENCING NEW TABLE AS given FOR EACH STATEMENT EXECUTE FUNCTION orders_parents();

CREATE FUNCTION trades_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM given
        WHERE (
            SELECT order_id FROM public.orders
            WHERE orders.venue_id = given.venue_id AND orders.order_id = given.order_id
        ) IS NULL
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a trade names an order that is not there';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER trades_orders AFTER INSERT ON trades
REFERENCING NEW TABLE AS given FOR EACH STATEMENT EXECUTE FUNCTION trades_orders();
