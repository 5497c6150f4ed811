//! The site as processes: every agent of compose.yaml on a private PostgreSQL
//! and Redis.

mod deployment;
mod gateways;
mod kills;
mod resume;
mod standby;
mod story;
