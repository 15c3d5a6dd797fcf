//! Values on the command line: sizes, fuel, durations, times, variables, JSON.

mod rights;

use std::path::Path;

use leasehold_seal::{Class, Timestamp};

use crate::ambient::Ambient;
use crate::failure::Failure;

pub(crate) use rights::{block, exposed, http, injected, pattern};

/// The largest file that is read as JSON from the command line, in bytes.
const JSON_BYTES: u64 = 1 << 20;

/// A number of bytes: digits with an optional K, M or G (powers of 1024).
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a size such as 4096, 64K, 256M or 1G");
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number = digits_only(digits).ok_or_else(wrong)?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

/// An amount of fuel: digits, with `_` between them where wanted, or such as 2e9.
pub(crate) fn fuel(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not an amount of fuel such as 500000, 500_000 or 1e9");
    let plain = text.replace('_', "");
    match plain.split_once(['e', 'E']) {
        None => digits_only(&plain).ok_or_else(wrong),
        Some((digits, power)) => {
            let number = digits_only(digits).ok_or_else(wrong)?;
            let power = digits_only(power).and_then(|power| u32::try_from(power).ok());
            power
                .and_then(|power| 10_u64.checked_pow(power))
                .and_then(|factor| number.checked_mul(factor))
                .ok_or_else(wrong)
        }
    }
}

/// When a lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// So many seconds after it begins.
    After(i64),
    /// At this time.
    At(Timestamp),
}

impl Expiry {
    /// The end of something that begins at `start`, in whole seconds; `None` beyond the year 9999.
    pub(crate) fn end(self, start: Timestamp) -> Option<Timestamp> {
        match self {
            Expiry::After(seconds) => start.checked_add_millis(seconds.checked_mul(1_000)?),
            Expiry::At(end) => Some(end),
        }
    }
}

/// A duration such as 90s, 10m, 1h or 7d, or a time such as 2027-01-01T00:00:00Z.
pub(crate) fn expiry(text: &str) -> Result<Expiry, String> {
    let wrong = || {
        format!(
            "{text:?} is neither a duration such as 90s, 10m, 1h or 7d nor a time such as 2027-01-01T00:00:00Z"
        )
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        if time.as_millis() % 1_000 != 0 {
            return Err(format!("{text:?} is not in whole seconds"));
        }
        return Ok(Expiry::At(time));
    }
    match seconds(text) {
        Some(seconds) if seconds > 0 => Ok(Expiry::After(seconds)),
        _ => Err(wrong()),
    }
}

/// A duration such as 0s, 10m, 24h or 90d, in seconds.
pub(crate) fn duration(text: &str) -> Result<i64, String> {
    seconds(text).ok_or_else(|| format!("{text:?} is not a duration such as 90s, 10m, 24h or 90d"))
}

fn seconds(text: &str) -> Option<i64> {
    let unit = match text.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        _ => return None,
    };
    let number = i64::try_from(digits_only(text.get(..text.len() - 1)?)?).ok()?;
    number.checked_mul(unit)
}

/// An environment variable to grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    /// Passed on from the host's environment.
    Pass(String),
    /// With this value.
    Set(String, String),
}

/// `NAME` or `NAME=VALUE`. Whether the name is one is for the lease to say.
pub(crate) fn variable(text: &str) -> Result<Variable, String> {
    Ok(match text.split_once('=') {
        None => Variable::Pass(text.to_owned()),
        Some((name, value)) => Variable::Set(name.to_owned(), value.to_owned()),
    })
}

/// A JSON array of strings.
pub(crate) fn vector(text: &str) -> Result<Vec<String>, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("{text:?} is not a JSON list of texts: {error}"))
}

/// JSON given as text or, after an `@`, as the name of a file. White space around it is dropped; the rest stays byte for byte,
/// because a lease binds it by its digest.
pub(crate) fn json(ambient: &Ambient, flag: &str, value: &str) -> Result<String, Failure> {
    let text = match value.strip_prefix('@') {
        None => value.to_owned(),
        Some(name) => {
            let path = ambient.path(Path::new(name));
            let bytes = file("JSON file", &path, JSON_BYTES)?;
            String::from_utf8(bytes).map_err(|_| {
                Failure::new(
                    "JSON-SYNTAX",
                    Class::Usage,
                    format!("{name} is not UTF-8, so it is not JSON"),
                )
            })?
        }
    };
    let text = text.trim_ascii();
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let sentence = format!("the value of {flag} is not JSON: {error}");
        return Err(Failure::new("JSON-SYNTAX", Class::Usage, sentence)
            .hint(format!("give JSON in quotes, or a file: {flag} @FILE")));
    }
    Ok(text.to_owned())
}

/// A whole file, up to so many bytes.
pub(crate) fn file(what: &str, path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let failed = |error| Failure::reading(what, path, &error);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > most {
        let sentence = format!("the {what} {} has more than {most} bytes", path.display());
        return Err(
            Failure::usage("FILE-TOO-LARGE", sentence).hint("it may be another kind of file")
        );
    }
    Ok(bytes)
}

/// A number of nothing but digits.
fn digits_only(text: &str) -> Option<u64> {
    // `parse` alone would take a leading plus sign.
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("4096"), Ok(4_096));
        assert_eq!(size("64K"), Ok(65_536));
        assert_eq!(size("256m"), Ok(256 << 20));
        assert_eq!(size("1G"), Ok(1 << 30));
        for wrong in [
            "",
            "K",
            "-1",
            "+1",
            "1.5M",
            "1T",
            "1 M",
            "1MB",
            "99999999999G",
            "١",
        ] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn amounts_of_fuel() {
        assert_eq!(fuel("500_000"), Ok(500_000));
        assert_eq!(fuel("1e9"), Ok(1_000_000_000));
        for wrong in ["", "e9", "1e", "1e99", "1.5e3", "-1", "1e+3"] {
            assert!(fuel(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn durations_and_times() {
        assert_eq!(expiry("90s"), Ok(Expiry::After(90)));
        assert_eq!(expiry("10m"), Ok(Expiry::After(600)));
        assert_eq!(expiry("1h"), Ok(Expiry::After(3_600)));
        assert_eq!(expiry("7d"), Ok(Expiry::After(604_800)));
        let time: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(expiry("2027-01-01T00:00:00Z"), Ok(Expiry::At(time)));
        assert_eq!(
            Expiry::After(60).end(time).unwrap().millis_since(time),
            60_000
        );
        assert_eq!(Expiry::After(i64::MAX).end(time), None);
        for wrong in [
            "",
            "0m",
            "m",
            "10",
            "-5m",
            "1h30m",
            "1w",
            "2027-01-01",
            "2027-01-01T00:00:00.5Z",
            "é",
        ] {
            assert!(expiry(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_duration_may_be_none() {
        assert_eq!(duration("0s"), Ok(0));
        assert_eq!(duration("90d"), Ok(7_776_000));
        for wrong in ["", "s", "-1s", "1", "1w", "é", "9223372036854775807d"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn variables_and_vectors() {
        assert_eq!(variable("LANG"), Ok(Variable::Pass("LANG".into())));
        assert_eq!(
            variable("A=b=c"),
            Ok(Variable::Set("A".into(), "b=c".into()))
        );
        assert_eq!(variable("A="), Ok(Variable::Set("A".into(), String::new())));
        assert_eq!(vector(r#"["a","b c"]"#), Ok(vec!["a".into(), "b c".into()]));
        for wrong in ["", "a", r#"{"a":1}"#, "[1]"] {
            assert!(vector(wrong).is_err(), "{wrong:?}");
        }
    }
}
