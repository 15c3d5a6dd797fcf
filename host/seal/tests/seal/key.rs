//! Keys: forms, weak and doubtful ones, permissions, and that secrets stay secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_seal::key::check_mode;
use leasehold_seal::{Class, Coded, Digest, PublicKey, SealError, SecretKey};

use crate::support::{HOST, ISSUER, ISSUER_PUBLIC, OTHER, code, public, secret, unhex};

#[test]
fn the_test_keys_are_written_as_they_were_read() {
    for pem in [ISSUER, HOST, OTHER] {
        assert_eq!(secret(pem).to_pkcs8_pem().as_str(), pem);
    }
    let key = PublicKey::from_spki_pem(ISSUER_PUBLIC).unwrap();
    assert_eq!(key, public(ISSUER));
    assert_eq!(key.to_spki_pem(), ISSUER_PUBLIC);
    assert_eq!(PublicKey::from_spki_der(&key.spki_der()), Ok(key));
    assert_eq!(PublicKey::from_bytes(key.as_bytes()), Ok(key));
    assert_eq!(*key.key_id().as_digest(), Digest::of(&key.spki_der()));
    assert_eq!(
        key.key_id().to_string(),
        "sha256:2826f0658367e1a498bd78cbac0897055b99ad82b995f0964045f6e7e356235d"
    );
}

/// RFC 8032, section 7.1, tests 1 to 3.
#[test]
fn rfc_8032_vectors() {
    for (seed, key, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let secret = SecretKey::from_seed(unhex(seed).try_into().unwrap());
        assert_eq!(secret.public().as_bytes().to_vec(), unhex(key));
        assert_eq!(secret.sign(&unhex(message)).to_vec(), unhex(signature));
        assert_eq!(
            secret.public().verify(&unhex(message), &unhex(signature)),
            Ok(())
        );
    }
}

#[test]
fn a_signature_is_good_for_one_message_and_one_key() {
    let signature = secret(ISSUER).sign(b"a lease");
    let key = public(ISSUER);
    assert_eq!(code(key.verify(b"a lease", &signature)), "");
    assert_eq!(
        code(key.verify(b"a leasf", &signature)),
        "SIGNATURE-INVALID"
    );
    assert_eq!(
        code(public(OTHER).verify(b"a lease", &signature)),
        "SIGNATURE-INVALID"
    );
    assert_eq!(code(key.verify(b"a lease", &[])), "SIGNATURE-INVALID");
    assert_eq!(
        code(key.verify(b"a lease", &signature[..63])),
        "SIGNATURE-INVALID"
    );
    let longer = [signature.as_slice(), &[0]].concat();
    assert_eq!(code(key.verify(b"a lease", &longer)), "SIGNATURE-INVALID");
    for position in 0..64 {
        for bit in 0..8 {
            let mut changed = signature;
            changed[position] ^= 1 << bit;
            assert_eq!(code(key.verify(b"a lease", &changed)), "SIGNATURE-INVALID");
        }
    }
}

/// S and S + L stand for the same number, the order of the group being L.
#[test]
fn a_signature_has_no_second_spelling() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut signature = secret(ISSUER).sign(b"a lease");
    assert_eq!(code(public(ISSUER).verify(b"a lease", &signature)), "");
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert_eq!(
        code(public(ISSUER).verify(b"a lease", &signature)),
        "SIGNATURE-INVALID"
    );
}

/// The owner of a key can make a signature whose first half is a point of small order. Lax verifiers
/// accept it, so two of them could disagree; it must be the strict kind that is called.
#[test]
fn a_signature_with_a_point_of_small_order_is_refused() {
    let signature = unhex(
        "0100000000000000000000000000000000000000000000000000000000000000\
         ab24cc7cacccc177e9f581e07f3b8c040ce4e144ada5e8ef55c2c694b7775901",
    );
    let lax = ed25519_dalek::VerifyingKey::from_bytes(public(ISSUER).as_bytes()).unwrap();
    let as_dalek = ed25519_dalek::Signature::from_slice(&signature).unwrap();
    assert!(ed25519_dalek::Verifier::verify(&lax, b"a lease", &as_dalek).is_ok());
    assert_eq!(
        code(public(ISSUER).verify(b"a lease", &signature)),
        "SIGNATURE-INVALID"
    );
}

#[test]
fn points_of_small_order_are_no_keys() {
    for weak in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ] {
        let bytes: [u8; 32] = unhex(weak).try_into().unwrap();
        assert_eq!(
            PublicKey::from_bytes(&bytes),
            Err(SealError::KeyWeak),
            "{weak}"
        );
        let mut der = public(ISSUER).spki_der();
        der[12..].copy_from_slice(&bytes);
        assert_eq!(
            PublicKey::from_spki_der(&der),
            Err(SealError::KeyWeak),
            "{weak}"
        );
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der)
        );
        assert_eq!(
            PublicKey::from_spki_pem(&pem),
            Err(SealError::KeyWeak),
            "{weak}"
        );
    }
    // The same points in encodings that are not canonical are refused too, one way or the other.
    for weak in [
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ] {
        let bytes: [u8; 32] = unhex(weak).try_into().unwrap();
        assert!(PublicKey::from_bytes(&bytes).is_err(), "{weak}");
    }
}

/// y and y + p are the same coordinate. Reading both would give one key two ids.
#[test]
fn a_key_has_no_second_encoding() {
    let mut refused = 0;
    for small in 2u8..19 {
        let mut canonical = [0u8; 32];
        canonical[0] = small;
        let mut other = [0xff; 32];
        other[0] = 0xed + small;
        other[31] = 0x7f;
        // Not every number is the coordinate of a point.
        if ed25519_dalek::VerifyingKey::from_bytes(&other).is_ok() {
            assert!(PublicKey::from_bytes(&canonical).is_ok());
            assert_eq!(code(PublicKey::from_bytes(&other)), "KEY-FORMAT", "{small}");
            refused += 1;
        }
    }
    assert!(refused > 3, "{refused}");
}

#[test]
fn bytes_that_are_no_point_are_no_key() {
    let mut bytes = [0u8; 32];
    bytes[0] = 2;
    assert_eq!(code(PublicKey::from_bytes(&bytes)), "KEY-FORMAT");
}

#[test]
fn only_the_expected_forms_are_keys() {
    let good = ISSUER_PUBLIC;
    assert_eq!(code(PublicKey::from_spki_pem(good)), "");
    for bad in [
        String::new(),
        "x".to_owned(),
        ISSUER.to_owned(),
        good.replace("PUBLIC KEY", "CERTIFICATE"),
        good.replace("MCow", "MCox"),
        good.replace("B94=", "B95="),
        good.replace("-----END", "----END"),
        // P-256 instead of Ed25519.
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n-----END PUBLIC KEY-----\n".to_owned(),
    ] {
        assert_ne!(bad, good);
        assert_eq!(code(PublicKey::from_spki_pem(&bad)), "KEY-FORMAT", "{bad}");
    }
    let der = public(ISSUER).spki_der();
    assert_eq!(code(PublicKey::from_spki_der(&der[..43])), "KEY-FORMAT");
    assert_eq!(
        code(PublicKey::from_spki_der(&[der.as_slice(), &[0]].concat())),
        "KEY-FORMAT"
    );
    // X25519 has an object identifier one smaller.
    let mut x25519 = der;
    x25519[8] = 0x6e;
    assert_eq!(code(PublicKey::from_spki_der(&x25519)), "KEY-FORMAT");

    assert_eq!(code(SecretKey::from_pkcs8_pem(ISSUER)), "");
    for bad in [
        String::new(),
        ISSUER_PUBLIC.to_owned(),
        ISSUER.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        ISSUER.replace("MC4C", "MC4D"),
        ISSUER.replace("-----END", "----END"),
    ] {
        assert_ne!(bad, ISSUER);
        assert_eq!(code(SecretKey::from_pkcs8_pem(&bad)), "KEY-FORMAT", "{bad}");
    }
}

/// PKCS#8 version 2 (RFC 5958) carries the public key as well.
#[test]
fn a_public_key_beside_the_secret_one_must_be_its_own() {
    let pem = |public: &PublicKey| {
        let seed = STANDARD
            .decode(ISSUER.lines().nth(1).unwrap())
            .unwrap()
            .split_off(16);
        let der = [
            &unhex("3051020101300506032b657004220420"),
            seed.as_slice(),
            &[0x81, 0x21, 0x00],
            public.as_bytes(),
        ]
        .concat();
        let text = STANDARD.encode(der);
        let (first, second) = text.split_at(64);
        format!("-----BEGIN PRIVATE KEY-----\n{first}\n{second}\n-----END PRIVATE KEY-----\n")
    };
    let own = SecretKey::from_pkcs8_pem(&pem(&public(ISSUER))).unwrap();
    assert_eq!(own.public(), public(ISSUER));
    // It is written as version 1, which is what `openssl` reads.
    assert_eq!(own.to_pkcs8_pem().as_str(), ISSUER);
    assert_eq!(
        code(SecretKey::from_pkcs8_pem(&pem(&public(OTHER)))),
        "KEY-FORMAT"
    );
}

#[test]
fn a_secret_is_never_printed() {
    let key = secret(ISSUER);
    let printed = format!("{key:?} {key:#?}");
    assert_eq!(
        format!("{key:?}"),
        format!("SecretKey(of {})", key.public().key_id())
    );
    let seed = STANDARD.decode(ISSUER.lines().nth(1).unwrap()).unwrap();
    for window in seed[16..].windows(4) {
        let hex: String = window.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!printed.contains(&hex));
        assert!(!printed.contains(&format!("{window:?}")));
    }
}

#[test]
fn a_key_file_others_can_reach_is_refused() {
    for mode in [0o600, 0o400, 0o000, 0o700, 0o100_600] {
        assert_eq!(check_mode(mode), Ok(()), "{mode:o}");
    }
    for bit in 0..6 {
        let mode = 0o600 | 1 << bit;
        assert_eq!(
            check_mode(mode),
            Err(SealError::KeyPermissions { mode }),
            "{mode:o}"
        );
    }
    let error = check_mode(0o100_644).unwrap_err();
    assert_eq!(error.code(), "KEY-PERMISSIONS");
    assert_eq!(error.class(), Class::Refused);
    assert!(error.to_string().contains("mode 644"), "{error}");
}
