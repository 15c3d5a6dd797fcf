//! Which limit or rule each part of the corpus attacks, and what enforces it: the table of `docs/security.md`.

use std::fmt::Write;

use super::Entry;
use crate::rig::Fault;

/// A limit or a rule.
struct Rule {
    /// What holds.
    what: &'static str,
    /// The files that enforce it.
    by: &'static str,
    /// Names of those that attack it; `*` stands for any text.
    entries: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        what: "where a request goes: method, scheme, host, port, path",
        by: "`lease/http.rs`, `lease/http/*`, `sandbox/wasi/http/net.rs`",
        entries: &[
            "http/none",
            "http/path-*",
            "http/host-*",
            "http/port",
            "http/method*",
            "http/scheme*",
            "http/userinfo",
            "http/absolute",
            "http/redirect-*",
        ],
    },
    Rule {
        what: "which addresses a name may lead to",
        by: "`http/address.rs`, `http/client.rs`",
        entries: &["http/address-*", "http/name-unknown"],
    },
    Rule {
        what: "headers, bodies, answers and time of a request",
        by: "`http/outgoing.rs`, `http/exchange.rs`, `http/patience.rs`, `sandbox/wasi/http/streams.rs`",
        entries: &[
            "http/smuggle",
            "http/header-*",
            "http/answer-*",
            "http/body-*",
            "http/held",
            "http/dripping",
            "http/sleep",
            "http/at-once",
            "http/flood",
        ],
    },
    Rule {
        what: "sockets and names: none but through `wasi:http`",
        by: "`sandbox/engine.rs`",
        entries: &["http/sockets", "http/udp", "http/resolve"],
    },
    Rule {
        what: "secrets",
        by: "`sandbox/secrets.rs`, `http/outgoing.rs`, `http/redact.rs`",
        entries: &["http/secret-*"],
    },
    Rule {
        what: "fuel (`limits.fuel`)",
        by: "`sandbox/limits.rs`, every function in `sandbox/wasi`",
        entries: &[
            "probe/spin",
            "probe/work",
            "probe/fill-memory",
            "probe/random",
            "probe/tiny-reads",
            "wat/start-loop*",
            "gate/spin",
            "gate/progress",
        ],
    },
    Rule {
        what: "time (`limits.wall_ms`)",
        by: "`sandbox/guest.rs`, `sandbox/wasi/clocks.rs`",
        entries: &["probe/spin-time", "probe/sleep"],
    },
    Rule {
        what: "memory (`limits.memory_bytes`)",
        by: "`sandbox/limits.rs`",
        entries: &[
            "probe/eat-memory*",
            "wat/two-memories",
            "wat/multi-memory",
            "wat/initial-*",
            "wat/grow-table",
        ],
    },
    Rule {
        what: "stack",
        by: "`sandbox/config.rs`",
        entries: &["probe/recurse"],
    },
    Rule {
        what: "output (`limits.output_bytes`)",
        by: "`sandbox/state.rs`",
        entries: &[
            "probe/stdout",
            "probe/stderr",
            "gate/attach*",
            "gate/findings",
            "adapter/flood",
        ],
    },
    Rule {
        what: "log",
        by: "`sandbox/wasi/plugin.rs`",
        entries: &["gate/log*"],
    },
    Rule {
        what: "handles and open files (`limits.open_files`)",
        by: "`sandbox/limits.rs`",
        entries: &[
            "probe/open-many",
            "wat/guest-handles",
            "wat/pollable-flood",
            "gate/walk-flood",
        ],
    },
    Rule {
        what: "bytes of one host call",
        by: "`sandbox/limits.rs`",
        entries: &["probe/transfer", "adapter/transfer"],
    },
    Rule {
        what: "written bytes (`limits.write_bytes`)",
        by: "`files/content.rs`",
        entries: &["probe/write-fill", "probe/truncate"],
    },
    Rule {
        what: "an ending that is no answer is none, and is charged in full",
        by: "`sandbox/record.rs`, `sandbox/summary.rs`",
        entries: &[
            "probe/trap",
            "probe/spin-then-trap",
            "probe/panic",
            "probe/exit-undeclared",
            "gate/trap",
            "gate/panic",
        ],
    },
    Rule {
        what: "plugin, kind, arguments and configuration as granted",
        by: "`sandbox/admission.rs`",
        entries: &[
            "probe/args",
            "probe/no-args",
            "probe/another-*",
            "gate/config*",
            "gate/kind",
            "gate/secret",
            "gate/input",
        ],
    },
    Rule {
        what: "tools and answers fit their schemas",
        by: "`sandbox/schema.rs`",
        entries: &[
            "adapter/lie",
            "adapter/garble",
            "adapter/unknown-tool",
            "adapter/arguments*",
        ],
    },
    Rule {
        what: "nothing outside the workspace",
        by: "`files/resolve.rs`",
        entries: &[
            "probe/escape*",
            "probe/link-out*",
            "probe/link-absolute",
            "gate/*-escape",
        ],
    },
    Rule {
        what: "nothing that the lease does not name, or denies",
        by: "`files/rules.rs`",
        entries: &[
            "probe/*-unread",
            "probe/*-unwritten",
            "probe/create",
            "probe/mkdir",
            "probe/denied*",
            "probe/unlisted-link",
            "probe/link-write",
            "probe/rename-*",
            "probe/*-hidden",
            "gate/read-unread",
            "adapter/read-unread",
        ],
    },
    Rule {
        what: "no links made, and none that get round a rule",
        by: "`files/open.rs`, `files/change.rs`",
        entries: &[
            "probe/link",
            "probe/symlink",
            "probe/dangling",
            "probe/second-name*",
        ],
    },
    Rule {
        what: "`.git` and what the host protects",
        by: "`files/protect.rs`",
        entries: &["probe/git*", "gate/read-protected"],
    },
    Rule {
        what: "only files and folders",
        by: "`files/open.rs`",
        entries: &["probe/fifo*", "probe/socket*"],
    },
    Rule {
        what: "what does not load never runs",
        by: "`sandbox/engine.rs`, `sandbox/inspect.rs`, `sandbox/compile.rs`",
        entries: &[
            "wat/*-import",
            "wat/future-wasi",
            "wat/shared-memory",
            "wat/relaxed-simd",
            "wat/no-*",
            "wat/*-manifest*",
            "bytes/*",
        ],
    },
    Rule {
        what: "an envelope is signed by trusted keys, over the bytes received",
        by: "`seal/dsse.rs`",
        entries: &[
            "seal/envelope-*",
            "lease/untrusted-key",
            "lease/host-key",
            "lease/keyid-swapped",
            "lease/*-flipped",
            "lease/payload-type",
            "lease/one-of-two",
            "lease/same-key-twice",
            "lease/no-signature",
            "lease/weak-key",
            "lease/other-issuer",
            "lease/base64-unpadded",
        ],
    },
    Rule {
        what: "JSON has one spelling",
        by: "`seal/canonical`",
        entries: &[
            "seal/jcs-*",
            "lease/*-truncated",
            "lease/duplicate-key*",
            "lease/number-*",
            "lease/not-a-number",
            "lease/deep-nesting",
            "lease/space",
            "lease/escape",
            "lease/line-feed",
        ],
    },
    Rule {
        what: "a trust file says what it means",
        by: "`seal/trust`",
        entries: &["seal/trust-*"],
    },
    Rule {
        what: "signed notes",
        by: "`seal/note.rs`",
        entries: &["seal/note-*"],
    },
    Rule {
        what: "every field of a lease is enforced, or the lease is refused",
        by: "`lease/check.rs`",
        entries: &[
            "lease/unknown-*",
            "lease/struct-as-list",
            "lease/limit*",
            "lease/pattern-*",
            "lease/grant-twice",
            "lease/nonce-short",
            "lease/variable-name",
            "lease/version",
            "lease/parent",
            "lease/depth",
            "lease/budget",
            "lease/http",
            "lease/secrets",
            "lease/clock",
            "lease/random",
        ],
    },
    Rule {
        what: "a lease is for a time, a host and a tape",
        by: "`lease/verify.rs`",
        entries: &[
            "lease/not-yet",
            "lease/expired",
            "lease/window-empty",
            "lease/fraction-of-a-second",
            "lease/time-zone",
            "lease/other-host",
            "lease/audience-empty",
            "lease/other-tape",
        ],
    },
    Rule {
        what: "a grant is for one plugin and its arguments",
        by: "`lease/rights.rs`",
        entries: &[
            "lease/other-plugin",
            "lease/grant-unknown",
            "lease/grant-none",
            "lease/grant-ambiguous",
            "lease/args-*",
        ],
    },
    Rule {
        what: "a child lease is within its parent",
        by: "`lease/contain.rs`, `lease/chain.rs`",
        entries: &["lease/wider-*", "lease/chain-*", "lease/child-*"],
    },
    Rule {
        what: "approvals",
        by: "`lease/approval.rs`",
        entries: &["lease/approval-*"],
    },
    Rule {
        what: "the holder presents a lease",
        by: "`lease/presentation.rs`",
        entries: &["lease/holder", "lease/presentation-*"],
    },
    Rule {
        what: "revocation",
        by: "`lease/revocation.rs`",
        entries: &["lease/revocation-*"],
    },
    Rule {
        what: "budgets",
        by: "`lease/budget.rs`",
        entries: &["lease/budget-*"],
    },
    Rule {
        what: "HTTP as leased",
        by: "`lease/http`",
        entries: &["lease/http-*"],
    },
    Rule {
        what: "secrets where the lease says",
        by: "`lease/secret.rs`",
        entries: &["lease/secret-*"],
    },
    Rule {
        what: "records have one form, and each is chained to the one before",
        by: "`tape`, `audit/check.rs`",
        entries: &[
            "tape/crlf",
            "tape/nul-tail",
            "tape/no-last-line-feed",
            "tape/torn",
            "tape/empty-line",
            "tape/too-large",
            "tape/space",
            "tape/key-order",
            "tape/duplicate-key",
            "tape/integer-too-large",
            "tape/fraction",
            "tape/unknown-field",
            "tape/missing-field",
            "tape/version-2",
            "tape/seq-leading-zero",
            "tape/time-other-spelling",
            "tape/body-not-an-object",
            "tape/byte-changed",
            "tape/dropped",
            "tape/first-dropped",
            "tape/tail-dropped",
            "tape/emptied",
            "tape/doubled",
            "tape/swapped",
            "tape/inserted",
            "tape/spliced",
            "tape/replaced",
            "tape/rewritten*",
            "tape/other-*",
            "tape/opened-twice",
            "tape/not-opened",
            "tape/clock-back",
            "tape/genesis-*",
            "tape/closed-miscounted",
            "tape/recovered-later",
        ],
    },
    Rule {
        what: "the head is signed, and nothing is cut off",
        by: "`audit/heads.rs`",
        entries: &[
            "tape/open-*",
            "tape/checkpoint-*",
            "tape/cut-*",
            "tape/forked-at-least",
            "tape/at-least-stranger",
            "tape/min-records",
            "tape/closed-expected",
        ],
    },
    Rule {
        what: "calls and their charges add up",
        by: "`audit/calls.rs`",
        entries: &[
            "tape/outcome-*",
            "tape/intent-*",
            "tape/call-*",
            "tape/fuel-over",
            "tape/charge-*",
        ],
    },
    Rule {
        what: "each call had its lease, at its time",
        by: "`audit/leases.rs`",
        entries: &[
            "tape/lease-ended",
            "tape/chain-*",
            "tape/not-approved",
            "tape/approved-by-a-stranger",
            "tape/not-presented",
            "tape/presented-again",
            "tape/presentation-*",
            "tape/key-rotated-to-itself",
        ],
    },
    Rule {
        what: "no budget is overdrawn",
        by: "`audit/budgets.rs`",
        entries: &["tape/budget-*"],
    },
    Rule {
        what: "no revoked lease, no older list",
        by: "`audit/lists.rs`",
        entries: &[
            "tape/revoked-*",
            "tape/list-*",
            "tape/lease-without-list",
            "tape/lease-against-*",
        ],
    },
    Rule {
        what: "each request was within its grant",
        by: "`audit/requests.rs`",
        entries: &["tape/request-*", "tape/answer-after-its-call"],
    },
    Rule {
        what: "a policy that is not well-formed is none",
        by: "`rules/policy`",
        entries: &[
            "policy/duplicate_key",
            "policy/example_*",
            "policy/fraction",
            "policy/http_*",
            "policy/limit_range",
            "policy/money",
            "policy/must_run_reads_nothing",
            "policy/negative_money",
            "policy/no_limits",
            "policy/not_json",
            "policy/operation_of_another_kind",
            "policy/pattern_*",
            "policy/rule_*",
            "policy/shell_command",
            "policy/skip_without_read",
            "policy/two_forms",
            "policy/unknown_*",
        ],
    },
    Rule {
        what: "only operations that the policy allows",
        by: "`rules/policy/operations.rs`",
        entries: &["policy/*-under-*"],
    },
];

/// The table, as it stands in `docs/security.md`.
///
/// # Errors
/// When an entry attacks no rule or two, or a rule has none.
pub fn document(entries: &[Entry]) -> Result<String, Fault> {
    let mut out = String::from("| limit or rule | enforced by | attacked by |\n|---|---|---|\n");
    for rule in RULES {
        let mut attacks = Vec::new();
        for pattern in rule.entries {
            let count = entries
                .iter()
                .filter(|entry| fits(pattern, &entry.name))
                .count();
            attacks.push(match count {
                0 => return Err(format!("{}: {pattern} is nobody's name", rule.what).into()),
                1 => format!("`{pattern}`"),
                many => format!("`{pattern}` ({many})"),
            });
        }
        writeln!(
            out,
            "| {} | {} | {} |",
            rule.what,
            rule.by,
            attacks.join(", ")
        )?;
    }
    for entry in entries {
        let patterns = RULES.iter().flat_map(|rule| rule.entries);
        let count = patterns
            .filter(|pattern| fits(pattern, &entry.name))
            .count();
        if count != 1 {
            return Err(format!("{} attacks {count} rules", entry.name).into());
        }
    }
    Ok(out)
}

/// Whether a name is of this form.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| fits(after, rest)))
        }),
    }
}
