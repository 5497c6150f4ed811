-- The reason for which an order was cancelled, which only the journal's event told
-- before. UNKNOWN: cancelled before this column; what the terms tell is filled in.
ALTER TABLE orders ADD COLUMN cancel_reason TEXT
    CHECK (cancel_reason IN ('REQUESTED', 'IMMEDIATE_OR_CANCEL', 'SELF_TRADE', 'EXPIRED', 'FILL_OR_KILL',
                             'END_OF_DAY', 'ACCOUNT_RESET', 'UNKNOWN'))
    CHECK (cancel_reason IS NULL OR status = 'CANCELLED');

UPDATE orders
SET cancel_reason = CASE time_in_force WHEN 'IOC' THEN 'IMMEDIATE_OR_CANCEL' WHEN 'FOK' THEN 'FILL_OR_KILL'
                                       ELSE 'UNKNOWN' END
WHERE status = 'CANCELLED';

GRANT UPDATE (cancel_reason) ON orders TO tickhall_trading;
