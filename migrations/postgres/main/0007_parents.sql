-- A check that a parent row is there is planned while the tables are empty,
-- when every index that begins with a column of the key looks as good as the
-- key itself, and is kept for as long as the connection: one that begins with
-- venue_id would have each trade read all orders of its venue. So in tables
-- that others refer to, only the primary key begins with venue_id.

DROP INDEX orders_of_account;
CREATE INDEX orders_of_account ON orders (account_id, seq);

ALTER TABLE orders
    DROP CONSTRAINT orders_venue_id_account_id_client_order_id_key,
    DROP CONSTRAINT orders_venue_id_seq_key,
    ADD UNIQUE (account_id, client_order_id, venue_id),
    ADD UNIQUE (seq, venue_id);

DROP INDEX accounts_user;
CREATE UNIQUE INDEX accounts_user ON accounts (user_id, venue_id) WHERE user_id IS NOT NULL;

ALTER TABLE instruments
    DROP CONSTRAINT instruments_venue_id_symbol_key,
    ADD UNIQUE (symbol, venue_id);
