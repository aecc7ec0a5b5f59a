//! Networks: an address and how many of its first bits count.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::read;

/// A network in CIDR notation. The bits behind the prefix are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

impl Cidr {
    /// Reads `10.0.0.0/8`; an address without a prefix is a network of one.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (read::ip(address)?, Some(prefix(bits)?)),
            None => (read::ip(text)?, None),
        };
        let bits_max = bits_of(address);
        let bits = bits.unwrap_or(bits_max);
        (bits <= bits_max).then(|| Self { address: keep_bits(address, bits), bits })
    }

    /// Is the address in the network? An IPv4 address inside an IPv6 one counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        let is_in = |address| {
            bits_of(address) == bits_of(self.address)
                && keep_bits(address, self.bits) == self.address
        };
        is_in(address) || is_in(address.to_canonical())
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// One to three digits, without a leading zero.
fn prefix(digits: &str) -> Option<u8> {
    let plain = digits == "0" || digits.starts_with(|first: char| ('1'..='9').contains(&first));
    plain.then(|| digits.parse().ok()).flatten()
}

const fn bits_of(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// An address with all but its first bits zero.
pub(crate) fn keep_bits(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        for (text, shown) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:DB8::1/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("::1", "::1/128"),
        ] {
            assert_eq!(Cidr::parse(text).map(|cidr| cidr.to_string()).as_deref(), Some(shown));
        }
        for text in
            ["10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/", "::/129", "::/+1", "host/8", "", "/8"]
        {
            assert_eq!(Cidr::parse(text), None, "{text}");
        }
    }

    #[test]
    fn members() {
        let within = |network, address: &str| {
            Cidr::parse(network).unwrap().contains(address.parse().unwrap())
        };
        assert!(within("10.0.0.0/8", "10.255.0.1"));
        assert!(!within("10.0.0.0/8", "11.0.0.1"));
        assert!(within("10.0.0.0/8", "::ffff:10.0.0.1"));
        assert!(within("::ffff:0:0/96", "::ffff:10.0.0.1"));
        assert!(!within("::/0", "10.0.0.1"));
        assert!(within("0.0.0.0/0", "255.255.255.255"));
        assert!(within("fd00::/8", "fd12::1"));
        assert!(within("::1", "::1"));
    }
}
