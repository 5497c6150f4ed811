//! The address of a client, also behind proxies that are trusted to tell it.
//!
//! Does not know what is limited by it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

/// Header of the addresses that a request came through, the client's first.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Bits of an IPv6 address that tell clients apart: a client has all the others
/// for itself.
const IPV6_CLIENT_BITS: u32 = 64;

/// Key of a client's address: an IPv6 client may use any address of its network,
/// so that these count as one. Unspecified where it is not known, so that such
/// clients share their limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() >> IPV6_CLIENT_BITS << IPV6_CLIENT_BITS;
                Ipv6Addr::from_bits(network).into()
            }
            address => address,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let unknown = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(unknown))
    }
}

/// Proxies whose `Forwarded` or `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Parses addresses and networks between commas; `None` if one is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let host = |entry: &str| entry.parse().map(|address: IpAddr| address.into());
        entries.map(|entry| entry.parse().or_else(|_| host(entry)).ok()).collect::<Option<_>>().map(Self)
    }

    /// Returns true if `address` is a proxy's.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Address of the client of a request that `peer` sent.
    ///
    /// It is the last one before the proxies, since a client may claim any before
    /// its own. If a proxy sets one header and lets the client's other pass, the two
    /// differ, and neither is believed.
    pub(super) fn client_of(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let forwarded = self.last_client(forwarded_hops(headers));
        let x_forwarded_for = self.last_client(x_forwarded_for_hops(headers));
        match (forwarded, x_forwarded_for) {
            (Some(one), Some(other)) if one != other => peer,
            (one, other) => one.or(other).unwrap_or(peer),
        }
    }

    /// The last of `hops` that is no proxy, else the first. What stands before a hop
    /// that cannot be read is not believed.
    fn last_client(&self, hops: Vec<Option<IpAddr>>) -> Option<IpAddr> {
        let mut nearest = None;
        for hop in hops.into_iter().rev() {
            let Some(address) = hop else { break };
            nearest = Some(address);
            if !self.contains(address) {
                break;
            }
        }
        nearest
    }
}

impl std::fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let entries: Vec<String> = self.0.iter().map(IpNet::to_string).collect();
        f.write_str(&entries.join(","))
    }
}

/// Elements of a header, over all of its lines; `None` for a line that is no text.
fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Option<&str>> {
    headers.get_all(name).iter().flat_map(|line| match line.to_str() {
        Ok(line) => line.split(',').map(|element| Some(element.trim())).collect::<Vec<_>>(),
        Err(_) => vec![None],
    })
}

/// Addresses of `X-Forwarded-For`; `None` for one that cannot be read.
fn x_forwarded_for_hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    elements(headers, X_FORWARDED_FOR).map(|element| parse_hop(element?)).collect()
}

/// Addresses of `Forwarded` (RFC 7239); `None` for one that cannot be read.
fn forwarded_hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let hop = |element: &str| {
        let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
        parse_hop(node.trim_matches('"'))
    };
    elements(headers, header::FORWARDED).map(|element| hop(element?)).collect()
}

/// An address with or without a port, an IPv6 address with or without brackets.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|with_port: SocketAddr| with_port.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(proxies: &str, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let proxies = TrustedProxies::parse(proxies).unwrap();
        proxies.client_of(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn addresses_and_networks_are_parsed_or_refused() {
        for (text, shown) in [
            ("", ""),
            ("127.0.0.1", "127.0.0.1/32"),
            ("10.0.0.0/8, ::1 ,fd00::/8", "10.0.0.0/8,::1/128,fd00::/8"),
        ] {
            let proxies = TrustedProxies::parse(text).unwrap();
            assert_eq!(proxies.to_string(), shown, "{text}");
            assert_eq!(TrustedProxies::parse(shown), Some(proxies), "{text}");
        }
        for text in ["proxy", "10.0.0.0/33", "10.0.0.1:80", "10.0.0.1 10.0.0.2"] {
            assert_eq!(TrustedProxies::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_tells_the_clients_address() {
        let x = "x-forwarded-for";
        for (proxies, peer, lines, expected) in [
            // Nobody is trusted.
            ("", "127.0.0.1", &[(x, "198.51.100.1")][..], "127.0.0.1"),
            ("10.0.0.0/8", "198.51.100.9", &[(x, "198.51.100.1")], "198.51.100.9"),
            ("10.0.0.0/8", "10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.1", &[(x, "198.51.100.1")], "198.51.100.1"),
            // What a client claims stands before its own address.
            ("10.0.0.0/8", "10.0.0.1", &[(x, "203.0.113.5, 198.51.100.1")], "198.51.100.1"),
            ("10.0.0.0/8", "10.0.0.1", &[(x, "203.0.113.5"), (x, "198.51.100.1, 10.0.0.2")], "198.51.100.1"),
            // A client inside the proxies' network.
            ("10.0.0.0/8", "10.0.0.1", &[(x, "10.0.0.7, 10.0.0.2")], "10.0.0.7"),
            // Ports, brackets, mapped addresses.
            ("::/0", "::ffff:10.0.0.1", &[(x, "198.51.100.1")], "::ffff:10.0.0.1"),
            ("10.0.0.1", "::ffff:10.0.0.1", &[(x, "198.51.100.1:4711")], "198.51.100.1"),
            ("10.0.0.1", "10.0.0.1", &[(x, "[2001:db8::1]:4711")], "2001:db8::1"),
            ("10.0.0.1", "10.0.0.1", &[(x, "::ffff:198.51.100.1")], "198.51.100.1"),
            // Behind what cannot be read anything may be invented.
            ("10.0.0.1", "10.0.0.1", &[(x, "203.0.113.5, unknown")], "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.1", &[(x, "203.0.113.5, ?, 10.0.0.2")], "10.0.0.2"),
            ("10.0.0.1", "10.0.0.1", &[(x, "")], "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1", &[(x, "ü")], "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1", &[("forwarded", "for=198.51.100.1;proto=https")], "198.51.100.1"),
            (
                "10.0.0.1",
                "10.0.0.1",
                &[("forwarded", "for=203.0.113.5, By=10.0.0.1; For=\"[2001:db8::1]:80\"")],
                "2001:db8::1",
            ),
            ("10.0.0.1", "10.0.0.1", &[("forwarded", "for=203.0.113.5, for=_hidden")], "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1", &[("forwarded", "proto=https")], "10.0.0.1"),
            // The proxy sets one header and lets the client's other pass.
            ("10.0.0.1", "10.0.0.1", &[(x, "198.51.100.1"), ("forwarded", "for=203.0.113.5")], "10.0.0.1"),
            (
                "10.0.0.1",
                "10.0.0.1",
                &[(x, "198.51.100.1"), ("forwarded", "for=198.51.100.1")],
                "198.51.100.1",
            ),
        ] {
            assert_eq!(client(proxies, peer, lines), expected, "{proxies} {peer} {lines:?}");
        }
    }

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        let key = |text: &str| ClientAddress::from(text.parse::<IpAddr>().unwrap()).0.to_string();
        assert_eq!(key("2001:db8:0:1:a:b:c:d"), "2001:db8:0:1::");
        assert_eq!(key("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(key("192.0.2.1"), "192.0.2.1");
    }
}
