//! Blocks of addresses: one address, or all that begin with the same bits.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error as _};

/// All addresses that begin with the same bits, written like `10.0.0.0/8` or
/// `fd00::/8`; without a length it is the one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressBlock {
    first: IpAddr,
    bits: u8,
}

/// Why a text is no block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address; write it like \"10.0.0.5\", \"10.0.0.0/24\" or \"fd00::/8\"")]
pub struct NoAddressBlock(String);

impl AddressBlock {
    /// The block of `bits` (at most 32, or 128 for IPv6) in which an address lies. An
    /// IPv4 address in IPv6's clothes (`::ffff:10.0.0.5`) counts as what it is.
    pub fn around(address: IpAddr, bits: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let bits = bits.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                Self { first: IpAddr::V4((v4.to_bits() & mask).into()), bits }
            }
            IpAddr::V6(v6) => {
                let bits = bits.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                Self { first: IpAddr::V6((v6.to_bits() & mask).into()), bits }
            }
        }
    }

    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && Self::around(address, self.bits) == *self
    }

    /// Its first address.
    pub fn first(&self) -> IpAddr {
        self.first
    }
}

impl FromStr for AddressBlock {
    type Err = NoAddressBlock;

    fn from_str(text: &str) -> Result<Self, NoAddressBlock> {
        let none = || NoAddressBlock(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| none())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| none())?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        match bits {
            Some(bits) if bits > bits_max => Err(none()),
            bits => Ok(Self::around(address, bits.unwrap_or(128))),
        }
    }
}

impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl<'de> Deserialize<'de> for AddressBlock {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        String::deserialize(text)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_one_address_or_many() {
        for (block, inside, outside) in [
            ("10.0.0.5", "10.0.0.5", "10.0.0.4"),
            ("10.0.0.5", "::ffff:10.0.0.5", "::a00:5"),
            ("10.7.7.7/8", "10.255.0.1", "11.0.0.0"),
            ("192.168.4.0/22", "192.168.7.255", "192.168.8.0"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("fd00::/8", "fdff::1", "fe80::1"),
            ("2001:db8:1:2::/64", "2001:db8:1:2:ffff::", "2001:db8:1:3::"),
            ("::/0", "::1", "127.0.0.1"),
            ("::1", "::1", "::2"),
        ] {
            let block: AddressBlock = block.parse().unwrap();
            assert!(block.contains(inside.parse().unwrap()), "{inside} in {block}");
            assert!(!block.contains(outside.parse().unwrap()), "{outside} in {block}");
            assert_eq!(block.to_string().parse(), Ok(block));
        }
    }

    #[test]
    fn other_texts_are_explained() {
        for text in ["", "proxy", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1"] {
            let err = text.parse::<AddressBlock>().expect_err(text);
            assert!(err.to_string().contains("write it like"), "{err}");
        }
    }
}
