//! Keys that exist only here, and a trust file of them.

use std::sync::LazyLock;

use leasehold_seal::{PublicKey, Role, SecretKey, Timestamp, Trust, TrustedKey};

/// The test keys of `fixtures/keys`: seeds are signed by them, so they have to be these.
pub static ISSUER: LazyLock<SecretKey> =
    LazyLock::new(|| fixture(include_str!("../../fixtures/keys/issuer.pem")));

/// See [`ISSUER`].
pub static HOST: LazyLock<SecretKey> =
    LazyLock::new(|| fixture(include_str!("../../fixtures/keys/host.pem")));

/// See [`ISSUER`].
pub static OTHER: LazyLock<SecretKey> =
    LazyLock::new(|| fixture(include_str!("../../fixtures/keys/other.pem")));

/// Trusts [`ISSUER`] and [`OTHER`] as issuers, of whom one has to sign, and [`HOST`] as host.
pub static TRUST: LazyLock<Trust> = LazyLock::new(|| trust(1));

/// As [`TRUST`], but both issuers have to sign.
pub static TRUST_IN_TWO: LazyLock<Trust> = LazyLock::new(|| trust(2));

/// Half an hour into the validity of the leases in `fixtures/lease`.
pub static NOW: LazyLock<Timestamp> =
    LazyLock::new(|| "2026-01-01T00:30:00Z".parse().expect("a time"));

fn trust(threshold: usize) -> Trust {
    let key = |name: &str, key: PublicKey, role: Role| TrustedKey::new(name, key, [role]);
    let keys = vec![
        key("issuer", ISSUER.public(), Role::Issuer),
        key("other", OTHER.public(), Role::Issuer),
        key("host", HOST.public(), Role::Host),
    ];
    Trust::new(keys, threshold).expect("a trust file")
}

fn fixture(pem: &str) -> SecretKey {
    SecretKey::from_pkcs8_pem(pem).expect("a test key")
}
