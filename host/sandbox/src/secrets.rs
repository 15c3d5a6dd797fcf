//! The secrets of one call: fetched when it is admitted, taken out of everything it says, gone when it is over.

use std::sync::Arc;

use leasehold_http::{Placed, Redactor, Secret};
use leasehold_lease::{Rights, SecretGrant};

use crate::guest::Remains;
use crate::outcome::{Ending, Finding, PluginError, Reason, Returned};
use crate::spec::{Objection, Secrets};

/// The secrets that the rights of a call name, and what finds them in a text; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Held(Arc<Inner>);

#[derive(Default)]
struct Inner {
    secrets: Vec<(SecretGrant, Secret)>,
    redactor: Arc<Redactor>,
}

impl Held {
    /// Fetches what the rights name.
    pub(crate) fn fetch(rights: &Rights, source: &dyn Secrets) -> Result<Self, Objection> {
        if rights.secrets().is_empty() {
            return Ok(Held::default());
        }
        let fetched = rights
            .secrets()
            .iter()
            .map(|grant| Ok((grant.clone(), source.secret(&grant.name)?)));
        let secrets = fetched.collect::<Result<Vec<_>, Objection>>()?;
        let redactor = Arc::new(Redactor::new(secrets.iter().map(|(_, secret)| secret)));
        Ok(Held(Arc::new(Inner { secrets, redactor })))
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&SecretGrant, &Secret)> {
        self.0.secrets.iter().map(|(grant, secret)| (grant, secret))
    }

    /// Those that the host puts into requests.
    pub(crate) fn placed(&self) -> impl Iterator<Item = Placed<'_>> {
        self.all().filter_map(|(grant, secret)| {
            let injection = grant.inject.as_ref()?;
            Some(Placed { injection, secret })
        })
    }

    /// What finds them.
    pub(crate) fn redactor(&self) -> &Arc<Redactor> {
        &self.0.redactor
    }

    /// Those that the plugin may read: by the name under which a program finds it among its variables, and by the name of the
    /// input as which a gate or an adapter finds it.
    pub(crate) fn exposed(&self) -> impl Iterator<Item = (String, String, &str)> {
        let exposed = self.all().filter(|(grant, _)| grant.expose);
        exposed.map(|(grant, secret)| {
            let variable = grant.name.to_ascii_uppercase().replace('-', "_");
            (variable, format!("secret/{}", grant.name), secret.reveal())
        })
    }

    /// Takes them out of everything that a call has said, before any of it is recorded or handed out. What it wrote to files stays:
    /// that is what the lease let it do.
    pub(crate) fn strike(&self, ending: &mut Ending, remains: &mut Remains) {
        if self.0.redactor.is_empty() {
            return;
        }
        self.strike_ending(ending);
        for stream in [&mut remains.stdout, &mut remains.stderr] {
            *stream = self.0.redactor.bytes(stream);
        }
        for line in &mut remains.log {
            self.text(&mut line.message);
        }
        for attachment in &mut remains.attachments {
            attachment.bytes = self.0.redactor.bytes(&attachment.bytes);
            self.text(&mut attachment.name);
            self.text(&mut attachment.media_type);
        }
        for quote in &mut remains.quotes {
            self.text(&mut quote.text);
        }
        for denial in &mut remains.denials.list {
            self.text(&mut denial.path);
        }
        for request in &mut remains.requests {
            self.text(&mut request.place);
        }
        for refused in &mut remains.refused_requests {
            self.text(&mut refused.place);
            self.text(&mut refused.sentence);
            refused.hint.iter_mut().for_each(|hint| self.text(hint));
        }
    }

    fn strike_ending(&self, ending: &mut Ending) {
        match ending {
            Ending::Returned(Returned::Verdict(verdict)) => {
                self.text(&mut verdict.summary);
                verdict.data.iter_mut().for_each(|data| self.text(data));
                verdict
                    .findings
                    .iter_mut()
                    .for_each(|finding| self.finding(finding));
            }
            Ending::Returned(Returned::Reply(text))
            | Ending::Trapped(text)
            | Ending::Ended(Reason::Reply(text) | Reason::Host(text)) => self.text(text),
            Ending::Returned(Returned::Error(
                PluginError::Config(text)
                | PluginError::Arguments(text)
                | PluginError::Blocked(text)
                | PluginError::Fault(text),
            )) => self.text(text),
            Ending::Exited(_) | Ending::Exhausted(_) | Ending::Ended(_) => {}
        }
    }

    fn finding(&self, finding: &mut Finding) {
        let at = finding.at.as_mut().map(|at| &mut at.path);
        let texts = [&mut finding.rule, &mut finding.message];
        let texts = texts
            .into_iter()
            .chain(at)
            .chain(finding.fingerprint.as_mut());
        texts.for_each(|text| self.text(text));
    }

    fn text(&self, text: &mut String) {
        let clean = self.0.redactor.bytes(text.as_bytes());
        // Secrets are ASCII, and so is what stands in their place.
        if clean != text.as_bytes() {
            *text = String::from_utf8_lossy(&clean).into_owned();
        }
    }
}
