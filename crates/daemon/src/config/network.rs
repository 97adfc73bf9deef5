//! Networks: who may read a restricted stage.

use std::fmt;
use std::net::IpAddr;

/// Is a range of addresses, written `192.0.2.0/24` or `2001:db8::/32`; an address alone is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    /// The first address of the range.
    address: IpAddr,
    /// How many leading bits all of its addresses share.
    bits: u8,
}

impl Network {
    /// Reads one; `None` if the text is none, or its address has bits that are not shared.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) if !bits.starts_with('+') => (address, Some(bits.parse().ok()?)),
            Some(_) => return None,
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let network = Network { address, bits: bits.unwrap_or(most) };
        (network.bits <= most && number(address) & !network.mask() == 0).then_some(network)
    }

    /// Says whether an address lies in the range; an IPv4 address that comes in IPv6's clothes is taken as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && number(address) & self.mask() == number(self.address)
    }

    /// The shared bits, as of 128.
    fn mask(&self) -> u128 {
        u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0)
    }
}

/// The bits of an address, from the highest of 128 on.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_and_know_their_addresses() {
        let cases: [(&str, &[&str], &[&str]); 5] = [
            (
                "192.0.2.0/24",
                &["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"],
                &["192.0.3.0", "2001:db8::1"],
            ),
            ("127.0.0.1", &["127.0.0.1"], &["127.0.0.2", "::1"]),
            ("0.0.0.0/0", &["8.8.8.8"], &["::1"]),
            ("2001:db8::/32", &["2001:db8::1", "2001:db8:ffff::"], &["2001:db9::", "32.1.13.184"]),
            ("::/0", &["::1"], &["127.0.0.1"]),
        ];
        for (text, inside, outside) in cases {
            let network = Network::parse(text).unwrap();
            assert!(network.to_string().starts_with(text), "{network}");
            for address in inside {
                assert!(network.contains(address.parse().unwrap()), "{address} in {text}");
            }
            for address in outside {
                assert!(!network.contains(address.parse().unwrap()), "{address} in {text}");
            }
        }
        for text in [
            "",
            "192.0.2.1/24",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2.0/+24",
            "example.org",
            "1.2.3",
            "::/129",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
