-- Rights of the agents. An agent connects with the login of the address and
-- becomes one of these roles, which own nothing and cannot log in. What is not
-- granted here is denied; ALTER DEFAULT PRIVILEGES is never used.

-- Roles belong to the cluster: another database may already have created them,
-- or be creating them at the same time.
DO $$
DECLARE
    agent TEXT;
BEGIN
    FOREACH agent IN ARRAY ARRAY['tickhall_trading', 'tickhall_market_data', 'tickhall_portfolio',
                                 'tickhall_auth', 'tickhall_gateway'] LOOP
        IF to_regrole(agent) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', agent);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        IF NOT pg_has_role(current_user, agent, 'MEMBER') THEN
            BEGIN
                EXECUTE format('GRANT %I TO CURRENT_USER', agent);
            EXCEPTION WHEN unique_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public, history TO tickhall_trading, tickhall_market_data, tickhall_portfolio,
    tickhall_auth, tickhall_gateway;

-- Every role may read the schema's version, so an agent may have a login that is
-- a member of its role and nothing else.
GRANT SELECT ON _sqlx_migrations TO tickhall_trading, tickhall_market_data, tickhall_portfolio,
    tickhall_auth, tickhall_gateway;

-- Only the simulation and the replay read the seed.
GRANT SELECT, INSERT ON venues TO tickhall_trading;
GRANT SELECT ON venues TO tickhall_market_data;
GRANT SELECT (venue_id, name, config, salt, seed_commitment, owner_user_id, claim_token_hash, created_at)
    ON venues TO tickhall_portfolio, tickhall_auth, tickhall_gateway;
GRANT UPDATE (owner_user_id, claim_token_hash) ON venues TO tickhall_auth;

-- Only trading writes the journal and the money tables.
GRANT SELECT, INSERT, UPDATE, DELETE ON epochs, journal, state_snapshots, consumer_cursors
    TO tickhall_trading;
GRANT SELECT ON journal, state_snapshots, consumer_cursors
    TO tickhall_market_data, tickhall_portfolio, tickhall_gateway;

-- Instruments, trades and postings never change, and no key does.
GRANT SELECT, INSERT ON instruments, accounts, orders, trades, positions, ledger TO tickhall_trading;
GRANT UPDATE (cash_balance, reserved, account_seq, seq) ON accounts TO tickhall_trading;
GRANT UPDATE (filled_qty, status, notional, fee, updated_at, qty, limit_price) ON orders TO tickhall_trading;
GRANT UPDATE (qty, avg_cost, trade_cash, fees, basis, seq) ON positions TO tickhall_trading;
GRANT SELECT ON instruments, accounts, orders, trades, positions, ledger
    TO tickhall_market_data, tickhall_portfolio, tickhall_gateway;

-- Only auth reads password hashes and writes users.
GRANT SELECT, INSERT, UPDATE, DELETE ON users, user_accounts, sessions, password_resets TO tickhall_auth;
GRANT SELECT (id, email, created_at, name) ON users TO tickhall_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO tickhall_gateway;
-- Trading looks up whose account it opens.
GRANT SELECT ON user_accounts TO tickhall_trading, tickhall_gateway;
-- Auth finds users whose accounts are not open.
GRANT SELECT (venue_id, account_id, user_id) ON accounts TO tickhall_auth;
