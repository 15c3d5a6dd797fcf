//! Digests, key ids and moments as text and in JSON.

use leasehold_seal::canonical::{from_slice, to_vec};
use leasehold_seal::{Class, Coded, Digest, KeyId, Timestamp, TimestampError};
use proptest::prelude::*;

use crate::support::{code, time};

/// FIPS 180-4: SHA-256 of `abc`.
const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn a_digest_has_one_text() {
    let digest = Digest::of(b"abc");
    assert_eq!(digest.to_string(), ABC);
    assert_eq!(format!("{digest:?}"), ABC);
    assert_eq!(digest.hex(), ABC.strip_prefix("sha256:").unwrap());
    assert_eq!(ABC.parse(), Ok(digest));
    assert_eq!(Digest::from_bytes(*digest.as_bytes()), digest);
    let id = KeyId::from_digest(digest);
    assert_eq!(id.to_string(), ABC);
    assert_eq!(ABC.parse(), Ok(id));
    assert_eq!(
        to_vec(&(digest, id)).unwrap(),
        format!("[\"{ABC}\",\"{ABC}\"]").into_bytes()
    );
    assert_eq!(
        from_slice(format!("[\"{ABC}\",\"{ABC}\"]").as_bytes()),
        Ok((digest, id))
    );
}

#[test]
fn nothing_else_is_a_digest() {
    let with = |old: &str, new: &str| ABC.replacen(old, new, 1);
    for bad in [
        String::new(),
        "sha256:".to_owned(),
        with("sha256:", ""),
        with("sha256:", "SHA256:"),
        with("sha256:", "sha512:"),
        with("sha256:", "sha256: "),
        with("ba", "BA"),
        with("ba", "b"),
        with("ba", "bab"),
        with("ba", "bg"),
        with("ba", "b/"),
        with("ba", "b:"),
        with("ba", "b`"),
        with("ba", "+a"),
        // Two bytes, so that the length in bytes is right.
        with("ba", "\u{e9}"),
        format!("{ABC} "),
        format!(" {ABC}"),
        format!("{ABC}\n"),
    ] {
        assert_eq!(code(bad.parse::<Digest>()), "DIGEST-FORMAT", "{bad:?}");
        assert_eq!(code(bad.parse::<KeyId>()), "DIGEST-FORMAT", "{bad:?}");
        let json = to_vec(&bad).unwrap();
        assert_eq!(code(from_slice::<Digest>(&json)), "JSON-FIELD", "{bad:?}");
        assert_eq!(code(from_slice::<KeyId>(&json)), "JSON-FIELD", "{bad:?}");
    }
}

#[test]
fn a_reader_is_digested_to_its_end() {
    // Longer than one read, and not a multiple of it.
    let long: Vec<u8> = (0..100_001u32)
        .map(|index| index.to_le_bytes()[0])
        .collect();
    assert_eq!(
        Digest::of_reader(long.as_slice()).unwrap(),
        Digest::of(&long)
    );
    assert_eq!(
        Digest::of_reader(std::io::empty()).unwrap(),
        Digest::of(b"")
    );
}

#[test]
fn a_reader_that_is_interrupted_goes_on_and_one_that_fails_does_not() {
    struct Stumbling(Vec<Result<u8, std::io::ErrorKind>>);
    impl std::io::Read for Stumbling {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.pop() {
                None => Ok(0),
                Some(Err(kind)) => Err(kind.into()),
                Some(Ok(byte)) => {
                    buffer[0] = byte;
                    Ok(1)
                }
            }
        }
    }
    use std::io::ErrorKind::{BrokenPipe, Interrupted};
    let steps = vec![Ok(b'c'), Err(Interrupted), Ok(b'b'), Ok(b'a')];
    assert_eq!(
        Digest::of_reader(Stumbling(steps)).unwrap().to_string(),
        ABC
    );
    let steps = vec![Ok(b'c'), Err(BrokenPipe), Ok(b'b'), Ok(b'a')];
    assert_eq!(
        Digest::of_reader(Stumbling(steps)).unwrap_err().kind(),
        BrokenPipe
    );
}

#[test]
fn a_moment_has_one_text() {
    for (millis, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (1_767_225_600_000, "2026-01-01T00:00:00Z"),
        (1_767_225_600_250, "2026-01-01T00:00:00.250Z"),
        (1_709_164_800_100, "2024-02-29T00:00:00.100Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ] {
        let timestamp = Timestamp::from_millis(millis).unwrap();
        assert_eq!(timestamp.to_string(), text);
        assert_eq!(format!("{timestamp:?}"), text);
        assert_eq!(time(text), timestamp);
        assert_eq!(timestamp.as_millis(), millis);
        let json = format!("\"{text}\"").into_bytes();
        assert_eq!(to_vec(&timestamp).unwrap(), json);
        assert_eq!(from_slice(&json), Ok(timestamp));
    }
}

#[test]
fn nothing_else_is_a_moment() {
    for bad in [
        "",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00z",
        "2026-01-01t00:00:00Z",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T01:00:00+01:00",
        "2026-01-01T00:00:00-00:00",
        "2026-01-01T00:00:00Z[UTC]",
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00:00.2Z",
        "2026-01-01T00:00:00.25Z",
        "2026-01-01T00:00:00.2500Z",
        "2026-01-01T00:00:00.250001Z",
        "2026-01-01T00:00:00,250Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "2016-12-31T23:59:60Z",
        "20260101T000000Z",
        "+002026-01-01T00:00:00Z",
        " 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z\n",
        "1767225600",
    ] {
        assert_eq!(
            bad.parse::<Timestamp>(),
            Err(TimestampError::Format),
            "{bad:?}"
        );
        let json = to_vec(bad).unwrap();
        assert_eq!(
            code(from_slice::<Timestamp>(&json)),
            "JSON-FIELD",
            "{bad:?}"
        );
    }
    let error = "1969-12-31T23:59:59Z".parse::<Timestamp>().unwrap_err();
    assert_eq!(error, TimestampError::Range);
    assert_eq!(
        (error.code(), error.class()),
        ("TIME-RANGE", Class::Integrity)
    );
    assert_eq!(TimestampError::Format.code(), "TIME-FORMAT");
}

#[test]
fn moments_stay_within_their_range() {
    assert_eq!(Timestamp::from_millis(-1), Err(TimestampError::Range));
    assert_eq!(Timestamp::from_millis(0), Ok(Timestamp::MIN));
    let last = Timestamp::MAX.as_millis();
    assert_eq!(Timestamp::from_millis(last), Ok(Timestamp::MAX));
    assert_eq!(Timestamp::from_millis(last + 1), Err(TimestampError::Range));
    assert_eq!(Timestamp::MAX.checked_add_millis(0), Some(Timestamp::MAX));
    assert_eq!(Timestamp::MAX.checked_add_millis(1), None);
    assert_eq!(Timestamp::MAX.checked_add_millis(i64::MAX), None);
    assert_eq!(Timestamp::MIN.checked_add_millis(-1), None);
    assert_eq!(Timestamp::MIN.checked_add_millis(i64::MIN), None);
    assert_eq!(
        Timestamp::MIN.checked_add_millis(last),
        Some(Timestamp::MAX)
    );
    assert_eq!(
        Timestamp::MAX.checked_add_millis(-last),
        Some(Timestamp::MIN)
    );
    assert_eq!(Timestamp::MIN.millis_since(Timestamp::MAX), -last);
    assert_eq!(
        time("2026-01-01T00:00:01Z").millis_since(time("2026-01-01T00:00:00Z")),
        1000
    );
    assert!(time("2026-01-01T00:00:00Z") < time("2026-01-01T00:00:00.001Z"));
}

proptest! {
    #[test]
    fn every_moment_comes_back(millis in 0..=Timestamp::MAX.as_millis()) {
        let timestamp = Timestamp::from_millis(millis).unwrap();
        prop_assert_eq!(timestamp.to_string().parse(), Ok(timestamp));
    }

    #[test]
    fn every_digest_comes_back(bytes in any::<[u8; 32]>()) {
        let digest = Digest::from_bytes(bytes);
        prop_assert_eq!(digest.to_string().parse(), Ok(digest));
    }

    #[test]
    fn any_text_is_a_moment_or_refused(text in "[0-9TZ:.+-]{0,30}") {
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            prop_assert_eq!(timestamp.to_string(), text);
        }
    }
}
