//! What a plugin may do: decisions on one verified grant.

mod body;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use leasehold_seal::{Class, Digest, Timestamp};

use crate::budget::HopBudget;
use crate::chain::{Hop, no_envelope};
use crate::document::{Audience, Clock, EnvGrant, FileGrant, Grant, Holder, Kind, Random};
use crate::fold::is_protected_name;
use crate::http::HttpGrant;
use crate::limits::Limits;
use crate::path::RelPath;
use crate::pattern::{FoldedPath, Pattern};
use crate::refusal::Refusal;
use crate::revocation::ListSeen;
use crate::secret::SecretGrant;

pub(crate) use body::Body;

/// What remains after verification (and narrowing). The sandbox accepts nothing else.
///
/// There is no way to make one but [`crate::Verified::rights`], [`crate::Verified::rights_for`] and
/// [`Rights::narrow`]:
///
/// ```compile_fail,E0451
/// fn widen(rights: leasehold_lease::Rights) -> leasehold_lease::Rights {
///     leasehold_lease::Rights { ..rights }
/// }
/// ```
/// ```compile_fail,E0616
/// fn widen(mut rights: leasehold_lease::Rights) {
///     rights.body.limits.fuel = u64::MAX;
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Rights {
    body: Arc<Body>,
    digest: Digest,
    /// Of the leases of the chain that state one, leaf first.
    budgets: Arc<[HopBudget]>,
    revocations: Option<ListSeen>,
}

impl Rights {
    /// Whether a call may start now.
    ///
    /// # Errors
    /// `LEASE-NOT-YET` or `LEASE-EXPIRED`.
    pub fn check_time(&self, now: Timestamp) -> Result<(), Refusal> {
        check_window(self.body.not_before, self.body.expires, now)
    }

    /// Whether the rights are for the plugin with this digest.
    ///
    /// # Errors
    /// `PLUGIN-MISMATCH`.
    pub fn check_plugin(&self, plugin: &Digest) -> Result<(), Refusal> {
        if self.body.plugin == *plugin {
            return Ok(());
        }
        let message = format!(
            "the grant {:?} is not for the plugin {plugin}",
            self.body.grant
        );
        let hint = format!(
            "it is for {}; was the plugin changed since?",
            self.body.plugin
        );
        Err(Refusal::new("PLUGIN-MISMATCH", Class::Refused, message).with_hint(hint))
    }

    /// Whether the plugin may be given exactly these arguments.
    #[must_use]
    pub fn allows_args(&self, args: &[String]) -> bool {
        self.body.args.iter().any(|allowed| allowed == args)
    }

    /// As [`Rights::allows_args`], with a refusal that says what is allowed.
    ///
    /// # Errors
    /// `ARGS-DENIED`.
    pub fn check_args(&self, args: &[String]) -> Result<(), Refusal> {
        if self.allows_args(args) {
            return Ok(());
        }
        let message = format!(
            "the grant {:?} does not allow the arguments {args:?}",
            self.body.grant
        );
        let allowed: Vec<String> = self
            .body
            .args
            .iter()
            .take(8)
            .map(|vector| format!("{vector:?}"))
            .collect();
        let rest = if self.body.args.len() > allowed.len() {
            ", …"
        } else {
            ""
        };
        let hint = format!("allowed, each as a whole: {}{rest}", allowed.join(", "));
        Err(Refusal::new("ARGS-DENIED", Class::Refused, message).with_hint(hint))
    }

    /// Whether the plugin may be given the configuration with this digest; `None`: no configuration.
    #[must_use]
    pub fn allows_config(&self, config: Option<&Digest>) -> bool {
        self.body.config.as_ref() == config
    }

    /// The environment the plugin sees, given the host's environment.
    pub fn environment(&self, host: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
        let passed = self
            .body
            .env
            .pass
            .iter()
            .filter_map(|name| Some((name.clone(), host(name)?)));
        passed.chain(self.body.env.set.clone()).collect()
    }

    /// Whether name, kind and size of this path may be seen.
    #[must_use]
    pub fn can_list(&self, path: &RelPath) -> bool {
        self.allowed(&self.body.files.list, path)
    }

    /// Whether the content at this path may be read.
    #[must_use]
    pub fn can_read(&self, path: &RelPath) -> bool {
        self.allowed(&self.body.files.read, path)
    }

    /// Whether what is at this path may be made, changed and removed.
    #[must_use]
    pub fn can_write(&self, path: &RelPath) -> bool {
        self.allowed(&self.body.files.write, path)
    }

    /// Whether the path is denied whatever the allowing lists say: by a deny rule, or because a component of it is
    /// protected ([`is_protected_name`]).
    #[must_use]
    pub fn denied(&self, path: &RelPath) -> bool {
        if path.components().any(is_protected_name) {
            return true;
        }
        if self.body.files.deny.is_empty() {
            return false;
        }
        let folded = FoldedPath::new(path);
        self.body
            .files
            .deny
            .iter()
            .any(|rule| rule.denies_folded(&folded))
    }

    /// Whether a deny rule denies this path or could deny something below it. Of protected names only those in the
    /// path itself are considered: below any directory there may be one, which only a look at the tree can tell.
    #[must_use]
    pub fn may_deny_within(&self, path: &RelPath) -> bool {
        if path.components().any(is_protected_name) {
            return true;
        }
        let folded = FoldedPath::new(path);
        self.body
            .files
            .deny
            .iter()
            .any(|rule| rule.may_deny_within_folded(&folded))
    }

    /// Whether the directory is not denied and something strictly below it could be listed, read or written, so that
    /// walking through it is of use.
    #[must_use]
    pub fn on_the_way(&self, directory: &RelPath) -> bool {
        let files = &self.body.files;
        let mut lists = files.list.iter().chain(&files.read).chain(&files.write);
        lists.any(|pattern| pattern.may_match_below(directory)) && !self.denied(directory)
    }

    /// Whether the lease has deny rules. Protected names, which are always denied, are not counted.
    #[must_use]
    pub fn has_deny(&self) -> bool {
        !self.body.files.deny.is_empty()
    }

    /// Whether one of the read patterns is `**`.
    #[must_use]
    pub fn reads_everything(&self) -> bool {
        self.body.files.read.iter().any(Pattern::is_everything)
    }

    /// Whether anything at all may be written.
    #[must_use]
    pub fn may_change_anything(&self) -> bool {
        !self.body.files.write.is_empty()
    }

    /// Whether a call may leave something behind or depend on what cannot be had again: it may write, send HTTP requests or
    /// be given a secret. Whether its uses are counted is told by [`Rights::budgets`].
    #[must_use]
    pub fn has_effects(&self) -> bool {
        self.may_change_anything() || !self.body.http.is_empty() || !self.body.secrets.is_empty()
    }

    /// SHA-256 over the canonical JSON of all of this, as `docs/lease.md` describes it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The JSON over which [`Rights::digest`] goes: canonical, with everything these rights consist of.
    ///
    /// # Errors
    /// None that is known; the same JSON was written when the rights were made.
    pub fn to_json(&self) -> Result<Vec<u8>, Refusal> {
        self.body.to_json()
    }

    /// SHA-256 over the canonical JSON of what a call under these rights may do: without where they come from, where they are good
    /// and until when. Two calls that are equal but for their leases have the same.
    ///
    /// # Errors
    /// None that is known; the same values were written when the rights were made.
    pub fn effect_digest(&self) -> Result<Digest, Refusal> {
        self.body.effect_digest()
    }

    /// Ids of the lease and of those it descends from, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[Digest] {
        &self.body.chain
    }

    /// How many leases the chain has; 1 for a root lease.
    #[must_use]
    pub fn hops(&self) -> usize {
        self.body.chain.len()
    }

    /// The budgets of the leases of the chain, leaf first; those that state none are left out. Narrowing keeps them.
    #[must_use]
    pub fn budgets(&self) -> &[HopBudget] {
        &self.budgets
    }

    /// The revocation list the chain was checked against, if one was in use.
    #[must_use]
    pub fn revocations(&self) -> Option<ListSeen> {
        self.revocations
    }

    /// Name of the grant within the lease.
    #[must_use]
    pub fn grant(&self) -> &str {
        &self.body.grant
    }

    /// SHA-256 of the plugin.
    #[must_use]
    pub fn plugin(&self) -> Digest {
        self.body.plugin
    }

    /// What the plugin is used as.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.body.kind
    }

    /// SHA-256 of the only configuration the plugin may be given; `None`: none.
    #[must_use]
    pub fn config(&self) -> Option<Digest> {
        self.body.config
    }

    /// The argument vectors that are allowed; at least one, which may be empty.
    #[must_use]
    pub fn args(&self) -> &[Vec<String>] {
        &self.body.args
    }

    /// The file patterns.
    #[must_use]
    pub fn files(&self) -> &FileGrant {
        &self.body.files
    }

    /// The environment variables.
    #[must_use]
    pub fn env(&self) -> &EnvGrant {
        &self.body.env
    }

    /// The HTTP requests that may be sent.
    #[must_use]
    pub fn http(&self) -> &[HttpGrant] {
        &self.body.http
    }

    /// The secrets, and where the host puts them.
    #[must_use]
    pub fn secrets(&self) -> &[SecretGrant] {
        &self.body.secrets
    }

    /// The clock the plugin sees.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.body.clock
    }

    /// Where the plugin's randomness comes from.
    #[must_use]
    pub fn random(&self) -> Random {
        self.body.random
    }

    /// The most a call may use.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.body.limits
    }

    /// First moment of validity.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.body.not_before
    }

    /// First moment at which the rights are gone.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.body.expires
    }

    /// First moment of validity and first moment after it, over all leases of the chain and all narrowing.
    #[must_use]
    pub fn window(&self) -> (Timestamp, Timestamp) {
        (self.body.not_before, self.body.expires)
    }

    /// The hosts on which the lease is good.
    #[must_use]
    pub fn audience(&self) -> &Audience {
        &self.body.audience
    }

    /// Who may use the lease.
    #[must_use]
    pub fn holder(&self) -> Holder {
        self.body.holder
    }

    /// The rights of a grant of the leaf of a chain.
    pub(crate) fn of_grant(
        hops: &[Hop],
        budgets: &Arc<[HopBudget]>,
        grant: &Grant,
    ) -> Result<Self, Refusal> {
        let leaf = hops.first().ok_or_else(no_envelope)?.document();
        let documents = || hops.iter().map(Hop::document);
        let body = Body {
            version: 1,
            chain: hops.iter().map(Hop::id).collect(),
            grant: grant.id.clone(),
            plugin: grant.plugin,
            kind: grant.kind,
            config: grant.config,
            args: args_or_empty(&grant.args).into_owned(),
            files: grant.files.clone(),
            env: grant.env.clone(),
            http: grant.http.clone(),
            secrets: grant.secrets.clone(),
            clock: grant.clock,
            random: grant.random,
            limits: grant.limits,
            not_before: documents().fold(leaf.not_before, |latest, hop| latest.max(hop.not_before)),
            expires: documents().fold(leaf.expires, |first, hop| first.min(hop.expires)),
            audience: leaf.audience.clone(),
            holder: leaf.holder,
        };
        Self::new(body, Arc::clone(budgets), None)
    }

    /// Rights of the same chain.
    pub(crate) fn with_body(&self, body: Body) -> Result<Self, Refusal> {
        Self::new(body, Arc::clone(&self.budgets), self.revocations)
    }

    /// The same rights, after the chain was held to this revocation list.
    pub(crate) fn checked_against(self, revocations: Option<ListSeen>) -> Self {
        Self {
            revocations,
            ..self
        }
    }

    pub(crate) fn body(&self) -> &Body {
        &self.body
    }

    fn new(
        body: Body,
        budgets: Arc<[HopBudget]>,
        revocations: Option<ListSeen>,
    ) -> Result<Self, Refusal> {
        let json = body.to_json()?;
        Ok(Self {
            digest: Digest::of(&json),
            body: Arc::new(body),
            budgets,
            revocations,
        })
    }

    fn allowed(&self, patterns: &[Pattern], path: &RelPath) -> bool {
        patterns.iter().any(|pattern| pattern.matches(path)) && !self.denied(path)
    }
}

/// The window is closed at its start and open at its end.
pub(crate) fn check_window(
    not_before: Timestamp,
    expires: Timestamp,
    now: Timestamp,
) -> Result<(), Refusal> {
    if now < not_before {
        let message = format!("the lease is not valid before {not_before}; it is {now} now");
        return Err(Refusal::new("LEASE-NOT-YET", Class::Refused, message)
            .with_hint("wait until then, and check the clock of this host"));
    }
    if now >= expires {
        let message = format!("the lease expired at {expires}; it is {now} now");
        return Err(Refusal::new("LEASE-EXPIRED", Class::Refused, message)
            .with_hint("have a new lease issued"));
    }
    Ok(())
}

/// No vector at all means: only the empty one.
pub(crate) fn args_or_empty(vectors: &[Vec<String>]) -> Cow<'_, [Vec<String>]> {
    if vectors.is_empty() {
        Cow::Owned(vec![Vec::new()])
    } else {
        Cow::Borrowed(vectors)
    }
}
