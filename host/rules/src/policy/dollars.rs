//! Amounts of money, exact.

use std::fmt;
use std::str::FromStr;

/// An amount in US dollars, in whole millionths: from 0 to 999,999,999.999999. Written as `5` or `0.25`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dollars {
    micros: u64,
}

impl Dollars {
    /// The greatest amount, in millionths of a dollar.
    pub const MAX_MICROS: u64 = 999_999_999_999_999;

    /// This many millionths of a dollar; `None` above [`Dollars::MAX_MICROS`].
    #[must_use]
    pub fn from_micros(micros: u64) -> Option<Self> {
        (micros <= Self::MAX_MICROS).then_some(Self { micros })
    }

    /// The amount in millionths of a dollar.
    #[must_use]
    pub fn micros(self) -> u64 {
        self.micros
    }
}

/// Digits, at most nine, and behind a point at most six more.
impl FromStr for Dollars {
    type Err = NotDollars;

    fn from_str(text: &str) -> Result<Self, NotDollars> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(NotDollars),
            None => (text, ""),
        };
        let number = |digits: &str, most: usize| {
            let good = digits.len() <= most && digits.bytes().all(|byte| byte.is_ascii_digit());
            good.then(|| digits.parse::<u64>().ok()).flatten()
        };
        let whole = number(whole, 9).ok_or(NotDollars)?;
        let fraction = number(&format!("{fraction:0<6}"), 6).ok_or(NotDollars)?;
        Ok(Self {
            micros: whole * MICROS + fraction,
        })
    }
}

/// As it is read, without zeros at the end.
impl fmt::Display for Dollars {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.micros / MICROS, self.micros % MICROS);
        if fraction == 0 {
            return write!(formatter, "{whole}");
        }
        let fraction = format!("{fraction:06}");
        write!(formatter, "{whole}.{}", fraction.trim_end_matches('0'))
    }
}

/// A text is no amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an amount in dollars: up to nine digits, and behind a point up to six, for example 2.50"
)]
pub struct NotDollars;

const MICROS: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, micros) in [
            ("0", 0),
            ("5", 5_000_000),
            ("0.1", 100_000),
            ("2.50", 2_500_000),
            ("0.000001", 1),
            ("999999999.999999", Dollars::MAX_MICROS),
        ] {
            assert_eq!(text.parse::<Dollars>().unwrap().micros(), micros, "{text}");
        }
        for bad in [
            "",
            ".",
            ".5",
            "5.",
            "-1",
            "+1",
            "1e3",
            "0.0000001",
            "1000000000",
            "1,5",
            " 1",
            "٣",
            "1.2.3",
            "NaN",
        ] {
            assert_eq!(bad.parse::<Dollars>(), Err(NotDollars), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_amount_is_read_back(micros in 0..=Dollars::MAX_MICROS) {
            let dollars = Dollars::from_micros(micros).unwrap();
            prop_assert_eq!(dollars.to_string().parse(), Ok(dollars));
        }
    }
}
