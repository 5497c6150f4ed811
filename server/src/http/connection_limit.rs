//! Limits of open connections: in all, and of one address.
//!
//! Does not know what a connection carries.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Descriptors that no connection takes: databases, bus, listeners, and the next
/// connection, which must be accepted to be refused.
const RESERVED_DESCRIPTORS: usize = 256;

/// Limits of the open connections of a listener.
#[derive(Debug)]
pub(super) struct ConnectionLimit {
    total_max: usize,
    address_max: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Reason why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionRefusal {
    /// Its address has the most that it may have.
    Address,
    /// The process has the most that it can have.
    Total,
}

/// Permission for one open connection; dropping it gives it back.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    limit: Arc<ConnectionLimit>,
    address: Option<IpAddr>,
}

impl ConnectionLimit {
    /// At most `total_max` connections, `address_max` of one address.
    pub(super) fn new(total_max: usize, address_max: usize) -> Arc<Self> {
        Arc::new(Self { total_max, address_max, open: Mutex::default() })
    }

    /// As many connections as the system grants, `address_max` of one address: but
    /// never so many that one address leaves none to the others.
    pub(super) fn of_system(address_max: usize) -> Arc<Self> {
        let descriptors = max_descriptors();
        let total = descriptors - RESERVED_DESCRIPTORS.min(descriptors / 2);
        Self::new(total, address_max.min(total / 4 * 3))
    }

    /// Counts a connection of `address`; one without an address counts in all alone.
    pub(super) fn acquire(
        self: &Arc<Self>,
        address: Option<IpAddr>,
    ) -> Result<ConnectionSlot, ConnectionRefusal> {
        let mut open = self.lock();
        if open.total >= self.total_max {
            return Err(ConnectionRefusal::Total);
        }
        if let Some(address) = address {
            let count = open.by_address.entry(address).or_default();
            if *count >= self.address_max {
                return Err(ConnectionRefusal::Address);
            }
            *count += 1;
        }
        open.total += 1;
        metrics::gauge!("tickhall_connections").increment(1.0);
        Ok(ConnectionSlot { limit: Arc::clone(self), address })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut open = self.limit.lock();
        open.total -= 1;
        if let Some(address) = self.address
            && let Some(count) = open.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
        metrics::gauge!("tickhall_connections").decrement(1.0);
    }
}

/// Descriptors that this process may have.
fn max_descriptors() -> usize {
    #[cfg(unix)]
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let limit = None;
    limit.map_or(usize::MAX, |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Raises this process's limit of descriptors to what the system allows it. Many
/// systems start programs with 1,024, for the sake of those that use `select`.
pub fn raise_descriptor_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        // Otherwise there are as many connections as before.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn one_address_leaves_connections_to_the_others() {
        let limit = ConnectionLimit::new(4, 2);
        let one = limit.acquire(address(1)).unwrap();
        let _two = limit.acquire(address(1)).unwrap();
        assert_eq!(limit.acquire(address(1)).unwrap_err(), ConnectionRefusal::Address);
        let _other = limit.acquire(address(2)).unwrap();
        let _proxy = limit.acquire(None).unwrap();
        assert_eq!(limit.acquire(None).unwrap_err(), ConnectionRefusal::Total);
        drop(one);
        limit.acquire(address(1)).unwrap();
    }

    #[test]
    fn a_closed_connection_leaves_no_trace() {
        let limit = ConnectionLimit::new(10, 10);
        drop([limit.acquire(address(1)).unwrap(), limit.acquire(None).unwrap()]);
        let open = limit.lock();
        assert_eq!((open.total, open.by_address.len()), (0, 0));
    }

    #[test]
    fn the_systems_limit_bounds_both() {
        let limit = ConnectionLimit::of_system(usize::MAX);
        assert!(limit.total_max > 0 && limit.address_max < limit.total_max);
        assert_eq!(ConnectionLimit::of_system(7).address_max, 7);
    }
}
