//! Stories through the whole system.

mod bond_and_equity;
mod demo;
