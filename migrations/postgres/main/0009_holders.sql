-- Every posting names its holder, who must be there, and every entry its venue.
-- PostgreSQL asks that for each row by itself, four times for a fill, which took
-- as long as writing the rows; here it is asked once for all rows of a
-- statement. Nobody is granted to remove a venue or an account, or to change its
-- key, so what was there stays.

ALTER TABLE ledger DROP CONSTRAINT ledger_venue_id_account_id_fkey;
ALTER TABLE journal DROP CONSTRAINT journal_venue_id_fkey;

CREATE FUNCTION ledger_holders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Looked up by its key, however small the table was when this was planned.
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT venue_id, account_id FROM given WHERE account_id IS NOT NULL) AS holder
        WHERE (
            SELECT account_id FROM public.accounts
            WHERE accounts.venue_id = holder.venue_id AND accounts.account_id = holder.account_id
        ) IS NULL
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a posting names an account that is not there';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER ledger_holders AFTER INSERT ON ledger
REFERENCING NEW TABLE AS given FOR EACH STATEMENT EXECUTE FUNCTION ledger_holders();

CREATE FUNCTION journal_venues() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT venue_id FROM given) AS named
        WHERE (SELECT venue_id FROM public.venues WHERE venues.venue_id = named.venue_id) IS NULL
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an entry names a venue that is not there';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER journal_venues AFTER INSERT ON journal
REFERENCING NEW TABLE AS given FOR EACH STATEMENT EXECUTE FUNCTION journal_venues();

-- What was posted or traded is never changed; of the rest what changes, and no
-- key.
REVOKE UPDATE ON ledger, trades, accounts, orders, positions FROM tickhall_trading;
GRANT UPDATE (cash_balance, reserved, account_seq, seq) ON accounts TO tickhall_trading;
GRANT UPDATE (filled_qty, status, notional, fee, updated_at, qty, limit_price) ON orders TO tickhall_trading;
GRANT UPDATE (qty, avg_cost, trade_cash, fees, basis, seq) ON positions TO tickhall_trading;

-- Whoever is one of the roles may look how new the schema is: so each agent may
-- have a login of its own that is no more than its role.
GRANT SELECT ON _sqlx_migrations TO tickhall_trading, tickhall_market_data, tickhall_portfolio,
    tickhall_auth, tickhall_gateway;
