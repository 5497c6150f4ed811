-- Views for people at an SQL prompt: ids as text, money in currency units, times
-- as text. No program reads these.

CREATE VIEW readable_accounts AS
SELECT lower(hex(account_id)) AS account_id, lower(hex(user_id)) AS user_id,
       cash_balance / 1e6 AS cash_balance, reserved / 1e6 AS reserved,
       base_currency, margin_allowed, account_seq, seq,
       strftime('%Y-%m-%dT%H:%M:%fZ', opened_at / 1e6, 'unixepoch') AS opened_at
FROM accounts;

CREATE VIEW readable_orders AS
SELECT lower(hex(o.order_id)) AS order_id, lower(hex(a.user_id)) AS user_id, i.symbol,
       o.client_order_id, o.side, o.type,
       o.qty * CAST(i.lot_size AS REAL) AS qty, o.filled_qty * CAST(i.lot_size AS REAL) AS filled_qty,
       o.limit_price * CAST(i.tick_size AS REAL) AS limit_price, o.status, o.time_in_force,
       o.notional / 1e6 AS notional, o.fee / 1e6 AS fee, o.seq,
       strftime('%Y-%m-%dT%H:%M:%fZ', o.created_at / 1e6, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', o.updated_at / 1e6, 'unixepoch') AS updated_at
FROM orders o
JOIN accounts a ON a.venue_id = o.venue_id AND a.account_id = o.account_id
JOIN instruments i ON i.venue_id = o.venue_id AND i.instrument_id = o.instrument_id;

CREATE VIEW readable_trades AS
SELECT lower(hex(t.trade_id)) AS trade_id, lower(hex(t.order_id)) AS order_id,
       lower(hex(a.user_id)) AS user_id, i.symbol, t.side,
       t.qty_filled * CAST(i.lot_size AS REAL) AS qty_filled,
       t.price * CAST(i.tick_size AS REAL) AS price,
       t.notional / 1e6 AS notional, t.fee / 1e6 AS fee, t.maker, t.seq,
       strftime('%Y-%m-%dT%H:%M:%fZ', t.timestamp / 1e6, 'unixepoch') AS timestamp
FROM trades t
JOIN accounts a ON a.venue_id = t.venue_id AND a.account_id = t.account_id
JOIN instruments i ON i.venue_id = t.venue_id AND i.instrument_id = t.instrument_id;

CREATE VIEW readable_positions AS
SELECT lower(hex(a.user_id)) AS user_id, i.symbol, p.qty * CAST(i.lot_size AS REAL) AS qty,
       p.avg_cost / 1e6 AS avg_cost_per_lot, p.trade_cash / 1e6 AS trade_cash,
       p.fees / 1e6 AS fees, p.basis / 1e6 AS basis, p.seq
FROM positions p
JOIN accounts a ON a.venue_id = p.venue_id AND a.account_id = p.account_id
JOIN instruments i ON i.venue_id = p.venue_id AND i.instrument_id = p.instrument_id;

CREATE VIEW readable_ledger AS
SELECT l.seq, l.posting, l.party, lower(hex(l.account_id)) AS account_id,
       coalesce(i.symbol, 'CASH') AS asset,
       CASE WHEN l.instrument_id IS NULL THEN l.amount / 1e6
            ELSE l.amount * CAST(i.lot_size AS REAL) END AS amount
FROM ledger l
LEFT JOIN instruments i ON i.venue_id = l.venue_id AND i.instrument_id = l.instrument_id;
