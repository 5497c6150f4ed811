-- People. Auth writes these and never writes money.

CREATE TABLE users (
    id            UUID   NOT NULL PRIMARY KEY,
    -- Lower case: one address, one user.
    email         TEXT   NOT NULL UNIQUE CHECK (email = lower(email)),
    -- Argon2id in PHC form; never a password.
    password_hash TEXT   NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    created_at    BIGINT NOT NULL
);

-- Which account in a venue is a user's; written before OpenAccount is sent, so
-- that start-up and sign-in can send it again.
CREATE TABLE user_accounts (
    venue_id   UUID   NOT NULL REFERENCES venues (venue_id),
    user_id    UUID   NOT NULL REFERENCES users (id),
    account_id UUID   NOT NULL,
    PRIMARY KEY (venue_id, user_id),
    UNIQUE (venue_id, account_id)
);

CREATE TABLE sessions (
    -- SHA-256 of the id in the cookie: a copy of this table signs nobody in.
    session_hash BYTEA  NOT NULL PRIMARY KEY CHECK (length(session_hash) = 32),
    user_id      UUID   REFERENCES users (id),
    data         BYTEA  NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);

CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON users, user_accounts, sessions TO tickhall_auth;
-- Whose account a new one is.
GRANT SELECT ON user_accounts TO tickhall_trading, tickhall_gateway;
-- No password's hash leaves auth.
GRANT SELECT (id, email, created_at) ON users TO tickhall_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO tickhall_gateway;
