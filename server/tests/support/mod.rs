//! What tests share.

pub mod database;
pub mod desk;
pub mod redis;
pub mod site;
pub mod socket;
