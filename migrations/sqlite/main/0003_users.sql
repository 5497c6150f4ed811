-- Users and sessions. Auth writes these tables and never money.

CREATE TABLE users (
    id            BLOB   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- Lower case: an address belongs to one user.
    email         TEXT   NOT NULL UNIQUE CHECK (email = lower(email)),
    -- Argon2id in PHC form; never a password.
    password_hash TEXT   NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    created_at    BIGINT NOT NULL,
    -- Display name; NULL shows the address.
    name          TEXT   CHECK (length(name) > 0)
);

-- The user's account per venue; written before OpenAccount is sent, so start-up
-- and sign-in can send it again.
CREATE TABLE user_accounts (
    venue_id   BLOB NOT NULL REFERENCES venues (venue_id),
    user_id    BLOB NOT NULL REFERENCES users (id),
    account_id BLOB NOT NULL CHECK (length(account_id) = 16),
    PRIMARY KEY (venue_id, user_id),
    -- No account has two users.
    UNIQUE (venue_id, account_id)
);

CREATE TABLE sessions (
    -- SHA-256 of the id in the cookie: a copy of this table signs nobody in.
    session_hash BLOB   NOT NULL PRIMARY KEY CHECK (length(session_hash) = 32),
    user_id      BLOB   REFERENCES users (id),
    device       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);

CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Tokens with which a user sets a new password once.
CREATE TABLE password_resets (
    -- One token per user: a newer one replaces an older one.
    user_id    BLOB   NOT NULL PRIMARY KEY REFERENCES users (id),
    -- SHA-256 of the token: a copy of this table resets nothing.
    token_hash BLOB   NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    expires_at BIGINT NOT NULL
);
