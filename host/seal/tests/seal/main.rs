//! Tests of `leasehold-seal` through its public interface.

#[cfg(test)]
mod canonical;
#[cfg(test)]
mod envelope;
#[cfg(test)]
mod hybrid;
#[cfg(test)]
mod key;
#[cfg(test)]
mod note;
#[cfg(test)]
mod openssl;
#[cfg(test)]
mod scan;
#[cfg(test)]
mod second;
#[cfg(test)]
mod signers;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod text;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod trust_rules;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod wycheproof;

#[cfg(test)]
mod support {
    use leasehold_seal::{Coded, PublicKey, SecretKey, Timestamp};

    pub(crate) const ISSUER: &str = include_str!("../../../../fixtures/keys/issuer.pem");
    pub(crate) const ISSUER_PUBLIC: &str = include_str!("../../../../fixtures/keys/issuer.pub.pem");
    pub(crate) const HOST: &str = include_str!("../../../../fixtures/keys/host.pem");
    pub(crate) const OTHER: &str = include_str!("../../../../fixtures/keys/other.pem");

    pub(crate) fn secret(pem: &str) -> SecretKey {
        SecretKey::from_pkcs8_pem(pem).unwrap()
    }

    pub(crate) fn public(pem: &str) -> PublicKey {
        secret(pem).public()
    }

    /// A key that no fixture has.
    pub(crate) fn fresh(number: u8) -> SecretKey {
        SecretKey::from_seed([number; 32])
    }

    pub(crate) fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    pub(crate) fn unhex(text: &str) -> Vec<u8> {
        assert!(text.len().is_multiple_of(2), "{text}");
        (0..text.len())
            .step_by(2)
            .map(|start| u8::from_str_radix(&text[start..start + 2], 16).unwrap())
            .collect()
    }

    /// The code with which something was refused, or `""` when it was not.
    pub(crate) fn code<T, E: Coded>(result: Result<T, E>) -> &'static str {
        result.err().map_or("", |error| error.code())
    }
}
