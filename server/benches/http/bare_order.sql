-- The same four in tables that hold nothing to anything.
\set account random(1, 64)
\set amount random(1, 1000000)
BEGIN;
INSERT INTO peer_journal (input, hash)
VALUES (decode(repeat('ab', 120), 'hex'), decode(repeat('cd', 32), 'hex'));
INSERT INTO peer_orders (order_id, account, seq, quantity, filled, status)
VALUES (gen_random_uuid(), :account, currval('peer_journal_seq_seq'), 1, 1, 'FILLED');
UPDATE peer_accounts SET cash = cash - :amount WHERE account = :account;
INSERT INTO peer_ledger (seq, account, amount)
VALUES (currval('peer_journal_seq_seq'), :account, -:amount::bigint);
COMMIT;
