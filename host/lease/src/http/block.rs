//! Blocks of addresses (CIDR, RFC 4632 and RFC 4291).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::as_text;
use crate::refusal::Refusal;

/// A block of IPv4 or IPv6 addresses, `10.0.0.0/8` for instance. The two families never contain one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressBlock {
    /// The first address of the block: all bits after the prefix are zero.
    first: IpAddr,
    /// Length of the prefix in bits: at most 32 or 128.
    prefix: u8,
}

impl AddressBlock {
    /// The block with this one address.
    #[must_use]
    pub fn single(address: IpAddr) -> Self {
        let prefix = bits(address);
        Self {
            first: address,
            prefix,
        }
    }

    /// An IPv4 block. Bits after the prefix are cleared; a prefix longer than 32 is 32.
    #[must_use]
    pub const fn v4(address: Ipv4Addr, prefix: u8) -> Self {
        let prefix = if prefix > 32 { 32 } else { prefix };
        let first = Ipv4Addr::from_bits(address.to_bits() & mask(prefix, 32) as u32);
        Self {
            first: IpAddr::V4(first),
            prefix,
        }
    }

    /// An IPv6 block. Bits after the prefix are cleared; a prefix longer than 128 is 128.
    #[must_use]
    pub const fn v6(address: Ipv6Addr, prefix: u8) -> Self {
        let prefix = if prefix > 128 { 128 } else { prefix };
        let first = Ipv6Addr::from_bits(address.to_bits() & mask(prefix, 128));
        Self {
            first: IpAddr::V6(first),
            prefix,
        }
    }

    /// Whether the address lies in the block.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.covers(&Self::single(address))
    }

    /// Whether every address of `other` lies in this block.
    #[must_use]
    pub fn covers(&self, other: &AddressBlock) -> bool {
        let width = bits(self.first);
        width == bits(other.first)
            && self.prefix <= other.prefix
            && value(other.first) & mask(self.prefix, width) == value(self.first)
    }

    /// The first address.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// Length of the prefix, in bits.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }
}

/// Reads the only spelling of a block: the address as it is written, bits after the prefix zero, prefix in decimal.
impl FromStr for AddressBlock {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        read(text).ok_or_else(|| {
            let problem = format!(
                "{text:?} is not a block of addresses in its shortest form, such as 10.0.0.0/8 or fd00::/8, \
                 all bits after the prefix zero"
            );
            Refusal::format("addresses:", problem)
        })
    }
}

impl fmt::Display for AddressBlock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.first, self.prefix)
    }
}

as_text!(AddressBlock);

fn read(text: &str) -> Option<AddressBlock> {
    let (address, prefix) = text.split_once('/')?;
    let prefix = prefix.parse().ok()?;
    let block = match address.parse().ok()? {
        IpAddr::V4(address) => AddressBlock::v4(address, prefix),
        IpAddr::V6(address) => AddressBlock::v6(address, prefix),
    };
    // Whatever was cleared, shortened or spelled in another way now reads differently.
    (block.to_string() == text).then_some(block)
}

/// Number of bits of an address of this family.
const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn value(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The first `prefix` of `width` bits; `prefix` is at most `width`.
const fn mask(prefix: u8, width: u8) -> u128 {
    let all = u128::MAX >> (128 - width);
    match all.checked_shr(prefix as u32) {
        Some(rest) => all & !rest,
        None => all,
    }
}
