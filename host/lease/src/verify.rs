//! From a signed envelope to a lease that is good here and now.

use leasehold_seal::{Class, Digest, Envelope, KeyId, PayloadType, Role, Timestamp, Trust};

use crate::check;
use crate::document::{Audience, Grant, LeaseDoc};
use crate::refusal::Refusal;
use crate::rights::{Rights, check_window};

/// A lease whose signatures, form, window and audience were checked. Only [`verify`] makes one:
///
/// ```compile_fail,E0451
/// fn pretend(id: leasehold_seal::Digest, document: leasehold_lease::LeaseDoc) -> leasehold_lease::Verified {
///     leasehold_lease::Verified { id, document, signers: Vec::new() }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Verified {
    id: Digest,
    document: LeaseDoc,
    signers: Vec<KeyId>,
}

/// Verifies a lease for this host at this time. The order of the checks is fixed; the first that fails is reported:
///
/// 1. the envelope: payload type, signatures of as many trusted issuers as the trust file asks for, at `now`;
/// 2. the document: canonical JSON, every field, every range ([`LeaseDoc::parse`]);
/// 3. the issuer it names is among those who signed;
/// 4. `now` lies in [`not_before`, `expires`);
/// 5. the audience contains `host`, and `tape` where it names a tape;
/// 6. it asks only for what this version enforces.
///
/// # Errors
/// [`Refusal`]: the codes of `leasehold-seal` for 1 and 2; `LEASE-FORMAT`, `LEASE-LIMIT`, `LEASE-WINDOW`,
/// `PATTERN-FORMAT`, `LEASE-ISSUER`, `LEASE-NOT-YET`, `LEASE-EXPIRED`, `LEASE-AUDIENCE`, `LEASE-UNSUPPORTED`.
pub fn verify(
    envelope: &Envelope,
    trust: &Trust,
    host: &KeyId,
    tape: Option<&Digest>,
    now: Timestamp,
) -> Result<Verified, Refusal> {
    let opened = envelope.open(PayloadType::LEASE, Role::Issuer, trust, now)?;
    let document = LeaseDoc::parse(opened.payload())?;
    if !opened.signers().contains(&document.issuer) {
        let message = format!(
            "the lease names {} as its issuer, but that key has not signed it",
            document.issuer
        );
        return Err(Refusal::new("LEASE-ISSUER", Class::Integrity, message)
            .with_hint("have the lease signed by the issuer it names"));
    }
    check_window(document.not_before, document.expires, now)?;
    check_audience(&document.audience, host, tape)?;
    check::supported(&document)?;
    Ok(Verified {
        id: opened.id(),
        signers: opened.signers().to_vec(),
        document,
    })
}

impl Verified {
    /// The lease's id: SHA-256 of what was signed (the pre-authentication encoding), so signing again keeps it.
    #[must_use]
    pub fn id(&self) -> Digest {
        self.id
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &LeaseDoc {
        &self.document
    }

    /// The trusted issuers whose signatures were verified.
    #[must_use]
    pub fn signers(&self) -> &[KeyId] {
        &self.signers
    }

    /// The rights of the one grant for this plugin.
    ///
    /// # Errors
    /// `GRANT-MISSING` when the lease has no grants, `PLUGIN-MISMATCH` when they are all for other plugins,
    /// `GRANT-AMBIGUOUS` when more than one is for this plugin.
    pub fn rights_for(&self, plugin: &Digest) -> Result<Rights, Refusal> {
        let mut grants = self
            .document
            .grants
            .iter()
            .filter(|grant| grant.plugin == *plugin);
        match (grants.next(), grants.next()) {
            (Some(grant), None) => self.rights_of(grant),
            (Some(first), Some(second)) => {
                let message = format!(
                    "more than one grant is for the plugin {plugin}: {:?}, {:?}",
                    first.id, second.id
                );
                Err(Refusal::new("GRANT-AMBIGUOUS", Class::Refused, message)
                    .with_hint("say which grant to use"))
            }
            (None, _) if self.document.grants.is_empty() => {
                Err(
                    Refusal::new("GRANT-MISSING", Class::Refused, "the lease has no grants")
                        .with_hint("have a lease issued that has a grant for this plugin"),
                )
            }
            (None, _) => {
                let message = format!("no grant of the lease is for the plugin {plugin}");
                let hint = format!(
                    "the lease is for {}; was the plugin changed since?",
                    self.plugins()
                );
                Err(Refusal::new("PLUGIN-MISMATCH", Class::Refused, message).with_hint(hint))
            }
        }
    }

    /// The rights of the grant of this name. The caller checks the plugin with [`Rights::check_plugin`].
    ///
    /// # Errors
    /// `GRANT-MISSING` when there is none.
    pub fn rights(&self, grant_id: &str) -> Result<Rights, Refusal> {
        match self
            .document
            .grants
            .iter()
            .find(|grant| grant.id == grant_id)
        {
            Some(grant) => self.rights_of(grant),
            None => {
                let ids: Vec<&str> = self
                    .document
                    .grants
                    .iter()
                    .map(|grant| grant.id.as_str())
                    .collect();
                let message = format!("the lease has no grant {grant_id:?}");
                let hint = format!(
                    "its grants are: {}",
                    if ids.is_empty() {
                        "none".into()
                    } else {
                        ids.join(", ")
                    }
                );
                Err(Refusal::new("GRANT-MISSING", Class::Refused, message).with_hint(hint))
            }
        }
    }

    fn rights_of(&self, grant: &Grant) -> Result<Rights, Refusal> {
        Rights::of_grant(self.id, &self.document, grant)
    }

    fn plugins(&self) -> String {
        let plugins: Vec<String> = self
            .document
            .grants
            .iter()
            .map(|grant| format!("{} ({})", grant.plugin, grant.id))
            .collect();
        plugins.join(", ")
    }
}

fn check_audience(audience: &Audience, host: &KeyId, tape: Option<&Digest>) -> Result<(), Refusal> {
    let Audience::Hosts(entries) = audience else {
        return Ok(());
    };
    let fits = |named: &Option<Digest>| named.is_none() || named.as_ref() == tape;
    if entries
        .iter()
        .any(|entry| entry.host == *host && fits(&entry.tape))
    {
        return Ok(());
    }
    let message = if entries.iter().any(|entry| entry.host == *host) {
        "the lease is for another tape of this host".to_owned()
    } else {
        format!("the lease is not for this host, whose key is {host}")
    };
    Err(Refusal::new("LEASE-AUDIENCE", Class::Refused, message)
        .with_hint("have a lease issued whose audience names this host"))
}
