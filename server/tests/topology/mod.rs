//! The site as processes: every agent of compose.yaml on a private PostgreSQL
//! and Redis.

mod doors;
mod kills;
mod place;
mod resume;
mod standby;
mod story;
