-- Whoever is one of the roles may look how new the schema is.
GRANT SELECT ON _sqlx_migrations TO tickhall_trading, tickhall_market_data, tickhall_portfolio,
    tickhall_auth, tickhall_gateway;
