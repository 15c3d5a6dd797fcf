//! Keys and signatures exchanged with the real `openssl` (1.1.1 or later, on the search path; for second
//! keys 3.5 or later).

use std::path::Path;
use std::process::Command;

use leasehold_seal::{PublicKey, SecondKey, SecondSecret, SecretKey};

use crate::support::{ISSUER, code, secret};

const MESSAGE: &[u8] = b"DSSEv1 1 a 7 a lease";

fn openssl(folder: &Path, arguments: &[&str]) -> bool {
    Command::new("openssl")
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("these tests need `openssl` on the search path")
        .status
        .success()
}

const SIGN: &[&str] = &[
    "pkeyutl",
    "-sign",
    "-rawin",
    "-inkey",
    "key.pem",
    "-in",
    "message",
    "-out",
    "signature",
];
const VERIFY: &[&str] = &[
    "pkeyutl",
    "-verify",
    "-rawin",
    "-pubin",
    "-inkey",
    "public.pem",
    "-in",
    "message",
    "-sigfile",
    "signature",
];

#[test]
fn keys_of_openssl_are_read_and_its_signatures_verified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(openssl(
        path,
        &["genpkey", "-algorithm", "ed25519", "-out", "key.pem"]
    ));
    assert!(openssl(
        path,
        &["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]
    ));
    std::fs::write(path.join("message"), MESSAGE).unwrap();
    assert!(openssl(path, SIGN));

    let key_pem = std::fs::read_to_string(path.join("key.pem")).unwrap();
    let public_pem = std::fs::read_to_string(path.join("public.pem")).unwrap();
    let signature = std::fs::read(path.join("signature")).unwrap();
    let key = SecretKey::from_pkcs8_pem(&key_pem).unwrap();
    let public = PublicKey::from_spki_pem(&public_pem).unwrap();
    assert_eq!(key.public(), public);
    assert_eq!(public.verify(MESSAGE, &signature), Ok(()));
    assert_eq!(
        code(public.verify(b"another", &signature)),
        "SIGNATURE-INVALID"
    );
    // Ed25519 is deterministic, and the forms are the same to the byte.
    assert_eq!(key.sign(MESSAGE).to_vec(), signature);
    assert_eq!(key.to_pkcs8_pem().as_str(), key_pem);
    assert_eq!(public.to_spki_pem(), public_pem);

    // The key id can be had without Leasehold.
    assert!(openssl(
        path,
        &[
            "pkey",
            "-pubin",
            "-in",
            "public.pem",
            "-outform",
            "DER",
            "-out",
            "public.der"
        ]
    ));
    let der = std::fs::read(path.join("public.der")).unwrap();
    assert_eq!(der, public.spki_der());
    assert_eq!(
        leasehold_seal::Digest::of(&der),
        *public.key_id().as_digest()
    );
}

#[test]
fn our_keys_are_read_by_openssl_and_our_signatures_verified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let key = secret(ISSUER);
    std::fs::write(path.join("key.pem"), key.to_pkcs8_pem().as_bytes()).unwrap();
    std::fs::write(path.join("public.pem"), key.public().to_spki_pem()).unwrap();
    std::fs::write(path.join("message"), MESSAGE).unwrap();
    std::fs::write(path.join("signature"), key.sign(MESSAGE)).unwrap();
    assert!(openssl(path, VERIFY));
    std::fs::write(path.join("message"), b"another").unwrap();
    assert!(!openssl(path, VERIFY));

    assert!(openssl(
        path,
        &["pkey", "-in", "key.pem", "-pubout", "-out", "public-2.pem"]
    ));
    assert_eq!(
        std::fs::read_to_string(path.join("public-2.pem")).unwrap(),
        key.public().to_spki_pem()
    );
    std::fs::write(path.join("message"), MESSAGE).unwrap();
    assert!(openssl(path, SIGN));
    assert_eq!(
        std::fs::read(path.join("signature")).unwrap(),
        key.sign(MESSAGE)
    );
}

#[test]
fn other_kinds_of_keys_and_encrypted_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let generated: [&[&str]; 4] = [
        &["genpkey", "-algorithm", "x25519", "-out", "key.pem"],
        &["genpkey", "-algorithm", "ed448", "-out", "key.pem"],
        &[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            "key.pem",
        ],
        &[
            "genpkey",
            "-algorithm",
            "ed25519",
            "-aes256",
            "-pass",
            "pass:x",
            "-out",
            "key.pem",
        ],
    ];
    for arguments in generated {
        assert!(openssl(path, arguments), "{arguments:?}");
        let pem = std::fs::read_to_string(path.join("key.pem")).unwrap();
        assert_eq!(
            code(SecretKey::from_pkcs8_pem(&pem)),
            "KEY-FORMAT",
            "{arguments:?}"
        );
        assert!(openssl(
            path,
            &[
                "pkey",
                "-in",
                "key.pem",
                "-passin",
                "pass:x",
                "-pubout",
                "-out",
                "public.pem"
            ]
        ));
        let pem = std::fs::read_to_string(path.join("public.pem")).unwrap();
        let expected = if arguments.contains(&"ed25519") {
            ""
        } else {
            "KEY-FORMAT"
        };
        assert_eq!(
            code(PublicKey::from_spki_pem(&pem)),
            expected,
            "{arguments:?}"
        );
    }
}

/// `openssl` signs with a random value, unless it is told not to.
fn sign_deterministically(folder: &Path) -> bool {
    let arguments = [SIGN, &["-pkeyopt", "deterministic:1"]].concat();
    openssl(folder, &arguments)
}

/// Each form of secret key that `openssl` writes, as the parameter that asks for it, and whether it
/// holds the seed.
const FORMS: [(&str, bool); 4] = [
    ("seed-priv", true),
    ("seed-only", true),
    ("priv-only", false),
    ("oqskeypair", false),
];

#[test]
fn second_keys_are_exchanged_with_openssl() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let generate = ["genpkey", "-algorithm", "ML-DSA-44", "-out", "any.pem"];
    if !openssl(path, &generate) {
        // An openssl before 3.5: nothing to exchange. Wycheproof's vectors are checked all the same.
        return;
    }
    std::fs::write(path.join("message"), MESSAGE).unwrap();
    let read = |name: &str| std::fs::read_to_string(path.join(name)).unwrap();
    let to_public = ["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"];

    // Theirs, in each form; the one they write unasked is the first.
    for (form, has_seed) in FORMS {
        let form = format!("ml-dsa.output_formats={form}");
        let convert = [
            "pkey",
            "-in",
            "any.pem",
            "-provparam",
            &form,
            "-out",
            "key.pem",
        ];
        assert!(openssl(path, &convert), "{form}");
        let key = SecondSecret::from_pkcs8_pem(&read("key.pem"));
        if !has_seed {
            assert_eq!(code(key), "KEY-FORMAT", "{form}");
            continue;
        }
        let key = key.unwrap();
        assert!(openssl(path, &to_public) && openssl(path, SIGN));
        let public = SecondKey::from_spki_pem(&read("public.pem")).unwrap();
        assert_eq!(key.public(), public);
        assert_eq!(public.to_spki_pem(), read("public.pem"));
        let signature = std::fs::read(path.join("signature")).unwrap();
        assert_eq!(public.verify(MESSAGE, &signature), Ok(()));
        assert_eq!(
            code(public.verify(b"another", &signature)),
            "SIGNATURE-INVALID"
        );
        assert!(sign_deterministically(path));
        assert_eq!(
            key.sign(MESSAGE),
            Ok(std::fs::read(path.join("signature")).unwrap())
        );
    }
    let unasked = SecondSecret::from_pkcs8_pem(&read("any.pem")).unwrap();
    let seed_only = [
        "pkey",
        "-in",
        "any.pem",
        "-provparam",
        "ml-dsa.output_formats=seed-only",
        "-out",
        "seed.pem",
    ];
    assert!(openssl(path, &seed_only));
    assert_eq!(*unasked.to_pkcs8_pem(), read("seed.pem"));

    // Ours.
    let key = SecondSecret::from_seed([7; 32]);
    std::fs::write(path.join("key.pem"), key.to_pkcs8_pem().as_bytes()).unwrap();
    std::fs::write(path.join("public.pem"), key.public().to_spki_pem()).unwrap();
    std::fs::write(path.join("signature"), key.sign(MESSAGE).unwrap()).unwrap();
    assert!(openssl(path, VERIFY));
    std::fs::write(path.join("message"), b"another").unwrap();
    assert!(!openssl(path, VERIFY));
    assert!(openssl(path, &to_public));
    assert_eq!(read("public.pem"), key.public().to_spki_pem());
}
