-- Whoever is one of the roles may look how new the schema is.
GRANT SELECT ON _sqlx_migrations TO tradefloor_trading, tradefloor_market_data, tradefloor_portfolio,
    tradefloor_auth, tradefloor_gateway;
