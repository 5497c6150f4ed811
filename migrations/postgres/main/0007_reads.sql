-- Indexes of an account's orders and fills by every filter that clients may set: a
-- page reads its own rows, however many others the account has.

-- Each status is one run, newest first; a page without a status merges the runs of all
-- four. By -seq, because the unique index of seq and venue_id has the same order, and a
-- planner that prefers it walks the orders of all accounts.
CREATE INDEX orders_by_status ON orders (account_id, status, (-seq));
CREATE INDEX orders_by_instrument ON orders (account_id, instrument_id, status, (-seq));
-- The first of them serves all that this one did.
DROP INDEX orders_of_account;

-- By -account_seq for the same reason: in the order of account_seq an account's fills in
-- all instruments have an index.
CREATE INDEX trades_by_instrument ON trades (account_id, instrument_id, (-account_seq));
