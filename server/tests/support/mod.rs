//! What tests share.

pub mod desk;
pub mod site;
pub mod socket;
