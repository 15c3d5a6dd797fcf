//! The exit codes, documented once. The first that applies wins, in the order of [`RANK`].
//!
//! | code | meaning |
//! |---|---|
//! | 2 | integrity: a tape, lease, plugin or bundle is not what it claims |
//! | 3 | refused: lease or policy does not allow it |
//! | 4 | a plugin trapped, or ran out of fuel, time, memory or output |
//! | 1 | a gate failed; a command exited non-zero |
//! | 5 | blocked: something needed is missing, so nothing was judged |
//! | 0 | passed |
//! | 64 | wrong usage |
//! | 70 | a fault of Leasehold itself (also for panics) |

use leasehold_seal::Class;

/// Passed.
pub(crate) const PASSED: u8 = 0;
/// A gate failed; a command exited non-zero.
pub(crate) const FAILED: u8 = 1;
/// A tape, lease, plugin or bundle is not what it claims.
pub(crate) const INTEGRITY: u8 = 2;
/// Lease or policy does not allow it.
pub(crate) const REFUSED: u8 = 3;
/// A plugin trapped, or ran out of fuel, time, memory or output.
pub(crate) const EXHAUSTED: u8 = 4;
/// Something needed is missing, so nothing was judged.
pub(crate) const BLOCKED: u8 = 5;
/// Wrong usage (`EX_USAGE` of sysexits.h).
pub(crate) const USAGE: u8 = 64;
/// A fault of Leasehold itself, also for panics (`EX_SOFTWARE` of sysexits.h).
pub(crate) const FAULT: u8 = 70;

/// What `--help` says about exit codes.
pub(crate) const HELP: &str = "\
Exit codes (the first that applies wins):
   2  integrity: a tape, lease or plugin is not what it claims
   3  refused: lease or policy does not allow it
   4  a plugin trapped, or ran out of fuel, time, memory or output
   1  a gate failed; a command exited non-zero
   5  blocked: something needed is missing, so nothing was judged
   0  passed
  64  wrong usage
  70  a fault of Leasehold itself

Environment:
  LEASEHOLD_HOME  where keys, trust, tape and caches are (default: the user's data folder)
  LEASEHOLD_LOG   what to log on standard error, `debug` for instance (default: nothing)
  NO_COLOR        no colour, whatever the terminal can do";

/// From what matters most to what matters least.
const RANK: [u8; 8] = [
    INTEGRITY, REFUSED, EXHAUSTED, FAILED, BLOCKED, FAULT, USAGE, PASSED,
];

/// The exit code of a kind of failure.
pub(crate) fn of(class: Class) -> u8 {
    class.exit_code()
}

/// The one of two exit codes that a caller has to hear of.
pub(crate) fn worse(one: u8, other: u8) -> u8 {
    RANK.into_iter()
        .find(|code| *code == one || *code == other)
        .unwrap_or(FAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_these_codes_in_this_order() {
        let mut classes = [
            Class::Fault,
            Class::Usage,
            Class::Blocked,
            Class::Failed,
            Class::Exhausted,
            Class::Refused,
            Class::Integrity,
        ];
        classes.sort_by_key(|class| class.rank());
        let codes: Vec<u8> = classes.into_iter().map(of).collect();
        assert_eq!(codes, RANK[..7]);
    }

    #[test]
    fn only_two_passes_make_a_pass() {
        assert_eq!(worse(PASSED, PASSED), PASSED);
        for code in [FAILED, INTEGRITY, REFUSED, EXHAUSTED, BLOCKED, USAGE, FAULT] {
            assert_eq!(worse(code, PASSED), code);
            assert_eq!(worse(PASSED, code), code);
        }
    }

    #[test]
    fn integrity_outranks_everything_and_failed_outranks_blocked() {
        for code in RANK {
            assert_eq!(worse(code, INTEGRITY), INTEGRITY);
        }
        assert_eq!(worse(BLOCKED, FAILED), FAILED);
    }
}
