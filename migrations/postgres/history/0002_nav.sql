-- A NAV history reads these columns alone, and the rows are wide.
CREATE INDEX portfolio_nav ON portfolio_snapshots (venue_id, account_id, seq) INCLUDE (timestamp, nav);
