//! Which addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use leasehold_lease::AddressBlock;

/// A block that is not open to everyone, and why.
type Reserved = (AddressBlock, &'static str);

/// What of IPv4 is no global unicast (IANA's special-purpose registry, RFC 6890 and later), and one address more.
const RESERVED_V4: [Reserved; 16] = [
    v4([0, 0, 0, 0], 8, "this network"),
    v4([10, 0, 0, 0], 8, "private"),
    v4([100, 64, 0, 0], 10, "shared by a carrier"),
    v4([127, 0, 0, 0], 8, "loopback"),
    // Cloud instances ask for their keys at 169.254.169.254.
    v4([169, 254, 0, 0], 16, "link-local"),
    // The same at one cloud whose address looks like any other.
    v4(
        [168, 63, 129, 16],
        32,
        "a service of the cloud to its instances",
    ),
    v4([172, 16, 0, 0], 12, "private"),
    v4([192, 0, 0, 0], 24, "for protocols"),
    v4([192, 0, 2, 0], 24, "for documentation"),
    v4([192, 88, 99, 0], 24, "a relay to IPv6"),
    v4([192, 168, 0, 0], 16, "private"),
    v4([198, 18, 0, 0], 15, "for benchmarks"),
    v4([198, 51, 100, 0], 24, "for documentation"),
    v4([203, 0, 113, 0], 24, "for documentation"),
    v4([224, 0, 0, 0], 4, "multicast"),
    v4([240, 0, 0, 0], 4, "reserved or broadcast"),
];

/// What of IPv6 is no global unicast. The last three are everything outside 2000::/3.
const RESERVED_V6: [Reserved; 18] = [
    v6([0, 0, 0, 0, 0, 0], [0, 0], 128, "unspecified"),
    v6([0, 0, 0, 0, 0, 0], [0, 1], 128, "loopback"),
    v6([0, 0, 0, 0, 0, 0xffff], [0, 0], 96, "IPv4 in IPv6"),
    v6(
        [0x64, 0xff9b, 0, 0, 0, 0],
        [0, 0],
        96,
        "a translation to IPv4",
    ),
    v6(
        [0x64, 0xff9b, 1, 0, 0, 0],
        [0, 0],
        48,
        "a translation to IPv4",
    ),
    v6([0x100, 0, 0, 0, 0, 0], [0, 0], 63, "discarded"),
    v6([0x2001, 0, 0, 0, 0, 0], [0, 0], 32, "a tunnel over IPv4"),
    v6([0x2001, 0, 0, 0, 0, 0], [0, 0], 23, "for protocols"),
    v6([0x2001, 0xdb8, 0, 0, 0, 0], [0, 0], 32, "for documentation"),
    v6([0x2002, 0, 0, 0, 0, 0], [0, 0], 16, "a tunnel over IPv4"),
    v6([0x3fff, 0, 0, 0, 0, 0], [0, 0], 20, "for documentation"),
    v6([0xfc00, 0, 0, 0, 0, 0], [0, 0], 7, "private"),
    v6([0xfe80, 0, 0, 0, 0, 0], [0, 0], 10, "link-local"),
    v6([0xfec0, 0, 0, 0, 0, 0], [0, 0], 10, "site-local"),
    v6([0xff00, 0, 0, 0, 0, 0], [0, 0], 8, "multicast"),
    v6([0, 0, 0, 0, 0, 0], [0, 0], 3, "not global unicast"),
    v6([0x4000, 0, 0, 0, 0, 0], [0, 0], 2, "not global unicast"),
    v6([0x8000, 0, 0, 0, 0, 0], [0, 0], 1, "not global unicast"),
];

/// Whether a lease that names these blocks lets the host connect to this address.
///
/// Addresses that are not globally routable unicast are allowed only inside a block. An IPv6 address that leads to an
/// IPv4 address (mapped, compatible, translated, 6to4, Teredo) is itself not globally routable, and needs both: it and
/// the address it leads to have to be allowed.
///
/// # Errors
/// The kind of address it is, in a word or two: `loopback`, `private`.
pub fn check_address(address: IpAddr, blocks: &[AddressBlock]) -> Result<(), &'static str> {
    let reserved = match address {
        IpAddr::V4(_) => find(address, &RESERVED_V4),
        IpAddr::V6(_) => find(address, &RESERVED_V6),
    };
    if let Some(kind) = reserved
        && !blocks.iter().any(|block| block.contains(address))
    {
        return Err(kind);
    }
    let IpAddr::V6(address) = address else {
        return Ok(());
    };
    (embedded(address).into_iter().flatten())
        .try_for_each(|inner| check_address(inner.into(), blocks))
}

/// The IPv4 addresses to which an IPv6 address leads; Teredo names two.
fn embedded(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let pair = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // These two stand for themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None, None],
        // Compatible and mapped (RFC 4291), translated (RFC 2765), the well-known prefix (RFC 6052).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => [pair(high, low), None],
        // RFC 8215. Where in it the address stands depends on the network; most have it at the end.
        [0x64, 0xff9b, 1, .., high, low] => [pair(high, low), None],
        // RFC 3056.
        [0x2002, high, low, ..] => [pair(high, low), None],
        // RFC 4380: the server, and the client with all bits inverted.
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            [pair(server_high, server_low), pair(!high, !low)]
        }
        _ => [None, None],
    }
}

fn find(address: IpAddr, reserved: &[Reserved]) -> Option<&'static str> {
    let mut reserved = reserved.iter();
    reserved
        .find(|(block, _)| block.contains(address))
        .map(|(_, kind)| *kind)
}

const fn v4(octets: [u8; 4], prefix: u8, kind: &'static str) -> Reserved {
    let [a, b, c, d] = octets;
    (AddressBlock::v4(Ipv4Addr::new(a, b, c, d), prefix), kind)
}

const fn v6(first: [u16; 6], last: [u16; 2], prefix: u8, kind: &'static str) -> Reserved {
    let ([a, b, c, d, e, f], [g, h]) = (first, last);
    (
        AddressBlock::v6(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix),
        kind,
    )
}
