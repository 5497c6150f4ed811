//! What every bus and every store must do, whatever they are made of.

mod bus;
mod constraints;
mod copying;
mod messages;
mod postgres_partitions;
mod postgres_roles;
mod redis;
mod store;
mod users;
