//! What tests share.

pub mod database;
pub mod desk;
pub mod site;
pub mod socket;
