//! Whether a right to write and a protected file may meet.

use leasehold_lease::{Pattern, RelPath};

/// Whether something that the pattern allows may be protected by the rule, lie above it or below it. Sound, not complete:
/// `false` is always right; `true` may also mean that it was not found out.
pub(super) fn may_meet(allowed: &Pattern, rule: &Pattern) -> bool {
    let ours: Vec<&str> = allowed.as_str().split('/').collect();
    let theirs: Vec<&str> = rule.as_str().split('/').collect();
    // `after[j]`: what follows the current component of ours may meet what follows the first `j` of theirs. Where either
    // has ended, one lies within the other.
    let mut after = vec![true; theirs.len() + 1];
    for our in ours.iter().rev() {
        let mut row = vec![true; theirs.len() + 1];
        for (at, their) in theirs.iter().enumerate().rev() {
            let (past_ours, past_theirs, past_both) = (after[at], row[at + 1], after[at + 1]);
            row[at] = if *our == "**" || *their == "**" {
                past_ours || past_theirs
            } else {
                past_both && components_meet(our, their)
            };
        }
        after = row;
    }
    after[0]
}

/// Whether some name is matched by the first and, folded, by the second.
fn components_meet(our: &str, their: &str) -> bool {
    let is_wild = |text: &str| text.contains(['*', '?']);
    let denies =
        |pattern: &str, name: &str| match (pattern.parse::<Pattern>(), RelPath::parse(name)) {
            (Ok(pattern), Ok(name)) => pattern.denies(&name),
            _ => true,
        };
    match (is_wild(our), is_wild(their)) {
        (true, true) => true,
        (true, false) => denies(our, their),
        (false, _) => denies(their, our),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    #[test]
    fn what_may_meet_and_what_cannot() {
        for (allowed, rule) in [
            ("**", "leasehold.toml"),
            ("*", "leasehold.toml"),
            ("LEASEHOLD.*", "leasehold.toml"),
            ("Leasehold.toml", "leasehold.toml"),
            ("config/models.yaml", "config/**"),
            ("config", "config/models.yaml"),
            ("Config/**", "config/models.yaml"),
            ("a/**", "**/.env"),
            ("**/*.md", "leasehold.toml"),
            ("a*", "*b"),
        ] {
            assert!(
                may_meet(&pattern(allowed), &pattern(rule)),
                "{allowed} {rule}"
            );
        }
        for (allowed, rule) in [
            ("docs/**", "leasehold.toml"),
            ("*.md", "leasehold.toml"),
            ("docs/*.md", "docs/guide.txt"),
            ("configuration/**", "config/**"),
            ("a/b", "a/c/**"),
        ] {
            assert!(
                !may_meet(&pattern(allowed), &pattern(rule)),
                "{allowed} {rule}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_cannot_meet_never_does(
            allowed in "(\\*\\*|[aAb*?]{1,2})(/(\\*\\*|[aAb*?]{1,2})){0,3}",
            rule in "(\\*\\*|[ab*?]{1,2})(/(\\*\\*|[ab*?]{1,2})){0,3}",
            name in "[aAbB]{1,2}(/[aAbB]{1,2}){0,4}",
        ) {
            let (Ok(allowed), Ok(rule)) = (allowed.parse::<Pattern>(), rule.parse::<Pattern>()) else {
                return Ok(());
            };
            let path = RelPath::parse(&name).unwrap();
            prop_assert!(may_meet(&allowed, &rule) || !(allowed.matches(&path) && rule.denies(&path)));
        }
    }
}
