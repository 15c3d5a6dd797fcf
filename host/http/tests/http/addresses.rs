//! Which addresses may be connected to.

use std::net::IpAddr;

use leasehold_http::check_address;
use leasehold_lease::AddressBlock;
use proptest::prelude::*;

fn check(address: &str, blocks: &[&str]) -> Result<(), &'static str> {
    let blocks: Vec<AddressBlock> = blocks.iter().map(|text| text.parse().unwrap()).collect();
    check_address(address.parse().unwrap(), &blocks)
}

/// Each with the block that a lease would have to name, and its neighbours outside of the reserved block.
#[test]
fn only_global_unicast_unless_named() {
    for (block, inside, outside) in [
        (
            "0.0.0.0/8",
            &["0.0.0.0", "0.255.255.255"][..],
            &["1.0.0.0"][..],
        ),
        (
            "10.0.0.0/8",
            &["10.0.0.0", "10.255.255.255"],
            &["9.255.255.255", "11.0.0.0"],
        ),
        (
            "100.64.0.0/10",
            &["100.64.0.0", "100.100.100.200", "100.127.255.255"],
            &["100.63.255.255", "100.128.0.0"],
        ),
        (
            "127.0.0.0/8",
            &["127.0.0.1", "127.255.255.255"],
            &["126.255.255.255", "128.0.0.0"],
        ),
        (
            "169.254.0.0/16",
            &["169.254.169.254", "169.254.0.0"],
            &["169.253.255.255", "169.255.0.0"],
        ),
        (
            "168.63.129.16/32",
            &["168.63.129.16"],
            &["168.63.129.15", "168.63.129.17"],
        ),
        (
            "172.16.0.0/12",
            &["172.16.0.0", "172.31.255.255"],
            &["172.15.255.255", "172.32.0.0"],
        ),
        (
            "192.0.0.0/24",
            &["192.0.0.1"],
            &["191.255.255.255", "192.0.1.0"],
        ),
        ("192.0.2.0/24", &["192.0.2.255"], &["192.0.3.0"]),
        (
            "192.88.99.0/24",
            &["192.88.99.1"],
            &["192.88.98.255", "192.88.100.0"],
        ),
        (
            "192.168.0.0/16",
            &["192.168.0.0", "192.168.255.255"],
            &["192.167.255.255", "192.169.0.0"],
        ),
        (
            "198.18.0.0/15",
            &["198.18.0.0", "198.19.255.255"],
            &["198.17.255.255", "198.20.0.0"],
        ),
        ("198.51.100.0/24", &["198.51.100.7"], &["198.51.101.0"]),
        (
            "203.0.113.0/24",
            &["203.0.113.0"],
            &["203.0.112.255", "203.0.114.0"],
        ),
        (
            "224.0.0.0/4",
            &["224.0.0.0", "239.255.255.255"],
            &["223.255.255.255"],
        ),
        ("240.0.0.0/4", &["240.0.0.0", "255.255.255.254"], &[]),
        ("255.255.255.255/32", &["255.255.255.255"], &[]),
        ("::/128", &["::"], &[]),
        ("::1/128", &["::1"], &[]),
        ("100::/64", &["100::", "100::ffff:ffff:ffff:ffff"], &[]),
        ("2001:2::/48", &["2001:2::1"], &["2001:200::1"]),
        ("2001:10::/28", &["2001:1f::1"], &[]),
        (
            "2001:db8::/32",
            &["2001:db8::1"],
            &["2001:db7:ffff::", "2001:db9::"],
        ),
        (
            "3fff::/20",
            &["3fff::1", "3fff:fff::"],
            &["3ffe::1", "3fff:1000::"],
        ),
        ("5f00::/16", &["5f00::1"], &[]),
        ("fc00::/7", &["fc00::", "fd00:ec2::254", "fdff::"], &[]),
        ("fe80::/10", &["fe80::1", "febf::"], &[]),
        ("fec0::/10", &["fec0::1"], &[]),
        ("ff00::/8", &["ff02::1"], &[]),
        (
            "4000::/3",
            &["4000::", "5fff::"],
            &["2000::1", "2606:4700::1111", "3ffd::"],
        ),
        ("8000::/2", &["8000::1"], &[]),
    ] {
        for address in inside {
            assert!(check(address, &[]).is_err(), "{address}");
            assert!(
                check(address, &["8.8.8.0/24", "2606::/16"]).is_err(),
                "{address}"
            );
            assert_eq!(check(address, &[block]), Ok(()), "{address} in {block}");
        }
        for address in outside {
            assert_eq!(check(address, &[]), Ok(()), "{address}");
        }
    }
}

#[test]
fn says_what_kind_of_address_it_is() {
    for (address, kind) in [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("10.1.2.3", "private"),
        ("169.254.169.254", "link-local"),
        ("224.0.0.1", "multicast"),
        ("::ffff:8.8.8.8", "IPv4 in IPv6"),
        ("abcd::", "not global unicast"),
    ] {
        assert_eq!(check(address, &[]), Err(kind), "{address}");
    }
}

/// An address in IPv6 that leads to one in IPv4 needs both to be allowed.
#[test]
fn what_is_embedded_counts_too() {
    for (address, outer, inner, open) in [
        (
            "::ffff:127.0.0.1",
            "::ffff:0.0.0.0/96",
            "127.0.0.0/8",
            "::ffff:8.8.8.8",
        ),
        ("::127.0.0.1", "::/96", "127.0.0.0/8", "::8.8.8.8"),
        (
            "::ffff:0:10.0.0.1",
            "::ffff:0:0:0/96",
            "10.0.0.0/8",
            "::ffff:0:8.8.8.8",
        ),
        (
            "64:ff9b::a00:1",
            "64:ff9b::/96",
            "10.0.0.0/8",
            "64:ff9b::808:808",
        ),
        (
            "64:ff9b:1::a9fe:a9fe",
            "64:ff9b:1::/48",
            "169.254.0.0/16",
            "64:ff9b:1::808:808",
        ),
        (
            "2002:7f00:1::",
            "2002::/16",
            "127.0.0.0/8",
            "2002:808:808::1",
        ),
        // The client (10.0.0.1, inverted) and the server (10.0.0.1) of a Teredo address.
        (
            "2001:0:808:808::f5ff:fffe",
            "2001::/32",
            "10.0.0.0/8",
            "2001:0:808:808::f7f7:f7f7",
        ),
        (
            "2001:0:a00:1::f7f7:f7f7",
            "2001::/32",
            "10.0.0.0/8",
            "2001:0:808:808::f7f7:f7f7",
        ),
    ] {
        assert!(check(address, &[]).is_err(), "{address}");
        assert!(
            check(address, &[outer]).is_err(),
            "{address} in {outer} alone"
        );
        assert!(
            check(address, &[inner]).is_err(),
            "{address} in {inner} alone"
        );
        assert_eq!(check(address, &[outer, inner]), Ok(()), "{address}");
        assert!(check(open, &[]).is_err(), "{open}");
        assert_eq!(check(open, &[outer]), Ok(()), "{open}");
    }
}

proptest! {
    /// The standard library knows some kinds too: it never calls an address special that we let through.
    #[test]
    fn agrees_with_the_standard_library(v4 in any::<[u8; 4]>(), v6 in any::<[u16; 8]>(), low in 0_u8..4) {
        let (mut v6, first) = (v6, [0, 0xfe80, 0xff02, 0x2001]);
        v6[0] = first[usize::from(low)];
        for address in [IpAddr::from(v4), IpAddr::from(v6)] {
            let special = match address {
                IpAddr::V4(it) => {
                    it.is_private() || it.is_loopback() || it.is_link_local() || it.is_broadcast() || it.is_multicast()
                        || it.is_documentation() || it.is_unspecified()
                }
                IpAddr::V6(it) => {
                    it.is_loopback() || it.is_multicast() || it.is_unspecified() || it.is_unicast_link_local() || it.is_unique_local()
                }
            };
            prop_assert!(!special || check_address(address, &[]).is_err(), "{}", address);
            let everything = ["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
            prop_assert!(check_address(address, &everything).is_ok());
        }
    }
}
