-- Every posting names its holder, who must be there. PostgreSQL asks that for
-- each row by itself, three times for a fill, which took as long as writing the
-- rows; here it is asked once for all rows of a statement. Nobody is granted to
-- remove an account or to change its key, so what was there stays.

ALTER TABLE ledger DROP CONSTRAINT ledger_venue_id_account_id_fkey;

CREATE FUNCTION ledger_holders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Looked up by its key, however small the table was when this was planned.
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT venue_id, account_id FROM given WHERE account_id IS NOT NULL) AS holder
        WHERE (
            SELECT account_id FROM accounts
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

-- What was posted is never changed, nor what was traded.
REVOKE UPDATE ON ledger, trades FROM tradefloor_trading;

-- A batch holds its venue's row in epochs, which names the venue: an entry need
-- not ask for it again.
ALTER TABLE journal DROP CONSTRAINT journal_venue_id_fkey;
