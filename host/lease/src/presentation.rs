//! Presentations: how the holder of a lease shows that it is the holder, to one host, for a short time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leasehold_seal::{
    Class, Digest, Envelope, KeyId, PayloadType, SecretKey, Timestamp, canonical,
};
use serde::{Deserialize, Serialize};

use crate::check;
use crate::child::public_key;
use crate::document::{Holder, VERSION};
use crate::refusal::{Refusal, check_type};

/// How far ahead a presentation may end, in milliseconds: ten minutes.
pub const MAX_PRESENTATION_MS: i64 = 600_000;

const PRESENTATIONS: PayloadType =
    PayloadType::new("application/vnd.leasehold.presentation.v1+json");

/// "I, the holder of this lease, present it to this host." Serves one session: the tape of the host remembers the nonce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presentation {
    /// Format version; [`VERSION`].
    pub version: u64,
    /// Id of the lease, which is the first of its chain.
    pub lease: Digest,
    /// Key id of the host it is presented to.
    pub host: KeyId,
    /// The public key of the holder: standard base64 of the DER of its SPKI.
    pub key: String,
    /// 16 to 64 characters of the URL-safe base64 alphabet, never used before.
    pub nonce: String,
    /// First moment at which the presentation is no longer good; at most ten minutes ahead.
    pub expires: Timestamp,
}

impl Presentation {
    /// Makes a presentation and signs it as the holder.
    ///
    /// # Errors
    /// `PRESENTATION-FORMAT` for a nonce that is none, and what signing refuses.
    pub fn sign(
        lease: Digest,
        host: KeyId,
        nonce: impl Into<String>,
        expires: Timestamp,
        holder: &SecretKey,
    ) -> Result<Envelope, Refusal> {
        let presentation = Self {
            version: VERSION,
            lease,
            host,
            key: STANDARD.encode(holder.public().spki_der()),
            nonce: nonce.into(),
            expires,
        };
        presentation.check_form()?;
        let payload = canonical::to_vec(&presentation)?;
        Ok(Envelope::sign(PRESENTATIONS, payload, &[holder])?)
    }

    /// Reads the payload of an envelope and checks its form; verifies nothing.
    ///
    /// # Errors
    /// `PAYLOAD-TYPE`, `PRESENTATION-FORMAT` or a `JSON-…` code.
    pub fn read(envelope: &Envelope) -> Result<Self, Refusal> {
        check_type(envelope, PRESENTATIONS)?;
        let presentation: Self = canonical::from_slice(envelope.unverified_payload())
            .map_err(|error| Refusal::json("PRESENTATION-FORMAT", "the presentation", error))?;
        presentation.check_form()?;
        Ok(presentation)
    }

    /// Reads a presentation and verifies that the holder of this key has signed it.
    pub(crate) fn open(envelope: &Envelope, holder: &KeyId) -> Result<Self, Refusal> {
        // Read before it is verified, since the key to verify it with is in it.
        let presentation = Self::read(envelope)?;
        let key = public_key(&presentation.key, |problem| {
            malformed(format!("the key of the presentation {problem}"))
        })?;
        if key.key_id() != *holder {
            let message = format!(
                "the presentation is signed with {}, the holder of the lease is {holder}",
                key.key_id()
            );
            return Err(Refusal::new("PRESENTATION-KEY", Class::Refused, message)
                .with_hint("only the holder of a lease can present it"));
        }
        envelope.open_as(PRESENTATIONS, &key)?;
        Ok(presentation)
    }

    /// Whether it is for this lease, this host and this time.
    pub(crate) fn check(
        &self,
        lease: &Digest,
        host: &KeyId,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let refused = |code: &'static str, message: String| {
            Err(Refusal::new(code, Class::Refused, message).with_hint(PRESENT_AGAIN))
        };
        if self.lease != *lease {
            let message = format!("the presentation is of {}, not of {lease}", self.lease);
            return refused("PRESENTATION-LEASE", message);
        }
        if self.host != *host {
            let message = format!("the presentation is to {}, not to {host}", self.host);
            return refused("PRESENTATION-HOST", message);
        }
        if now >= self.expires {
            let message = format!(
                "the presentation ended at {}; it is {now} now",
                self.expires
            );
            return refused("PRESENTATION-EXPIRED", message);
        }
        if self.expires.millis_since(now) > MAX_PRESENTATION_MS {
            let message = format!(
                "the presentation ends at {}, more than ten minutes from now, {now}",
                self.expires
            );
            return refused("PRESENTATION-LONG", message);
        }
        Ok(())
    }

    fn check_form(&self) -> Result<(), Refusal> {
        if self.version != VERSION {
            return Err(malformed(format!(
                "the presentation has version {}; this version reads {VERSION}",
                self.version
            )));
        }
        if !check::is_nonce(&self.nonce) {
            return Err(malformed(
                "the nonce of the presentation is not 16 to 64 of A-Z, a-z, 0-9, - and _",
            ));
        }
        Ok(())
    }
}

/// Whether what was presented is what the lease asks for; `open` verifies the envelope for the holder's key.
pub(crate) fn check_holder<P: AsRef<Presentation>>(
    holder: &Holder,
    presented: Option<&Envelope>,
    open: impl FnOnce(&Envelope, &KeyId) -> Result<P, Refusal>,
) -> Result<Option<P>, Refusal> {
    match (holder, presented) {
        (Holder::None, None) => Ok(None),
        (Holder::Key(key), Some(envelope)) => open(envelope, key).map(Some),
        (Holder::Key(key), None) => {
            let message = format!("the lease is for the holder of {key}, who has not presented it");
            Err(Refusal::new("HOLDER-MISSING", Class::Refused, message).with_hint(PRESENT_AGAIN))
        }
        (Holder::None, Some(_)) => {
            let message = "the lease names no holder, so nobody can present it";
            Err(Refusal::new("PRESENTATION-KEY", Class::Refused, message)
                .with_hint("leave the presentation out"))
        }
    }
}

fn malformed(message: impl Into<String>) -> Refusal {
    Refusal::new("PRESENTATION-FORMAT", Class::Integrity, message)
        .with_hint("docs/lease.md lists the fields of a presentation")
}

impl AsRef<Presentation> for Presentation {
    fn as_ref(&self) -> &Presentation {
        self
    }
}

const PRESENT_AGAIN: &str = "the holder makes one for this lease and host: `leasehold lease present LEASE --host ID --key NAME`";
