//! Agents by themselves and side by side, over a real store and bus.

mod gateway;
mod market_data;
mod portfolio;
mod sessions;
mod stage;
mod standby;
mod trading;
mod trading_client;
mod trading_faults;
mod trading_upkeep;
mod wipes;
