//! Conformance of every bus and every store backend.

mod bus;
mod constraints;
mod copying;
mod messages;
mod postgres_partitions;
mod postgres_roles;
mod redis;
mod store;
mod users;
