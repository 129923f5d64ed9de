//! Where clients come from, and how many sessions come from one place.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use chatrooms_core::Error;
use dashmap::{DashMap, Entry};
use http::{HeaderMap, HeaderName, request::Parts};
use ipnet::IpNet;

/// The address at the other end of the connection that a request came over, as an extension of the request.
///
/// `chatrooms-axum` and `chatrooms-warp` take it from their frameworks where those know it. A host that accepts connections itself inserts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub IpAddr);

/// How it is known from which address a client comes, for [`Options::sessions_per_address`](crate::Options::sessions_per_address) and
/// [`Options::http_per_second_per_address`](crate::Options::http_per_second_per_address).
///
/// A wrong choice harms: clients behind a proxy that is not known here all come from one address, the proxy's; and who believes a header that anybody may send
/// believes anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAddress {
    /// It is not: there is no limit per address. The default, because only the host knows what stands before it.
    #[default]
    Unknown,
    /// From the [connection](PeerAddr): nothing stands before this server.
    Peer,
    /// From a header in which each proxy adds the address that it was asked from at the end, such as `X-Forwarded-For`: the last one that is no trusted proxy's. A
    /// request whose [connection](PeerAddr) comes from elsewhere is its own client.
    Forwarded {
        /// The header.
        header: HeaderName,
        /// The networks of the proxies; a single address is one, too.
        proxies: Vec<IpNet>,
    },
}

impl ClientAddress {
    /// Behind proxies that add to `X-Forwarded-For`.
    ///
    /// ```
    /// use chatrooms_ws::ClientAddress;
    ///
    /// let behind_nginx = ClientAddress::x_forwarded_for(["127.0.0.1/32".parse()?, "10.0.0.0/8".parse()?]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn x_forwarded_for(proxies: impl IntoIterator<Item = IpNet>) -> Self {
        let header = HeaderName::from_static("x-forwarded-for");
        Self::Forwarded { header, proxies: proxies.into_iter().collect() }
    }

    /// The address from which a request comes, where it can be told: for a host that counts by it, too. A client has a whole IPv6 network of 64 bits to choose
    /// its address from, so that of IPv6 this is the network.
    ///
    /// ```
    /// use chatrooms_ws::{ClientAddress, PeerAddr};
    ///
    /// let request = http::Request::get("/").extension(PeerAddr("2001:db8::7".parse()?)).body(())?;
    /// let (parts, ()) = request.into_parts();
    /// assert_eq!(ClientAddress::Peer.of(&parts), Some("2001:db8::".parse()?));
    /// assert_eq!(ClientAddress::Unknown.of(&parts), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of(&self, parts: &Parts) -> Option<IpAddr> {
        let peer = || parts.extensions.get::<PeerAddr>().map(|PeerAddr(peer)| peer.to_canonical());
        let address = match self {
            Self::Unknown => None,
            Self::Peer => peer(),
            Self::Forwarded { header, proxies } => {
                Some(forwarded(peer()?, &parts.headers, header, proxies))
            }
        };
        address.map(whole)
    }
}

/// Goes back along the proxies, for as long as they are trusted. What cannot be read ends it: the proxy that has written it is as far as it can be told.
fn forwarded(peer: IpAddr, headers: &HeaderMap, header: &HeaderName, proxies: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    let mut client = peer;
    let lines = headers.get_all(header).iter().rev();
    let mut hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    while is_trusted(&client)
        && let Some(hop) = hops.next()
        && let Some(address) = address(hop.trim())
    {
        client = address;
    }
    client
}

/// An address, with a port or without one.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().map(|address: std::net::SocketAddr| address.ip());
    text.parse().or_else(|_| with_port()).ok().map(|address: IpAddr| address.to_canonical())
}

/// How many sessions there are from each address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses(Arc<DashMap<IpAddr, usize>>);

impl Addresses {
    /// Whether there is a place for one more session right now.
    pub(crate) fn has_place(&self, address: IpAddr, most: usize) -> bool {
        self.0.get(&address).map_or(0, |sessions| *sessions) < most
    }

    /// Takes a place for one more session, unless there are as many as there may be.
    pub(crate) fn enter(&self, address: IpAddr, most: usize) -> Result<Place, Error> {
        let is_free = match self.0.entry(address) {
            Entry::Occupied(mut entry) if *entry.get() < most => {
                *entry.get_mut() += 1;
                true
            }
            Entry::Vacant(entry) if most > 0 => {
                entry.insert(1);
                true
            }
            _ => false,
        };
        if is_free {
            Ok(Place { addresses: self.clone(), address })
        } else {
            Err(Error::TooManySessions)
        }
    }
}

/// What counts as one address.
fn whole(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// A place of a session, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    addresses: Addresses,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.addresses.0.entry(self.address) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn request(peer: &str, forwarded: &[&str]) -> Parts {
        let mut request = Request::get("/ws");
        for line in forwarded {
            request = request.header("X-Forwarded-For", *line);
        }
        let peer = PeerAddr(peer.parse().unwrap());
        request.extension(peer).body(()).unwrap().into_parts().0
    }

    #[test]
    fn without_a_setting_nobody_has_an_address() {
        assert_eq!(ClientAddress::Unknown.of(&request("192.0.2.1", &[])), None);
        let bare = Request::get("/ws").body(()).unwrap().into_parts().0;
        let proxied = ClientAddress::x_forwarded_for(["0.0.0.0/0".parse().unwrap()]);
        for known in [ClientAddress::Peer, proxied] {
            assert_eq!(known.of(&bare), None);
        }
    }

    #[test]
    fn a_header_is_believed_as_far_as_the_proxies_are_trusted() {
        let behind = ClientAddress::x_forwarded_for([
            "127.0.0.1/32".parse().unwrap(),
            "10.0.0.0/8".parse().unwrap(),
        ]);
        for (peer, forwarded, client) in [
            ("203.0.113.9", &["192.0.2.1"][..], "203.0.113.9"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["192.0.2.1, 198.51.100.7"], "198.51.100.7"),
            ("127.0.0.1", &["192.0.2.1", "198.51.100.7, 10.1.2.3"], "198.51.100.7"),
            ("127.0.0.1", &["10.9.9.9,10.1.2.3"], "10.9.9.9"),
            ("127.0.0.1", &["192.0.2.1, unknown, 10.1.2.3"], "10.1.2.3"),
            ("127.0.0.1", &["192.0.2.1, "], "127.0.0.1"),
            ("127.0.0.1", &["192.0.2.1:4711"], "192.0.2.1"),
            ("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::"),
            ("::ffff:127.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1"),
        ] {
            let found = behind.of(&request(peer, forwarded));
            assert_eq!(found, Some(client.parse().unwrap()), "{peer} {forwarded:?}");
        }
        let direct = request("127.0.0.1", &["192.0.2.1"]);
        assert_eq!(ClientAddress::Peer.of(&direct), Some("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn an_address_has_so_many_places_and_leaves_nothing_behind() {
        let addresses = Addresses::default();
        let enter = |address: &str| addresses.enter(address.parse().unwrap(), 2);
        let places = [enter("192.0.2.1").unwrap(), enter("192.0.2.1").unwrap()];
        assert_eq!(enter("192.0.2.1").unwrap_err(), Error::TooManySessions);
        let _other = enter("192.0.2.2").unwrap();
        drop(places);
        assert_eq!(addresses.0.len(), 1);
        enter("192.0.2.1").unwrap();
        assert!(addresses.enter("192.0.2.3".parse().unwrap(), 0).is_err());
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let of = |peer| ClientAddress::Peer.of(&request(peer, &[]));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:0:0:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
