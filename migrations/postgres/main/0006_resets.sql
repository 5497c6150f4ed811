-- Tokens that whoever runs the site hands out to users who forgot their
-- password: each sets a new one once.

CREATE TABLE password_resets (
    -- One token a user: a newer one takes the place of an older one.
    user_id    UUID   NOT NULL PRIMARY KEY REFERENCES users (id),
    -- SHA-256 of the token: a copy of this table resets nothing.
    token_hash BYTEA  NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    expires_at BIGINT NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON password_resets TO tickhall_auth;
