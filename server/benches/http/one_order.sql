-- What the store writes of an order that fills, in a transaction of its own:
-- entry, order, cash, postings.
\set account random(1, 64)
\set amount random(1, 1000000)
BEGIN;
INSERT INTO journal (venue_id, seq, first_seq, kind, touched, rules_version, input, outcome, payload, hash)
VALUES (:venue, nextval('peer_seq'), currval('peer_seq'), 'command', TRUE, 2, decode(repeat('ab', 52), 'hex'),
        decode(repeat('cd', 691), 'hex'), NULL, decode(repeat('ef', 32), 'hex'));
INSERT INTO orders (venue_id, order_id, account_id, instrument_id, client_order_id, side, type, qty, filled_qty,
                    limit_price, status, time_in_force, notional, fee, seq, created_at, updated_at)
VALUES (:venue, lpad(to_hex(currval('peer_seq')), 32, '0')::uuid, md5(:account::text)::uuid, :venue,
        gen_random_uuid()::text, 'BUY', 'MARKET', 1, 1, NULL, 'FILLED', 'IOC', :amount, 1,
        currval('peer_seq'), 1, 1);
UPDATE accounts SET cash_balance = cash_balance - :amount, account_seq = account_seq + 2, seq = currval('peer_seq')
WHERE venue_id = :venue AND account_id = md5(:account::text)::uuid;
INSERT INTO ledger (venue_id, seq, posting, party, account_id, instrument_id, amount)
VALUES (:venue::uuid, currval('peer_seq'), 0, 'ACCOUNT', md5(:account::text)::uuid, :venue::uuid, 1),
       (:venue::uuid, currval('peer_seq'), 1, 'HOUSE', NULL, :venue::uuid, -1),
       (:venue::uuid, currval('peer_seq'), 2, 'HOUSE', NULL, NULL, :amount),
       (:venue::uuid, currval('peer_seq'), 3, 'ACCOUNT', md5(:account::text)::uuid, NULL, -:amount::bigint),
       (:venue::uuid, currval('peer_seq'), 4, 'FEES', NULL, NULL, 1),
       (:venue::uuid, currval('peer_seq'), 5, 'ACCOUNT', md5(:account::text)::uuid, NULL, -1);
COMMIT;
