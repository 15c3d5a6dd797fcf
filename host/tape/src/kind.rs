//! What a record is about.

use std::fmt;

/// Longest text of a kind, in bytes.
const MAX_TEXT: usize = 64;

macro_rules! kinds {
    ($($name:ident = $text:literal, $doc:literal;)*) => {
        /// The kind of a record, written as text such as `call.intent`.
        ///
        /// The tape knows the frame of every record; what the body of a kind holds belongs to the
        /// crate that writes it. A kind this version does not know is kept as [`Kind::Other`].
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $(#[doc = $doc] $name,)*
            /// A kind this version does not know; its text is well-formed.
            Other(String),
        }

        impl Kind {
            /// The text as it stands in the record.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Kind::$name => $text,)*
                    Kind::Other(text) => text,
                }
            }

            /// Reads a kind; `None` when the text is not of the form `word.word`: lower-case ASCII
            /// letters, digits, `_` and `-`, at least two words, at most 64 bytes.
            pub fn parse(text: &str) -> Option<Kind> {
                match text {
                    $($text => Some(Kind::$name),)*
                    other => well_formed(other).then(|| Kind::Other(other.to_owned())),
                }
            }
        }
    };
}

kinds! {
    TapeOpened = "tape.opened", "The first record of a tape.";
    TapeRecovered = "tape.recovered", "A torn tail was saved aside and cut.";
    TapeClosed = "tape.closed", "A session ended; a checkpoint over this record follows.";
    RunStarted = "run.started", "A pipeline run began.";
    RunFinished = "run.finished", "A pipeline run ended.";
    RunDenied = "run.denied", "A pipeline run was refused before anything ran.";
    LeaseIssued = "lease.issued", "A lease was signed here.";
    LeaseVerified = "lease.verified", "A lease was verified and may be used.";
    LeaseDenied = "lease.denied", "A lease was refused.";
    LeaseRevoked = "lease.revoked", "A revocation list was put in force.";
    LeaseExpired = "lease.expired", "A lease expired while in use.";
    KeyRotated = "key.rotated", "A key was replaced.";
    CallIntent = "call.intent", "A call is about to start.";
    CallOutcome = "call.outcome", "A call ended.";
    AccessDenied = "access.denied", "A plugin asked for something its rights do not hold.";
    EffectHttp = "effect.http", "A request is about to be sent.";
    EffectHttpAnswered = "effect.http-answered", "What became of a request.";
    ResourceSampled = "resource.sampled", "A reading of resource use.";
    ArtifactStored = "artifact.stored", "Something was put in the content store.";
    WorkspaceCreated = "workspace.created", "A step tree was made.";
    PatchWritten = "patch.written", "A step's changes were written as a patch.";
    CommitApplied = "commit.applied", "A step's changes were brought back.";
    RollbackDone = "rollback.done", "Changes that were under way were taken back.";
    GateVerdict = "gate.verdict", "What a gate said.";
    CacheHit = "cache.hit", "A recorded result was used again.";
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

fn well_formed(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
    };
    text.len() <= MAX_TEXT && text.contains('.') && text.split('.').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_kinds_keep_their_text() {
        assert_eq!(Kind::parse("call.intent"), Some(Kind::CallIntent));
        assert_eq!(Kind::CallIntent.to_string(), "call.intent");
        let other = Kind::parse("effect.http-sent").unwrap();
        assert_eq!(other, Kind::Other("effect.http-sent".to_owned()));
        assert_eq!(other.as_str(), "effect.http-sent");
    }

    #[test]
    fn a_kind_that_begins_like_a_known_one_is_another() {
        assert_eq!(Kind::parse("effect.http"), Some(Kind::EffectHttp));
        let answered = Kind::parse("effect.http-answered");
        assert_eq!(answered, Some(Kind::EffectHttpAnswered));
    }

    #[test]
    fn malformed_kinds_are_refused() {
        let long = format!("a.{}", "b".repeat(MAX_TEXT));
        for text in [
            "",
            "call",
            ".",
            "call.",
            ".intent",
            "Call.intent",
            "a..b",
            "a.b c",
            "a.\"",
            &long,
        ] {
            assert_eq!(Kind::parse(text), None, "{text:?}");
        }
    }
}
