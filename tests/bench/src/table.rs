//! How rows are printed.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use crate::measure::Pair;

/// What one row has to say.
pub(crate) enum Line {
    /// Two sides, and how far the ratio may go.
    Measured {
        /// What was measured: ours, then the peer.
        what: String,
        /// The two sides.
        pair: Pair,
        /// How far the ratio may go; absent where a line is there for comparison only.
        bound: Option<Bound>,
    },
    /// Why there is no number.
    Skipped {
        /// What would have been measured.
        what: String,
        /// Why it was not.
        why: String,
    },
}

/// How far a ratio may go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    fn holds(self, ratio: f64) -> bool {
        match self {
            Bound::AtMost(bound) => ratio <= bound,
            Bound::AtLeast(bound) => ratio >= bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::AtMost(bound) => write!(out, "{bound:.2}"),
            Bound::AtLeast(bound) => write!(out, "≥ {bound:.2}"),
        }
    }
}

impl Line {
    /// A line whose ratio is to be this at most.
    pub(crate) fn measured(what: impl Into<String>, pair: Pair, bound: f64) -> Self {
        Line::bounded(what, pair, Bound::AtMost(bound))
    }

    pub(crate) fn bounded(what: impl Into<String>, pair: Pair, bound: Bound) -> Self {
        Line::Measured {
            what: what.into(),
            pair,
            bound: Some(bound),
        }
    }

    pub(crate) fn comparison(what: impl Into<String>, pair: Pair) -> Self {
        Line::Measured {
            what: what.into(),
            pair,
            bound: None,
        }
    }

    pub(crate) fn skipped(what: impl Into<String>, why: impl Into<String>) -> Self {
        Line::Skipped {
            what: what.into(),
            why: why.into(),
        }
    }
}

/// Prints the head of the table.
pub(crate) fn head(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "| row | what (ours : peer) | ours | peer | ratio | bound | reached |\n|---|---|--:|--:|--:|--:|---|"
    )
}

/// Prints a line of row `number`.
pub(crate) fn line(out: &mut impl Write, number: u32, line: &Line) -> io::Result<()> {
    match line {
        Line::Measured { what, pair, bound } => {
            let (ours, peer) = (Time(pair.ours), Time(pair.peer));
            let ratio = pair.ratio;
            let (bound, reached) = match bound {
                Some(bound) => (
                    bound.to_string(),
                    if bound.holds(ratio) { "yes" } else { "NO" },
                ),
                None => (String::new(), ""),
            };
            writeln!(
                out,
                "| {number} | {what} | {ours} | {peer} | {ratio:.3} | {bound} | {reached} |"
            )?;
        }
        Line::Skipped { what, why } => {
            writeln!(out, "| {number} | {what} | | | | | not measured: {why} |")?;
        }
    }
    out.flush()
}

/// A duration with three digits or four.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        if seconds >= 1.0 {
            write!(out, "{seconds:.2} s")
        } else if seconds >= 1e-3 {
            write!(out, "{:.2} ms", seconds * 1e3)
        } else {
            write!(out, "{:.2} µs", seconds * 1e6)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(ratio: f64, bound: Option<Bound>) -> String {
        let pair = Pair {
            ours: Duration::from_micros(1500),
            peer: Duration::from_nanos(2500),
            ratio,
        };
        let mut out = Vec::new();
        let what = "a : b".to_owned();
        line(&mut out, 7, &Line::Measured { what, pair, bound }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_bound_is_reached_up_to_itself() {
        assert_eq!(
            printed(1.5, Some(Bound::AtMost(1.5))),
            "| 7 | a : b | 1.50 ms | 2.50 µs | 1.500 | 1.50 | yes |\n"
        );
        assert!(printed(1.6, Some(Bound::AtMost(1.5))).ends_with("| NO |\n"));
        assert!(printed(0.9, Some(Bound::AtLeast(0.9))).ends_with("| 0.900 | ≥ 0.90 | yes |\n"));
        assert!(printed(0.8, Some(Bound::AtLeast(0.9))).ends_with("| NO |\n"));
        assert!(printed(1.6, None).ends_with("| 1.600 |  |  |\n"));
    }
}
