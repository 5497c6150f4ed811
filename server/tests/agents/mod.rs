//! Agents by themselves and side by side, over a real store and bus.

mod agents_fixture;
mod gateway;
mod journal;
mod market_data;
mod portfolio;
mod postgres_standby;
mod redis_outbox;
mod redis_poison;
mod redis_sessions;
mod redis_wipes;
mod trading;
mod trading_client;
mod trading_faults;
mod trading_upkeep;
