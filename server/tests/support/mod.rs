//! What tests share.

pub mod database;
pub mod description;
pub mod raw;
pub mod redis;
pub mod servers;
pub mod site;
pub mod socket;
#[allow(dead_code, reason = "shared with the test of one process")]
pub mod traders;
pub mod trading_fixture;
