//! Revocation as this home has it: the list in use, looked at again whenever its file has changed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use leasehold_lease::{ListSeen, Revocations, Verifier};
use leasehold_sandbox::{Objection, Standing};
use leasehold_seal::{Digest, Timestamp, Trust, dsse};

use crate::failure::{Failure, OrFail};
use crate::home::{Home, read_list};
use crate::parse;

/// The list in use, under the trust file that says who may revoke.
pub(crate) struct HomeStanding {
    path: PathBuf,
    verifier: Verifier,
    read: Mutex<Option<(Stamp, Revocations)>>,
}

/// Which file it was, as far as that can be seen without reading it. A list that is put in force is a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    dev: u64,
    ino: u64,
    size: u64,
    changed: (i64, i64),
}

impl HomeStanding {
    /// That of a home, where `trust` says who may revoke.
    pub(crate) fn new(home: &Home, trust: Trust) -> Self {
        HomeStanding {
            path: home.revocations_path(),
            verifier: Verifier::new(trust),
            read: Mutex::new(None),
        }
    }

    /// The list in use, on a tape that has seen this one.
    ///
    /// # Errors
    /// When there is a file and it is no list.
    pub(crate) fn revocations(&self, seen: Option<ListSeen>) -> Result<Revocations, Failure> {
        let Some(stamp) = self.stamp()? else {
            return Ok(Revocations::none().after(seen));
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let known = read.as_ref().filter(|(known, _)| *known == stamp);
        let revocations = match known {
            Some((_, revocations)) => revocations.clone(),
            None => {
                let bytes = parse::file("revocation list", &self.path, dsse::MAX_BYTES as u64)?;
                let list = read_list(&bytes)?;
                let revocations = Revocations::of(list);
                *read = Some((stamp, revocations.clone()));
                revocations
            }
        };
        Ok(revocations.after(seen))
    }

    /// Whether these leases may be used now, and the list that says so.
    ///
    /// # Errors
    /// Those of [`Revocations::check`], and of reading the list.
    pub(crate) fn ask(
        &self,
        chain: &[Digest],
        seen: Option<ListSeen>,
        now: Timestamp,
    ) -> Result<Option<ListSeen>, Failure> {
        let revocations = self.revocations(seen)?;
        self.verifier
            .check_revocations(&revocations, chain, now)
            .or_fail()
    }

    fn stamp(&self) -> Result<Option<Stamp>, Failure> {
        match fs::metadata(&self.path) {
            Ok(info) => Ok(Some(Stamp {
                dev: info.dev(),
                ino: info.ino(),
                size: info.size(),
                changed: (info.ctime(), info.ctime_nsec()),
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::reading("revocation list", &self.path, &error)),
        }
    }
}

impl Standing for HomeStanding {
    fn check(
        &self,
        chain: &[Digest],
        seen: Option<ListSeen>,
        now: Timestamp,
    ) -> Result<(), Objection> {
        // A list that cannot be read is no list, and no call goes by none where there is one.
        let unread = |failure: Failure| Objection {
            code: "REVOCATION-UNREADABLE",
            class: failure.class,
            sentence: failure.sentence,
            hint: failure.hint,
        };
        let revocations = self.revocations(seen).map_err(unread)?;
        self.verifier.check_revocations(&revocations, chain, now)?;
        Ok(())
    }
}
