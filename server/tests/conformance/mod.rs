//! What every bus and every store must do, whatever they are made of.

mod bus;
mod copying;
mod messages;
mod redis;
mod roles;
mod store;
mod users;
