//! The site as processes: every agent of compose.yaml on a private PostgreSQL
//! and Redis, behind its proxy.

mod deployment;
mod gateways;
mod kills;
mod proxy;
mod resume;
mod standby;
mod story;
