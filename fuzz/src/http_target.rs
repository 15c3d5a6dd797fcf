//! Requests and what they are held against: `leasehold_lease::{Target, UrlPattern, HostPattern, AddressBlock}`.
//!
//! The bytes are lines: method, scheme, authority, path and query, two path patterns, two host patterns, two blocks of
//! addresses, an address, and what wildcards stand for.

use std::net::IpAddr;

use leasehold_lease::{AddressBlock, Host, HostPattern, Target, UrlPattern};

use crate::reference;

/// The oracle.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let [method, scheme, authority, path] = [line(), line(), line(), line()];
    let paths = [line(), line()];
    let hosts = [line(), line()];
    let blocks = [line(), line()];
    let [address, choices] = [line(), line()];

    if let Ok(target) = Target::parse(method, scheme, authority, path) {
        target_is_plain(&target);
        again(&target);
    }
    path_patterns(paths, path, choices);
    host_patterns(hosts, authority, choices);
    address_blocks(blocks, address);
}

/// Written and read again it is the same request.
fn again(target: &Target) {
    let parts = (target.method().as_str(), target.scheme().as_str());
    let again = Target::parse(
        parts.0,
        parts.1,
        &target.authority(),
        &target.path_and_query(),
    );
    assert_eq!(again.as_ref().ok(), Some(target), "{again:?}");
    let host = target.host().to_string();
    assert_eq!(host.parse::<Host>().ok().as_ref(), Some(target.host()));
    assert!(
        !host
            .bytes()
            .any(|byte| byte.is_ascii_uppercase() || byte == b'@' || byte == b'%')
    );
    assert!(target.port() > 0);
}

/// However often a server decodes the path, and whatever it drops after a `;`, it finds the same number of components and
/// none that means another folder.
fn target_is_plain(target: &Target) {
    let mut path = target.path().as_bytes().to_vec();
    assert_eq!(path.first(), Some(&b'/'));
    let count = components(&path);
    loop {
        assert_eq!(components(&path), count, "{target}: a hidden slash");
        let bad = path
            .iter()
            .any(|byte| byte.is_ascii_control() || *byte == b'\\');
        assert!(!bad, "{target}: a hidden control character or backslash");
        for name in path.split(|byte| *byte == b'/') {
            let shown = name.split(|byte| *byte == b';').next().unwrap_or_default();
            assert!(!matches!(shown, b"." | b".."), "{target}: a hidden dot");
        }
        let decoded = decoded(&path);
        if decoded == path {
            return;
        }
        path = decoded;
    }
}

fn components(path: &[u8]) -> usize {
    path.iter().filter(|byte| **byte == b'/').count()
}

/// One round of percent-decoding, as lenient as servers are.
fn decoded(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while let Some(byte) = path.get(at) {
        let pair = path
            .get(at + 1..at + 3)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let plain = |pair: &&str| pair.bytes().all(|byte| byte.is_ascii_hexdigit());
        match pair
            .filter(plain)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        {
            Some(value) if *byte == b'%' => {
                decoded.push(value);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
}

/// Matching by trying everything; containment is sound.
fn path_patterns(patterns: [&str; 2], path: &str, choices: &str) {
    let [Ok(wide), Ok(narrow)] = patterns.map(str::parse::<UrlPattern>) else {
        return;
    };
    let mut paths = vec!["/".to_owned(), path.to_owned()];
    paths.extend([&wide, &narrow].map(|pattern| instance(pattern, choices)));
    for pattern in [&wide, &narrow] {
        assert_eq!(
            pattern.as_str().parse::<UrlPattern>().ok().as_ref(),
            Some(pattern)
        );
        assert!(pattern.covers(pattern));
        for path in paths
            .iter()
            .filter(|path| path.len() < 60 && pattern.as_str().len() < 40)
        {
            let parts: Vec<&str> = pattern.as_str().split('/').collect();
            let names: Vec<&str> = path.split('/').collect();
            assert_eq!(
                pattern.matches(path),
                path.starts_with('/') && reference::matches(&parts, &names),
                "does {pattern} match {path:?}?"
            );
        }
    }
    for (wide, narrow) in [(&wide, &narrow), (&narrow, &wide)] {
        if wide.covers(narrow) {
            let lost = paths
                .iter()
                .find(|path| narrow.matches(path) && !wide.matches(path));
            assert_eq!(lost, None, "{wide} is said to cover {narrow}");
        }
    }
}

/// A path that the pattern matches, wildcards replaced by pieces of `choices`.
fn instance(pattern: &UrlPattern, choices: &str) -> String {
    let mut choices = choices.split('|').cycle();
    let mut next = move || choices.next().unwrap_or_default();
    let one = |text: &str| {
        text.chars()
            .find(|char| *char != '/')
            .unwrap_or('x')
            .to_string()
    };
    let parts: Vec<String> = pattern
        .as_str()
        .split('/')
        .filter_map(|part| match part {
            "**" => Some(next())
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            part => Some(
                part.chars()
                    .map(|char| match char {
                        '*' => next().replace('/', ""),
                        '?' => one(next()),
                        char => char.to_string(),
                    })
                    .collect(),
            ),
        })
        .collect();
    let path = match &parts[..] {
        [only] => format!("{only}/"),
        parts => parts.join("/"),
    };
    // `/**` stands for `/` as a path of a request, whose last component is empty.
    assert!(
        path == "/" || pattern.matches(&path),
        "{pattern} does not match {path:?}"
    );
    path
}

/// A host pattern means one host, or one label more than a domain.
fn host_patterns(patterns: [&str; 2], authority: &str, choices: &str) {
    let [Ok(wide), Ok(narrow)] = patterns.map(str::parse::<HostPattern>) else {
        return;
    };
    let label = choices.split('|').next().unwrap_or_default();
    let texts = [
        authority.to_owned(),
        wide.to_string().replacen('*', label, 1),
        narrow.to_string().replacen('*', label, 1),
        narrow.to_string().replacen("*.", "", 1),
    ];
    for pattern in [&wide, &narrow] {
        assert_eq!(
            pattern.to_string().parse::<HostPattern>().ok().as_ref(),
            Some(pattern)
        );
        assert!(pattern.covers(pattern));
        for host in texts.iter().filter_map(|text| text.parse::<Host>().ok()) {
            let text = pattern.to_string();
            let expected = match text.strip_prefix("*.") {
                None => host.to_string() == text,
                Some(domain) => {
                    let name = host.to_string();
                    let label = name
                        .strip_suffix(domain)
                        .and_then(|name| name.strip_suffix('.'));
                    label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
                }
            };
            assert_eq!(
                pattern.matches(&host),
                expected,
                "is {host} meant by {pattern}?"
            );
        }
    }
    for (wide, narrow) in [(&wide, &narrow), (&narrow, &wide)] {
        for host in texts.iter().filter_map(|text| text.parse::<Host>().ok()) {
            assert!(!(wide.covers(narrow) && narrow.matches(&host) && !wide.matches(&host)));
        }
    }
}

/// Blocks have one spelling, and contain what their bits say.
fn address_blocks(texts: [&str; 2], address: &str) {
    let blocks = texts.map(str::parse::<AddressBlock>);
    for (block, text) in blocks.iter().zip(texts) {
        if let Ok(block) = block {
            assert_eq!(block.to_string(), text);
            assert!(block.contains(block.first()) && block.covers(block));
        }
    }
    let [Ok(wide), Ok(narrow)] = blocks else {
        return;
    };
    let mut addresses = vec![wide.first(), narrow.first()];
    addresses.extend(address.parse::<IpAddr>());
    for address in addresses {
        for block in [&wide, &narrow] {
            assert_eq!(
                block.contains(address),
                same_bits(block, address),
                "{block} and {address}"
            );
        }
        assert!(!(wide.covers(&narrow) && narrow.contains(address) && !wide.contains(address)));
    }
}

fn same_bits(block: &AddressBlock, address: IpAddr) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => format!("{:032b}", address.to_bits()),
        IpAddr::V6(address) => format!("{:0128b}", address.to_bits()),
    };
    let (first, other) = (bits(block.first()), bits(address));
    let prefix = usize::from(block.prefix());
    first.len() == other.len() && first[..prefix] == other[..prefix]
}
