-- What a user is called, as they wrote it; without one, by their address.
ALTER TABLE users ADD COLUMN name TEXT CHECK (length(name) > 0);

GRANT SELECT (name) ON users TO tickhall_gateway;
