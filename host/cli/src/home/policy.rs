//! The policy of the home: `policy.json`, which bounds what this home issues.

use std::path::PathBuf;

use leasehold_lease::LeaseDoc;
use leasehold_rules::Policy;
use leasehold_seal::Coded;

use super::{FILE_BYTES, Home};
use crate::failure::Failure;
use crate::{parse, rules};

impl Home {
    /// Where the policy of the home is.
    pub(crate) fn policy_path(&self) -> PathBuf {
        self.folder.join("policy.json")
    }

    /// The policy of the home, if there is one.
    ///
    /// # Errors
    /// When there is a file and it is no policy, or its own examples do not hold.
    pub(crate) fn policy(&self) -> Result<Option<Policy>, Failure> {
        let path = self.policy_path();
        // A link that leads nowhere is a policy that cannot be read, not one that is not there.
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let bytes = parse::file("policy", &path, FILE_BYTES)?;
        Policy::parse(&bytes)
            .map(Some)
            .map_err(|errors| rules::failed(&errors).detail(format!("in {}", path.display())))
    }

    /// Refuses a lease that goes beyond the policy of the home.
    ///
    /// # Errors
    /// `POLICY-WIDER` with every excess and the rule it goes beyond.
    pub(crate) fn check_policy(&self, lease: &LeaseDoc) -> Result<(), Failure> {
        match self.policy()? {
            Some(policy) => within(&policy, lease).map_err(|failure| {
                failure.detail(format!("policy: {}", self.policy_path().display()))
            }),
            None => Ok(()),
        }
    }
}

/// Refuses a lease that goes beyond a policy.
pub(crate) fn within(policy: &Policy, lease: &LeaseDoc) -> Result<(), Failure> {
    let excess = policy.bounds(lease);
    let Some((first, others)) = excess.split_first() else {
        return Ok(());
    };
    let mut failure = Failure::of(first).detail(format!("rule {}", first.rule));
    for other in others {
        failure = failure.detail(format!("also: {other} [{}]", other.rule));
        if first.hint() != other.hint()
            && let Some(hint) = other.hint()
        {
            failure = failure.detail(format!("  hint: {hint}"));
        }
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use leasehold_seal::SecretKey;

    use super::*;
    use crate::ambient::Ambient;
    use crate::issue::{self, Terms};
    use crate::parse::Expiry;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let ambient = Ambient::of_process()
            .unwrap()
            .elsewhere(Path::new("/"), &folder.path().join("home"));
        (folder, Home::make(&ambient).unwrap())
    }

    fn lease(seconds: i64) -> LeaseDoc {
        let terms = Terms {
            audience: leasehold_lease::Audience::Any,
            holder: leasehold_lease::Holder::None,
            intent: None,
            expires: Expiry::After(seconds),
            depth: 0,
            budget: None,
        };
        let issuer = SecretKey::from_seed([1; 32]).public().key_id();
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        issue::document(issuer, terms, Vec::new(), now).unwrap()
    }

    #[test]
    fn without_a_policy_nothing_is_bounded_and_with_one_it_is() {
        let (_folder, home) = home();
        assert!(home.check_policy(&lease(86_400)).is_ok());
        let policy = r#"{"version": 1, "id": "house", "grants": [], "leases": {"longest_s": 60}}"#;
        fs::write(home.policy_path(), policy).unwrap();
        assert!(home.check_policy(&lease(60)).is_ok());
        let wider = home.check_policy(&lease(61)).unwrap_err();
        assert_eq!(wider.code, "POLICY-WIDER");
        assert!(wider.details.iter().any(|line| line == "rule house:leases"));
    }

    #[test]
    fn a_policy_that_cannot_be_read_bounds_everything() {
        let (folder, home) = home();
        fs::write(home.policy_path(), "{}x").unwrap();
        assert!(home.check_policy(&lease(60)).is_err());
        fs::remove_file(home.policy_path()).unwrap();
        std::os::unix::fs::symlink(folder.path().join("nowhere"), home.policy_path()).unwrap();
        assert!(home.check_policy(&lease(60)).is_err());
    }
}
