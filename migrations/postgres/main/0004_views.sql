-- Views for people at an SQL prompt: money in currency units, times as
-- timestamptz. No program reads these.

CREATE VIEW readable_accounts AS
SELECT account_id, user_id,
       cash_balance / 1e6 AS cash_balance, reserved / 1e6 AS reserved,
       base_currency, margin_allowed, account_seq, seq,
       timestamptz 'epoch' + opened_at * interval '1 microsecond' AS opened_at
FROM accounts;

CREATE VIEW readable_orders AS
SELECT o.order_id, a.user_id, i.symbol,
       o.client_order_id, o.side, o.type,
       o.qty * CAST(i.lot_size AS NUMERIC) AS qty, o.filled_qty * CAST(i.lot_size AS NUMERIC) AS filled_qty,
       o.limit_price * CAST(i.tick_size AS NUMERIC) AS limit_price, o.status, o.time_in_force,
       o.notional / 1e6 AS notional, o.fee / 1e6 AS fee, o.seq,
       timestamptz 'epoch' + o.created_at * interval '1 microsecond' AS created_at,
       timestamptz 'epoch' + o.updated_at * interval '1 microsecond' AS updated_at
FROM orders o
JOIN accounts a ON a.venue_id = o.venue_id AND a.account_id = o.account_id
JOIN instruments i ON i.venue_id = o.venue_id AND i.instrument_id = o.instrument_id;

CREATE VIEW readable_trades AS
SELECT t.trade_id, t.order_id,
       a.user_id, i.symbol, t.side,
       t.qty_filled * CAST(i.lot_size AS NUMERIC) AS qty_filled,
       t.price * CAST(i.tick_size AS NUMERIC) AS price,
       t.notional / 1e6 AS notional, t.fee / 1e6 AS fee, t.maker, t.seq,
       timestamptz 'epoch' + t.timestamp * interval '1 microsecond' AS timestamp
FROM trades t
JOIN accounts a ON a.venue_id = t.venue_id AND a.account_id = t.account_id
JOIN instruments i ON i.venue_id = t.venue_id AND i.instrument_id = t.instrument_id;

CREATE VIEW readable_positions AS
SELECT a.user_id, i.symbol, p.qty * CAST(i.lot_size AS NUMERIC) AS qty,
       p.avg_cost / 1e6 AS avg_cost_per_lot, p.trade_cash / 1e6 AS trade_cash,
       p.fees / 1e6 AS fees, p.basis / 1e6 AS basis, p.seq
FROM positions p
JOIN accounts a ON a.venue_id = p.venue_id AND a.account_id = p.account_id
JOIN instruments i ON i.venue_id = p.venue_id AND i.instrument_id = p.instrument_id;

CREATE VIEW readable_ledger AS
SELECT l.seq, l.posting, l.party, l.account_id,
       coalesce(i.symbol, 'CASH') AS asset,
       CASE WHEN l.instrument_id IS NULL THEN l.amount / 1e6
            ELSE l.amount * CAST(i.lot_size AS NUMERIC) END AS amount
FROM ledger l
LEFT JOIN instruments i ON i.venue_id = l.venue_id AND i.instrument_id = l.instrument_id;
