-- Whose rights an agent has: it connects as the login of the address and becomes
-- one of these, who own nothing and cannot log in. Each table's migration says
-- what they may do with it.

-- Roles belong to the whole cluster: another database may have made them, or be
-- making them now.
DO $$
DECLARE
    wanted TEXT;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['tickhall_trading', 'tickhall_market_data', 'tickhall_portfolio',
                                  'tickhall_auth', 'tickhall_gateway'] LOOP
        IF to_regrole(wanted) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        IF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
            BEGIN
                EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
            EXCEPTION WHEN unique_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;

-- The market's past has a schema, a pool and a weaker durability of its own.
CREATE SCHEMA history;

GRANT USAGE ON SCHEMA public, history TO tickhall_trading, tickhall_market_data, tickhall_portfolio,
    tickhall_auth, tickhall_gateway;
